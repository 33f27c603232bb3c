//! Every call of the registry protocol, as a value with typed fields.
//!
//! An [`Operation`] is what gets decided on, and the only thing an upstream request is written from: no text of the
//! client's request line survives past the parser.

use super::name::RepositoryName;
use super::reference::{Digest, Reference};

/// One registry call (OCI distribution-spec 1.1 end-1 to end-13, and Docker's `_catalog`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Operation {
    /// `DELETE /v2/<name>/blobs/<digest>` (end-10).
    BlobDelete {
        /// The repository.
        repository: RepositoryName,
        /// The blob.
        digest: Digest,
    },
    /// `GET|HEAD /v2/<name>/blobs/<digest>` (end-2).
    BlobRead {
        /// The repository.
        repository: RepositoryName,
        /// The blob.
        digest: Digest,
        /// Whether the body is wanted.
        mode: ReadMode,
        /// The part that is wanted, when one single range was asked for.
        range: Option<ByteRange>,
    },
    /// `GET /v2/_catalog`.
    Catalog {
        /// Which page.
        page: Page,
    },
    /// `DELETE /v2/<name>/manifests/<reference>` (end-9).
    ManifestDelete {
        /// The repository.
        repository: RepositoryName,
        /// The tag, or the manifest with all its tags.
        reference: Reference,
    },
    /// `GET|HEAD /v2/<name>/manifests/<reference>` (end-3).
    ManifestRead {
        /// The repository.
        repository: RepositoryName,
        /// Tag or digest.
        reference: Reference,
        /// Whether the body is wanted.
        mode: ReadMode,
    },
    /// `PUT /v2/<name>/manifests/<reference>` (end-7).
    ManifestWrite {
        /// The repository.
        repository: RepositoryName,
        /// Tag or digest.
        reference: Reference,
    },
    /// `GET|HEAD /v2/` (end-1).
    Ping,
    /// `GET /v2/<name>/referrers/<digest>` (end-12).
    Referrers {
        /// The repository.
        repository: RepositoryName,
        /// The manifest that is referred to.
        subject: Digest,
        /// Only referrers of this type.
        artifact_type: Option<String>,
    },
    /// `GET /v2/<name>/tags/list` (end-8).
    TagList {
        /// The repository.
        repository: RepositoryName,
        /// Which page.
        page: Page,
    },
    /// `DELETE <upload>`: gives the upload up.
    UploadCancel(UploadSession),
    /// `PATCH <upload>` (end-5).
    UploadChunk {
        /// The upload.
        session: UploadSession,
        /// Where the chunk belongs, as `first` and `last` byte offsets, when the client says so.
        content_range: Option<(u64, u64)>,
    },
    /// `PUT <upload>?digest=<digest>` (end-6).
    UploadFinish {
        /// The upload.
        session: UploadSession,
        /// What the whole blob must hash to.
        digest: Digest,
        /// Where the last chunk belongs, if the request carries one.
        content_range: Option<(u64, u64)>,
    },
    /// `POST /v2/<name>/blobs/uploads/` (end-4a, end-4b, end-11).
    UploadStart {
        /// The repository.
        repository: RepositoryName,
        /// With what the upload begins.
        start: UploadStart,
    },
    /// `GET|HEAD <upload>` (end-13).
    UploadStatus(UploadSession),
}

/// Whether a read wants the body or only the headers; both need the same right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReadMode {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
}

/// A page of a list: at most `limit` entries after `last`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// `n`, if given.
    pub limit: Option<u32>,
    /// `last`, if given: entries after this one in byte order.
    pub last: Option<String>,
}

/// One range of bytes (RFC 9110 §14.1.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ByteRange {
    /// `bytes=first-`.
    From(u64),
    /// `bytes=-length`.
    Last(u64),
    /// `bytes=first-last`, both inclusive.
    Span(u64, u64),
}

/// How an upload begins.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UploadStart {
    /// Link a blob that another repository has (end-11); needs a right on both.
    Mount {
        /// The blob.
        digest: Digest,
        /// The repository it is taken from.
        from: RepositoryName,
    },
    /// The whole blob comes in this request (end-4b).
    Monolithic {
        /// What it must hash to.
        digest: Digest,
    },
    /// An empty session (end-4a). A mount that names no source is this too.
    Session,
}

/// An upload in progress, as its URL names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UploadSession {
    /// The repository in the path.
    pub repository: RepositoryName,
    /// The upstream's id of the session.
    pub id: UploadId,
    /// Our own proof of who opened it, not yet verified; `None` when the client lost it.
    pub lease: Option<String>,
}

/// An upstream's id of an upload: 1 to 128 of `[a-zA-Z0-9-_.=]`, and not only dots.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct UploadId(Box<str>);

impl UploadId {
    /// Parses an id.
    ///
    /// # Errors
    /// [`crate::ids::Malformed`] for anything that could be read as a path.
    pub fn parse(text: &str) -> Result<Self, crate::ids::Malformed> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'=');
        let dots = text.bytes().all(|b| b == b'.');
        if (1..=128).contains(&text.len()) && text.bytes().all(allowed) && !dots {
            Ok(Self(text.into()))
        } else {
            Err(crate::ids::Malformed::new(text, "an upload id"))
        }
    }

    /// The id as it stands in a path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Operation {
    /// The repository that the call is about, if it is about one.
    #[must_use]
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Catalog { .. } | Self::Ping => None,
            Self::BlobDelete { repository, .. }
            | Self::BlobRead { repository, .. }
            | Self::ManifestDelete { repository, .. }
            | Self::ManifestRead { repository, .. }
            | Self::ManifestWrite { repository, .. }
            | Self::Referrers { repository, .. }
            | Self::TagList { repository, .. }
            | Self::UploadStart { repository, .. } => Some(repository),
            Self::UploadCancel(session)
            | Self::UploadChunk { session, .. }
            | Self::UploadFinish { session, .. }
            | Self::UploadStatus(session) => Some(&session.repository),
        }
    }

    /// The kind of call, for metrics, logs and audit.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::BlobDelete { .. } => OperationKind::BlobDelete,
            Self::BlobRead { .. } => OperationKind::BlobRead,
            Self::Catalog { .. } => OperationKind::Catalog,
            Self::ManifestDelete { .. } => OperationKind::ManifestDelete,
            Self::ManifestRead { .. } => OperationKind::ManifestRead,
            Self::ManifestWrite { .. } => OperationKind::ManifestWrite,
            Self::Ping => OperationKind::Ping,
            Self::Referrers { .. } => OperationKind::Referrers,
            Self::TagList { .. } => OperationKind::TagList,
            Self::UploadCancel(_) => OperationKind::UploadCancel,
            Self::UploadChunk { .. } => OperationKind::UploadChunk,
            Self::UploadFinish { .. } => OperationKind::UploadFinish,
            Self::UploadStart { .. } => OperationKind::UploadStart,
            Self::UploadStatus(_) => OperationKind::UploadStatus,
        }
    }
}

/// Names the variants of [`Operation`] without their fields: a closed set of label values.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(missing_docs, reason = "each is the variant of `Operation` with the same name")]
pub enum OperationKind {
    BlobDelete,
    BlobRead,
    Catalog,
    ManifestDelete,
    ManifestRead,
    ManifestWrite,
    Ping,
    Referrers,
    TagList,
    UploadCancel,
    UploadChunk,
    UploadFinish,
    UploadStart,
    UploadStatus,
}

impl OperationKind {
    /// All kinds, in alphabetical order.
    pub const ALL: [Self; 14] = [
        Self::BlobDelete,
        Self::BlobRead,
        Self::Catalog,
        Self::ManifestDelete,
        Self::ManifestRead,
        Self::ManifestWrite,
        Self::Ping,
        Self::Referrers,
        Self::TagList,
        Self::UploadCancel,
        Self::UploadChunk,
        Self::UploadFinish,
        Self::UploadStart,
        Self::UploadStatus,
    ];

    /// The name in metrics, logs and audit events.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BlobDelete => "blob_delete",
            Self::BlobRead => "blob_read",
            Self::Catalog => "catalog",
            Self::ManifestDelete => "manifest_delete",
            Self::ManifestRead => "manifest_read",
            Self::ManifestWrite => "manifest_write",
            Self::Ping => "ping",
            Self::Referrers => "referrers",
            Self::TagList => "tag_list",
            Self::UploadCancel => "upload_cancel",
            Self::UploadChunk => "upload_chunk",
            Self::UploadFinish => "upload_finish",
            Self::UploadStart => "upload_start",
            Self::UploadStatus => "upload_status",
        }
    }
}
