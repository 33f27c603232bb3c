//! Grype's JSON.

use serde::Deserialize;

use super::{Unread, text, typed};
use crate::clock::UnixTime;
use crate::findings::finding::{Finding, Kind, Said, tamed};
use crate::findings::report::{Format, Os, Report};
use crate::findings::severity::Severity;

#[derive(Deserialize)]
struct Document {
    matches: Option<Vec<Match>>,
    distro: Option<Distribution>,
    descriptor: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Distribution {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Descriptor {
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Match {
    vulnerability: Vulnerability,
    #[serde(rename = "relatedVulnerabilities")]
    related: Option<Vec<Related>>,
    artifact: Option<Artifact>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    severity: Option<String>,
    description: Option<String>,
    #[serde(rename = "dataSource")]
    link: Option<String>,
    fix: Option<Fix>,
    advisories: Option<Vec<Advisory>>,
}

#[derive(Deserialize)]
struct Related {
    id: String,
    severity: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Fix {
    versions: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Advisory {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Artifact {
    name: Option<String>,
    version: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Report, Unread> {
    let document: Document = typed("Grype", bytes)?;
    let os = document.distro.filter(|os| !text(&os.name).is_empty());
    let at = document.descriptor.and_then(|descriptor| descriptor.timestamp);
    Ok(Report {
        format: Format::Grype,
        tool: "grype".into(),
        made_at: at.and_then(|at| UnixTime::parse(&at).ok()),
        os: os.map(|os| Os { name: tamed(text(&os.name), 64), version: tamed(text(&os.version), 64) }),
        is_scan: true,
        findings: document.matches.iter().flatten().filter_map(finding).collect(),
        dismissed: Vec::new(),
        subjects: Vec::new(),
    })
}

/// A vulnerability that has a CVE is known by it; what else it is called is a notice.
fn finding(found: &Match) -> Option<Finding> {
    let (own, related) = (&found.vulnerability, found.related.as_deref().unwrap_or_default());
    let is_cve = |id: &str| id.starts_with("CVE-");
    let cve = related.iter().find(|one| is_cve(&one.id)).filter(|_| !is_cve(&own.id));
    let notices = own.advisories.iter().flatten().filter_map(|one| one.id.as_deref());
    let notices = notices.chain(cve.map(|_| own.id.as_str())).collect();
    let words = own.severity.iter().chain(cve.and_then(|one| one.severity.as_ref()));
    let described = own.description.as_ref().or(related.iter().find_map(|one| one.description.as_ref()));
    let versions = own.fix.as_ref().and_then(|fix| fix.versions.as_deref()).unwrap_or_default();
    let said = Said {
        id: cve.map_or(&own.id, |one| &one.id),
        severity: words.map(|word| Severity::of_word(word)).max(),
        package: found.artifact.as_ref().map(|one| text(&one.name)).unwrap_or_default(),
        installed: found.artifact.as_ref().map(|one| text(&one.version)).unwrap_or_default(),
        fixed: versions.first().map(String::as_str).unwrap_or_default(),
        notices,
        summary: described.map(String::as_str).unwrap_or_default(),
        link: text(&own.link),
    };
    Finding::of(Kind::Vulnerability, said)
}
