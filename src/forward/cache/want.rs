//! What one client asks for, as far as memory can answer it.

use http::header::{self, HeaderMap};

use super::object::Object;
use super::{Item, Place, Shelf, TagPlace, accept};
use crate::forward::answer::REVALIDATE;
use crate::forward::response::IMMUTABLE;
use crate::registry::operation::{ByteRange, Operation, ReadMode};
use crate::registry::reference::Reference;

/// A read of a manifest or a blob.
#[derive(Debug)]
pub(super) struct Want<'a> {
    pub(super) sought: Sought,
    pub(super) mode: ReadMode,
    pub(super) range: Option<ByteRange>,
    pub(super) headers: &'a HeaderMap,
}

/// What is sought.
#[derive(Debug)]
pub(super) enum Sought {
    Object(Place),
    Tag(TagPlace),
}

impl<'a> Want<'a> {
    /// `None` for what only the upstream can answer: whatever is no such read, and manifests of types that are not named.
    pub(super) fn of(shelf: &Shelf, operation: &Operation, headers: &'a HeaderMap) -> Option<Self> {
        let site = shelf.site;
        match operation {
            Operation::BlobRead { repository, digest, mode, range } => {
                let item = Item::Blob(digest.clone());
                let sought = Sought::Object(Place { site, repository: repository.clone(), item });
                Some(Self { sought, mode: *mode, range: *range, headers })
            }
            Operation::ManifestRead { repository, reference, mode } if accept::names_any(headers) => {
                let repository = repository.clone();
                let sought = match reference {
                    Reference::Digest(digest) => {
                        Sought::Object(Place { site, repository, item: Item::Manifest(digest.clone()) })
                    }
                    Reference::Tag(tag) => Sought::Tag(TagPlace { site, repository, tag: tag.clone() }),
                };
                Some(Self { sought, mode: *mode, range: None, headers })
            }
            Operation::BlobDelete { .. }
            | Operation::Catalog { .. }
            | Operation::ManifestDelete { .. }
            | Operation::ManifestRead { .. }
            | Operation::ManifestWrite { .. }
            | Operation::Ping
            | Operation::Referrers { .. }
            | Operation::TagList { .. }
            | Operation::UploadCancel(_)
            | Operation::UploadChunk { .. }
            | Operation::UploadFinish { .. }
            | Operation::UploadStart { .. }
            | Operation::UploadStatus(_) => None,
        }
    }

    /// Whether the client takes it. Blobs have no types.
    pub(super) fn takes(&self, object: &Object) -> bool {
        match &self.sought {
            Sought::Object(Place { item: Item::Blob(_), .. }) => true,
            Sought::Object(Place { item: Item::Manifest(_), .. }) | Sought::Tag(_) => {
                accept::names(self.headers, object.media_type())
            }
        }
    }

    /// Whether the upstream is asked for all of it if it is not here. A blob may be large, so that is not done for who wants a
    /// part of it, or only to know of it.
    pub(super) fn is_for_all(&self) -> bool {
        match &self.sought {
            Sought::Object(Place { item: Item::Blob(_), .. }) => {
                let plain = self.range.is_none() && !self.headers.contains_key(header::IF_NONE_MATCH);
                self.mode == ReadMode::Get && plain
            }
            Sought::Object(Place { item: Item::Manifest(_), .. }) | Sought::Tag(_) => true,
        }
    }

    /// How long the client may keep it.
    pub(super) const fn lasting(&self) -> &'static str {
        match &self.sought {
            Sought::Object(_) => IMMUTABLE,
            Sought::Tag(_) => REVALIDATE,
        }
    }
}
