//! Pushed manifests that somebody is told of who reads reports and has images scanned. Noticed here, done elsewhere.

use tokio::sync::mpsc;

use crate::control::intake::is_worth_a_look;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference};

/// A manifest that was pushed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pushed {
    /// Where.
    pub region: Region,
    /// Where.
    pub repository: RepositoryName,
    /// By what it was put.
    pub reference: Reference,
    /// What it hashes to.
    pub digest: Digest,
    /// Whether it may be a report about another.
    pub is_about: bool,
}

impl Pushed {
    /// What is to be told of a manifest that is about to be pushed.
    #[must_use]
    pub fn of(
        region: &Region,
        repository: &RepositoryName,
        (reference, digest): (&Reference, &Digest),
        content: &[u8],
    ) -> Self {
        Self {
            region: region.clone(),
            repository: repository.clone(),
            reference: reference.clone(),
            digest: digest.clone(),
            is_about: is_worth_a_look(reference, content),
        }
    }
}

/// Tells of it. A full channel loses it, which the log says: whoever pushes a report again brings it again.
pub fn tell(told: &mpsc::Sender<Pushed>, pushed: Pushed) {
    if let Err(lost) = told.try_send(pushed) {
        tracing::warn!(%lost, "a pushed manifest is not looked at, because too many wait for it");
    }
}
