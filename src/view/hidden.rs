//! What of one repository nobody is shown, as requests need it.

use std::collections::{HashMap, HashSet};

use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Tag};
use crate::store::trash::HiddenImages;

/// Deleted images that the upstream still has, and tags that were taken off.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hidden {
    digests: HashSet<Digest>,
    tags: HashMap<Tag, Digest>,
}

/// Which repository.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct HiddenOf {
    pub(super) region: Region,
    pub(super) name: RepositoryName,
}

impl Hidden {
    /// What is stored.
    #[must_use]
    pub fn of(stored: HiddenImages) -> Self {
        Self { digests: stored.digests.into_iter().collect(), tags: stored.tags.into_iter().collect() }
    }

    /// Whether nothing is hidden.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty() && self.tags.is_empty()
    }

    /// Whether the image is deleted.
    #[must_use]
    pub fn has_image(&self, digest: &Digest) -> bool {
        self.digests.contains(digest)
    }

    /// Whether the tag was taken off. One that points elsewhere by now was put on again.
    #[must_use]
    pub fn has_tag(&self, tag: &Tag, points_to: Option<&Digest>) -> bool {
        let at = self.tags.get(tag);
        at.is_some_and(|hidden| points_to.is_none_or(|now| now == hidden))
            || points_to.is_some_and(|now| self.has_image(now))
    }

    /// Whether a signature can be seen, by the tag that it is found by if it has one.
    #[must_use]
    pub fn shows(&self, (tag, signature): &(Option<Tag>, Digest)) -> bool {
        !self.has_image(signature) && tag.as_ref().is_none_or(|tag| !self.has_tag(tag, Some(signature)))
    }

    /// How much is hidden.
    #[must_use]
    pub fn len(&self) -> usize {
        self.digests.len() + self.tags.len()
    }
}
