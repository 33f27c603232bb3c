//! Groups as AWS knows them: the same rows as access groups, with a path and an AWS id.

use async_trait::async_trait;

use super::AwsError;
use crate::ids::aws::GroupUniqueId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::AccessGroupId;
use crate::policy::aws::arn::Path;
use crate::store::StoreError;
use crate::store::group::{AccessGroup, Membership};
use crate::store::identity::{Listed, Window};

/// A group, with what only AWS's dialect shows. The AWS id follows from the group's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AwsGroup {
    /// The group.
    pub group: AccessGroup,
    /// Where it is filed.
    pub path: Path,
}

impl AwsGroup {
    /// `AGPA…`
    #[must_use]
    pub fn unique_id(&self) -> GroupUniqueId {
        GroupUniqueId::of(&self.group.id)
    }
}

/// Reading and changing groups in AWS's dialect. Who is in a group is for [`crate::store::group::Groups`] to say.
#[async_trait]
pub trait AwsGroups {
    /// The group of that name, in any case.
    async fn aws_group_named(&self, name: &str) -> Result<Option<AwsGroup>, StoreError>;
    /// Groups whose path begins so, oldest first.
    async fn aws_groups(&self, path_prefix: &str, window: Window) -> Result<Listed<AwsGroup>, StoreError>;
    /// The groups that `member` is in, oldest first.
    async fn aws_groups_of(
        &self,
        member: &PrincipalId,
        window: Window,
    ) -> Result<Listed<AwsGroup>, StoreError>;
    /// Adds a group; `Conflict` if the name is taken.
    async fn insert_aws_group(&self, row: &AwsGroup) -> Result<(), AwsError>;
    /// Replaces a group whose stored version is `row.group.stamp.version - 1`; `Conflict` if the name is taken.
    async fn update_aws_group(&self, row: &AwsGroup) -> Result<(), StoreError>;
    /// Removes a group that has no members and no policies.
    async fn delete_aws_group(&self, id: &AccessGroupId) -> Result<(), AwsError>;
    /// Adds a member, unless it is one already, within the quota of groups per user.
    async fn join_aws_group(&self, group: &AccessGroupId, member: &Membership) -> Result<(), AwsError>;
}
