//! Layers on their way in, part by part.

use async_trait::async_trait;

use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::operation::UploadId;
use crate::store::StoreError;

/// An upload.
#[derive(Clone, Eq, PartialEq)]
pub struct LayerUpload {
    /// What the client calls it: a UUID.
    pub id: String,
    /// In which registry.
    pub region: Region,
    /// Into which repository.
    pub repository: RepositoryName,
    /// Who began it: nobody else goes on with it.
    pub opener: String,
    /// The upstream's id of it.
    pub upstream: UploadId,
    /// The upstream's own state of it.
    pub query: String,
    /// How many bytes it has.
    pub received: u64,
    /// Whether its last part so far was too short to be followed by another one.
    pub short_part: bool,
    /// Since when.
    pub started_at: UnixTime,
}

impl std::fmt::Debug for LayerUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LayerUpload")
            .field("id", &self.id)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// Reading and changing uploads. They decide nothing, so they touch nothing.
#[async_trait]
pub trait LayerUploads {
    /// One upload.
    async fn layer_upload(&self, id: &str) -> Result<Option<LayerUpload>, StoreError>;
    /// Adds an upload.
    async fn insert_layer_upload(&self, row: &LayerUpload) -> Result<(), StoreError>;
    /// Notes how far it has got, if it had `from` bytes until now; else `Stale`.
    async fn advance_layer_upload(&self, row: &LayerUpload, from: u64) -> Result<(), StoreError>;
    /// Removes an upload; `NotFound` if it is not there.
    async fn delete_layer_upload(&self, id: &str) -> Result<(), StoreError>;
    /// Removes those that began before.
    async fn forget_layer_uploads(&self, before: UnixTime) -> Result<(), StoreError>;
}
