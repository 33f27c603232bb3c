//! `--conditions`: what a rule demands of a claim, as the IBM Cloud CLI writes it. Decides what is well-formed; compares nothing.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde_json::Value;

use crate::policy::ibm::claim::{ClaimCondition, ClaimOperator};

/// How a condition is written.
pub(in crate::cli) const FORM: &str = "claim:CLAIM,operator:OPERATOR,value:VALUE";

/// Reads `claim:CLAIM,operator:OPERATOR,value:VALUE`; all that follows the last colon of these is the value.
pub(in crate::cli) fn condition(text: &str) -> Result<ClaimCondition, String> {
    let parts = text.trim().strip_prefix("claim:").and_then(|rest| rest.split_once(",operator:"));
    let parts = parts.and_then(|(claim, rest)| Some((claim, rest.split_once(",value:")?)));
    let (claim, (operator, value)) = parts.ok_or_else(|| format!("write it as {FORM}"))?;
    let operator = operator.trim().to_ascii_uppercase();
    let read: Result<ClaimOperator, Error> =
        ClaimOperator::deserialize(operator.as_str().into_deserializer());
    let operator = read.map_err(|_| {
        let known = "EQUALS, NOT_EQUALS, EQUALS_IGNORE_CASE, NOT_EQUALS_IGNORE_CASE, CONTAINS, IN";
        format!("the operator is none of {known}")
    })?;
    let condition =
        ClaimCondition { claim: claim.trim().to_owned(), operator, value: json(operator, value.trim()) };
    let usable = !condition.claim.is_empty() && condition.is_comparable();
    usable.then_some(condition).ok_or_else(|| format!("write it as {FORM}"))
}

/// The API compares JSON in a text: a bare word is a text, and `IN` takes a list.
fn json(operator: ClaimOperator, value: &str) -> String {
    let given = serde_json::from_str(value).ok();
    let given = given.filter(|given| matches!(given, Value::String(_) | Value::Array(_)));
    match (operator, given.unwrap_or_else(|| value.into())) {
        (ClaimOperator::In, only @ Value::String(_)) => Value::Array(vec![only]).to_string(),
        (_, value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::condition;

    #[test]
    fn values_are_what_follows_and_reach_the_api_as_json() {
        for (text, operator, value) in [
            ("claim:cn,operator:EQUALS,value:my_user", "EQUALS", r#""my_user""#),
            ("claim:cn,operator:equals,value:\"my_user\"", "EQUALS", r#""my_user""#),
            ("claim:cn,operator:NOT_EQUALS,value:5", "NOT_EQUALS", r#""5""#),
            ("claim:cn,operator:EQUALS,value:crn:v1:a,b::", "EQUALS", r#""crn:v1:a,b::""#),
            ("claim:cn,operator:IN,value:a", "IN", r#"["a"]"#),
            ("claim:cn,operator:IN,value:[\"a\",\"b\"]", "IN", r#"["a","b"]"#),
        ] {
            let read = condition(text).unwrap();
            let shown = serde_json::to_value(&read).unwrap();
            assert_eq!((read.value.as_str(), shown["operator"].as_str()), (value, Some(operator)), "{text}");
            assert_eq!(read.claim, "cn");
        }
        for wrong in [
            "cn=my_user",
            "claim:cn,operator:LIKE,value:x",
            "claim:,operator:EQUALS,value:x",
            "claim:cn,value:x",
            "claim:cn,operator:EQUALS,value:[\"a\"]",
        ] {
            assert!(condition(wrong).is_err(), "{wrong}");
        }
    }
}
