//! Why someone may do something, or what they lack: the decision, taken apart.

use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::{Control, Desk, Done};
use crate::admit::caller::Caller;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::{AccessGroupId, PolicyId};
use crate::policy::action::{Action, ActionSet};
use crate::policy::decide::{Decision, decide};
use crate::policy::ibm::role::Role;
use crate::policy::model::{Grant, Resource};
use crate::policy::pattern::Match;
use crate::store::identity::PrincipalRecord;
use crate::store::policy::{PolicyRecord, Subject};

/// A question.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who.
    pub principal: PrincipalId,
    /// Does what.
    pub action: Action,
    /// On what.
    pub resource: Resource,
}

/// The answer, taken apart.
#[derive(Debug)]
pub struct Explanation {
    /// Whether policies allow it.
    pub decision: Decision,
    /// Whether the principal may use anything at all.
    pub active: bool,
    /// Whether policies decide in that registry; `None` for account management, where they always do.
    pub enforced: Option<bool>,
    /// What people call the principal.
    pub name: String,
    /// Every policy that was looked at and that the caller may see, besides the one that allows.
    pub considered: Vec<Considered>,
    /// The roles of which any one would be enough.
    pub sufficient: Vec<Role>,
}

/// One policy, and what it contributed.
#[derive(Debug)]
pub struct Considered {
    /// Which.
    pub policy: PolicyId,
    /// The group that it is for, with its name; `None` if it is for the principal.
    pub group: Option<(AccessGroupId, String)>,
    /// The roles that it grants.
    pub roles: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What one policy contributed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It allows the action here.
    Allows,
    /// None of its roles has the action.
    LacksAction,
    /// An attribute of its target does not match.
    OtherTarget {
        /// Which one.
        attribute: &'static str,
        /// What the policy names.
        wanted: String,
        /// What the resource has.
        found: Option<String>,
    },
    /// It cannot be read, so it allows nothing.
    Unreadable,
}

impl Desk {
    /// Answers a question about oneself, or about others for whoever may read policies there.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn explain(
        &self,
        caller: &Arc<Caller>,
        question: Question,
    ) -> Result<Done<Explanation>, Problem> {
        let of = Control { action: Action::PolicyRead, resource: question.resource.clone() };
        let permit = self.permit_own_or(caller, &question.principal, of).await?;
        // The right to read policies there does not show what they may do elsewhere.
        let own = question.principal == *caller.principal();
        let missing = || Problem::NotFound(Noun::Principal, question.principal.to_string());
        let facts = self.store.principal(&question.principal).await?.ok_or_else(missing)?;
        let (name, active) = match facts.record {
            PrincipalRecord::ServiceId(row) => (row.name, true),
            PrincipalRecord::User(row) => (row.name, row.active),
        };
        let grants: Vec<Grant> = facts.policies.iter().filter_map(|row| self.compiled(row).ok()).collect();
        let wanted = ActionSet::of(&[question.action]);
        let enforced = match &question.resource.region {
            Some(region) => Some(self.settings_of(region).await?.policies_enforced),
            None => None,
        };
        let mut considered = Vec::with_capacity(facts.policies.len());
        for row in &facts.policies {
            let one = self.consider(row, &question).await?;
            if own || one.outcome == Outcome::Allows || self.sees_policy(caller, row) {
                considered.push(one);
            }
        }
        let explanation = Explanation {
            decision: decide(&grants, wanted, &question.resource),
            active,
            enforced,
            name,
            considered,
            sufficient: Role::ALL
                .into_iter()
                .filter(|role| role.actions().contains(question.action))
                .collect(),
        };
        Ok(Done::new(explanation, permit))
    }

    async fn consider(&self, row: &PolicyRecord, question: &Question) -> Result<Considered, Problem> {
        let (roles, outcome) = match self.compiled(row) {
            Ok(grant) => {
                let outcome = contribution(row, &grant, question);
                (grant.roles, outcome)
            }
            Err(_) => (Vec::new(), Outcome::Unreadable),
        };
        let group = match &row.subject {
            Subject::Group(id) => {
                let name = self.store.group(id).await?.map(|group| group.name);
                Some((id.clone(), name.unwrap_or_default()))
            }
            Subject::Principal(_) => None,
        };
        Ok(Considered { policy: row.id.clone(), group, roles, outcome })
    }
}

fn contribution(row: &PolicyRecord, grant: &Grant, question: &Question) -> Outcome {
    let (target, resource) = (&grant.target, &question.resource);
    let found_service = resource.service.map(|service| service.name().to_owned());
    let found_type = resource.service.map(|service| service.kind().to_owned());
    let region = resource.region.as_ref().map(Region::to_string);
    let namespace = resource.namespace.as_deref().map(str::to_owned);
    let checks = [
        ("serviceName", target.service.map(|s| Match::Equals(s.name().into())), found_service),
        ("serviceType", target.service_type.clone().map(Match::Equals), found_type),
        ("region", target.region.clone(), region),
        ("resourceType", target.resource_type.clone(), namespace.as_ref().map(|_| "namespace".to_owned())),
        ("resource", target.resource.clone(), namespace),
    ];
    let mismatch = checks.into_iter().find_map(|(attribute, wanted, found)| {
        let wanted = wanted.filter(|wanted| !found.as_deref().is_some_and(|text| wanted.matches(text)))?;
        Some(Outcome::OtherTarget { attribute, wanted: spell(row, attribute, &wanted), found })
    });
    match mismatch {
        Some(mismatch) => mismatch,
        None if grant.actions.contains(question.action) => Outcome::Allows,
        None => Outcome::LacksAction,
    }
}

/// What the policy asks for, as it was written.
fn spell(row: &PolicyRecord, attribute: &str, wanted: &Match) -> String {
    match wanted {
        Match::Equals(text) => text.to_string(),
        Match::Like(_) => {
            let mut written = row.document.resources.iter().flat_map(|resource| &resource.attributes);
            written.find(|written| written.name == attribute).map_or_else(String::new, |it| it.value.clone())
        }
    }
}
