//! What the upstreams hold, piece by piece, for those who manage images by other means than the registry protocol.
//!
//! Implemented on the data plane, which decides nothing: what changes something is handed the proof that it may.

use async_trait::async_trait;
use bytes::Bytes;

use crate::admit::fault::Fault;
use crate::admit::permit::{AwsControl, Permit};
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::error::OciError;
use crate::registry::name::RepositoryName;
use crate::registry::operation::UploadId;
use crate::registry::reference::{Digest, Reference, Tag};

/// A manifest, whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    /// What it hashes to.
    pub digest: Digest,
    /// Its media type, as the upstream says.
    pub media_type: String,
    /// Its bytes.
    pub content: Bytes,
}

/// A manifest and what it adds up to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Described {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// What it is a manifest of: the type of the artifact, or of its configuration.
    pub artifact_type: Option<String>,
    /// The bytes of its configuration and layers; of an index, those of its largest image.
    pub size: u64,
    /// When its configuration says that it was built, if that was asked for.
    pub created: Option<UnixTime>,
    /// What it is about.
    pub subject: Option<Digest>,
    /// The manifests that it is an index of.
    pub children: Vec<Digest>,
}

/// Which manifest to describe.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// Which.
    pub digest: Digest,
    /// Whether it matters when it was built, which costs another question.
    pub created: bool,
}

/// A layer on its way in, as the upstream knows it.
#[derive(Clone, Eq, PartialEq)]
pub struct LayerSession {
    /// Into which repository.
    pub repository: RepositoryName,
    /// The upstream's id.
    pub id: UploadId,
    /// The upstream's state.
    pub query: String,
}

impl std::fmt::Debug for LayerSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LayerSession").field("repository", &self.repository).finish_non_exhaustive()
    }
}

/// Why something was not stored.
#[derive(Clone, Debug)]
pub enum Unstored {
    /// Not the caller's fault.
    Fault(Fault),
    /// The upstream does not take it.
    Refused(OciError),
}

/// In whose name something is removed.
#[derive(Clone, Copy, Debug)]
pub enum Warrant<'a> {
    /// Of a caller who may.
    Permit(&'a Permit<AwsControl>),
    /// Of the lifecycle policy of the repository, which somebody set who might.
    Lifecycle,
}

/// Reading and changing what the registry in a region holds. What is not there is `None`, or empty.
#[async_trait]
pub trait Stock: Send + Sync {
    /// The tags and what they point to.
    async fn tagged(&self, region: &Region, name: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault>;
    /// Whether there are any tags.
    async fn has_tags(&self, region: &Region, name: &RepositoryName) -> Result<bool, Fault>;
    /// What a tag points to.
    async fn digest_of(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Digest>, Fault>;
    /// One manifest.
    async fn manifest(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Manifest>, Fault>;
    /// Those of these manifests that are there, in their order.
    async fn described(
        &self,
        region: &Region,
        name: &RepositoryName,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Described>, Fault>;
    /// The size of a layer.
    async fn layer_size(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<u64>, Fault>;
    /// Begins to upload a layer.
    async fn begin_layer(
        &self,
        permit: &Permit<AwsControl>,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<LayerSession, Fault>;
    /// Goes on with `bytes`, the first of which is at `first`.
    async fn extend_layer(
        &self,
        permit: &Permit<AwsControl>,
        region: &Region,
        session: LayerSession,
        first: u64,
        bytes: Bytes,
    ) -> Result<LayerSession, Unstored>;
    /// Ends an upload, if all of it hashes to `digest`.
    async fn finish_layer(
        &self,
        permit: &Permit<AwsControl>,
        region: &Region,
        session: LayerSession,
        digest: &Digest,
    ) -> Result<(), Unstored>;
    /// Puts a manifest in place.
    async fn put_manifest(
        &self,
        permit: &Permit<AwsControl>,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<Digest, Unstored>;
    /// Removes a manifest with all its tags; whether it was there.
    async fn delete_image(
        &self,
        warrant: Warrant<'_>,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, Fault>;
    /// Removes a tag and nothing else; whether it was there.
    async fn delete_tag(
        &self,
        warrant: Warrant<'_>,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<bool, Fault>;
}
