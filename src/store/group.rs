//! Access groups and who is in them.

use async_trait::async_trait;

use super::StoreError;
use super::identity::{Listed, Stamp, Window};
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::AccessGroupId;

/// An access group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessGroup {
    /// The id.
    pub id: AccessGroupId,
    /// The name; unique, case-insensitively.
    pub name: String,
    /// Any text.
    pub description: String,
    /// When.
    pub stamp: Stamp,
}

/// One membership.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Membership {
    /// Who.
    pub member: PrincipalId,
    /// Since when.
    pub added_at: UnixTime,
    /// By whom.
    pub added_by: PrincipalId,
}

/// Reading and changing groups. Every change of membership touches the group and the member.
#[async_trait]
pub trait Groups {
    /// One group.
    async fn group(&self, id: &AccessGroupId) -> Result<Option<AccessGroup>, StoreError>;
    /// Groups, oldest first; only those that `member` is in, if given.
    async fn groups(
        &self,
        member: Option<&PrincipalId>,
        window: Window,
    ) -> Result<Listed<AccessGroup>, StoreError>;
    /// Adds a group; `Conflict` if the name is taken.
    async fn insert_group(&self, group: &AccessGroup) -> Result<(), StoreError>;
    /// Replaces a group whose stored version is `group.stamp.version - 1`.
    async fn update_group(&self, group: &AccessGroup) -> Result<(), StoreError>;
    /// Removes a group, its memberships and its policies.
    async fn delete_group(&self, id: &AccessGroupId) -> Result<(), StoreError>;
    /// Members, oldest membership first.
    async fn members(&self, group: &AccessGroupId, window: Window) -> Result<Listed<Membership>, StoreError>;
    /// Adds a member; `NotFound` if there is no such group or principal, `Conflict` if it is in already.
    async fn insert_member(&self, group: &AccessGroupId, member: &Membership) -> Result<(), StoreError>;
    /// Removes a member; `NotFound` if it is not in.
    async fn delete_member(&self, group: &AccessGroupId, member: &PrincipalId) -> Result<(), StoreError>;
}
