//! Permissions boundaries of users and roles.

use async_trait::async_trait;

use super::attachment::AttachedPolicy;
use super::holder::{Actor, PolicyRef};
use crate::clock::UnixTime;
use crate::store::StoreError;

/// Reading and changing boundaries. A change touches whom it bounds.
#[async_trait]
pub trait Boundaries {
    /// The boundary, if there is one.
    async fn boundary(&self, of: &Actor) -> Result<Option<AttachedPolicy>, StoreError>;
    /// Sets or replaces the boundary; `NotFound` if there is no such user, role or customer policy.
    async fn put_boundary(&self, of: &Actor, policy: &PolicyRef, now: UnixTime) -> Result<(), StoreError>;
    /// Removes the boundary; `NotFound` if there is none.
    async fn delete_boundary(&self, of: &Actor) -> Result<(), StoreError>;
}
