//! Condition blocks: every operator of every key must hold.
//!
//! An absent key (or an empty list) makes a positive operator false and a negated one true; `IfExists` and
//! `ForAllValues` make it true, `ForAnyValue` false. Three readings where the documents leave room:
//! `IfExists` wins over `ForAnyValue`; a value of the wrong type, like a list under an operator without a
//! quantifier, makes no condition true, not even a negated one; a quantifier takes a single value for a list
//! of one.

use super::value::{bytes, contains, instant, network, number, truth};
use super::wildcard::{Context, find, fits, fits_arn, marks, plain_marks, segments, spell};
use super::world::Given;
use serde_json::Value;

/// How one value of the policy is compared with one of the request.
#[derive(Clone, Copy, Debug)]
enum Test {
    Arn,
    Binary,
    Bool,
    Date(fn(i128, i128) -> bool),
    Ip,
    Number(fn(i128, i128) -> bool),
    StringEquals,
    StringIgnoreCase,
    StringLike,
}

/// What comparing came to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fit {
    No,
    WrongType,
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Quantifier {
    All,
    Any,
    None,
}

/// Whether the condition block holds. `variables`: the document's version knows `${…}`.
pub(crate) fn holds(block: Option<&Value>, variables: bool, context: &Context) -> bool {
    let Some(block) = block else { return true };
    block.as_object().unwrap().iter().all(|(operator, keys)| {
        let mut keys = keys.as_object().unwrap().iter();
        keys.all(|(key, values)| operator_holds(operator, key, &texts(values), variables, context))
    })
}

/// The values of an element that may be one value or a list, as text.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(many) => many.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn operator_holds(operator: &str, key: &str, wanted: &[String], variables: bool, context: &Context) -> bool {
    let found = find(context, key);
    if operator == "Null" {
        let absent = if found.is_none() { "true" } else { "false" };
        return wanted.iter().any(|text| text.to_lowercase() == absent);
    }
    let (quantifier, name) = match operator.split_once(':') {
        Some(("ForAllValues", name)) => (Quantifier::All, name),
        Some(("ForAnyValue", name)) => (Quantifier::Any, name),
        Some((other, _)) => panic!("no quantifier: {other}"),
        None => (Quantifier::None, operator),
    };
    let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
    let (test, negated) = test_of(name);
    let one = |text: &String| value_holds(test, negated, text, wanted, variables, context);
    match (found, quantifier) {
        (None, Quantifier::All) => true,
        (None, Quantifier::Any) => if_exists,
        (None, Quantifier::None) => if_exists || negated,
        (Some(Given::One(text)), _) => one(text),
        (Some(Given::Many(_)), Quantifier::None) => false,
        (Some(Given::Many(list)), Quantifier::All) => list.iter().all(one),
        (Some(Given::Many(list)), Quantifier::Any) => list.iter().any(one),
    }
}

/// What an operator compares, and whether it is one of the negated.
fn test_of(operator: &str) -> (Test, bool) {
    match operator {
        "ArnEquals" | "ArnLike" => (Test::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
        "BinaryEquals" => (Test::Binary, false),
        "Bool" => (Test::Bool, false),
        "DateEquals" => (Test::Date(|found, wanted| found == wanted), false),
        "DateNotEquals" => (Test::Date(|found, wanted| found == wanted), true),
        "DateLessThan" => (Test::Date(|found, wanted| found < wanted), false),
        "DateLessThanEquals" => (Test::Date(|found, wanted| found <= wanted), false),
        "DateGreaterThan" => (Test::Date(|found, wanted| found > wanted), false),
        "DateGreaterThanEquals" => (Test::Date(|found, wanted| found >= wanted), false),
        "IpAddress" => (Test::Ip, false),
        "NotIpAddress" => (Test::Ip, true),
        "NumericEquals" => (Test::Number(|found, wanted| found == wanted), false),
        "NumericNotEquals" => (Test::Number(|found, wanted| found == wanted), true),
        "NumericLessThan" => (Test::Number(|found, wanted| found < wanted), false),
        "NumericLessThanEquals" => (Test::Number(|found, wanted| found <= wanted), false),
        "NumericGreaterThan" => (Test::Number(|found, wanted| found > wanted), false),
        "NumericGreaterThanEquals" => (Test::Number(|found, wanted| found >= wanted), false),
        "StringEquals" => (Test::StringEquals, false),
        "StringNotEquals" => (Test::StringEquals, true),
        "StringEqualsIgnoreCase" => (Test::StringIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Test::StringIgnoreCase, true),
        "StringLike" => (Test::StringLike, false),
        "StringNotLike" => (Test::StringLike, true),
        other => panic!("no condition operator: {other}"),
    }
}

/// One value of the request against all values of the policy: positive, any must fit; negated, none may.
fn value_holds(
    test: Test,
    negated: bool,
    found: &str,
    wanted: &[String],
    variables: bool,
    context: &Context,
) -> bool {
    let mut fits = wanted.iter().map(|text| fit(test, found, text, variables, context));
    if negated { fits.all(|fit| fit == Fit::No) } else { fits.any(|fit| fit == Fit::Yes) }
}

fn fit(test: Test, found: &str, wanted: &str, variables: bool, context: &Context) -> Fit {
    match test {
        Test::Binary => both(bytes(found), bytes(wanted), |found, wanted| found == wanted),
        Test::Date(compare) => both(instant(found), instant(wanted), compare),
        Test::Ip => both(network(found), network(wanted), |found, wanted| contains(&wanted, &found)),
        Test::Number(compare) => both(number(found), number(wanted), compare),
        Test::Arn | Test::Bool | Test::StringEquals | Test::StringIgnoreCase | Test::StringLike => {
            text_fit(test, found, wanted, variables, context)
        }
    }
}

/// The tests whose policy value may hold variables. One that stands for nothing fits nothing.
fn text_fit(test: Test, found: &str, wanted: &str, variables: bool, context: &Context) -> Fit {
    let pattern = if variables { marks(wanted, context) } else { Some(plain_marks(wanted)) };
    let Some(pattern) = pattern else { return Fit::No };
    let yes = match test {
        Test::Arn if found.split(':').count() < 6 || segments(&pattern).len() < 6 => return Fit::WrongType,
        Test::Arn => fits_arn(&pattern, found),
        Test::Bool => return both(truth(found), truth(&spell(&pattern)), |found, wanted| found == wanted),
        Test::StringEquals => spell(&pattern) == found,
        Test::StringIgnoreCase => spell(&pattern).to_lowercase() == found.to_lowercase(),
        _ => fits(&pattern, found),
    };
    if yes { Fit::Yes } else { Fit::No }
}

fn both<T>(found: Option<T>, wanted: Option<T>, compare: impl Fn(T, T) -> bool) -> Fit {
    match (found, wanted) {
        (Some(found), Some(wanted)) => {
            if compare(found, wanted) {
                Fit::Yes
            } else {
                Fit::No
            }
        }
        _ => Fit::WrongType,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context() -> Context {
        let one = |text: &str| Given::One(text.to_owned());
        let many = |texts: &[&str]| Given::Many(texts.iter().map(|text| (*text).to_owned()).collect());
        Context::from([
            ("k".to_owned(), one("v")),
            ("star".to_owned(), one("*")),
            ("n".to_owned(), one("10")),
            ("ip".to_owned(), one("10.1.2.3")),
            ("t".to_owned(), one("2024-03-01T00:00:00Z")),
            ("list".to_owned(), many(&["a", "b"])),
            ("empty".to_owned(), many(&[])),
            ("arn".to_owned(), one("arn:aws:iam::1:role/x")),
            ("b".to_owned(), one("True")),
        ])
    }

    /// The table of absent keys, column by column, and of lists, row by row.
    #[test]
    fn absent_keys_lists_and_types_answer_as_in_the_tables() {
        let cases = [
            ("StringEquals", "none", json!("v"), false),
            ("StringNotEquals", "none", json!("v"), true),
            ("StringEqualsIfExists", "none", json!("v"), true),
            ("StringNotEqualsIfExists", "none", json!("v"), true),
            ("ForAllValues:StringEquals", "none", json!("v"), true),
            ("ForAllValues:StringNotEquals", "empty", json!("v"), true),
            ("ForAnyValue:StringEquals", "none", json!("v"), false),
            ("ForAnyValue:StringNotEquals", "empty", json!("v"), false),
            ("StringEquals", "K", json!(["x", "v"]), true),
            ("StringNotEquals", "k", json!(["x", "v"]), false),
            ("StringEqualsIfExists", "k", json!("x"), false),
            ("ForAllValues:StringEquals", "list", json!(["a", "b", "c"]), true),
            ("ForAllValues:StringEquals", "list", json!(["a"]), false),
            ("ForAllValues:StringNotEquals", "list", json!(["c"]), true),
            ("ForAllValues:StringNotEquals", "list", json!(["a"]), false),
            ("ForAnyValue:StringEquals", "list", json!(["a"]), true),
            ("ForAnyValue:StringNotEquals", "list", json!(["a"]), true),
            ("ForAnyValue:StringNotEquals", "list", json!(["a", "b"]), false),
            ("StringEquals", "list", json!(["a", "b"]), false),
            ("StringNotEquals", "list", json!("c"), false),
            ("NumericEquals", "n", json!("abc"), false),
            ("NumericNotEquals", "k", json!(5), false),
            ("NumericEquals", "n", json!(10.0), true),
            ("NumericLessThan", "n", json!(["9", "11"]), true),
            ("Null", "none", json!("true"), true),
            ("Null", "empty", json!(true), true),
            ("Null", "k", json!("false"), true),
            ("Null", "k", json!("true"), false),
            ("Bool", "b", json!(true), true),
            ("IpAddress", "ip", json!("10.0.0.0/8"), true),
            ("NotIpAddress", "ip", json!(["::/0", "11.0.0.0/8"]), true),
            ("DateLessThan", "t", json!("1709251201"), true),
            ("ArnLike", "arn", json!("arn:*:iam::*:role/*"), true),
            ("ArnEquals", "arn", json!("arn:aws:iam::*"), false),
        ];
        for (operator, key, values, expected) in cases {
            let block = json!({operator: {key: values}});
            assert_eq!(holds(Some(&block), true, &context()), expected, "{block}");
        }
    }

    #[test]
    fn variables_are_literal_and_older_versions_have_none() {
        let cases = [
            ("StringLike", "k", "${star}", true, false),
            ("StringLike", "star", "${star}", true, true),
            ("StringLike", "k", "${none, 'v'}", true, true),
            ("StringEquals", "k", "${none}", true, false),
            ("StringNotEquals", "k", "${none}", true, true),
            ("StringEquals", "star", "${*}", true, true),
            ("StringEquals", "k", "${k}", false, false),
            ("NumericEquals", "n", "${n}", true, false),
        ];
        for (operator, key, value, variables, expected) in cases {
            let block = json!({operator: {key: value}});
            assert_eq!(holds(Some(&block), variables, &context()), expected, "{block}");
        }
    }

    #[test]
    fn all_operators_and_keys_must_hold_and_an_empty_block_does() {
        assert!(holds(None, true, &context()) && holds(Some(&json!({})), true, &context()));
        let both = |second: &str| json!({"StringEquals": {"k": "v", "star": second}, "Bool": {"b": "true"}});
        assert!(holds(Some(&both("*")), true, &context()) && !holds(Some(&both("x")), true, &context()));
    }
}
