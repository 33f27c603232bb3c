//! Occurrences: where something that a note describes has occurred.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::note::Note;
use super::{InsightName, Kind, Level, NextStep, bounded, few, only_for};

/// How many values the reference data of an occurrence may have: each takes more memory than it is long.
const VALUES_MAX: usize = 256;

/// How many values a value comes to.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(all) => 1 + all.iter().map(count).sum::<usize>(),
        Value::Object(all) => 1 + all.values().map(count).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// An occurrence, as the API writes it, without what the server adds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Occurrence {
    /// Its id, of this provider.
    pub id: String,
    /// What its note describes.
    pub kind: Kind,
    /// Its note: `ACCOUNT/providers/PROVIDER/notes/NOTE`.
    pub note_name: String,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_url: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
    /// Where, in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// For a finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// For a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kpi: Option<Number>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_data: Option<Map<String, Value>>,
    /// Only ever told by the server.
    #[serde(default, skip_serializing)]
    pub create_time: Option<String>,
    /// The same.
    #[serde(default, skip_serializing)]
    pub update_time: Option<String>,
}

/// Where something has occurred.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct Context {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_crn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_crn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolchain_id: Option<String>,
}

/// A finding.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct Finding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Level>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certainty: Option<Certainty>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_steps: Vec<NextStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_connection: Option<Connection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_transferred: Option<Transferred>,
}

/// How certain the provider is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "each is the word for it")]
pub enum Certainty {
    Low,
    Medium,
    High,
}

/// A connection that was seen.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct Connection {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Socket>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Socket>,
}

/// One end of a connection.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct Socket {
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// What went over it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct Transferred {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_packets: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_packets: Option<u64>,
}

/// A number.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// It.
    pub value: f64,
    /// What it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
}

impl Occurrence {
    /// Checks what it says, and gives its id, and its note's provider and id.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, account: &str) -> Result<(InsightName, (InsightName, InsightName)), String> {
        let id = InsightName::parse(&self.id);
        let id = id.ok_or("`id` is 1 to 128 letters, digits and any of - _ . :")?;
        let note = self.note(account).ok_or_else(|| {
            format!(
                "`note_name` is `{account}/providers/PROVIDER/notes/NOTE`, of a note that somebody has made"
            )
        })?;
        match self.kind {
            Kind::Finding | Kind::Kpi => {}
            Kind::Card | Kind::CardConfigured | Kind::Section => {
                return Err("what occurs is of kind FINDING or KPI".to_owned());
            }
        }
        only_for(self.kind, self.kind == Kind::Finding, "finding", self.finding.is_some())?;
        only_for(self.kind, self.kind == Kind::Kpi, "kpi", self.kpi.is_some())?;
        few("next_steps", self.finding.as_ref().map_or(&[], |finding| &finding.next_steps))?;
        bounded(self)?;
        if self
            .reference_data
            .as_ref()
            .is_some_and(|data| data.values().map(count).sum::<usize>() > VALUES_MAX)
        {
            return Err(format!("`reference_data` has at most {VALUES_MAX} values"));
        }
        Ok((id, note))
    }

    fn note(&self, account: &str) -> Option<(InsightName, InsightName)> {
        let rest = self.note_name.strip_prefix(account)?.strip_prefix("/providers/")?;
        let (provider, note) = rest.split_once("/notes/")?;
        let provider = InsightName::parse(provider).filter(|provider| !provider.is_own())?;
        Some((provider, InsightName::parse(note)?))
    }

    /// How bad it is: as it says, or else as its note does; nothing for what is no finding.
    #[must_use]
    pub fn severity(&self, note: &Note) -> Option<Level> {
        let own = self.finding.as_ref().and_then(|finding| finding.severity);
        own.or_else(|| note.severity())
    }

    /// Where it has occurred, in one word; its id, if it does not say.
    #[must_use]
    pub fn place(&self) -> &str {
        let context = self.context.as_ref();
        let known = [
            self.resource_url.as_deref(),
            context.and_then(|context| context.resource_crn.as_deref()),
            context.and_then(|context| context.resource_name.as_deref()),
            context.and_then(|context| context.resource_id.as_deref()),
        ];
        known.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or(&self.id)
    }
}
