//! Who may do what by AWS's documents, as far as goals ask: one grant for each policy, and repositories open to anyone.

use std::collections::HashSet;

use crate::compliance::facts::{Dialect, Grant, Holder, PublicGrant, Reach};
use crate::control::Desk;
use crate::control::list::every;
use crate::control::problem::Problem;
use crate::ids::principal::PrincipalId;
use crate::policy::aws::kind::Kind;
use crate::policy::aws::validate;
use crate::policy::lint::{Problem as Odd, lint};
use crate::policy::table::product;
use crate::store::aws::holder::Actor;
use crate::store::aws::policies::{HeldPolicy, Origin, PolicyText};

/// The managed policy of AWS's that allows everything.
const EVERYTHING: &str = "AdministratorAccess";

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
