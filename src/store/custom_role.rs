//! Roles that the account has made.

use async_trait::async_trait;

use super::StoreError;
use super::identity::{Listed, Stamp, Window};
use super::policy::PolicyRecord;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::CustomRoleId;
use crate::policy::ibm::role::CustomRole;

/// A role that the account has made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CustomRoleRecord {
    /// The id.
    pub id: CustomRoleId,
    /// What policies know of it.
    pub role: CustomRole,
    /// The name in its CRN. It never changes.
    pub name: String,
    /// The service that it is for.
    pub service_name: String,
    /// Any text.
    pub description: String,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: PrincipalId,
    /// When.
    pub stamp: Stamp,
}

/// Reading and changing custom roles.
#[async_trait]
pub trait CustomRoles {
    /// One role.
    async fn custom_role(&self, id: &CustomRoleId) -> Result<Option<CustomRoleRecord>, StoreError>;
    /// The role with this CRN.
    async fn custom_role_by_crn(&self, crn: &str) -> Result<Option<CustomRoleRecord>, StoreError>;
    /// Roles, oldest first; only those for `service`, if given.
    async fn custom_roles(
        &self,
        service: Option<&str>,
        window: Window,
    ) -> Result<Listed<CustomRoleRecord>, StoreError>;
    /// The policies that grant a role, oldest first.
    async fn policies_with_role(
        &self,
        id: &CustomRoleId,
        window: Window,
    ) -> Result<Listed<PolicyRecord>, StoreError>;
    /// Adds a role; `Conflict` if its CRN or display name is taken.
    async fn insert_custom_role(&self, row: &CustomRoleRecord) -> Result<(), StoreError>;
    /// Replaces a role whose stored version is one less, and touches everyone whom a policy grants it.
    async fn update_custom_role(&self, row: &CustomRoleRecord) -> Result<(), StoreError>;
    /// Removes a role; `Conflict` while a policy grants it.
    async fn delete_custom_role(&self, id: &CustomRoleId) -> Result<(), StoreError>;
}
