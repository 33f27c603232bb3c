//! IBM access policies of both API versions as one value: who, which roles, on what, when.
//!
//! It takes a document apart and judges nothing: an operator that nobody knows stays, and compiling makes it hold for
//! nothing. What the APIs refuse is theirs to say.

use serde::Deserialize;

use super::role::CustomRole;

/// A policy of type `access`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessPolicy {
    /// Whom it is for.
    pub subject: Subject,
    /// The CRNs of the roles that it grants.
    pub roles: Vec<String>,
    /// Those of them that the account has made, as far as they are known.
    pub custom: Vec<CustomRole>,
    /// What the resource's attributes must be: all of these.
    pub attributes: Vec<Attribute>,
    /// Whether it asks for resource tags. Nothing here has any, so it then grants nothing.
    pub tagged: bool,
    /// What else must hold.
    pub rule: Option<Rule>,
}

/// Whom a policy is for: all of these must be the caller.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Subject(Vec<(String, String)>);

impl Subject {
    /// Whether it is the caller, who has that IAM id and is in those groups.
    #[must_use]
    pub fn is(&self, iam_id: &str, groups: &[&str]) -> bool {
        let is_caller = |(key, value): &(String, String)| match key.as_str() {
            "access_group_id" => groups.contains(&value.as_str()),
            "iam_id" => *value == *iam_id,
            _ => false,
        };
        !self.0.is_empty() && self.0.iter().all(is_caller)
    }
}

/// A key that is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attribute {
    /// `serviceName` and the like; in rules `{{environment.attributes.…}}` or `{{resource.attributes.…}}`.
    pub key: String,
    /// `stringEquals` unless given.
    pub operator: String,
    /// One, or several for the operators that end in `AnyOf`.
    pub values: Vec<String>,
}

/// A rule of v2.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rule {
    /// `and`
    All(Vec<Rule>),
    /// `or`
    Any(Vec<Rule>),
    /// One comparison.
    Condition(Attribute),
}

/// A document that is no access policy.
#[derive(Debug, thiserror::Error)]
pub enum NotAccess {
    /// It does not have the shape.
    #[error("a policy has subjects, roles and resources: {0}")]
    Shape(#[from] serde_json::Error),
    /// It is an authorization, or what not.
    #[error("a policy of type `access` grants access, and no other")]
    Type,
}

impl AccessPolicy {
    /// Takes a document of v1 or v2 apart.
    ///
    /// # Errors
    /// [`NotAccess`]
    pub fn read(document: &serde_json::Value) -> Result<Self, NotAccess> {
        let wire = Wire::deserialize(document)?;
        if wire.kind != "access" {
            return Err(NotAccess::Type);
        }
        let subject = wire.subject.or(wire.subjects.into_iter().next()).unwrap_or_default();
        let resource = wire.resource.or(wire.resources.into_iter().next()).unwrap_or_default();
        let roles = wire.roles.into_iter().chain(wire.control.unwrap_or_default().grant.roles);
        let named = subject.attributes.into_iter().map(|one| {
            let Attribute { key, values, .. } = one.into();
            (key, if let [only] = values.as_slice() { only.clone() } else { String::new() })
        });
        Ok(Self {
            subject: Subject(named.collect()),
            roles: roles.map(|role| role.role_id).collect(),
            custom: Vec::new(),
            attributes: resource.attributes.into_iter().map(Attribute::from).collect(),
            tagged: !resource.tags.is_empty(),
            rule: wire.rule.map(Rule::from),
        })
    }
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    subjects: Vec<WireSet>,
    subject: Option<WireSet>,
    #[serde(default)]
    roles: Vec<WireRole>,
    control: Option<WireControl>,
    #[serde(default)]
    resources: Vec<WireSet>,
    resource: Option<WireSet>,
    rule: Option<WireRule>,
}

#[derive(Default, Deserialize)]
struct WireSet {
    #[serde(default)]
    attributes: Vec<WireAttribute>,
    #[serde(default)]
    tags: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct WireRole {
    role_id: String,
}

#[derive(Default, Deserialize)]
struct WireControl {
    #[serde(default)]
    grant: WireGrant,
}

#[derive(Default, Deserialize)]
struct WireGrant {
    #[serde(default)]
    roles: Vec<WireRole>,
}

#[derive(Deserialize)]
struct WireAttribute {
    #[serde(alias = "name")]
    key: String,
    operator: Option<String>,
    value: WireValue,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireValue {
    Flag(bool),
    List(Vec<String>),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireRule {
    Joined { operator: String, conditions: Vec<WireRule> },
    One(WireAttribute),
}

impl From<WireAttribute> for Attribute {
    fn from(wire: WireAttribute) -> Self {
        let values = match wire.value {
            WireValue::Flag(flag) => vec![flag.to_string()],
            WireValue::List(list) => list,
            WireValue::Text(text) => vec![text],
        };
        Self { key: wire.key, operator: wire.operator.unwrap_or_else(|| "stringEquals".to_owned()), values }
    }
}

impl From<WireRule> for Rule {
    fn from(wire: WireRule) -> Self {
        match wire {
            WireRule::Joined { operator, conditions } => {
                let rules = conditions.into_iter().map(Self::from).collect();
                match operator.as_str() {
                    "and" => Self::All(rules),
                    "or" => Self::Any(rules),
                    // Holds for nothing.
                    _ => Self::Any(Vec::new()),
                }
            }
            WireRule::One(attribute) => Self::Condition(attribute.into()),
        }
    }
}
