//! Which managed policies users, groups and roles hold.

use std::sync::Arc;

use super::Keys;
use super::entity::{Entity, Named};
use super::managed::Managed;
use super::page::{Page, Paged};
use super::words::{Noun, failed, missing};
use crate::admit::caller::Caller;
use crate::admit::permit::{AwsControl, Permit};
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::policy::aws::kind::Owner;
use crate::policy::table::IamAction;

/// A policy that is held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attached {
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
}

/// What is acted on has a say: `iam:PolicyARN`.
fn policy_key(arn: &str) -> Keys {
    vec![("iam:PolicyARN".to_owned(), vec![arn.to_owned()])]
}

impl Desk {
    /// Who is acted on, and with which policy, which is looked for only by whoever may.
    async fn grasp_with_policy(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        named: &Named,
        (arn, noun): (&str, Noun<'_>),
    ) -> Result<(Entity, Managed, Permit<AwsControl>), AwsProblem> {
        let (entity, permit) = self.grasp(caller, action, named, policy_key(arn)).await?;
        let policy = self.managed(arn).await?.ok_or_else(|| missing(noun))?;
        Ok((entity, policy, permit))
    }

    /// Attaches a policy; twice is once.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn attach_policy(
        &self,
        caller: &Arc<Caller>,
        named: &Named,
        arn: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = match named.kind {
            Owner::Group => IamAction::AttachGroupPolicy,
            Owner::Role => IamAction::AttachRolePolicy,
            Owner::User => IamAction::AttachUserPolicy,
        };
        let (entity, policy, permit) =
            self.grasp_with_policy(caller, action, named, (arn, Noun::PolicyToAttach(arn))).await?;
        let attached = self.store.attach(&entity.holder(), &policy.policy_ref(), self.clock.now()).await;
        attached.map_err(|error| failed(error, Noun::PolicyToAttach(arn), entity.name()))?;
        Ok(AwsDone::new((), permit))
    }

    /// Detaches a policy.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn detach_policy(
        &self,
        caller: &Arc<Caller>,
        named: &Named,
        arn: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = match named.kind {
            Owner::Group => IamAction::DetachGroupPolicy,
            Owner::Role => IamAction::DetachRolePolicy,
            Owner::User => IamAction::DetachUserPolicy,
        };
        let (entity, policy, permit) =
            self.grasp_with_policy(caller, action, named, (arn, Noun::Policy(arn))).await?;
        let detached = self.store.detach(&entity.holder(), &policy.policy_ref()).await;
        detached.map_err(|error| failed(error, Noun::Policy(arn), entity.name()))?;
        Ok(AwsDone::new((), permit))
    }

    /// The policies that are attached and whose path begins so.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn attached_policies(
        &self,
        caller: &Arc<Caller>,
        named: &Named,
        prefix: &str,
        page: &Page,
    ) -> Result<AwsDone<Paged<Attached>>, AwsProblem> {
        let action = match named.kind {
            Owner::Group => IamAction::ListAttachedGroupPolicies,
            Owner::Role => IamAction::ListAttachedRolePolicies,
            Owner::User => IamAction::ListAttachedUserPolicies,
        };
        let (entity, permit) = self.grasp(caller, action, named, Keys::new()).await?;
        let attached = self.attached_to(&entity.holder(), prefix).await?;
        Ok(AwsDone::new(page.cut(attached, |one| format!("{} {}", one.name, one.arn)), permit))
    }

    pub(super) async fn attached_to(
        &self,
        holder: &crate::store::aws::holder::Holder,
        prefix: &str,
    ) -> Result<Vec<Attached>, AwsProblem> {
        let all = rows(|window| self.store.attached(holder, prefix, window)).await?;
        let shown = |one: &crate::store::aws::attachment::AttachedPolicy| Attached {
            arn: self.arn_of(&one.policy, &one.path, &one.name),
            name: one.name.as_str().to_owned(),
        };
        Ok(all.iter().map(shown).collect())
    }
}
