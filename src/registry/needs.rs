//! Which rights an operation requires, on which repositories.
//!
//! It names rights in the registry's own words; `policy` says which actions of each cloud grant a right.

use super::name::RepositoryName;
use super::operation::{Operation, ReadMode, UploadStart};

/// Something one may do to a repository.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Right {
    /// Learn whether a blob is there, which a push needs too.
    CheckBlob,
    /// Continue, inspect or give up an upload.
    ContinueUpload,
    /// Delete a manifest, a tag or a blob.
    Delete,
    /// End an upload, perhaps with a last part.
    FinishUpload,
    /// Read the tags.
    ListTags,
    /// Read a blob.
    ReadBlob,
    /// Read a manifest or its referrers.
    ReadManifest,
    /// Begin an upload.
    StartUpload,
    /// Upload a blob at once.
    WriteBlob,
    /// Put a manifest or tag in place.
    WriteManifest,
}

impl Right {
    /// Every right.
    pub const ALL: &[Self] = &[
        Self::CheckBlob,
        Self::ContinueUpload,
        Self::Delete,
        Self::FinishUpload,
        Self::ListTags,
        Self::ReadBlob,
        Self::ReadManifest,
        Self::StartUpload,
        Self::WriteBlob,
        Self::WriteManifest,
    ];
}

/// One right on one repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Need<'a> {
    /// What is needed.
    pub right: Right,
    /// Where.
    pub repository: &'a RepositoryName,
}

/// What `operation` needs on the repository that it addresses; `None` for calls that any proven caller may make
/// ([`Operation::Ping`]) or whose answer is filtered instead ([`Operation::Catalog`]).
#[must_use]
pub fn primary(operation: &Operation) -> Option<Need<'_>> {
    let right = match operation {
        Operation::Catalog { .. } | Operation::Ping => return None,
        Operation::BlobDelete { .. } | Operation::ManifestDelete { .. } => Right::Delete,
        Operation::BlobRead { mode: ReadMode::Head, .. } => Right::CheckBlob,
        Operation::BlobRead { mode: ReadMode::Get, .. } => Right::ReadBlob,
        Operation::ManifestRead { .. } | Operation::Referrers { .. } => Right::ReadManifest,
        Operation::ManifestWrite { .. } => Right::WriteManifest,
        Operation::TagList { .. } => Right::ListTags,
        Operation::UploadStart { start: UploadStart::Monolithic { .. }, .. } => Right::WriteBlob,
        Operation::UploadStart { start: UploadStart::Mount { .. } | UploadStart::Session, .. } => {
            Right::StartUpload
        }
        Operation::UploadFinish { .. } => Right::FinishUpload,
        Operation::UploadCancel(_) | Operation::UploadChunk { .. } | Operation::UploadStatus(_) => {
            Right::ContinueUpload
        }
    };
    operation.repository().map(|repository| Need { right, repository })
}

/// What a cross-repository mount needs on its source. Without it the mount becomes a plain upload session, as the
/// specification intends (end-11), so that a missing right breaks no client.
#[must_use]
pub fn mount_source(operation: &Operation) -> Option<Need<'_>> {
    if let Operation::UploadStart { start: UploadStart::Mount { from, .. }, .. } = operation {
        Some(Need { right: Right::ReadBlob, repository: from })
    } else {
        None
    }
}
