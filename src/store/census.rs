//! What the upstreams hold, as it was last seen: tags, what they stand for, and the signatures beside them.
//!
//! Facts for goals. What a request may do is never answered from here.

use std::collections::HashSet;

use async_trait::async_trait;

use super::StoreError;
use crate::clock::UnixTime;
use crate::compliance::facts::Images;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Tag};
use crate::registry::shape::Nature;

/// A manifest that was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeenManifest {
    /// What it hashes to.
    pub digest: Digest,
    /// What it is.
    pub nature: Nature,
    /// The images that it is an index of.
    pub children: Vec<Digest>,
}

/// A signature that was seen.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SeenSignature {
    /// Beside what.
    pub subject: Digest,
    /// Which.
    pub digest: Digest,
    /// The tag that it is found by, if it is.
    pub tag: Option<Tag>,
}

/// What has become of a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// A manifest was removed, with all its tags.
    Gone(Digest),
    /// A manifest was put, by a tag or not, and may be a signature.
    Put(SeenManifest, Option<Tag>, Option<SeenSignature>),
    /// A tag was removed.
    Untagged(Tag),
}

/// A change of an upstream that was made through us.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// In which registry.
    pub region: Region,
    /// In which repository.
    pub repository: RepositoryName,
    /// What.
    pub change: Change,
}

/// All that was found in a repository.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// Its tags.
    pub tags: Vec<(Tag, Digest)>,
    /// What they stand for, as far as that was not known.
    pub manifests: Vec<SeenManifest>,
    /// The signatures beside those that are images.
    pub signatures: Vec<SeenSignature>,
}

/// What of a repository need not be asked for again, because it is by digest.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Known {
    /// Manifests that are images or indexes of some.
    pub images: HashSet<Digest>,
    /// Other manifests.
    pub others: HashSet<Digest>,
}

/// Reading and noting it. Decides nothing, so it touches nothing.
#[async_trait]
pub trait Census {
    /// Takes notes down, in their order.
    async fn take_notes(&self, notes: &[Note], at: UnixTime) -> Result<(), StoreError>;
    /// What is known of a repository.
    async fn known_images(&self, region: &Region, name: &RepositoryName) -> Result<Known, StoreError>;
    /// Puts what was found in a repository in the place of what was known of its tags.
    async fn looked_through(
        &self,
        region: &Region,
        name: &RepositoryName,
        found: &Found,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// The repositories of a registry of which anything is known.
    async fn known_repositories(&self, region: &Region) -> Result<Vec<RepositoryName>, StoreError>;
    /// Notes that all of a registry was looked at.
    async fn all_looked_through(&self, region: &Region, at: UnixTime) -> Result<(), StoreError>;
    /// The tagged images of a registry, without what is in the trash; nothing of one that was never looked at as a whole.
    async fn tagged_images(&self, region: &Region, now: UnixTime) -> Result<Option<Images>, StoreError>;
}
