//! Goals about credentials and signing keys.

use super::{all_or, days, failed, passed, registries, unable};
use crate::compliance::facts::{Facts, Key, KeyKind};
use crate::compliance::verdict::{Judged, Judgement};

const fn word(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::AccessKey => "access key",
        KeyKind::ApiKey => "API key",
    }
}

fn delete(key: &Key) -> String {
    let user = &key.owner_name;
    match (key.kind, &key.owner) {
        (KeyKind::AccessKey, _) => {
            format!("aws iam delete-access-key --user-name '{user}' --access-key-id {}", key.id)
        }
        (KeyKind::ApiKey, crate::ids::principal::PrincipalId::ServiceId(_)) => {
            format!("portcullis iam service-api-key-delete {} '{user}' --force", key.id)
        }
        (
            KeyKind::ApiKey,
            crate::ids::principal::PrincipalId::Profile(_)
            | crate::ids::principal::PrincipalId::Role(_)
            | crate::ids::principal::PrincipalId::User(_),
        ) => format!("portcullis iam api-key-delete {} --force", key.id),
    }
}

fn each(facts: &Facts, expected: String, right: &str, wrong: impl Fn(&Key) -> Option<String>) -> Judgement {
    let judged = |key: &Key| -> Option<Judged> {
        let told = wrong(key)?;
        let found = format!("{} {} of {} {told}", word(key.kind), key.name, key.owner_name);
        Some(failed(key.id.clone(), found, delete(key)))
    };
    all_or(expected, facts.keys.iter().filter_map(judged), || {
        passed(registries(facts), format!("{} keys, {right}", facts.keys.len()))
    })
}

pub(super) fn age(facts: &Facts, limit: u32) -> Judgement {
    let expected = format!("no key that logs in is older than {limit} days");
    each(facts, expected, "none older", |key| {
        let old = days(key.created_at, facts.at);
        (old > i64::from(limit)).then(|| format!("is {old} days old"))
    })
}

pub(super) fn unused(facts: &Facts, limit: u32) -> Judgement {
    let expected = format!("no key that logs in is unused for more than {limit} days");
    each(facts, expected, "all of them in use", |key| {
        let idle = days(key.last_used.unwrap_or(key.created_at), facts.at);
        let told = || match key.last_used {
            Some(at) => format!("was last used at {}", at.rfc3339()),
            None => format!("was made {idle} days ago and not used since"),
        };
        (idle > i64::from(limit)).then(told)
    })
}

pub(super) fn signing(facts: &Facts, limit: u32) -> Judgement {
    let expected = format!("the key that signs tokens is no older than {limit} days");
    let judged = match facts.signing_key {
        None => unable("signing key".to_owned(), "there is no signing key", ""),
        Some(at) => {
            let old = days(at, facts.at);
            let found = format!("made {old} days ago, at {}", at.rfc3339());
            match old > i64::from(limit) {
                true => failed(
                    "signing key".to_owned(),
                    found,
                    "systemctl restart portcullis, and look into its log: it replaces the key when it is 30 days old",
                ),
                false => passed("signing key".to_owned(), found),
            }
        }
    };
    Judgement { expected, resources: vec![judged] }
}
