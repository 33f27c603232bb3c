//! Worlds and questions at random, over all features, biased so that every class of answer comes up often.
//!
//! A case is drawn under a theme: which kind of policy denies much, which is sparse, what is asked. Within it
//! everything is independent. proptest shrinks towards fewer policies, statements and conditions, and towards
//! the first word of each list.

/// IBM access policies, and what operations are called in IBM's words.
pub(crate) mod ibm;
/// What is asked, and the condition keys.
mod question;
/// AWS documents.
pub(crate) mod statement;
/// The words that everything is made of.
pub(crate) mod words;

use self::words::Operation;
use super::world::{Caller, Group, Policy, Question, World};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use serde_json::Value;
use std::collections::BTreeMap;

/// A case.
pub(crate) type Case = (World, Question);

/// Fewest and most of something.
type Count = (usize, usize);

/// What a case leans to. Shares are per cent.
#[derive(Clone, Copy)]
struct Theme {
    /// Deny statements in identity, group, boundary, session, repository and trust policies.
    denies: [u8; 6],
    /// How many identity policies.
    identity: Count,
    /// How many groups.
    groups: Count,
    /// How many repository policies, and trust policies; several for one resource are only one.
    attached: (Count, Count),
    /// How many IBM policies.
    ibm: Count,
    /// How often there is a boundary, and session policies.
    limits: (u8, u8),
    /// What is asked.
    operations: &'static [Operation],
}

const PLAIN: Theme = Theme {
    denies: [4, 4, 2, 2, 4, 5],
    identity: (0, 2),
    groups: (0, 2),
    attached: ((0, 3), (0, 3)),
    ibm: (0, 3),
    limits: (15, 15),
    operations: &words::OPERATIONS,
};

/// Without identity and group policies.
const BARE: Theme = Theme { denies: [0; 6], identity: (0, 0), groups: (0, 0), ..PLAIN };

/// Many policies on repositories, and only they are asked for.
const REPOSITORIES: Theme =
    Theme { attached: ((4, 7), (0, 0)), limits: (10, 10), operations: words::ON_REPOSITORIES, ..BARE };

/// Many trust policies, and roles to assume.
const ROLES: Theme =
    Theme { attached: ((0, 0), (4, 6)), limits: (10, 10), operations: words::ASSUME_ROLE, ..PLAIN };

const THEMES: [Theme; 10] = [
    PLAIN,
    Theme { denies: [60, 0, 0, 0, 0, 0], identity: (1, 3), ..PLAIN },
    Theme { denies: [0, 45, 0, 0, 0, 0], identity: (0, 1), groups: (2, 4), limits: (5, 5), ..PLAIN },
    Theme { denies: [0, 0, 70, 0, 0, 0], identity: (1, 2), limits: (95, 5), ..PLAIN },
    Theme { denies: [0, 0, 0, 60, 0, 0], identity: (1, 2), limits: (5, 90), ..PLAIN },
    Theme { denies: [0, 0, 0, 0, 90, 0], identity: (0, 2), attached: ((6, 9), (0, 0)), ..REPOSITORIES },
    REPOSITORIES,
    Theme { ibm: (2, 6), limits: (10, 10), operations: words::ON_REPOSITORIES, ..BARE },
    Theme { identity: (0, 0), groups: (0, 0), limits: (10, 10), denies: [0; 6], ..ROLES },
    Theme { denies: [2, 2, 2, 2, 2, 60], ..ROLES },
];

/// Cases of every theme.
pub(crate) fn cases() -> BoxedStrategy<Case> {
    Union::new(THEMES.map(of_theme)).boxed()
}

fn of_theme(theme: Theme) -> BoxedStrategy<Case> {
    let operations = theme.operations.to_vec();
    (world(theme), question::question(operations)).prop_map(question::acquainted).boxed()
}

fn named(prefix: &str, documents: Vec<Value>) -> Vec<Policy> {
    let name = |n| format!("{prefix}-{n}");
    documents.into_iter().enumerate().map(|(n, document)| Policy { name: name(n), document }).collect()
}

fn caller() -> BoxedStrategy<Caller> {
    let user = |arn: &str, id: &str| Caller::User { arn: arn.to_owned(), id: id.to_owned() };
    let alice = user(words::USERS[0], "AIDAALICEEXAMPLE0001");
    let bob = user(words::USERS[1], "AIDABOBEXAMPLE000001");
    let carol = user("arn:aws:iam::444455556666:user/carol", "AIDACAROLEXAMPLE0001");
    let build = Caller::RoleSession {
        role: words::ROLES[0].to_owned(),
        id: "AROABUILDEXAMPLE0001".to_owned(),
        session: "arn:aws:sts::111122223333:assumed-role/build/s1".to_owned(),
    };
    let fred = Caller::FederatedUser { arn: "arn:aws:sts::111122223333:federated-user/fred".to_owned() };
    prop_oneof![
        10 => Just(alice),
        4 => Just(bob),
        1 => Just(carol),
        5 => Just(build),
        1 => Just(fred),
        1 => Just(Caller::Root { account: "111122223333".to_owned() }),
        1 => Just(Caller::Anonymous),
        1 => Just(Caller::WebIdentity { provider: words::PROVIDER.to_owned() }),
    ]
    .boxed()
}

fn groups(denies: u8, (fewest, most): Count) -> BoxedStrategy<Vec<Group>> {
    let policies = vec(vec(statement::identity_document(denies), 0..2), fewest..=most);
    policies
        .prop_map(|groups| {
            let group = |(n, documents)| Group {
                id: format!("AccessGroupId-{n}"),
                policies: named(&format!("group-{n}"), documents),
            };
            groups.into_iter().enumerate().map(group).collect()
        })
        .boxed()
}

fn attached(
    denies: [u8; 6],
    ((fewest, most), roles): (Count, Count),
) -> BoxedStrategy<BTreeMap<String, Policy>> {
    let repositories = vec(
        (select(&words::COMMON_REPOSITORIES[..]), statement::repository_document(denies[4])),
        fewest..=most,
    );
    let roles = vec((select(&words::ROLES[..]), statement::trust_document(denies[5])), roles.0..=roles.1);
    (repositories, roles)
        .prop_map(|(repositories, roles)| {
            let policy = |(n, (arn, document)): (usize, (&str, Value))| {
                (arn.to_owned(), Policy { name: format!("attached-{n}"), document })
            };
            repositories.into_iter().chain(roles).enumerate().map(policy).collect()
        })
        .boxed()
}

fn world(theme: Theme) -> BoxedStrategy<World> {
    let [identity, group, boundary, session, ..] = theme.denies;
    let sometimes = |percent: u8| f64::from(percent) / 100.0;
    let limits = (
        option::weighted(sometimes(theme.limits.0), statement::identity_document(boundary)),
        option::weighted(sometimes(theme.limits.1), vec(statement::identity_document(session), 1..3)),
    );
    let identity = vec(statement::identity_document(identity), theme.identity.0..=theme.identity.1);
    let others = (attached(theme.denies, theme.attached), vec(ibm::policy(), theme.ibm.0..=theme.ibm.1));
    (caller(), identity, groups(group, theme.groups), limits, others)
        .prop_map(|(caller, identity, groups, (boundary, session), (attached, ibm))| World {
            iam_id: ibm::iam_id(&caller).to_owned(),
            caller,
            identity: named("identity", identity),
            groups,
            boundary: boundary.map(|document| Policy { name: "boundary".to_owned(), document }),
            session: session.map(|documents| named("session", documents)),
            attached,
            ibm: named("ibm", ibm),
            roles: ibm::roles(),
        })
        .boxed()
}
