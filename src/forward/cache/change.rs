//! What has changed through us: a count for each repository, by which older answers are told from newer ones.
//!
//! Repositories share a fixed number of counts. Two that meet in one make each other's answers look old, never new. That is also
//! why registries count by path alone, and not by host: one upstream can be spelled in many ways.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::forward::settings::UpstreamUrl;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, UploadStart};
use crate::registry::reference::Reference;

/// How many counts there are.
const SLOTS: usize = 4096;

/// The counts of all repositories.
#[derive(Debug)]
pub(super) struct Changes {
    slots: Box<[Slot]>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Slot {
    changed: AtomicU64,
    removed: AtomicU64,
}

/// How often a repository had changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Count {
    /// In any way.
    pub(super) changed: u64,
    /// So that something may be gone.
    pub(super) removed: u64,
}

/// A change that is under way. It is counted when the value is dropped, however it ended: nobody has been told before that it
/// took effect, and who asks after that must see it.
#[derive(Debug)]
pub(in crate::forward) struct Change<'a> {
    slot: &'a Slot,
    removes: bool,
}

impl Default for Changes {
    fn default() -> Self {
        let slots = std::iter::repeat_with(Slot::default).take(SLOTS).collect();
        Self { slots, hasher: RandomState::new() }
    }
}

impl Changes {
    pub(super) fn count(&self, upstream: &UpstreamUrl, repository: &RepositoryName) -> Count {
        let read = |slot: &Slot| Count {
            changed: slot.changed.load(Ordering::SeqCst),
            removed: slot.removed.load(Ordering::SeqCst),
        };
        self.slot(upstream, repository).map_or(Count { changed: 0, removed: 0 }, read)
    }

    /// What `operation` changes; `None` if it adds nothing that is asked for by name, and takes nothing away.
    pub(super) fn begin(&self, upstream: &UpstreamUrl, operation: &Operation) -> Option<Change<'_>> {
        let (repository, removes) = match operation {
            Operation::BlobDelete { repository, .. } | Operation::ManifestDelete { repository, .. } => {
                (repository, true)
            }
            // What a tag no longer points to may be gone with that, or soon: some registries keep nothing without a name.
            Operation::ManifestWrite { repository, reference: Reference::Tag(_) } => (repository, true),
            Operation::ManifestWrite { repository, reference: Reference::Digest(_) }
            | Operation::UploadStart {
                repository,
                start: UploadStart::Mount { .. } | UploadStart::Monolithic { .. },
            } => (repository, false),
            Operation::UploadFinish { session, .. } => (&session.repository, false),
            Operation::BlobRead { .. }
            | Operation::Catalog { .. }
            | Operation::ManifestRead { .. }
            | Operation::Ping
            | Operation::Referrers { .. }
            | Operation::TagList { .. }
            | Operation::UploadCancel(_)
            | Operation::UploadChunk { .. }
            | Operation::UploadStart { start: UploadStart::Session, .. }
            | Operation::UploadStatus(_) => return None,
        };
        Some(Change { slot: self.slot(upstream, repository)?, removes })
    }

    /// Something that is believed to be there is not.
    pub(super) fn lost(&self, upstream: &UpstreamUrl, repository: &RepositoryName) {
        if let Some(slot) = self.slot(upstream, repository) {
            slot.removed.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Byte by byte, so that it does not matter how much of the path stands in the upstream's URL.
    fn slot(&self, upstream: &UpstreamUrl, repository: &RepositoryName) -> Option<&Slot> {
        let mut hasher = self.hasher.build_hasher();
        let prefix = upstream.prefix().trim_end_matches('/').bytes();
        prefix.chain([b'/']).chain(repository.as_str().bytes()).for_each(|byte| hasher.write_u8(byte));
        self.slots.get(usize::try_from(hasher.finish() % SLOTS as u64).unwrap_or(0))
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.slot.changed.fetch_add(1, Ordering::SeqCst);
        self.slot.removed.fetch_add(u64::from(self.removes), Ordering::SeqCst);
    }
}
