//! What of Trivy's JSON is read.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Document {
    pub(super) created_at: Option<String>,
    pub(super) metadata: Option<Metadata>,
    pub(super) results: Option<Vec<Found>>,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    #[serde(rename = "OS")]
    pub(super) os: Option<Distribution>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Distribution {
    pub(super) family: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Found {
    pub(super) vulnerabilities: Option<Vec<Vulnerability>>,
    pub(super) misconfigurations: Option<Vec<Check>>,
    pub(super) secrets: Option<Vec<Secret>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Vulnerability {
    #[serde(rename = "VulnerabilityID")]
    pub(super) id: String,
    #[serde(rename = "VendorIDs")]
    pub(super) vendor_ids: Option<Vec<String>>,
    pub(super) pkg_name: Option<String>,
    pub(super) installed_version: Option<String>,
    pub(super) fixed_version: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    #[serde(rename = "PrimaryURL")]
    pub(super) link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Check {
    #[serde(rename = "ID")]
    pub(super) id: String,
    pub(super) title: Option<String>,
    pub(super) resolution: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) status: Option<String>,
    #[serde(rename = "PrimaryURL")]
    pub(super) link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Secret {
    #[serde(rename = "RuleID")]
    pub(super) id: String,
    pub(super) severity: Option<String>,
    pub(super) title: Option<String>,
}
