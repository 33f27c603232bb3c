//! Who may do what, as far as goals ask: one grant for each policy of either dialect, and repositories open to anyone.

use std::collections::HashSet;

use crate::compliance::facts::{Dialect, Grant, Holder, PublicGrant, Reach};
use crate::control::Desk;
use crate::control::list::{every, read_as};
use crate::control::problem::Problem;
use crate::control::reach::whole;
use crate::ids::principal::PrincipalId;
use crate::policy::aws::kind::Kind;
use crate::policy::aws::validate;
use crate::policy::ibm::access::AccessPolicy;
use crate::policy::ibm::role::Role;
use crate::policy::lint::{Problem as Odd, lint};
use crate::policy::resource::Service;
use crate::policy::table::product;
use crate::store::aws::holder::Actor;
use crate::store::aws::policies::{HeldPolicy, Origin, PolicyText};
use crate::store::policy::{PolicyRecord, Subject};

/// The managed policy of AWS's that allows everything.
const EVERYTHING: &str = "AdministratorAccess";

/// What does not narrow a policy down to less than a registry.
const WIDE: [&str; 4] = ["accountId", "serviceName", "serviceType", "region"];

fn reach(policy: &AccessPolicy) -> Reach {
    let covers = whole(policy).iter().any(|one| one.service == Some(Service::ContainerRegistry));
    let narrow = |one: &crate::policy::ibm::access::Attribute| {
        !WIDE.contains(&one.key.as_str()) || one.operator != "stringEquals"
    };
    match covers {
        false => Reach::Nothing,
        true if policy.tagged || policy.rule.is_some() || policy.attributes.iter().any(narrow) => Reach::Part,
        true => Reach::Whole,
    }
}

/// What the command line is told to grant the same on container-registry; nothing if it cannot be said in its words.
fn arguments(policy: &AccessPolicy) -> Option<String> {
    let mut text = String::from("--roles ");
    let roles: Option<Vec<&str>> =
        policy.roles.iter().map(|crn| Role::parse(crn).map(Role::display_name)).collect();
    text.push_str(&roles?.join(","));
    text.push_str(" --service-name container-registry");
    for one in &policy.attributes {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
        let [value] = one.values.as_slice() else { return None };
        if one.operator != "stringEquals" || !value.chars().all(plain) {
            return None;
        }
        match one.key.as_str() {
            "accountId" | "serviceName" | "serviceType" => {}
            "region" => text.push_str(&format!(" --region {value}")),
            "resourceType" => text.push_str(&format!(" --resource-type {value}")),
            "resource" => text.push_str(&format!(" --resource {value}")),
            _ => return None,
        }
    }
    (policy.rule.is_none() && !policy.tagged && !text.contains("Service Configuration")).then_some(text)
}

/// Whether a document allows everything on everything.
fn allows_everything(text: &str, kind: Kind) -> bool {
    let Ok(document) = validate::read(text, kind) else { return false };
    let broad = |advice: &str| advice.starts_with("everything on everything");
    lint(&document, product()).iter().any(|odd| odd.problem == Odd::OverBroad && broad(&odd.advice))
}

/// Whether a repository's policy lets in anyone.
fn lets_in_anyone(text: &str) -> bool {
    let Ok(document) = validate::read(text, Kind::Repository) else { return false };
    let anyone = |advice: &str| advice.starts_with("anyone may") || advice.contains("NotPrincipal");
    lint(&document, product()).iter().any(|odd| odd.problem == Odd::OverBroad && anyone(&odd.advice))
}

fn held(policy: &PolicyText, holder: Holder, account: &str) -> Grant {
    let (name, everything) = match policy {
        PolicyText::Aws(arn) => (arn.to_string(), arn.name().as_str() == EVERYTHING),
        PolicyText::Customer { path, name, document, .. } => {
            let arn = format!("arn:aws:iam::{account}:policy{}{}", path.as_str(), name.as_str());
            (arn, allows_everything(document.as_str(), Kind::Managed))
        }
        PolicyText::Inline(name, document) => {
            (name.as_str().to_owned(), allows_everything(document.as_str(), Kind::Inline))
        }
    };
    Grant {
        policy: name,
        holder,
        dialect: Dialect::Aws,
        reach: Reach::Part,
        manager: false,
        administrator: false,
        everything,
        arguments: String::new(),
    }
}

impl Desk {
    pub(super) async fn ibm_grants(&self) -> Result<Vec<Grant>, Problem> {
        let groups = every(|window| self.store.groups(None, window)).await?;
        let name = |id: &crate::ids::tagged::AccessGroupId| {
            groups
                .iter()
                .find(|group| group.id == *id)
                .map_or_else(|| id.to_string(), |group| group.name.clone())
        };
        let grant = |row: PolicyRecord| {
            let holder = match &row.subject {
                Subject::Group(id) => Holder::Group(id.to_string(), name(id)),
                Subject::Principal(id) => Holder::Principal(id.clone()),
            };
            let read = self.read(&row).ok();
            let has = |role: Role| {
                read.as_ref()
                    .is_some_and(|policy| policy.roles.iter().any(|crn| Role::parse(crn) == Some(role)))
            };
            let (manager, administrator) = (has(Role::Manager), has(Role::Administrator));
            // What cannot be read grants nothing, and is counted as if it were about a registry.
            let reach = read.as_ref().map_or(Reach::Part, reach);
            let named = |policy: &AccessPolicy| policy.attributes.iter().any(|one| one.key == "serviceName");
            let all = read.as_ref().is_some_and(|policy| !named(policy)) && manager && administrator;
            Grant {
                policy: row.id.to_string(),
                holder,
                dialect: Dialect::Ibm,
                reach,
                manager,
                administrator,
                everything: all && reach == Reach::Whole,
                arguments: read.as_ref().and_then(arguments).unwrap_or_default(),
            }
        };
        Ok(read_as(|window| self.store.policies(None, window), grant).await?)
    }

    pub(super) async fn aws_grants(&self) -> Result<Vec<Grant>, Problem> {
        let own = |id: PrincipalId| (Actor::Principal(id.clone()), Holder::Principal(id));
        let mut actors: Vec<(Actor, Holder)> =
            self.store.aws_policy_actors().await?.into_iter().map(own).collect();
        for role in every(|window| self.store.roles("/", window)).await? {
            actors.push((Actor::Role(role.id), Holder::Role(role.name.as_str().to_owned())));
        }
        let (mut grants, mut seen) = (Vec::new(), HashSet::new());
        for (actor, own) in actors {
            let Some(found) = self.store.policies_of(&actor).await? else { continue };
            for HeldPolicy { origin, policy } in &found.policies {
                let holder = match origin {
                    Origin::Own => own.clone(),
                    Origin::Group(id, name) => Holder::Group(id.to_string(), name.clone()),
                };
                let grant = held(policy, holder, self.account.as_str());
                // A group's policies come with each of its members.
                let news = match &grant.holder {
                    Holder::Group(id, _) => seen.insert((id.clone(), grant.policy.clone())),
                    Holder::Principal(_) | Holder::Role(_) => true,
                };
                if news {
                    grants.push(grant);
                }
            }
        }
        Ok(grants)
    }

    pub(super) async fn public_grants(&self) -> Result<Vec<PublicGrant>, Problem> {
        let mut found = Vec::new();
        for (region, _) in &self.compliance.premises.registries {
            if !self.store.registry(region).await?.is_some_and(|facts| facts.repository_policies) {
                continue;
            }
            for row in every(|window| self.store.repositories(region, window)).await? {
                let policy = self.store.repository_policy(region, &row.name).await?.policy;
                if policy.is_some_and(|text| lets_in_anyone(text.as_str())) {
                    found.push(PublicGrant {
                        repository: row.arn(self.account.clone()).to_string(),
                        region: region.clone(),
                        name: row.name.to_string(),
                    });
                }
            }
        }
        Ok(found)
    }
}
