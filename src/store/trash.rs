//! Deleted images that the upstream still has, and tags that nobody is shown any more.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use super::feed::Sequence;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Tag};

/// How long whoever has been given images to delete has for that.
pub const PURGE_TAKES: Duration = Duration::from_secs(120);

/// A deleted image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrashedImage {
    /// In which registry.
    pub region: Region,
    /// In which repository.
    pub repository: RepositoryName,
    /// Which.
    pub digest: Digest,
    /// The tags that it had.
    pub tags: Vec<Tag>,
    /// Since when.
    pub deleted_at: UnixTime,
    /// Until when it can be restored.
    pub expires_at: UnixTime,
}

/// What of a repository nobody is shown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HiddenImages {
    /// Deleted images.
    pub digests: Vec<Digest>,
    /// Tags, and what the upstream has them point to.
    pub tags: Vec<(Tag, Digest)>,
    /// The feed's position at that instant.
    pub as_of: Sequence,
}

/// What came of bringing an image back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Revealed {
    /// It was hidden, and is not any more.
    Now,
    /// It is not hidden.
    Before,
    /// It is being deleted upstream at this moment.
    TooLate,
}

/// Reading and changing what is hidden. Every change touches its repository.
#[async_trait]
pub trait Trash {
    /// What of one repository is hidden.
    async fn hidden(&self, region: &Region, name: &RepositoryName) -> Result<HiddenImages, StoreError>;
    /// The deleted images of one registry, the latest first.
    async fn trash(&self, region: &Region) -> Result<Vec<TrashedImage>, StoreError>;
    /// Hides an image and its tags. One that is hidden keeps its time.
    async fn hide_image(&self, row: &TrashedImage) -> Result<(), StoreError>;
    /// Hides a tag that points to `digest`.
    async fn hide_tag(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
    ) -> Result<(), StoreError>;
    /// Brings an image back, without its tags.
    async fn reveal_image(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Revealed, StoreError>;
    /// Brings a tag back, wherever it points to.
    async fn reveal_tag(&self, region: &Region, name: &RepositoryName, tag: &Tag) -> Result<(), StoreError>;
    /// Up to `limit` images whose time is over at `now`: from now on nothing brings them back, and for [`PURGE_TAKES`] nobody else
    /// is given them.
    async fn begin_purge(&self, now: UnixTime, limit: u32) -> Result<Vec<TrashedImage>, StoreError>;
    /// Takes back that the deletion of an image has begun: the upstream did not do it.
    async fn abort_purge(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), StoreError>;
    /// Forgets an image that the upstream does not have any more, and the tags that pointed to it.
    async fn end_purge(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), StoreError>;
}
