//! Access policies.

use async_trait::async_trait;

use super::StoreError;
use super::identity::{Listed, Stamp, Window};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, PolicyId};
use crate::policy::ibm::document::PolicyDocument;

/// Whom a policy is for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Subject {
    /// Every member of a group.
    Group(AccessGroupId),
    /// One principal.
    Principal(PrincipalId),
}

/// A stored policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyRecord {
    /// The id.
    pub id: PolicyId,
    /// Whom it is for.
    pub subject: Subject,
    /// What it grants.
    pub document: PolicyDocument,
    /// Any text.
    pub description: String,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: PrincipalId,
    /// When.
    pub stamp: Stamp,
}

/// Reading and changing policies.
#[async_trait]
pub trait Policies {
    /// One policy.
    async fn policy(&self, id: &PolicyId) -> Result<Option<PolicyRecord>, StoreError>;
    /// Policies, oldest first; only those for `subject`, if given.
    async fn policies(
        &self,
        subject: Option<&Subject>,
        window: Window,
    ) -> Result<Listed<PolicyRecord>, StoreError>;
    /// Up to `limit` policies by their ids, after that one: for who reads all of them, however many there are.
    async fn policies_after(
        &self,
        after: Option<&PolicyId>,
        limit: u32,
    ) -> Result<Vec<PolicyRecord>, StoreError>;
    /// Adds a policy; `NotFound` if its subject does not exist.
    async fn insert_policy(&self, row: &PolicyRecord) -> Result<(), StoreError>;
    /// Replaces a policy whose stored version is `row.stamp.version - 1`; the subject may change, both are touched.
    async fn update_policy(&self, row: &PolicyRecord) -> Result<(), StoreError>;
    /// Removes a policy; it can be restored for 30 days.
    async fn delete_policy(&self, id: &PolicyId) -> Result<(), StoreError>;
    /// One policy that was deleted and can be restored.
    async fn deleted_policy(&self, id: &PolicyId) -> Result<Option<PolicyRecord>, StoreError>;
    /// Such policies, oldest first; only those for `subject`, if given.
    async fn deleted_policies(
        &self,
        subject: Option<&Subject>,
        window: Window,
    ) -> Result<Listed<PolicyRecord>, StoreError>;
    /// Puts a deleted policy back whose version was `row.stamp.version - 1`.
    async fn restore_policy(&self, row: &PolicyRecord) -> Result<(), StoreError>;
}
