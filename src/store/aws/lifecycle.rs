//! Lifecycle policies of repositories: which images go when. The store does not read them.

use async_trait::async_trait;

use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::store::StoreError;

/// What is kept of one repository.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Lifecycle {
    /// The policy in force, to the letter.
    pub policy: Option<String>,
    /// When it was last carried out.
    pub evaluated_at: Option<UnixTime>,
    /// A policy that is only tried, and since when.
    pub preview: Option<(String, UnixTime)>,
}

/// Reading and changing lifecycle policies. They decide no request, so they touch nothing.
#[async_trait]
pub trait Lifecycles {
    /// Those of one repository; nothing if it has none.
    async fn lifecycle(&self, region: &Region, name: &RepositoryName) -> Result<Lifecycle, StoreError>;
    /// The repositories that have a policy in force, by name.
    async fn lifecycles(&self, region: &Region) -> Result<Vec<RepositoryName>, StoreError>;
    /// Sets, replaces or removes the policy; `NotFound` if there is no such repository.
    async fn put_lifecycle_policy(
        &self,
        region: &Region,
        name: &RepositoryName,
        text: Option<&str>,
    ) -> Result<(), StoreError>;
    /// Sets the policy that is only tried; `NotFound` if there is no such repository.
    async fn put_lifecycle_preview(
        &self,
        region: &Region,
        name: &RepositoryName,
        text: &str,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Notes that the policy was carried out.
    async fn lifecycle_evaluated(
        &self,
        region: &Region,
        name: &RepositoryName,
        at: UnixTime,
    ) -> Result<(), StoreError>;
}
