//! Limits on what a registry may hold and deliver, and how much of it is used.

use async_trait::async_trait;

use super::StoreError;
use crate::clock::UnixTime;
use crate::ids::region::Region;

/// The limits of one registry, in bytes; `None` is any number.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quota {
    /// Of layers and configurations that images hold, each counted once.
    pub storage: Option<u64>,
    /// Of pulls over public networks in a month.
    pub traffic: Option<u64>,
}

/// What is used of one registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Used {
    /// The month that the traffic is of, counted from the year 0.
    pub month: i64,
    /// Bytes of public pulls in that month.
    pub traffic: u64,
    /// Bytes held.
    pub storage: u64,
    /// All that was ever added to that, by whomever.
    pub added: u64,
    /// When what is held was last counted at the upstream.
    pub surveyed_at: UnixTime,
}

/// All that was ever added, as [`Used::added`] said it when a survey began.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Added(pub u64);

/// Reading and changing limits and usage. A change of limits touches the registry; usage touches nothing.
#[async_trait]
pub trait Quotas {
    /// The limits.
    async fn quota(&self, region: &Region) -> Result<Quota, StoreError>;
    /// Sets the limits.
    async fn put_quota(&self, region: &Region, quota: &Quota) -> Result<(), StoreError>;
    /// What is used, if that is known.
    async fn used(&self, region: &Region) -> Result<Option<Used>, StoreError>;
    /// Adds what passed in `month`: to that month's traffic, unless a later one has begun, and to what is held.
    async fn add_used(
        &self,
        region: &Region,
        month: i64,
        traffic: u64,
        storage: u64,
    ) -> Result<(), StoreError>;
    /// Replaces what is held by what a survey found, and by what was added since `since`, which may have been missed.
    async fn put_storage(
        &self,
        region: &Region,
        month: i64,
        (storage, since): (u64, Added),
        at: UnixTime,
    ) -> Result<(), StoreError>;
}
