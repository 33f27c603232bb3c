//! Questions at random, and the condition keys that come with them.

use super::Case;
use super::ibm;
use super::words;
use super::words::{On, Operation};
use crate::wildcard::Context;
use crate::world::{Caller, Given, IbmWords, Question};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn given(
    key: &'static str,
    share: f64,
    values: &'static [&'static str],
) -> BoxedStrategy<Option<(String, Given)>> {
    let value = select(values).prop_map(move |value| (key.to_owned(), Given::One(value.to_owned())));
    option::weighted(share, value).boxed()
}

/// What the request itself says; the caller's own keys are added by `acquainted`.
fn context() -> BoxedStrategy<Context> {
    let list = vec(select(&["env", "team-a", "prod-1"][..]).prop_map(str::to_owned), 0..3);
    let keys = list.prop_map(|list| Some(("aws:TagKeys".to_owned(), Given::Many(list)))).boxed();
    let flags = &["true", "false"][..];
    vec![
        keys,
        given("aws:SourceIp", 0.9, &["10.1.2.3", "192.0.2.7", "2001:db8::1"]),
        given("aws:SecureTransport", 0.9, flags),
        given("aws:PrincipalTag/team", 0.7, &["team-a", "team-b", "*", "team-?", "Team-A", "t\u{e9}am"]),
        given("aws:ResourceTag/env", 0.5, &["env", "team-a"]),
        given("registry:Tag", 0.7, &["prod-1", "v1", "*", "512", "\u{e9}1"]),
        given("registry:TagExists", 0.5, flags),
        given("registry:ManifestSize", 0.7, &["512", "512", "1048576", "-1.5"]),
        given("aws:MultiFactorAuthAge", 0.5, &["512", "600.5"]),
        given("registry:Signature", 0.5, &["QUJD", "QUI=", "!!!"]),
        given("aws:MultiFactorAuthPresent", 0.4, flags),
        given("aws:TokenIssueTime", 0.4, &["2024-03-01T11:59:59Z", "2024-03-01T12:00:00Z"]),
        given(
            "aws:SourceArn",
            0.4,
            &["arn:aws:iam::111122223333:role/ci/build", "arn:aws:sns:r:1:a:111122223333:b"],
        ),
    ]
    .prop_map(|keys| keys.into_iter().flatten().collect())
    .boxed()
}

/// Instants around those that policies name, and how a proxy writes them.
const INSTANTS: [(i64, &str); 3] = [
    (1_709_294_400, "2024-03-01T12:00:00Z"),
    (1_709_294_399, "2024-03-01T11:59:59Z"),
    (1_709_335_800, "2024-03-01T23:30:00Z"),
];

/// An operation, on one of the resources.
pub(crate) fn question(operations: Vec<Operation>) -> BoxedStrategy<Question> {
    let repository = select(&[0_usize, 0, 0, 0, 1, 1, 2, 3, 4][..]);
    let places = (repository, select(&[0_usize, 0, 0, 1][..]), 0..words::USERS.len());
    (select(operations), places, context(), select(&INSTANTS[..]))
        .prop_map(|(operation, (repository, role, user), mut context, (now, written))| {
            context.insert("aws:CurrentTime".to_owned(), Given::One(written.to_owned()));
            context.insert("aws:EpochTime".to_owned(), Given::One(now.to_string()));
            let resource = match operation.on {
                On::Nothing => "*",
                On::Repository => words::REPOSITORIES[repository],
                On::Role => words::ROLES[role],
                On::User => words::USERS[user],
            };
            let account = resource.split(':').nth(4).unwrap_or("111122223333").to_owned();
            let attributes = ibm::attributes(operation.on, resource, &account);
            Question {
                aws: operation.aws.iter().map(|action| (*action).to_owned()).collect(),
                ibm: operation.ibm.map(|action| IbmWords { action: action.to_owned(), attributes }),
                resource: if operation.aws.is_empty() { "*".to_owned() } else { resource.to_owned() },
                resource_account: account,
                context,
                now,
            }
        })
        .boxed()
}

/// Tells the question who asks: the caller's condition keys, and the account of what has no ARN.
pub(crate) fn acquainted((world, mut question): Case) -> Case {
    let mut tell = |key: &str, value: &str| {
        question.context.insert(key.to_owned(), Given::One(value.to_owned()));
    };
    let account = world.caller.account();
    tell("aws:PrincipalAccount", account.unwrap_or("anonymous"));
    match &world.caller {
        Caller::User { arn, id } => {
            tell("aws:username", arn.rsplit('/').next().unwrap());
            tell("aws:userid", id);
            tell("aws:PrincipalArn", arn);
            tell("aws:PrincipalType", "User");
        }
        Caller::RoleSession { role, id, .. } => {
            tell("aws:userid", &format!("{id}:s1"));
            tell("aws:PrincipalArn", role);
            tell("aws:PrincipalType", "AssumedRole");
        }
        Caller::FederatedUser { arn } => tell("aws:PrincipalArn", arn),
        Caller::Root { account } => tell("aws:PrincipalArn", &format!("arn:aws:iam::{account}:root")),
        Caller::Anonymous | Caller::WebIdentity { .. } => tell("aws:PrincipalType", "Anonymous"),
    }
    if let (true, Some(account)) = (question.resource == "*", account) {
        question.resource_account = account.to_owned();
    }
    (world, question)
}
