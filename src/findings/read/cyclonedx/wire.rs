//! What of CycloneDX is read.

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) metadata: Option<Metadata>,
    pub(super) components: Option<Vec<Component>>,
    pub(super) vulnerabilities: Option<Vec<Vulnerability>>,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) timestamp: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Component {
    #[serde(rename = "bom-ref")]
    pub(super) reference: Option<String>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Vulnerability {
    pub(super) id: Option<String>,
    pub(super) source: Option<Source>,
    pub(super) ratings: Option<Vec<Rating>>,
    pub(super) description: Option<String>,
    pub(super) recommendation: Option<String>,
    pub(super) advisories: Option<Vec<Advisory>>,
    pub(super) analysis: Option<Analysis>,
    pub(super) affects: Option<Vec<Affected>>,
}

#[derive(Deserialize)]
pub(super) struct Source {
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Rating {
    pub(super) severity: Option<String>,
    pub(super) score: Option<f64>,
}

#[derive(Deserialize)]
pub(super) struct Advisory {
    pub(super) title: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Analysis {
    pub(super) state: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Affected {
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    #[serde(rename = "versions")]
    _versions: Option<IgnoredAny>,
}
