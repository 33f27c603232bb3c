//! The published decision cases, each with its source and licence in `tests/vectors/iam_cases.jsonl`.

use super::decide::decide;
use super::wildcard::Context;
use super::world::{Caller, Class, Given, Policy, Question, World};
use serde_json::Value;
use std::collections::BTreeMap;

/// The file, as lines of JSON.
pub(crate) const CASES: &str = include_str!("../vectors/iam_cases.jsonl");

/// One case: what is asked, in which world, and `allow`, `deny` (explicit) or `implicitDeny`.
pub(crate) struct Published {
    /// Its number in the file.
    pub(crate) id: u64,
    /// Where it comes from.
    pub(crate) source: String,
    /// The policies.
    pub(crate) world: World,
    /// The request.
    pub(crate) question: Question,
    /// The known answer.
    pub(crate) expected: String,
}

/// Every published case.
pub(crate) fn published() -> Vec<Published> {
    CASES.lines().map(|line| read(&serde_json::from_str(line).unwrap())).collect()
}

fn text(case: &Value, name: &str) -> String {
    case[name].as_str().unwrap().to_owned()
}

fn policies(case: &Value, kind: &str) -> Vec<Policy> {
    let documents = case["policy"][kind].as_array().into_iter().flatten().enumerate();
    documents.map(|(n, one)| Policy { name: format!("{kind}-{n}"), document: one.clone() }).collect()
}

fn caller(arn: &str) -> Caller {
    let id = "AIDAEXAMPLE".to_owned();
    match arn.split([':', '/']).collect::<Vec<_>>()[..] {
        [_, _, "iam", _, _, "user", ..] => Caller::User { arn: arn.to_owned(), id },
        [_, _, "sts", _, account, "assumed-role", name, _] => Caller::RoleSession {
            role: format!("arn:aws:iam::{account}:role/{name}"),
            id,
            session: arn.to_owned(),
        },
        _ => panic!("unknown principal {arn}"),
    }
}

fn context(case: &Value) -> Context {
    let given = |value: &Value| match value {
        Value::Array(_) => Given::Many(super::condition::texts(value)),
        one => Given::One(one.as_str().unwrap().to_owned()),
    };
    case["context"].as_object().unwrap().iter().map(|(key, value)| (key.clone(), given(value))).collect()
}

fn read(case: &Value) -> Published {
    let resource = text(case, "resource");
    let attached = case["policy"].get("resource").map(|document| {
        (resource.clone(), Policy { name: "resource".to_owned(), document: document.clone() })
    });
    Published {
        id: case["id"].as_u64().unwrap(),
        source: text(case, "source"),
        expected: text(case, "expect"),
        world: World {
            caller: caller(&text(case, "principal")),
            iam_id: "IBMid-example".to_owned(),
            identity: policies(case, "identity"),
            groups: Vec::new(),
            boundary: policies(case, "permissions_boundary").pop(),
            session: None,
            attached: attached.into_iter().collect(),
            ibm: Vec::new(),
            roles: BTreeMap::new(),
        },
        question: Question {
            aws: vec![text(case, "action")],
            resource,
            resource_account: text(case, "resource_account"),
            ibm: None,
            context: context(case),
            now: 0,
        },
    }
}

#[test]
fn every_published_case_is_decided_as_published() {
    let known = [
        "id",
        "policy",
        "principal",
        "context",
        "action",
        "resource",
        "resource_account",
        "expect",
        "source",
        "license",
        "note",
    ];
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let unread = case.as_object().unwrap().keys().find(|name| !known.contains(&name.as_str()));
        assert_eq!(unread, None, "case {} has a field that nobody reads", case["id"]);
        let kinds = case["policy"].as_object().unwrap().keys();
        assert!(
            kinds
                .into_iter()
                .all(|kind| ["identity", "resource", "permissions_boundary"].contains(&kind.as_str()))
        );
    }
    let mut wrong = Vec::new();
    for case in published() {
        let outcome = decide(&case.world, &case.question);
        let found = match outcome.class {
            Class::AllowAlways | Class::AllowRoot | Class::Allow(_) => "allow",
            Class::ExplicitDeny(_) => "deny",
            Class::ImplicitDeny(_) => "implicitDeny",
        };
        let verdict = if found == case.expected { "ok" } else { "WRONG" };
        println!("case {:>3} {verdict}: {found} ({})", case.id, case.source);
        if found != case.expected {
            wrong.push((case.id, case.expected, outcome));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
