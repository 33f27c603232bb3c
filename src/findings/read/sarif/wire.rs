//! What of SARIF is read.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) runs: Vec<Run>,
}

#[derive(Deserialize)]
pub(super) struct Run {
    pub(super) tool: Tool,
    pub(super) results: Option<Vec<Found>>,
    pub(super) invocations: Option<Vec<Invocation>>,
}

#[derive(Deserialize)]
pub(super) struct Tool {
    pub(super) driver: Driver,
}

#[derive(Deserialize)]
pub(super) struct Driver {
    pub(super) name: String,
    pub(super) rules: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
pub(super) struct Rule {
    pub(super) id: String,
    #[serde(rename = "shortDescription")]
    pub(super) short: Option<Message>,
    #[serde(rename = "helpUri")]
    pub(super) link: Option<String>,
    pub(super) properties: Option<Properties>,
}

#[derive(Deserialize)]
pub(super) struct Properties {
    #[serde(rename = "security-severity")]
    pub(super) score: Option<String>,
    pub(super) tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) text: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Found {
    #[serde(rename = "ruleId")]
    pub(super) rule: String,
    pub(super) level: Option<String>,
    pub(super) message: Option<Message>,
}

#[derive(Deserialize)]
pub(super) struct Invocation {
    #[serde(rename = "endTimeUtc")]
    pub(super) ended: Option<String>,
}
