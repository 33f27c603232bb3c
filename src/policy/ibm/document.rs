//! An access policy as the v1 API writes it, and as the store keeps it.

use serde::{Deserialize, Serialize};

/// What a policy says, without who it is for and without its history.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// The roles granted.
    pub roles: Vec<RoleReference>,
    /// Exactly one resource.
    pub resources: Vec<ResourceDocument>,
}

/// A role by its CRN.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RoleReference {
    /// `crn:v1:bluemix:public:iam::::serviceRole:Reader` and the like.
    pub role_id: String,
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
    pub value: String,
    /// How; `stringEquals` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
}

/// The operators of v1.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Operator {
    /// The same text.
    #[serde(rename = "stringEquals")]
    StringEquals,
    /// A wildcard pattern.
    #[serde(rename = "stringMatch")]
    StringMatch,
}

impl Operator {
    /// As documents write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StringEquals => "stringEquals",
            Self::StringMatch => "stringMatch",
        }
    }
}
