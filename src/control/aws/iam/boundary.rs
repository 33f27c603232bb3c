//! Permissions boundaries of users and roles.

use std::sync::Arc;

use super::Keys;
use super::entity::Named;
use super::managed::Managed;
use super::words::{Noun, failed, missing};
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::policy::aws::kind::Owner;
use crate::policy::table::IamAction;
use crate::store::aws::attachment::AttachedPolicy;

impl Desk {
    /// The policy that is to be a boundary; `None` if none is asked for.
    pub(super) async fn boundary_of(&self, arn: Option<&str>) -> Result<Option<AttachedPolicy>, AwsProblem> {
        let Some(arn) = arn else { return Ok(None) };
        let found = self.managed(arn).await?.ok_or_else(|| missing(Noun::Scope(arn)))?;
        Ok(Some(found.attached()))
    }

    /// Sets or replaces the boundary of a user or role.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn put_boundary(
        &self,
        caller: &Arc<Caller>,
        named: &Named,
        arn: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = match named.kind {
            Owner::Role => IamAction::PutRolePermissionsBoundary,
            Owner::Group | Owner::User => IamAction::PutUserPermissionsBoundary,
        };
        let keys = vec![("iam:PermissionsBoundary".to_owned(), vec![arn.to_owned()])];
        let (entity, permit) = self.grasp(caller, action, named, keys).await?;
        let actor = entity.actor().ok_or_else(|| missing(named.noun()))?;
        let policy = self.managed(arn).await?.ok_or_else(|| missing(Noun::Scope(arn)))?;
        let put = self.store.put_boundary(&actor, &policy.policy_ref(), self.clock.now()).await;
        put.map_err(|error| failed(error, Noun::Scope(arn), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// Removes the boundary of a user or role.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn delete_boundary(
        &self,
        caller: &Arc<Caller>,
        named: &Named,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = match named.kind {
            Owner::Role => IamAction::DeleteRolePermissionsBoundary,
            Owner::Group | Owner::User => IamAction::DeleteUserPermissionsBoundary,
        };
        let (entity, permit) = self.grasp(caller, action, named, Keys::new()).await?;
        let actor = entity.actor().ok_or_else(|| missing(named.noun()))?;
        let noun = Noun::Boundary(entity.kind(), entity.name());
        self.store.delete_boundary(&actor).await.map_err(|error| failed(error, noun, ""))?;
        Ok(AwsDone::new((), permit))
    }
}

impl Managed {
    /// As one that is attached.
    #[must_use]
    pub fn attached(&self) -> AttachedPolicy {
        AttachedPolicy { policy: self.policy_ref(), path: self.path().clone(), name: self.name().clone() }
    }
}
