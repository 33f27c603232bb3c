//! Who may do what by IBM's access policies, as far as goals ask: one grant for each policy. They are many, so only those of
//! holders that a change has touched are read again.

use std::collections::{HashMap, HashSet};

use crate::compliance::facts::{Dialect, Grant, Holder, Reach};
use crate::control::Desk;
use crate::control::list::every;
use crate::control::problem::Problem;
use crate::control::reach::whole;
use crate::policy::ibm::access::AccessPolicy;
use crate::policy::ibm::role::Role;
use crate::policy::resource::Service;
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::policy::{PolicyRecord, Subject};

/// How many policies are read at once.
const STEP: u32 = 500;

/// After how many changes everything is read again.
const CHANGES_MAX: u32 = 1000;

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

/// The names of groups, by id.
type Names = HashMap<String, String>;

impl Desk {
    /// All grants as of `sequence` or later; of those from `before`, which is as of an earlier change, what holds still is
    /// taken over.
    pub(super) async fn ibm_grants(
        &self,
        before: Option<(Vec<Grant>, Sequence)>,
        sequence: Sequence,
    ) -> Result<Vec<Grant>, Problem> {
        let groups = every(|window| self.store.groups(None, window)).await?;
        let names: Names = groups.into_iter().map(|group| (group.id.to_string(), group.name)).collect();
        if let Some((grants, since)) = before
            && let Some(touched) = self.touched_since(since, sequence).await?
        {
            return self.renewed(grants, &touched, &names).await;
        }
        let mut grants = Vec::new();
        let mut last = None;
        loop {
            let rows = self.store.policies_after(last.as_ref(), STEP).await?;
            let Some(row) = rows.last() else { return Ok(grants) };
            last = Some(row.id.clone());
            grants.extend(rows.into_iter().map(|row| self.grant(&row, &names)));
        }
    }

    /// Whose policies have changed after `since` and up to `sequence`; nothing if that cannot be told.
    async fn touched_since(
        &self,
        since: Sequence,
        sequence: Sequence,
    ) -> Result<Option<HashSet<Subject>>, Problem> {
        let changes = self.store.changes(since, CHANGES_MAX).await?;
        let gapless = changes.first().is_some_and(|first| first.sequence.0 == since.0.saturating_add(1));
        let complete = changes.last().is_some_and(|last| last.sequence >= sequence);
        let touched = || changes.iter().filter_map(|change| subject(&change.key)).collect();
        Ok((gapless && complete).then(touched))
    }

    /// With the grants of these holders as they are now.
    async fn renewed(
        &self,
        mut grants: Vec<Grant>,
        touched: &HashSet<Subject>,
        names: &Names,
    ) -> Result<Vec<Grant>, Problem> {
        let holders: HashSet<String> = touched.iter().map(holder_id).collect();
        grants.retain(|grant| match &grant.holder {
            Holder::Group(id, _) => !holders.contains(id),
            Holder::Principal(id) => !holders.contains(&id.to_string()),
            Holder::Role(_) => false,
        });
        for subject in touched {
            for row in every(|window| self.store.policies(Some(subject), window)).await? {
                grants.push(self.grant(&row, names));
            }
        }
        Ok(grants)
    }

    fn grant(&self, row: &PolicyRecord, names: &Names) -> Grant {
        let holder = match &row.subject {
            Subject::Group(id) => {
                let id = id.to_string();
                let name = names.get(&id).unwrap_or(&id).clone();
                Holder::Group(id, name)
            }
            Subject::Principal(id) => Holder::Principal(id.clone()),
        };
        let read = self.read(row).ok();
        let has = |role: Role| {
            read.as_ref().is_some_and(|policy| policy.roles.iter().any(|crn| Role::parse(crn) == Some(role)))
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
    }
}

fn holder_id(subject: &Subject) -> String {
    match subject {
        Subject::Group(id) => id.to_string(),
        Subject::Principal(id) => id.to_string(),
    }
}

/// Whose policies a change may have changed.
fn subject(key: &ChangeKey) -> Option<Subject> {
    match key {
        ChangeKey::Group(id) => Some(Subject::Group(id.clone())),
        ChangeKey::Principal(id) => Some(Subject::Principal(id.clone())),
        ChangeKey::Account
        | ChangeKey::Compliance
        | ChangeKey::Exemptions(_)
        | ChangeKey::Findings(..)
        | ChangeKey::Keyring
        | ChangeKey::ManagedPolicy(_)
        | ChangeKey::Network
        | ChangeKey::OidcProvider(_)
        | ChangeKey::PolicyInForce(_)
        | ChangeKey::Registry(_)
        | ChangeKey::Repository(..)
        | ChangeKey::Role(_) => None,
    }
}
