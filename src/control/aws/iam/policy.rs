//! Managed policies: making, listing and deleting them, and who has them.

use std::sync::Arc;

use super::entity::{Person, policy_arn};
use super::managed::{Known, Managed, PolicyShown};
use super::page::{Page, Paged};
use super::words::{Noun, failed, invalid};
use super::{Keys, request_tags};
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::ids::aws::ManagedPolicyId;
use crate::policy::aws::arn::{Name, Path};
use crate::policy::aws::kind::{Kind, Owner};
use crate::policy::table::IamAction;
use crate::store::aws::attachment::PolicyHolder;
use crate::store::aws::holder::Holder;
use crate::store::aws::managed_policy::{ManagedPolicy, Usage, VersionNumber};
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::aws::text::DocumentText;

/// What a caller says of a new policy.
#[derive(Debug)]
pub struct NewPolicy {
    /// The name.
    pub name: Name,
    /// Where it is filed.
    pub path: Path,
    /// Any text.
    pub description: String,
    /// What it says.
    pub document: String,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Whose policies are listed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scope {
    /// Everybody's.
    #[default]
    All,
    /// AWS's.
    Aws,
    /// The account's.
    Local,
}

/// Which policies are listed.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Whose.
    pub scope: Scope,
    /// Only those that somebody has.
    pub only_attached: bool,
    /// What their path begins with.
    pub prefix: String,
    /// Only those that are used so.
    pub usage: Option<Usage>,
}

/// Whose policies: somebody who has one, by kind and name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HolderShown {
    /// Which kind.
    pub kind: Owner,
    /// The name.
    pub name: String,
    /// The AWS id.
    pub id: String,
}

impl Desk {
    /// Makes a policy.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn create_aws_policy(
        &self,
        caller: &Arc<Caller>,
        new: NewPolicy,
    ) -> Result<AwsDone<PolicyShown>, AwsProblem> {
        let arn = policy_arn(&self.account, &new.path, &new.name);
        let keys = request_tags(&new.tags);
        let permit = self.permit_on(caller, IamAction::CreatePolicy, arn.clone(), keys.clone()).await?;
        if !new.tags.is_empty() {
            self.permit_on(caller, IamAction::TagPolicy, arn, keys).await?;
        }
        let (document, _) = DocumentText::read(&new.document, Kind::Managed).map_err(invalid)?;
        let now = self.clock.now();
        let row = ManagedPolicy {
            id: ManagedPolicyId::fresh(&self.account, &*self.entropy),
            name: new.name,
            path: new.path,
            description: new.description,
            default_version: VersionNumber::FIRST,
            attachments: 0,
            boundaries: 0,
            created_at: now,
            updated_at: now,
        };
        let inserted = self.store.insert_managed_policy(&row, &document, &new.tags).await;
        inserted.map_err(|error| failed(error, Noun::NewPolicy(row.name.as_str()), ""))?;
        Ok(AwsDone::new(PolicyShown { tags: new.tags, ..self.shown_own(&row) }, permit))
    }

    /// One policy.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn aws_policy(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
    ) -> Result<AwsDone<PolicyShown>, AwsProblem> {
        let (managed, permit) = self.grasp_managed(caller, IamAction::GetPolicy, arn, Keys::new()).await?;
        let mut shown = self.shown(&managed).await?;
        if let Managed::Own(row) = managed {
            shown.tags = self.store.tags(&Tagged::Policy(row.id)).await?;
        }
        Ok(AwsDone::new(shown, permit))
    }

    /// Policies, AWS's among them.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn aws_policies(
        &self,
        caller: &Arc<Caller>,
        wanted: &Wanted,
        page: &Page,
    ) -> Result<AwsDone<Paged<PolicyShown>>, AwsProblem> {
        let permit = self.permit_all(caller, IamAction::ListPolicies).await?;
        let mut all = Vec::new();
        if wanted.scope != Scope::Aws {
            let own = rows(|window| self.store.managed_policies(&wanted.prefix, None, window)).await?;
            all.extend(own.iter().map(|row| self.shown_own(row)));
        }
        if wanted.scope != Scope::Local {
            for known in Known::all().filter(|known| known.arn.path().as_str().starts_with(&wanted.prefix)) {
                all.push(self.shown(&Managed::Aws(known)).await?);
            }
        }
        all.retain(|policy| {
            let used = match wanted.usage {
                None => true,
                Some(Usage::Boundary) => policy.boundaries > 0,
                Some(Usage::Permissions) => policy.attachments > 0,
            };
            used && (!wanted.only_attached || policy.attachments > 0)
        });
        Ok(AwsDone::new(page.cut(all, |policy| format!("{} {}", policy.name, policy.arn)), permit))
    }

    /// Deletes a policy that nobody has and that has one version.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn delete_aws_policy(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let (row, permit) = self.grasp_own(caller, IamAction::DeletePolicy, arn).await?;
        let deleted = self.store.delete_managed_policy(&row.id).await;
        deleted.map_err(|error| failed(error, Noun::Policy(arn), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// Who has a policy, attached or as a boundary; only those of one kind, path and usage, if given.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn entities_for_policy(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        (kind, prefix, usage): (Option<Owner>, &str, Option<Usage>),
        page: &Page,
    ) -> Result<AwsDone<Paged<HolderShown>>, AwsProblem> {
        let action = IamAction::ListEntitiesForPolicy;
        let (managed, permit) = self.grasp_managed(caller, action, arn, Keys::new()).await?;
        let policy = managed.policy_ref();
        let mut all = Vec::new();
        for one in [Usage::Permissions, Usage::Boundary] {
            if usage.is_none_or(|wanted| wanted == one) {
                all.extend(rows(|window| self.store.holders(&policy, one, window)).await?);
            }
        }
        let mut shown = Vec::with_capacity(all.len());
        for holder in all.iter().filter(|one| kind.is_none_or(|kind| one.holder.owner() == kind)) {
            let found = self.holder_shown(holder).await?;
            shown.extend(found.filter(|(path, _)| path.starts_with(prefix)).map(|(_, shown)| shown));
        }
        let key = |one: &HolderShown| format!("{} {}", super::words::owner(one.kind), one.name);
        shown.sort_by_key(key);
        shown.dedup();
        Ok(AwsDone::new(page.cut(shown, key), permit))
    }

    /// The path and what is shown of somebody who has a policy.
    async fn holder_shown(&self, holder: &PolicyHolder) -> Result<Option<(String, HolderShown)>, AwsProblem> {
        let kind = holder.holder.owner();
        Ok(match &holder.holder {
            Holder::Group(_) => self.store.aws_group_named(&holder.name).await?.map(|row| {
                let name = super::entity::group_name(&row).to_owned();
                (row.path.as_str().to_owned(), HolderShown { kind, name, id: row.unique_id().to_string() })
            }),
            Holder::Role(id) => self.store.role(id).await?.map(|row| {
                let name = row.name.as_str().to_owned();
                (row.path.as_str().to_owned(), HolderShown { kind, name, id: row.id.to_string() })
            }),
            Holder::Principal(id) => self.person_of(id).await?.map(|person: Person| {
                let id = person.unique_id().to_string();
                (person.path, HolderShown { kind, name: person.name, id })
            }),
        })
    }
}
