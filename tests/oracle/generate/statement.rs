//! AWS documents at random: identity, repository and trust policies, such as a strict reader takes.

use super::words;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

type Values = BoxedStrategy<Value>;

/// Identity policy documents, for tests that add one to a case.
pub(crate) fn documents() -> BoxedStrategy<Value> {
    let some_statements = vec(statement(50, vec![action(), resource()]), 1..3);
    some_statements.prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements})).boxed()
}

fn word(list: &'static [&'static str]) -> Values {
    select(list).prop_map(Value::from).boxed()
}

/// One or two of the words, as a bare value or a list.
fn some_words(list: &'static [&'static str]) -> Values {
    prop_oneof![
        2 => word(list),
        1 => vec(word(list), 1..3).prop_map(Value::from),
    ]
    .boxed()
}

/// True in that many of a hundred.
fn share(percent: u8) -> BoxedStrategy<bool> {
    prop::bool::weighted(f64::from(percent) / 100.0).boxed()
}

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

/// Whom a repository policy speaks of.
fn principal() -> Element {
    let aws = || some_words(words::PRINCIPALS).prop_map(|names| json!({"AWS": names})).boxed();
    prop_oneof![
        4 => element("Principal", Just(json!("*")).boxed()),
        8 => element("Principal", aws()),
        1 => element("NotPrincipal", aws()),
    ]
    .boxed()
}

/// Whom a trust policy speaks of.
fn trusted() -> Element {
    let aws = some_words(words::PRINCIPALS).prop_map(|names| json!({"AWS": names}));
    let federated = json!({"Federated": words::PROVIDER});
    prop_oneof![
        4 => element("Principal", Just(json!("*")).boxed()),
        8 => element("Principal", aws.boxed()),
        1 => element("Principal", Just(federated).boxed()),
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
    option::weighted(0.27, vec(condition(), 0..3))
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

/// A document of one or two statements. Every fifth is of the version that knows no variables.
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

/// An identity, group, boundary or session policy.
pub(crate) fn identity_document(denies: u8) -> Values {
    document(statement(denies, vec![action(), resource()]))
}

/// A repository policy; it names no resource.
pub(crate) fn repository_document(denies: u8) -> Values {
    document(statement(denies, vec![action(), principal()]))
}

/// A trust policy; it names no resource.
pub(crate) fn trust_document(denies: u8) -> Values {
    let assume = &[
        "sts:AssumeRole",
        "sts:AssumeRole",
        "sts:AssumeRole",
        "sts:AssumeRole",
        "sts:AssumeRoleWithWebIdentity",
        "sts:TagSession",
    ][..];
    document(statement(denies, vec![element("Action", some_words(assume)), trusted()]))
}
