//! Notes: what may occur.

use serde::{Deserialize, Serialize};

use super::{InsightName, Kind, Level, NextStep, bounded, few, only_for};

/// A note, as the API writes it, without what the server adds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Its id, of this provider.
    pub id: String,
    /// What it describes.
    pub kind: Kind,
    /// In a sentence.
    pub short_description: String,
    /// In more.
    pub long_description: String,
    /// Who reports it.
    pub reported_by: Reporter,
    /// Where more is said of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related_url: Vec<RelatedUrl>,
    /// Whether other accounts may see it; here there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<bool>,
    /// For a finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<FindingType>,
    /// For a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kpi: Option<KpiType>,
    /// For a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// For a section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<Section>,
    /// Only ever told by the server.
    #[serde(default, skip_serializing)]
    pub create_time: Option<String>,
    /// The same.
    #[serde(default, skip_serializing)]
    pub update_time: Option<String>,
}

/// Who reports.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct Reporter {
    pub id: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A link.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct RelatedUrl {
    pub label: String,
    pub url: String,
}

/// A kind of finding.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FindingType {
    /// How bad one is that does not say so itself.
    pub severity: Level,
    /// What to do about one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_steps: Vec<NextStep>,
}

/// A kind of number.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KpiType {
    /// How bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Level>,
    /// What becomes of several.
    pub aggregation_type: Aggregation,
}

/// What becomes of several numbers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Aggregation {
    /// They are added up.
    Sum,
}

/// A card. It is kept, and shown to whoever draws dashboards.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct Card {
    pub section: String,
    pub title: String,
    pub subtitle: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
    pub finding_note_names: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_configuration: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge_image: Option<String>,
    pub elements: Vec<CardElement>,
}

/// One part of a card.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct CardElement {
    pub kind: ElementKind,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_time_range: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_interval: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ValueType>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub value_types: Vec<ValueType>,
}

/// What a part of a card looks like.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "each is the word for it")]
pub enum ElementKind {
    Breakdown,
    Numeric,
    TimeSeries,
}

/// What a part of a card counts.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct ValueType {
    pub kind: ValueKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finding_note_names: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kpi_note_name: Option<String>,
}

/// Whether findings are counted or a number is shown.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "each is the word for it")]
pub enum ValueKind {
    FindingCount,
    Kpi,
}

/// A part of a dashboard.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct Section {
    pub title: String,
    pub image: String,
}

impl Note {
    /// Checks what it says, and gives its id.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<InsightName, String> {
        let name = InsightName::parse(&self.id);
        let name = name.ok_or("`id` is 1 to 128 letters, digits and any of - _ . :")?;
        let is = |wanted: &[Kind]| wanted.contains(&self.kind);
        only_for(self.kind, is(&[Kind::Finding]), "finding", self.finding.is_some())?;
        only_for(self.kind, is(&[Kind::Kpi]), "kpi", self.kpi.is_some())?;
        only_for(self.kind, is(&[Kind::Card, Kind::CardConfigured]), "card", self.card.is_some())?;
        only_for(self.kind, is(&[Kind::Section]), "section", self.section.is_some())?;
        few("related_url", &self.related_url)?;
        few("next_steps", self.finding.as_ref().map_or(&[], |finding| &finding.next_steps))?;
        few("elements", self.card.as_ref().map_or(&[], |card| &card.elements))?;
        bounded(self)?;
        Ok(name)
    }

    /// How bad what occurs is, unless the occurrence says so itself; nothing for what is no finding.
    #[must_use]
    pub fn severity(&self) -> Option<Level> {
        self.finding.as_ref().map(|finding| finding.severity)
    }
}
