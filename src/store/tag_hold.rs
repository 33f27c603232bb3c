//! Tags that a replica is writing for the first time.

use async_trait::async_trait;

use super::StoreError;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Tag;

/// A hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TagHold {
    /// In which registry.
    pub region: Region,
    /// In which repository.
    pub repository: RepositoryName,
    /// Which tag.
    pub tag: Tag,
    /// By which process; what it left behind it may take anew.
    pub replica: String,
    /// Which of its holds.
    pub id: String,
}

/// Reading and changing holds. Nothing here touches anything.
#[async_trait]
pub trait TagHolds {
    /// Holds a tag until `ends_at`, or renews the hold; `false` while another process holds it at `now`.
    async fn hold_tag(&self, hold: &TagHold, now: UnixTime, ends_at: UnixTime) -> Result<bool, StoreError>;
    /// Gives the tag back, if it is this hold that has it.
    async fn release_tag(&self, hold: &TagHold) -> Result<(), StoreError>;
}
