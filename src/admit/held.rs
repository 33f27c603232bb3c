//! Tags that are being written for the first time in repositories where that is the only time: two pushes of one tag at
//! once, through whichever replicas, must not both find it free.
//!
//! Within a process a tag is held in memory; where there are other replicas, a hold is theirs to see, too ([`SharedHolds`]).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::fault::Fault;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Tag;

/// Which tag.
pub type Place = (Region, RepositoryName, Tag);

/// What is held by any replica.
#[async_trait]
pub trait SharedHolds: Send + Sync + std::fmt::Debug {
    /// Holds a tag until the hold is dropped; `None` while another replica does. This replica asks for no tag twice at a time.
    ///
    /// # Errors
    /// [`Fault`] when that cannot be known; then nothing is held.
    async fn hold(&self, place: &Place) -> Result<Option<Box<dyn SharedHold>>, Fault>;
}

/// A tag that is held among replicas as long as this lives.
pub trait SharedHold: Send + Sync + std::fmt::Debug {}

/// The tags that are held now.
#[derive(Debug, Default)]
pub struct TagHolds {
    here: Mutex<HashSet<Place>>,
    among: Option<Arc<dyn SharedHolds>>,
}

/// A tag that nobody else writes as long as this lives.
#[derive(Debug)]
pub struct HeldTag {
    // Dropped first: whoever finds the tag free here finds that it is given back there, or is ours.
    _among: Option<Box<dyn SharedHold>>,
    _here: Here,
}

#[derive(Debug)]
struct Here {
    holds: Arc<TagHolds>,
    place: Place,
}

impl TagHolds {
    /// Held among replicas, too.
    #[must_use]
    pub fn among(shared: Arc<dyn SharedHolds>) -> Self {
        Self { here: Mutex::default(), among: Some(shared) }
    }

    /// Holds a tag; `None` while somebody else does.
    ///
    /// # Errors
    /// [`Fault`] when other replicas' holds cannot be known.
    pub async fn hold(
        self: &Arc<Self>,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<HeldTag>, Fault> {
        let place = (region.clone(), name.clone(), tag.clone());
        if !self.here.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone()) {
            return Ok(None);
        }
        let here = Here { holds: Arc::clone(self), place };
        let Some(shared) = &self.among else { return Ok(Some(HeldTag { _among: None, _here: here })) };
        let among = shared.hold(&here.place).await?;
        Ok(among.map(|among| HeldTag { _among: Some(among), _here: here }))
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.holds.here.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::TagHolds;

    #[tokio::test]
    async fn a_tag_is_held_once_at_a_time() {
        let holds = Arc::new(TagHolds::default());
        let (region, name) = ("us-south".parse().unwrap(), "team-a/app".parse().unwrap());
        let (one, two) = ("v1".parse().unwrap(), "v2".parse().unwrap());
        let first = holds.hold(&region, &name, &one).await.unwrap();
        assert!(first.is_some());
        assert!(holds.hold(&region, &name, &one).await.unwrap().is_none());
        assert!(holds.hold(&region, &name, &two).await.unwrap().is_some());
        drop(first);
        assert!(holds.hold(&region, &name, &one).await.unwrap().is_some());
    }
}
