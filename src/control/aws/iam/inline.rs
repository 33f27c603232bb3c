//! Policies written into users, groups and roles.

use std::sync::Arc;

use super::Keys;
use super::entity::Named;
use super::page::{Page, Paged};
use super::words::{Noun, failed, invalid, missing};
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::policy::aws::arn::Name;
use crate::policy::aws::kind::{Kind, Owner};
use crate::policy::table::IamAction;
use crate::store::aws::inline_policy::InlinePolicy;
use crate::store::aws::text::DocumentText;

impl Desk {
    /// Adds or replaces a policy.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn put_inline(
        &self,
        caller: &Arc<Caller>,
        named: &Named,
        name: &Name,
        document: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = match named.kind {
            Owner::Group => IamAction::PutGroupPolicy,
            Owner::Role => IamAction::PutRolePolicy,
            Owner::User => IamAction::PutUserPolicy,
        };
        let (entity, permit) = self.grasp(caller, action, named, Keys::new()).await?;
        let (document, _) = DocumentText::read(document, Kind::Inline).map_err(invalid)?;
        let policy = InlinePolicy { name: name.clone(), document };
        let put = self.store.put_inline_policy(&entity.holder(), &policy).await;
        put.map_err(|error| failed(error, named.noun(), entity.name()))?;
        Ok(AwsDone::new((), permit))
    }

    /// One policy.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn inline(
        &self,
        caller: &Arc<Caller>,
        named: &Named,
        name: &Name,
    ) -> Result<AwsDone<InlinePolicy>, AwsProblem> {
        let action = match named.kind {
            Owner::Group => IamAction::GetGroupPolicy,
            Owner::Role => IamAction::GetRolePolicy,
            Owner::User => IamAction::GetUserPolicy,
        };
        let (entity, permit) = self.grasp(caller, action, named, Keys::new()).await?;
        let found = self.store.inline_policy(&entity.holder(), name).await?;
        let policy = found.ok_or_else(|| missing(Noun::Inline(named.kind, name.as_str())))?;
        Ok(AwsDone::new(policy, permit))
    }

    /// Deletes a policy.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn delete_inline(
        &self,
        caller: &Arc<Caller>,
        named: &Named,
        name: &Name,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = match named.kind {
            Owner::Group => IamAction::DeleteGroupPolicy,
            Owner::Role => IamAction::DeleteRolePolicy,
            Owner::User => IamAction::DeleteUserPolicy,
        };
        let (entity, permit) = self.grasp(caller, action, named, Keys::new()).await?;
        let deleted = self.store.delete_inline_policy(&entity.holder(), name).await;
        let noun = Noun::Inline(named.kind, name.as_str());
        deleted.map_err(|error| failed(error, noun, entity.name()))?;
        Ok(AwsDone::new((), permit))
    }

    /// The names of the policies.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn inlines(
        &self,
        caller: &Arc<Caller>,
        named: &Named,
        page: &Page,
    ) -> Result<AwsDone<Paged<String>>, AwsProblem> {
        let action = match named.kind {
            Owner::Group => IamAction::ListGroupPolicies,
            Owner::Role => IamAction::ListRolePolicies,
            Owner::User => IamAction::ListUserPolicies,
        };
        let (entity, permit) = self.grasp(caller, action, named, Keys::new()).await?;
        let holder = entity.holder();
        let all = rows(|window| self.store.inline_policies(&holder, window)).await?;
        let names = all.into_iter().map(|policy| policy.name.as_str().to_owned()).collect();
        Ok(AwsDone::new(page.cut(names, Clone::clone), permit))
    }
}
