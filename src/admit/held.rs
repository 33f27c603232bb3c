//! Tags that are being written for the first time in repositories where that is the only time: two pushes of one tag at
//! once must not both find it free.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Tag;

type Place = (Region, RepositoryName, Tag);

/// The tags that are held now.
#[derive(Debug, Default)]
pub struct TagHolds(Mutex<HashSet<Place>>);

/// A tag that nobody else writes as long as this lives.
#[derive(Debug)]
pub struct HeldTag {
    holds: Arc<TagHolds>,
    place: Place,
}

impl TagHolds {
    /// Holds a tag; `None` while somebody else does.
    #[must_use]
    pub fn hold(self: &Arc<Self>, region: &Region, name: &RepositoryName, tag: &Tag) -> Option<HeldTag> {
        let place = (region.clone(), name.clone(), tag.clone());
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone());
        free.then(|| HeldTag { holds: Arc::clone(self), place })
    }
}

impl Drop for HeldTag {
    fn drop(&mut self) {
        self.holds.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::TagHolds;

    #[test]
    fn a_tag_is_held_once_at_a_time() {
        let holds = Arc::new(TagHolds::default());
        let (region, name) = ("us-south".parse().unwrap(), "team-a/app".parse().unwrap());
        let hold = |tag: &str| holds.hold(&region, &name, &tag.parse().unwrap());
        let first = hold("v1");
        assert!(first.is_some() && hold("v1").is_none() && hold("v2").is_some());
        drop(first);
        assert!(hold("v1").is_some());
    }
}
