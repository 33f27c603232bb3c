//! What an upstream holds, manifest by manifest, and the few changes that the control plane makes there.
//!
//! It reads the upstream as it is: what is hidden from callers is in here too, and leaving it out is for those who ask.

use async_trait::async_trait;
use bytes::Bytes;

use super::stock::Manifest;
use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};

/// One manifest of a repository, and what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// What it hashes to.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The tags that point to it.
    pub tags: Vec<Tag>,
    /// When it was built, as its configuration says.
    pub created: Option<UnixTime>,
    /// The labels of its configuration.
    pub labels: Vec<(String, String)>,
    /// Its configuration and layers, and their sizes.
    pub blobs: Vec<(Digest, u64)>,
    /// The manifests that it is an index of.
    pub children: Vec<Digest>,
    /// The manifest that it refers to, as a signature does.
    pub subject: Option<Digest>,
}

impl Held {
    /// The bytes of configuration and layers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.blobs.iter().fold(0, |total, (_, size)| total.saturating_add(*size))
    }
}

/// Reading and changing an upstream. Implemented on the data plane; decides nothing.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// Every manifest of the repository that can be found: by its tags, by being part of one that is found, and those of
    /// `also` that are there. A repository that is not there has none.
    async fn held(&self, region: &Region, name: &RepositoryName, also: &[Digest])
    -> Result<Vec<Held>, Fault>;

    /// The tags of the repository, and what they point to.
    async fn tags(&self, region: &Region, name: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault>;

    /// One manifest, if it is there.
    async fn manifest(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Manifest>, Fault>;

    /// A small blob, such as a configuration, if it is there.
    async fn document(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Bytes>, Fault>;

    /// A blob, if it is there and has no more than `max` bytes.
    async fn blob(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
        max: usize,
    ) -> Result<Option<Bytes>, Fault>;

    /// The signatures that stand beside a manifest, with the tag that one is found by.
    async fn signatures(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<(Option<Tag>, Digest)>, Fault>;

    /// Copies a blob from another repository of the same registry; `false` if the upstream does not.
    async fn mount(
        &self,
        region: &Region,
        name: &RepositoryName,
        from: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, Fault>;

    /// Puts a manifest in place.
    async fn put(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<(), Fault>;

    /// Deletes a manifest with all its tags; `false` if it is not there.
    async fn delete(&self, region: &Region, name: &RepositoryName, digest: &Digest) -> Result<bool, Fault>;
}
