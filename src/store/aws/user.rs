//! Users as AWS knows them: the same rows, with a path and an AWS id.

use async_trait::async_trait;

use super::AwsError;
use super::holder::PolicyRef;
use super::tag::Tag;
use crate::ids::aws::UserUniqueId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::UserId;
use crate::policy::aws::arn::Path;
use crate::store::StoreError;
use crate::store::identity::{Listed, User, Window};

/// A user, with what only AWS's dialect shows. The AWS id follows from the user's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AwsUser {
    /// The user.
    pub user: User,
    /// Where it is filed.
    pub path: Path,
}

impl AwsUser {
    /// `AIDA…`
    #[must_use]
    pub fn unique_id(&self) -> UserUniqueId {
        UserUniqueId::of(&PrincipalId::User(self.user.id.clone()))
    }
}

/// Reading and changing users in AWS's dialect.
#[async_trait]
pub trait AwsUsers {
    /// One user.
    async fn aws_user(&self, id: &UserId) -> Result<Option<AwsUser>, StoreError>;
    /// The user of that name, in any case.
    async fn aws_user_named(&self, name: &str) -> Result<Option<AwsUser>, StoreError>;
    /// Whose AWS id that is: a user's or a service ID's.
    async fn principal_of(&self, id: &UserUniqueId) -> Result<Option<PrincipalId>, StoreError>;
    /// Users whose path begins so, oldest first.
    async fn aws_users(&self, path_prefix: &str, window: Window) -> Result<Listed<AwsUser>, StoreError>;
    /// Adds a user, with its boundary and tags; `Conflict` if the name is taken.
    async fn insert_aws_user(
        &self,
        row: &AwsUser,
        boundary: Option<&PolicyRef>,
        tags: &[Tag],
    ) -> Result<(), AwsError>;
    /// Replaces a user whose stored version is `row.user.stamp.version - 1`; `Conflict` if the name is taken.
    async fn update_aws_user(&self, row: &AwsUser) -> Result<(), StoreError>;
    /// Removes a user that has nothing left but a boundary and tags.
    async fn delete_aws_user(&self, id: &UserId) -> Result<(), AwsError>;
}
