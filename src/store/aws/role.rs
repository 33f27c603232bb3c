//! Roles.

use async_trait::async_trait;

use super::AwsError;
use super::holder::PolicyRef;
use super::tag::Tag;
use super::text::DocumentText;
use crate::clock::UnixTime;
use crate::ids::aws::RoleId;
use crate::ids::region::Region;
use crate::policy::aws::arn::{Name, Path};
use crate::store::StoreError;
use crate::store::identity::{Listed, Stamp, Window};

/// A role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Role {
    /// `AROA…`
    pub id: RoleId,
    /// The name; unique, case-insensitively.
    pub name: Name,
    /// Where it is filed.
    pub path: Path,
    /// Who may assume it.
    pub trust: DocumentText,
    /// Any text.
    pub description: String,
    /// How long a session may last, in seconds: 3,600 to 43,200.
    pub max_session: u32,
    /// When and where a session of it was last used. Only [`Roles::role_used`] changes it.
    pub last_used: Option<(UnixTime, Region)>,
    /// When.
    pub stamp: Stamp,
}

/// Reading and changing roles.
#[async_trait]
pub trait Roles {
    /// One role.
    async fn role(&self, id: &RoleId) -> Result<Option<Role>, StoreError>;
    /// The role of that name, in any case.
    async fn role_named(&self, name: &Name) -> Result<Option<Role>, StoreError>;
    /// Roles whose path begins so, oldest first.
    async fn roles(&self, path_prefix: &str, window: Window) -> Result<Listed<Role>, StoreError>;
    /// Adds a role, with its boundary and tags; `Conflict` if the name is taken.
    async fn insert_role(
        &self,
        row: &Role,
        boundary: Option<&PolicyRef>,
        tags: &[Tag],
    ) -> Result<(), AwsError>;
    /// Replaces trust, description and session length of a role whose stored version is `row.stamp.version - 1`.
    async fn update_role(&self, row: &Role) -> Result<(), StoreError>;
    /// Removes a role that has no policies left.
    async fn delete_role(&self, id: &RoleId) -> Result<(), AwsError>;
    /// Notes a use, unless a later one is known. Decides nothing, so it touches nothing; a commit all the same, so not for
    /// every request.
    async fn role_used(&self, id: &RoleId, at: UnixTime, region: &Region) -> Result<(), StoreError>;
}
