//! Worlds and questions at random, over all features, biased so that every class of answer comes up often.
//!
//! A case is drawn under a theme: which kind of policy denies much, which is sparse, what is asked. Within it everything is
//! independent. proptest shrinks towards fewer policies, statements and conditions, and towards the first word of each list.

use super::vocabulary as words;
use super::vocabulary::{On, Operation};
use super::wildcard::Context;
use super::world::{Caller, Given, Group, IbmWords, Policy, Question, World};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A case.
pub(crate) type Case = (World, Question);

type Values = BoxedStrategy<Value>;

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
const ROLES: Theme = Theme { attached: ((0, 0), (2, 4)), operations: words::ASSUME_ROLE, ..PLAIN };

const THEMES: [Theme; 10] = [
    PLAIN,
    Theme { denies: [60, 0, 0, 0, 0, 0], identity: (1, 3), ..PLAIN },
    Theme { denies: [0, 60, 0, 0, 0, 0], identity: (0, 1), groups: (2, 3), limits: (5, 5), ..PLAIN },
    Theme { denies: [0, 0, 70, 0, 0, 0], identity: (1, 2), limits: (95, 5), ..PLAIN },
    Theme { denies: [0, 0, 0, 60, 0, 0], identity: (1, 2), limits: (5, 90), ..PLAIN },
    Theme { denies: [0, 0, 0, 0, 90, 0], identity: (0, 2), attached: ((6, 9), (0, 0)), ..REPOSITORIES },
    REPOSITORIES,
    Theme { ibm: (2, 6), limits: (10, 10), operations: words::ON_REPOSITORIES, ..BARE },
    Theme { identity: (0, 0), groups: (0, 0), limits: (10, 10), denies: [0; 6], ..ROLES },
    Theme { denies: [2, 2, 2, 2, 2, 50], ..ROLES },
];

/// Cases of every theme.
pub(crate) fn cases() -> BoxedStrategy<Case> {
    Union::new(THEMES.map(of_theme)).boxed()
}

/// Identity policy documents, for tests that add one to a case.
pub(crate) fn documents() -> BoxedStrategy<Value> {
    let some_statements = vec(statement(50, vec![action(), resource()]), 1..3);
    some_statements.prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements})).boxed()
}

fn of_theme(theme: Theme) -> BoxedStrategy<Case> {
    let operations = theme.operations.to_vec();
    (world(theme), question(operations)).prop_map(acquainted).boxed()
}

fn word(list: &'static [&'static str]) -> Values {
    select(list).prop_map(Value::from).boxed()
}

/// One to three of the words, as a bare value or a list.
fn some_words(list: &'static [&'static str]) -> Values {
    prop_oneof![
        2 => word(list),
        1 => vec(word(list), 1..3).prop_map(Value::from),
    ]
    .boxed()
}

fn share(percent: u8) -> BoxedStrategy<bool> {
    prop::bool::weighted(f64::from(percent) / 100.0).boxed()
}

// Statements

/// An element of a statement: its name, and its value.
type Element = BoxedStrategy<(&'static str, Value)>;

fn element(name: &'static str, value: Values) -> Element {
    value.prop_map(move |value| (name, value)).boxed()
}

fn action() -> Element {
    prop_oneof![
        7 => element("Action", Just(json!("*")).boxed()),
        5 => element("Action", some_words(words::ACTION_PATTERNS)),
        4 => element("Action", some_words(words::ACTIONS)),
        1 => element("NotAction", some_words(words::ACTIONS)),
        1 => element("NotAction", some_words(words::ACTION_PATTERNS)),
    ]
    .boxed()
}

fn resource() -> Element {
    prop_oneof![
        8 => element("Resource", Just(json!("*")).boxed()),
        4 => element("Resource", some_words(words::RESOURCE_PATTERNS)),
        2 => element("Resource", some_words(&words::REPOSITORIES)),
        1 => element("NotResource", some_words(&words::REPOSITORIES)),
        1 => element("NotResource", some_words(words::RESOURCE_PATTERNS)),
    ]
    .boxed()
}

fn principal() -> Element {
    let aws = || some_words(words::PRINCIPALS).prop_map(|names| json!({"AWS": names})).boxed();
    let federated = json!({"Federated": words::PROVIDER});
    prop_oneof![
        4 => element("Principal", Just(json!("*")).boxed()),
        8 => element("Principal", aws()),
        1 => element("Principal", Just(federated).boxed()),
        1 => element("NotPrincipal", aws()),
    ]
    .boxed()
}

/// A condition: operator, key, values.
pub(crate) fn condition() -> BoxedStrategy<(String, &'static str, Value)> {
    let of = |operators: &'static [&'static str],
              keys: &'static [&'static str],
              values: &'static [&'static str]| {
        let quantifier = select(&["", "", "", "ForAllValues:", "ForAnyValue:"][..]);
        let suffix = select(&["", "", "", "IfExists"][..]);
        let parts = (quantifier, select(operators), suffix, select(keys), some_words(values));
        parts
            .prop_map(|(prefix, operator, suffix, key, values)| {
                (format!("{prefix}{operator}{suffix}"), key, values)
            })
            .boxed()
    };
    let null = (select(words::NULL_KEYS), some_words(&["true", "false"]));
    prop_oneof![
        6 => of(words::STRING_OPERATORS, words::STRING_KEYS, words::STRING_VALUES),
        2 => of(words::NUMERIC_OPERATORS, words::NUMERIC_KEYS, words::NUMERIC_VALUES),
        2 => of(words::DATE_OPERATORS, words::DATE_KEYS, words::DATE_VALUES),
        2 => of(&["Bool"], words::BOOL_KEYS, words::BOOL_VALUES),
        2 => of(&["IpAddress", "NotIpAddress"], words::IP_KEYS, words::IP_VALUES),
        2 => of(words::ARN_OPERATORS, words::ARN_KEYS, words::ARN_VALUES),
        1 => of(&["BinaryEquals"], words::BINARY_KEYS, words::BINARY_VALUES),
        1 => null.prop_map(|(key, values)| ("Null".to_owned(), key, values)),
    ]
    .boxed()
}

fn conditions() -> BoxedStrategy<Option<Value>> {
    option::weighted(0.3, vec(condition(), 0..3))
        .prop_map(|conditions| {
            let mut block = Map::new();
            for (operator, key, values) in conditions? {
                let keys = block.entry(operator).or_insert_with(|| json!({})).as_object_mut().unwrap();
                // Two spellings of one key would be a duplicate.
                if !keys.keys().any(|other| other.to_lowercase() == key.to_lowercase()) {
                    keys.insert(key.to_owned(), values);
                }
            }
            Some(Value::Object(block))
        })
        .boxed()
}

fn statement(denies: u8, elements: Vec<Element>) -> Values {
    (share(denies), elements, conditions())
        .prop_map(|(denies, elements, conditions)| {
            let mut statement = json!({"Effect": if denies { "Deny" } else { "Allow" }});
            for (name, value) in elements {
                statement[name] = value;
            }
            if let Some(conditions) = conditions {
                statement["Condition"] = conditions;
            }
            statement
        })
        .boxed()
}

/// A document of one to three statements. Every fifth is of the version that knows no variables.
fn document(statement: Values) -> Values {
    let version = select(&["2012-10-17", "2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"][..]);
    (version, vec(statement, 1..3), any::<bool>())
        .prop_map(|(version, mut statements, bare)| match statements.pop() {
            Some(only) if bare && statements.is_empty() => json!({"Version": version, "Statement": only}),
            last => {
                statements.extend(last);
                json!({"Version": version, "Statement": statements})
            }
        })
        .boxed()
}

fn identity_document(denies: u8) -> Values {
    document(statement(denies, vec![action(), resource()]))
}

fn trust_document(denies: u8) -> Values {
    let assume = &["sts:AssumeRole", "sts:*", "sts:AssumeRole*", "sts:TagSession"][..];
    document(statement(denies, vec![element("Action", some_words(assume)), principal()]))
}

// Worlds

fn named(prefix: &str, documents: Vec<Value>) -> Vec<Policy> {
    let name = |n| format!("{prefix}-{n}");
    documents.into_iter().enumerate().map(|(n, document)| Policy { name: name(n), document }).collect()
}

fn caller() -> BoxedStrategy<Caller> {
    let user = |arn: &str, id: &str| Caller::User { arn: arn.to_owned(), id: id.to_owned() };
    let alice = user(words::USERS[0], "AIDAALICE");
    let bob = user(words::USERS[1], "AIDABOB");
    let carol = user("arn:aws:iam::444455556666:user/carol", "AIDACAROL");
    let build = Caller::RoleSession {
        role: words::ROLES[0].to_owned(),
        id: "AROABUILD".to_owned(),
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
    let policies = vec(vec(identity_document(denies), 0..2), fewest..=most);
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
    let repository = prop_oneof![
        5 => statement(denies[4], vec![action(), principal()]),
        1 => statement(denies[4], vec![action(), principal(), resource()]),
    ];
    let repositories =
        vec((select(&words::COMMON_REPOSITORIES[..]), document(repository.boxed())), fewest..=most);
    let roles = vec((select(&words::ROLES[..]), trust_document(denies[5])), roles.0..=roles.1);
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
        option::weighted(sometimes(theme.limits.0), identity_document(boundary)),
        option::weighted(sometimes(theme.limits.1), vec(identity_document(session), 1..3)),
    );
    let identity = vec(identity_document(identity), theme.identity.0..=theme.identity.1);
    let others = (
        attached(theme.denies, theme.attached),
        vec(super::generate_ibm::policy(), theme.ibm.0..=theme.ibm.1),
    );
    (caller(), identity, groups(group, theme.groups), limits, others)
        .prop_map(|(caller, identity, groups, (boundary, session), (attached, ibm))| World {
            iam_id: super::generate_ibm::iam_id(&caller).to_owned(),
            caller,
            identity: named("identity", identity),
            groups,
            boundary: boundary.map(|document| Policy { name: "boundary".to_owned(), document }),
            session: session.map(|documents| named("session", documents)),
            attached,
            ibm: named("ibm", ibm),
            roles: super::generate_ibm::roles(),
        })
        .boxed()
}

// Questions

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

fn question(operations: Vec<Operation>) -> BoxedStrategy<Question> {
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
            let attributes = super::generate_ibm::attributes(operation.on, resource, &account);
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
fn acquainted((world, mut question): Case) -> Case {
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
