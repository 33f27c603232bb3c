//! Conditions on what an identity provider or a cluster says of somebody. What is not said satisfies nothing, not even a
//! condition that it be something else.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::credential::voucher::{Claims, plain};

/// A demand on one claim.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimCondition {
    /// Its name.
    pub claim: String,
    /// How it is compared.
    pub operator: ClaimOperator,
    /// With what, as JSON in a text.
    pub value: String,
}

/// How a claim is compared.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "each says what it does")]
pub enum ClaimOperator {
    Contains,
    Equals,
    EqualsIgnoreCase,
    In,
    NotEquals,
    NotEqualsIgnoreCase,
}

impl ClaimCondition {
    /// Whether the value is one that can be compared: a text, number or truth value; for `IN`, a list of them.
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        self.wanted().is_some()
    }

    /// Whether these claims satisfy it. `EQUALS` wants one value and no more; `CONTAINS` and `IN` want one of those that are
    /// there, whole; both kinds of `NOT_EQUALS` want that none is.
    #[must_use]
    pub fn holds(&self, claims: &Claims) -> bool {
        let said = claims.values(&self.claim);
        let Some(wanted) = self.wanted() else { return false };
        let is = |value: &String| wanted.contains(value);
        let like = |value: &String| wanted.iter().any(|wanted| wanted.to_lowercase() == value.to_lowercase());
        match (self.operator, said) {
            (_, []) => false,
            (ClaimOperator::Contains | ClaimOperator::In, several) => several.iter().any(is),
            (ClaimOperator::Equals, [only]) => is(only),
            (ClaimOperator::EqualsIgnoreCase, [only]) => like(only),
            (ClaimOperator::Equals | ClaimOperator::EqualsIgnoreCase, _) => false,
            (ClaimOperator::NotEquals, several) => !several.iter().any(is),
            (ClaimOperator::NotEqualsIgnoreCase, several) => !several.iter().any(like),
        }
    }

    fn wanted(&self) -> Option<Vec<String>> {
        match (self.operator, serde_json::from_str(&self.value).ok()?) {
            (ClaimOperator::In, Value::Array(list)) => list.iter().map(plain).collect(),
            (ClaimOperator::In, _) => None,
            (
                ClaimOperator::Contains
                | ClaimOperator::Equals
                | ClaimOperator::EqualsIgnoreCase
                | ClaimOperator::NotEquals
                | ClaimOperator::NotEqualsIgnoreCase,
                value,
            ) => plain(&value).map(|only| vec![only]),
        }
    }
}

/// Whether all of them hold. No conditions at all hold for nobody.
#[must_use]
pub fn all_hold(conditions: &[ClaimCondition], claims: &Claims) -> bool {
    !conditions.is_empty() && conditions.iter().all(|condition| condition.holds(claims))
}

#[cfg(test)]
mod tests {
    use super::{ClaimCondition, ClaimOperator, all_hold};
    use crate::credential::voucher::Claims;
    use ClaimOperator as Op;

    fn condition(claim: &str, operator: Op, value: &str) -> ClaimCondition {
        ClaimCondition { claim: claim.to_owned(), operator, value: value.to_owned() }
    }

    #[test]
    fn each_operator_compares_as_its_name_says_and_a_claim_that_is_not_there_satisfies_none() {
        let several = ["dev", "Ops"].map(str::to_owned).to_vec();
        let claims = Claims::none().with("team", vec!["Blue".to_owned()]).with("groups", several);
        for (claim, operator, value, expected) in [
            ("team", Op::Equals, "\"Blue\"", true),
            ("team", Op::Equals, "\"blue\"", false),
            ("team", Op::EqualsIgnoreCase, "\"bLUE\"", true),
            ("team", Op::NotEquals, "\"Red\"", true),
            ("team", Op::NotEquals, "\"Blue\"", false),
            ("team", Op::NotEqualsIgnoreCase, "\"BLUE\"", false),
            ("team", Op::In, "[\"Red\", \"Blue\"]", true),
            ("team", Op::In, "[]", false),
            ("team", Op::In, "\"Blue\"", false),
            ("team", Op::Contains, "\"Blue\"", true),
            ("team", Op::Contains, "\"Bl\"", false),
            ("groups", Op::Contains, "\"dev\"", true),
            ("groups", Op::Contains, "\"ops\"", false),
            ("groups", Op::Equals, "\"dev\"", false),
            ("groups", Op::NotEquals, "\"dev\"", false),
            ("groups", Op::NotEqualsIgnoreCase, "\"ops\"", false),
            ("groups", Op::NotEqualsIgnoreCase, "\"sales\"", true),
            ("team", Op::Equals, "Blue", false),
            ("team", Op::Equals, "{}", false),
        ] {
            let one = condition(claim, operator, value);
            assert_eq!(one.holds(&claims), expected, "{one:?}");
        }
        for operator in
            [Op::Contains, Op::Equals, Op::EqualsIgnoreCase, Op::NotEquals, Op::NotEqualsIgnoreCase]
        {
            assert!(!condition("absent", operator, "\"x\"").holds(&claims), "{operator:?}");
        }
        assert!(!all_hold(&[], &claims));
    }
}
