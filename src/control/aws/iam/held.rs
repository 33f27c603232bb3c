//! The documents that a user, group or role holds, with where each comes from.

use super::entity::{Entity, policy_arn};
use super::words::owner;
use crate::control::Desk;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::policy::aws::arn::Name;
use crate::policy::aws::document::Document;
use crate::policy::aws::kind::{Kind, Owner};
use crate::policy::aws::managed::MANAGED;
use crate::policy::aws::validate;
use crate::store::aws::holder::PolicyRef;
use crate::store::aws::policies::{Origin, PolicyText};
use crate::store::aws::text::DocumentText;

/// A document that somebody holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// Who holds it: the entity itself, or a group that it is in.
    pub owner: Owner,
    /// The name of who holds it.
    pub holder: String,
    /// The name of the policy.
    pub name: String,
    /// Its ARN; `None` for an inline policy.
    pub arn: Option<String>,
    /// The text.
    pub text: String,
}

impl Held {
    /// As the simulator names it.
    #[must_use]
    pub fn source(&self) -> String {
        match &self.arn {
            Some(_) => self.name.clone(),
            None => format!("{}_{}_{}", owner(self.owner), self.holder, self.name),
        }
    }

    /// The document; whoever holds one that cannot be read may do nothing.
    pub(super) fn read(&self) -> Result<Document, AwsProblem> {
        let kind = if self.arn.is_some() { Kind::Managed } else { Kind::Inline };
        validate::read(&self.text, kind).map_err(|error| {
            let text = format!("policy {}: {error}", self.source());
            AwsProblem::Fault(crate::admit::fault::Fault::Internal(text))
        })
    }
}

impl Desk {
    /// The documents of an entity, those of its groups among them, and that of its boundary.
    pub(super) async fn held_by(&self, entity: &Entity) -> Result<(Vec<Held>, Option<Held>), AwsProblem> {
        let Some(actor) = entity.actor() else { return Ok((self.held_by_group(entity).await?, None)) };
        let Some(held) = self.store.policies_of(&actor).await? else { return Ok((Vec::new(), None)) };
        let own = (entity.kind(), entity.name().to_owned());
        let of = |origin: &Origin, policy: &PolicyText| {
            let (kind, holder) = match origin {
                Origin::Group(_, name) => (Owner::Group, name.clone()),
                Origin::Own => own.clone(),
            };
            self.told(kind, holder, policy)
        };
        let all = held.policies.iter().filter_map(|one| of(&one.origin, &one.policy)).collect();
        let boundary = held.boundary.as_ref().and_then(|policy| of(&Origin::Own, policy));
        Ok((all, boundary))
    }

    async fn held_by_group(&self, group: &Entity) -> Result<Vec<Held>, AwsProblem> {
        let (holder, name) = (group.holder(), group.name().to_owned());
        let mut all = Vec::new();
        for policy in rows(|window| self.store.inline_policies(&holder, window)).await? {
            let text = PolicyText::Inline(policy.name, policy.document);
            all.extend(self.told(Owner::Group, name.clone(), &text));
        }
        for one in rows(|window| self.store.attached(&holder, "", window)).await? {
            let text = self.in_force(&one.policy).await?;
            all.extend(text.and_then(|text| self.told(Owner::Group, name.clone(), &text)));
        }
        Ok(all)
    }

    /// The document of a managed policy that is in force.
    async fn in_force(&self, policy: &PolicyRef) -> Result<Option<PolicyText>, AwsProblem> {
        let id = match policy {
            PolicyRef::Aws(arn) => return Ok(Some(PolicyText::Aws(arn.clone()))),
            PolicyRef::Customer(id) => id.clone(),
        };
        let Some(row) = self.store.managed_policy(&id).await? else { return Ok(None) };
        let version = self.store.policy_version(&id, row.default_version).await?;
        let (path, name, version) = (row.path, row.name, version.map(|found| (found.number, found.document)));
        Ok(version.map(|(version, document)| PolicyText::Customer { id, path, name, version, document }))
    }

    fn told(&self, owner: Owner, holder: String, policy: &PolicyText) -> Option<Held> {
        let named = |name: &Name, arn: Option<String>, text: &DocumentText| {
            let (name, text) = (name.as_str().to_owned(), text.as_str().to_owned());
            Held { owner, holder: holder.clone(), name, arn, text }
        };
        match policy {
            PolicyText::Aws(arn) => {
                let known = MANAGED.iter().find(|known| known.arn() == arn.to_string())?;
                let (name, text) = (known.name.to_owned(), known.text.to_owned());
                Some(Held { owner, holder, name, arn: Some(known.arn()), text })
            }
            PolicyText::Customer { path, name, document, .. } => {
                Some(named(name, Some(policy_arn(&self.account, path, name)), document))
            }
            PolicyText::Inline(name, document) => Some(named(name, None, document)),
        }
    }
}
