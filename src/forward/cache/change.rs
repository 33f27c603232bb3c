//! What has changed through us: a count for each repository, by which older answers are told from newer ones.
//!
//! Repositories share a fixed number of counts. Two that meet in one make each other's answers look old, never new.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::forward::settings::UpstreamUrl;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, UploadStart};

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
            Operation::ManifestWrite { repository, .. }
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

    fn slot(&self, upstream: &UpstreamUrl, repository: &RepositoryName) -> Option<&Slot> {
        let hash = self.hasher.hash_one((upstream, repository));
        self.slots.get(usize::try_from(hash % SLOTS as u64).unwrap_or(0))
    }
}

impl Change<'_> {
    /// The upstream refused it: something that is believed to be there may not be.
    pub(in crate::forward) fn refused(&mut self) {
        self.removes = true;
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.slot.changed.fetch_add(1, Ordering::SeqCst);
        self.slot.removed.fetch_add(u64::from(self.removes), Ordering::SeqCst);
    }
}
