//! An access policy as the store keeps it: what v1 of the API writes, and what only v2 can say beside it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::role::CustomRole;

/// What a policy says, without who it is for and without its history.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// The roles granted.
    pub roles: Vec<RoleReference>,
    /// Exactly one resource.
    pub resources: Vec<ResourceDocument>,
    /// What the author says the rule is; only v2 has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What else must hold; only v2 has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleDocument>,
}

impl PolicyDocument {
    /// Whether both grant the same on the same, in whatever order it is written.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        fn same<T: Ord>(left: impl Iterator<Item = T>, right: impl Iterator<Item = T>) -> bool {
            left.collect::<BTreeSet<_>>() == right.collect::<BTreeSet<_>>()
        }
        fn roles(document: &PolicyDocument) -> impl Iterator<Item = &str> {
            document.roles.iter().map(|role| role.role_id.as_str())
        }
        fn attributes(document: &PolicyDocument) -> impl Iterator<Item = (&str, &'static str, Vec<String>)> {
            document.resources.iter().flat_map(|resource| &resource.attributes).map(|one| {
                let mut values = one.value.texts();
                values.sort_unstable();
                (one.name.as_str(), one.operator.unwrap_or(Operator::StringEquals).name(), values)
            })
        }
        self.rule == other.rule
            && same(roles(self), roles(other))
            && same(attributes(self), attributes(other))
    }

    /// Whether v1 of the API has words for it.
    #[must_use]
    pub fn is_v1(&self) -> bool {
        let mut attributes = self.resources.iter().flat_map(|resource| &resource.attributes);
        self.rule.is_none() && attributes.all(AttributeDocument::is_v1)
    }
}

/// A role by its CRN.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RoleReference {
    /// `crn:v1:bluemix:public:iam::::serviceRole:Reader` and the like.
    pub role_id: String,
    /// What the role is, if the account has made it. Read with the policy, never written with it.
    #[serde(skip)]
    pub custom: Option<CustomRole>,
}

impl RoleReference {
    /// A role that is not the account's own, or not known to be.
    #[must_use]
    pub const fn named(role_id: String) -> Self {
        Self { role_id, custom: None }
    }
}

/// The resources covered, as a conjunction of attributes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceDocument {
    /// All of these must match.
    pub attributes: Vec<AttributeDocument>,
}

/// One attribute.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeDocument {
    /// `accountId`, `serviceName`, `serviceType`, `region`, `resourceType` or `resource`.
    pub name: String,
    /// What it is compared with.
    pub value: AttributeValue,
    /// How; `stringEquals` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
}

impl AttributeDocument {
    fn is_v1(&self) -> bool {
        let known = self.operator.is_none_or(Operator::is_v1);
        known && matches!(self.value, AttributeValue::Text(_))
    }
}

/// What an attribute is compared with: in v1 always a text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// Whether it must be there.
    Flag(bool),
    /// Any of these.
    List(Vec<String>),
    /// This.
    Text(String),
}

impl AttributeValue {
    /// The only text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Flag(_) | Self::List(_) => None,
        }
    }

    /// All of it as texts.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::Flag(flag) => vec![flag.to_string()],
            Self::List(list) => list.clone(),
            Self::Text(text) => vec![text.clone()],
        }
    }
}

/// A rule of v2: a condition, or several that are joined.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum RuleDocument {
    /// All or any of these.
    Joined(JoinedDocument),
    /// One comparison.
    One(ConditionDocument),
}

/// Conditions that are joined.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JoinedDocument {
    /// How.
    pub operator: Joint,
    /// What.
    pub conditions: Vec<RuleDocument>,
}

/// How conditions are joined.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Joint {
    /// All must hold.
    And,
    /// One must hold.
    Or,
}

/// One comparison.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionDocument {
    /// `{{environment.attributes.…}}` or `{{resource.attributes.…}}`.
    pub key: String,
    /// `stringEquals`, `timeLessThan` and the like.
    pub operator: String,
    /// What it is compared with.
    pub value: AttributeValue,
}

/// The operators of resource attributes: the first two are all that v1 has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Operator {
    /// The same text.
    #[serde(rename = "stringEquals")]
    StringEquals,
    /// A wildcard pattern.
    #[serde(rename = "stringMatch")]
    StringMatch,
    /// One of these texts.
    #[serde(rename = "stringEqualsAnyOf")]
    StringEqualsAnyOf,
    /// One of these patterns.
    #[serde(rename = "stringMatchAnyOf")]
    StringMatchAnyOf,
    /// Whether it is there at all.
    #[serde(rename = "stringExists")]
    StringExists,
}

impl Operator {
    /// As documents write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StringEquals => "stringEquals",
            Self::StringMatch => "stringMatch",
            Self::StringEqualsAnyOf => "stringEqualsAnyOf",
            Self::StringMatchAnyOf => "stringMatchAnyOf",
            Self::StringExists => "stringExists",
        }
    }

    /// Whether v1 has it.
    #[must_use]
    pub const fn is_v1(self) -> bool {
        match self {
            Self::StringEquals | Self::StringMatch => true,
            Self::StringEqualsAnyOf | Self::StringMatchAnyOf | Self::StringExists => false,
        }
    }

    /// Whether it takes such a value.
    #[must_use]
    pub const fn takes(self, value: &AttributeValue) -> bool {
        match self {
            Self::StringEquals | Self::StringMatch => matches!(value, AttributeValue::Text(_)),
            Self::StringEqualsAnyOf | Self::StringMatchAnyOf => matches!(value, AttributeValue::List(_)),
            Self::StringExists => matches!(value, AttributeValue::Flag(_)),
        }
    }
}
