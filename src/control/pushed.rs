//! Manifests that were pushed, as those are told who read reports and have images scanned.

use super::intake::subject_of;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference};
use crate::store::findings::{PushedReport, Scanned};

/// A manifest that was pushed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pushed {
    /// What.
    pub image: Scanned,
    /// About what it may be a report.
    pub about: Option<Digest>,
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
        let (region, repository, digest) = (region.clone(), repository.clone(), digest.clone());
        Self { image: Scanned { region, repository, digest }, about: subject_of(reference, content) }
    }

    /// What is to be written down before the client hears of success, so that no restart loses it.
    #[must_use]
    pub fn report(&self, now: UnixTime) -> Option<PushedReport> {
        let of = Scanned { digest: self.about.clone()?, ..self.image.clone() };
        Some(PushedReport { id: 0, of, digest: self.image.digest.clone(), pushed_at: now })
    }
}
