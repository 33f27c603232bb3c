//! Goals about who may do what.

use std::collections::BTreeMap;

use super::{all_or, days, failed, passed, registries};
use std::collections::HashMap;

use crate::compliance::facts::{Dialect, Facts, Grant, Holder, Kind, Principal, Reach};
use crate::compliance::verdict::Judgement;
use crate::ids::principal::PrincipalId;

/// What people call the kind.
const fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Profile => "trusted profiles",
        Kind::ServiceId => "service IDs",
        Kind::User => "users",
    }
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.@/:+".contains(letter);
    match !name.is_empty() && name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', "'\\''")),
    }
}

/// The commands that take a policy from its holder.
fn revoke(facts: &Facts, grant: &Grant) -> String {
    let policy = quoted(&grant.policy);
    match (&grant.holder, grant.dialect) {
        (Holder::Group(_, name), Dialect::Ibm) => {
            format!("portcullis iam access-group-policy-delete {} {policy} --force", quoted(name))
        }
        (Holder::Group(_, name), Dialect::Aws) => aws_revoke("group", name, &grant.policy),
        (Holder::Role(name), _) => aws_revoke("role", name, &grant.policy),
        (Holder::Principal(id), dialect) => {
            let found = facts.principals.get(id);
            let name = found.map_or_else(|| id.to_string(), |principal| principal.name.clone());
            match (dialect, found.map(|principal| principal.kind)) {
                (Dialect::Aws, _) => aws_revoke("user", &name, &grant.policy),
                (Dialect::Ibm, Some(Kind::User) | None) => {
                    format!("portcullis iam user-policy-delete {} {policy} --force", quoted(&name))
                }
                (Dialect::Ibm, Some(Kind::ServiceId)) => {
                    format!("portcullis iam service-policy-delete {} {policy} --force", quoted(&name))
                }
                (Dialect::Ibm, Some(Kind::Profile)) => {
                    format!("ibmcloud iam trusted-profile-policy-delete {} {policy} --force", quoted(&name))
                }
            }
        }
    }
}

fn aws_revoke(kind: &str, name: &str, policy: &str) -> String {
    let name = quoted(name);
    match policy.starts_with("arn:") {
        true => format!("aws iam detach-{kind}-policy --{kind}-name {name} --policy-arn {}", quoted(policy)),
        false => {
            format!("aws iam delete-{kind}-policy --{kind}-name {name} --policy-name {}", quoted(policy))
        }
    }
}

fn on_registries(grant: &&Grant) -> bool {
    grant.reach != Reach::Nothing
}

/// Policies that name a principal, and not a group or role.
fn bypassing(facts: &Facts, expected: &str, wanted: impl Fn(&&Grant) -> bool) -> Judgement {
    let direct = |grant: &&Grant| matches!(grant.holder, Holder::Principal(_));
    let judged = |grant: &Grant| {
        let Holder::Principal(id) = &grant.holder else { return None };
        let name = facts.name_of(id);
        // Every policy gets a group of its own, so that nobody gets more than they had.
        let group = format!("registry-access-{}", grant.policy.get(..8).unwrap_or("own"));
        let add = match facts.principals.get(id).map(|one| one.kind) {
            Some(Kind::ServiceId) => "access-group-service-id-add",
            Some(Kind::User | Kind::Profile) | None => "access-group-user-add",
        };
        let fix = match grant.arguments.is_empty() {
            true => revoke(facts, grant),
            false => format!(
                "portcullis iam access-group-create {group} && portcullis iam access-group-policy-create {group} {} && \
                 portcullis iam {add} {group} {} && {}",
                grant.arguments,
                quoted(&name),
                revoke(facts, grant)
            ),
        };
        Some(failed(id.to_string(), format!("{name} holds policy {} directly", grant.policy), fix))
    };
    let wrong = facts.grants.iter().filter(direct).filter(&wanted).filter_map(judged);
    all_or(expected, wrong, || passed(registries(facts), "every policy is for a group or role"))
}

pub(super) fn groups_only(facts: &Facts) -> Judgement {
    let wanted = |grant: &&Grant| grant.dialect == Dialect::Ibm && on_registries(grant);
    bypassing(facts, "no policy on container-registry names a user, service ID or profile", wanted)
}

pub(super) fn direct(facts: &Facts) -> Judgement {
    let expected = "no policy of either dialect, attached or inline, names a user, service ID or profile";
    bypassing(facts, expected, |_| true)
}

/// Principals of a kind that hold a grant, themselves or by a group, with the first grant.
fn having(facts: &Facts, kind: Kind, wanted: impl Fn(&Grant) -> bool) -> Vec<(&Principal, &Grant)> {
    let (mut own, mut of_groups): (HashMap<&PrincipalId, &Grant>, HashMap<&str, &Grant>) = Default::default();
    for grant in facts.grants.iter().filter(|grant| wanted(grant)) {
        match &grant.holder {
            Holder::Group(id, _) => {
                of_groups.entry(id).or_insert(grant);
            }
            Holder::Principal(id) => {
                own.entry(id).or_insert(grant);
            }
            Holder::Role(_) => {}
        }
    }
    let of_kind = facts.principals.values().filter(|principal| principal.kind == kind);
    let found = of_kind.filter_map(|principal| {
        let by_group = || principal.groups.iter().find_map(|group| of_groups.get(group.as_str()));
        let grant = own.get(&principal.id).or_else(by_group);
        grant.map(|grant| (principal, *grant))
    });
    found.collect()
}

fn listed(found: &[(&Principal, &Grant)]) -> String {
    match found {
        [] => String::new(),
        some => {
            let names: Vec<&str> =
                some.iter().take(10).map(|(principal, _)| principal.name.as_str()).collect();
            format!(": {}{}", names.join(", "), if some.len() > 10 { ", …" } else { "" })
        }
    }
}

/// Managers of part of a registry do not keep the whole running, so they do not count.
pub(super) fn managers(facts: &Facts, kind: Kind, least: u32) -> Judgement {
    let wanted =
        |grant: &Grant| grant.dialect == Dialect::Ibm && grant.manager && grant.reach == Reach::Whole;
    let mut found = having(facts, kind, wanted);
    found.retain(|(principal, _)| principal.active);
    let expected = format!("at least {least} {} with the IAM manager role", plural(kind));
    let said = format!("{} {} with the IAM manager role{}", found.len(), plural(kind), listed(&found));
    let enough = u32::try_from(found.len()).unwrap_or(u32::MAX) >= least;
    let judged = match (enough, kind) {
        (true, _) => passed(registries(facts), said),
        (false, Kind::User) => {
            let fix = "portcullis iam access-group-create registry-managers && portcullis iam access-group-policy-create \
                       registry-managers --roles Manager --service-name container-registry && \
                       portcullis iam access-group-user-add registry-managers admin";
            failed(registries(facts), said, fix)
        }
        (false, Kind::ServiceId | Kind::Profile) => {
            let fix = "portcullis iam service-id-create registry-manager && portcullis iam access-group-create \
                       registry-automation && portcullis iam access-group-policy-create registry-automation --roles Manager \
                       --service-name container-registry && portcullis iam access-group-service-id-add registry-automation \
                       registry-manager";
            failed(registries(facts), said, fix)
        }
    };
    Judgement { expected, resources: vec![judged] }
}

/// Administrators of part of a registry can let in others, so they count.
pub(super) fn administrators(facts: &Facts, kind: Kind, most: u32) -> Judgement {
    let wanted =
        |grant: &Grant| grant.dialect == Dialect::Ibm && grant.administrator && on_registries(&grant);
    let found = having(facts, kind, wanted);
    let expected = format!("no more than {most} {} with the IAM administrator role", plural(kind));
    let said = format!("{} {} with the IAM administrator role{}", found.len(), plural(kind), listed(&found));
    let few = u32::try_from(found.len()).unwrap_or(u32::MAX) <= most;
    let judged = match (few, found.last()) {
        (false, Some((principal, grant))) => {
            let fix = match (&grant.holder, kind) {
                (Holder::Group(_, group), Kind::ServiceId) => format!(
                    "portcullis iam access-group-service-id-remove {} {} --force",
                    quoted(group),
                    quoted(&principal.name)
                ),
                (Holder::Group(_, group), Kind::User | Kind::Profile) => format!(
                    "portcullis iam access-group-user-remove {} {} --force",
                    quoted(group),
                    quoted(&principal.name)
                ),
                (Holder::Principal(_) | Holder::Role(_), _) => revoke(facts, grant),
            };
            failed(registries(facts), said, fix)
        }
        (false, None) | (true, _) => passed(registries(facts), said),
    };
    Judgement { expected, resources: vec![judged] }
}

pub(super) fn broad(facts: &Facts, most: u32) -> Judgement {
    let mut holders: BTreeMap<String, &Grant> = BTreeMap::new();
    for grant in facts.grants.iter().filter(|grant| grant.everything) {
        let name = match &grant.holder {
            Holder::Group(_, name) => format!("group {name}"),
            Holder::Principal(id) => facts.name_of(id),
            Holder::Role(name) => format!("role {name}"),
        };
        holders.entry(name).or_insert(grant);
    }
    let expected = format!("no more than {most} holders of policies that allow everything on everything");
    let few = u32::try_from(holders.len()).unwrap_or(u32::MAX) <= most;
    let resources = match few {
        true => {
            let names: Vec<&str> = holders.keys().map(String::as_str).collect();
            vec![passed(registries(facts), format!("{} holders: {}", holders.len(), names.join(", ")))]
        }
        false => {
            let wrong = holders.iter().map(|(name, grant)| {
                let found = format!("{name} may do everything by {}", grant.policy);
                failed(name.clone(), found, revoke(facts, grant))
            });
            wrong.collect()
        }
    };
    Judgement { expected, resources }
}

pub(super) fn public(facts: &Facts) -> Judgement {
    let wrong = facts.public.iter().map(|grant| {
        let found = format!("the policy of {} lets in anyone", grant.name);
        let fix = format!(
            "aws ecr delete-repository-policy --region {} --repository-name {}",
            grant.region,
            quoted(&grant.name)
        );
        failed(grant.repository.clone(), found, fix)
    });
    let right = || passed(registries(facts), "no repository policy lets in anyone");
    all_or("no repository policy has the principal \"*\" without a condition", wrong, right)
}

pub(super) fn unused(facts: &Facts, limit: u32) -> Judgement {
    let mut wrong = Vec::new();
    for kind in [Kind::User, Kind::ServiceId, Kind::Profile] {
        for (principal, grant) in having(facts, kind, |grant| on_registries(&grant)) {
            let idle = days(principal.last_used.unwrap_or(principal.created_at), facts.at);
            if idle <= i64::from(limit) {
                continue;
            }
            let name = &principal.name;
            let found = match principal.last_used {
                Some(at) => format!("{name} was last used {idle} days ago, at {}", at.rfc3339()),
                None => format!("{name} has not been used once in {idle} days"),
            };
            wrong.push(failed(principal.id.to_string(), found, revoke(facts, grant)));
        }
    }
    let right = || passed(registries(facts), "everybody who holds rights on registries uses them");
    all_or(format!("nobody holds rights on registries unused for more than {limit} days"), wrong, right)
}
