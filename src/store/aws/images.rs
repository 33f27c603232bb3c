//! When images were pushed and pulled through us: a vanilla registry does not remember it.
//!
//! A row says that an image was there once. Whether it still is, only the upstream says.

use async_trait::async_trait;

use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::store::StoreError;

/// An image that was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeenImage {
    /// Which.
    pub digest: Digest,
    /// When it was first pushed.
    pub pushed_at: UnixTime,
    /// When it was last pulled, as far as that is noted.
    pub pulled_at: Option<UnixTime>,
}

/// Reading and noting what was seen. Decides nothing, so it touches nothing but a repository that comes into being.
#[async_trait]
pub trait SeenImages {
    /// What was seen of one repository, by digest.
    async fn seen_images(&self, region: &Region, name: &RepositoryName)
    -> Result<Vec<SeenImage>, StoreError>;
    /// Notes a push, unless one is known; the repository comes into being with it.
    async fn image_pushed(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Notes a pull of an image whose push was seen, unless a later one is known.
    async fn image_pulled(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Forgets images.
    async fn images_gone(
        &self,
        region: &Region,
        name: &RepositoryName,
        digests: &[Digest],
    ) -> Result<(), StoreError>;
}
