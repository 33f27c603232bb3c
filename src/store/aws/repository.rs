//! Repositories: what ECR knows of one besides its images, which are the upstream's.

use async_trait::async_trait;

use super::AwsError;
use super::tag::Tag;
use super::text::DocumentText;
use crate::clock::UnixTime;
use crate::ids::account::AccountId;
use crate::ids::region::Region;
use crate::policy::aws::arn::Arn;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Tag as ImageTag;
use crate::registry::wildcard::fits;
use crate::store::StoreError;
use crate::store::identity::{Listed, Window};

/// Whether tags may be overwritten.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Mutability {
    /// They may not.
    Immutable,
    /// They may not, except those that the filters match.
    ImmutableWithExclusion,
    /// They may.
    #[default]
    Mutable,
    /// They may, except those that the filters match.
    MutableWithExclusion,
}

impl Mutability {
    /// ECR's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immutable => "IMMUTABLE",
            Self::ImmutableWithExclusion => "IMMUTABLE_WITH_EXCLUSION",
            Self::Mutable => "MUTABLE",
            Self::MutableWithExclusion => "MUTABLE_WITH_EXCLUSION",
        }
    }
}

impl std::str::FromStr for Mutability {
    type Err = crate::ids::Malformed;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Immutable, Self::ImmutableWithExclusion, Self::Mutable, Self::MutableWithExclusion];
        let found = all.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| crate::ids::Malformed::new(text, "a tag mutability such as `IMMUTABLE`"))
    }
}

/// A repository that has been created, by name or by a push.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repository {
    /// In which registry.
    pub region: Region,
    /// The name.
    pub name: RepositoryName,
    /// Whether tags may be overwritten.
    pub mutability: Mutability,
    /// The filters of tags that are excepted.
    pub exclusions: Vec<String>,
    /// Whether images are to be scanned when they are pushed.
    pub scan_on_push: bool,
    /// Since when.
    pub created_at: UnixTime,
}

impl Repository {
    /// Whether a tag of an image stays what it was when it was first written.
    #[must_use]
    pub fn keeps(&self, tag: &ImageTag) -> bool {
        keeps(self.mutability, &self.exclusions, tag.as_str())
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::Repository { region: self.region.clone(), account, name: self.name.clone() }
    }
}

/// Whether a tag stays what it was, in a repository that is so.
#[must_use]
pub fn keeps(mutability: Mutability, exclusions: &[String], tag: &str) -> bool {
    let excepted = || exclusions.iter().any(|filter| fits(filter, tag));
    match mutability {
        Mutability::Immutable => true,
        Mutability::ImmutableWithExclusion => !excepted(),
        Mutability::Mutable => false,
        Mutability::MutableWithExclusion => excepted(),
    }
}

/// Reading and changing repositories. A change touches the repository; the registry too if a namespace comes into being,
/// or if there are policies of repositories in it now and were none before, or the reverse.
#[async_trait]
pub trait Repositories {
    /// One repository.
    async fn repository(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<Option<Repository>, StoreError>;
    /// The repositories of one registry, oldest first.
    async fn repositories(&self, region: &Region, window: Window) -> Result<Listed<Repository>, StoreError>;
    /// Adds a repository with its tags, and its namespace if there is none; `Conflict` if it exists.
    async fn insert_repository(&self, row: &Repository, tags: &[Tag]) -> Result<(), AwsError>;
    /// Removes a repository with its policy and tags.
    async fn delete_repository(&self, region: &Region, name: &RepositoryName) -> Result<(), StoreError>;
    /// Sets whether tags may be overwritten.
    async fn put_mutability(
        &self,
        region: &Region,
        name: &RepositoryName,
        mutability: Mutability,
        exclusions: &[String],
    ) -> Result<(), StoreError>;
    /// Sets whether images are scanned when they are pushed.
    async fn put_scan_on_push(
        &self,
        region: &Region,
        name: &RepositoryName,
        scan: bool,
    ) -> Result<(), StoreError>;
    /// Sets, replaces or (`None`) removes the policy; `NotFound` if there is no such repository.
    async fn put_repository_policy(
        &self,
        region: &Region,
        name: &RepositoryName,
        policy: Option<&DocumentText>,
    ) -> Result<(), StoreError>;
}
