//! What others report to Security Insights: notes say what may occur, occurrences where it has. Facts in, mistakes out; nothing
//! here knows who may report.

pub mod note;
pub mod occurrence;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::alert::message::PROVIDER;

/// The longest document, as JSON.
const DOCUMENT_MAX: usize = 8 * 1024;
/// The longest name of a provider, note or occurrence.
const NAME_MAX: usize = 128;
/// The most entries of any list.
const LIST_MAX: usize = 32;

/// Names that stand for this server's own findings, in channels or in paths, or for IBM's: nobody else reports under them.
const OWN: [&str; 8] = [PROVIDER, "all", "ata", "cert", "compliance", "na", "test", "va"];

/// The name of a provider, a note or an occurrence.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct InsightName(Box<str>);

impl InsightName {
    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | ':');
        let plain = !text.is_empty() && text.len() <= NAME_MAX && text.chars().all(fits);
        // Clients and proxies take `.` and `..` out of paths.
        (plain && text.chars().any(|letter| letter != '.')).then(|| Self(text.into()))
    }

    /// It as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a provider's that only this server is.
    #[must_use]
    pub fn is_own(&self) -> bool {
        OWN.iter().any(|own| self.0.eq_ignore_ascii_case(own))
    }
}

impl<'de> Deserialize<'de> for InsightName {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("it is no name of a provider or note"))
    }
}

impl std::fmt::Display for InsightName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of thing a note describes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// A card of a dashboard.
    Card,
    /// A card as one account has arranged it.
    CardConfigured,
    /// Something that is wrong.
    Finding,
    /// A number.
    Kpi,
    /// A part of a dashboard.
    Section,
}

impl Kind {
    /// As it is written.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Card => "CARD",
            Self::CardConfigured => "CARD_CONFIGURED",
            Self::Finding => "FINDING",
            Self::Kpi => "KPI",
            Self::Section => "SECTION",
        }
    }
}

/// How bad something is, in the words of Security Insights.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "each is the word for it")]
pub enum Level {
    Low,
    Medium,
    High,
    Critical,
}

/// What to do about it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NextStep {
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where more is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Checks that a document is no longer than one may be.
fn bounded(document: &impl Serialize) -> Result<(), String> {
    let written = serde_json::to_vec(document).map_err(|error| error.to_string())?;
    match written.len() > DOCUMENT_MAX {
        true => Err(format!("it has at most {DOCUMENT_MAX} bytes as JSON")),
        false => Ok(()),
    }
}

/// Checks that a list is no longer than one may be.
fn few<T>(name: &str, list: &[T]) -> Result<(), String> {
    match list.len() > LIST_MAX {
        true => Err(format!("`{name}` has at most {LIST_MAX} entries")),
        false => Ok(()),
    }
}

/// Checks that what may only be there for one kind is there for no other, and for that one it must be.
fn only_for(kind: Kind, wanted: bool, name: &str, there: bool) -> Result<(), String> {
    match (wanted, there) {
        (true, false) => Err(format!("`{name}` is missing, which {} has", kind.label())),
        (false, true) => Err(format!("`{name}` is not allowed for kind {}", kind.label())),
        (true, true) | (false, false) => Ok(()),
    }
}
