//! Which images of a namespace are kept, and which go every day.

use async_trait::async_trait;

use super::StoreError;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::Namespace;

/// The retention policy of one namespace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetentionPolicy {
    /// In which registry.
    pub region: Region,
    /// Of which namespace.
    pub namespace: Namespace,
    /// How many images of each repository are kept; `None` is all.
    pub images: Option<u32>,
    /// Whether images without tags are kept, and not counted.
    pub retain_untagged: bool,
    /// Images that are not older than this many days are kept as well.
    pub threshold_days: Option<u32>,
    /// When it was last carried out.
    pub ran_at: UnixTime,
}

/// Reading and changing retention policies. They decide no request, so they touch nothing.
#[async_trait]
pub trait Retentions {
    /// Those of one registry, by namespace.
    async fn retentions(&self, region: &Region) -> Result<Vec<RetentionPolicy>, StoreError>;
    /// Sets or replaces one.
    async fn put_retention(&self, row: &RetentionPolicy) -> Result<(), StoreError>;
    /// Notes that a policy was carried out, unless it has been put anew since it was read. Nothing else of it changes.
    async fn retention_ran(&self, row: &RetentionPolicy, at: UnixTime) -> Result<(), StoreError>;
    /// Those that were last carried out before.
    async fn retentions_due(&self, before: UnixTime) -> Result<Vec<RetentionPolicy>, StoreError>;
    /// Removes the policy of a namespace, if it has one.
    async fn delete_retention(&self, region: &Region, namespace: &Namespace) -> Result<(), StoreError>;
}
