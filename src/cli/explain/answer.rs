//! The server's answers, as far as they are shown.

use serde::Deserialize;

use crate::cli::display::tame;

/// The answer of `POST /api/native/explain`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Explanation {
    pub(super) principal: Who,
    pub(super) action: String,
    pub(super) resource: Resource,
    pub(super) decision: String,
    pub(super) network: Network,
    pub(super) policies_enforced: Option<bool>,
    pub(super) class: String,
    pub(super) refused: Option<String>,
    pub(super) decided_by: Vec<Decider>,
    pub(super) considered: Vec<Considered>,
    pub(super) documents: Vec<Document>,
    pub(super) hidden: usize,
    pub(super) needed: Option<Needed>,
    pub(super) warnings: Vec<String>,
}

impl Explanation {
    /// What to know about the question itself.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        self.warnings.iter().map(|warning| tame(&format!("Warning: {warning}.")))
    }
}

/// Whether it may come from there.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Network {
    pub(super) refused_by: Option<String>,
    pub(super) would_refuse: Vec<String>,
}

/// The answer of `POST /api/native/who-can`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct WhoCan {
    pub(in crate::cli) action: String,
    pub(in crate::cli) resource: Resource,
    pub(in crate::cli) policies_enforced: Option<bool>,
    pub(in crate::cli) principals: Vec<Able>,
    pub(in crate::cli) total: u32,
    pub(in crate::cli) next: Option<String>,
    pub(in crate::cli) warnings: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Able {
    pub(in crate::cli) iam_id: String,
    pub(in crate::cli) name: String,
    #[serde(rename = "type")]
    pub(in crate::cli) kind: String,
    pub(in crate::cli) through: Vec<Decider>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Who {
    pub(super) iam_id: String,
    pub(super) name: String,
    pub(super) active: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Resource {
    pub(super) service: Option<String>,
    pub(super) region: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) arn: Option<String>,
}

/// A statement that decided.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Decider {
    pub(super) policy_id: String,
    pub(super) kind: String,
    pub(super) statement: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) access_group_id: Option<String>,
    pub(super) access_group_name: Option<String>,
}

/// An access policy.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Considered {
    pub(super) policy_id: String,
    pub(super) access_group_id: Option<String>,
    pub(super) access_group_name: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) result: String,
    pub(super) mismatch: Option<Mismatch>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Mismatch {
    pub(super) attribute: String,
    pub(super) policy_has: Option<String>,
    pub(super) resource_has: Option<String>,
}

/// A document of AWS's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Document {
    pub(super) kind: String,
    pub(super) policy_id: String,
    pub(super) access_group_id: Option<String>,
    pub(super) access_group_name: Option<String>,
    pub(super) statements: Vec<Statement>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Statement {
    pub(super) statement: String,
    pub(super) effect: String,
    pub(super) result: String,
    pub(super) condition: Option<Condition>,
    pub(super) resources: Option<Resources>,
    pub(super) actions: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    pub(super) operator: String,
    pub(super) key: String,
    pub(super) wanted: Vec<String>,
    pub(super) found: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resources {
    pub(super) all_except: bool,
    pub(super) wanted: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Needed {
    pub(super) any_role_of: Vec<String>,
}
