//! Trivy's JSON, schema 2.

mod wire;

use self::wire::{Check, Document, Secret, Vulnerability};
use super::{Unread, text, typed};
use crate::clock::UnixTime;
use crate::findings::finding::{Finding, Kind, Said, tamed};
use crate::findings::report::{Format, Os, Report};
use crate::findings::severity::Severity;

pub(super) fn read(bytes: &[u8]) -> Result<Report, Unread> {
    let document: Document = typed("Trivy", bytes)?;
    let os = document.metadata.and_then(|metadata| metadata.os);
    let os = os.map(|os| Os { name: tamed(text(&os.family), 64), version: tamed(text(&os.name), 64) });
    let mut findings = Vec::new();
    for found in document.results.iter().flatten() {
        findings.extend(found.vulnerabilities.iter().flatten().filter_map(vulnerability));
        findings.extend(found.misconfigurations.iter().flatten().filter_map(check));
        findings.extend(found.secrets.iter().flatten().filter_map(secret));
    }
    Ok(Report {
        format: Format::Trivy,
        tool: "trivy".into(),
        made_at: document.created_at.and_then(|at| UnixTime::parse(&at).ok()),
        os,
        is_scan: true,
        findings,
        dismissed: Vec::new(),
        subjects: Vec::new(),
    })
}

fn severity(word: &Option<String>) -> Option<Severity> {
    word.as_deref().map(Severity::of_word)
}

fn vulnerability(one: &Vulnerability) -> Option<Finding> {
    let summary = one.title.as_ref().or(one.description.as_ref());
    let said = Said {
        id: &one.id,
        severity: severity(&one.severity),
        package: text(&one.pkg_name),
        installed: text(&one.installed_version),
        fixed: text(&one.fixed_version),
        notices: one.vendor_ids.iter().flatten().map(String::as_str).collect(),
        summary: summary.map(String::as_str).unwrap_or_default(),
        link: text(&one.link),
    };
    Finding::of(Kind::Vulnerability, said)
}

/// A check that the image passes is none.
fn check(one: &Check) -> Option<Finding> {
    let passed = one.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("pass"));
    let said = Said {
        id: &one.id,
        severity: severity(&one.severity),
        fixed: text(&one.resolution),
        summary: text(&one.title),
        link: text(&one.link),
        ..Said::default()
    };
    if passed { None } else { Finding::of(Kind::Configuration, said) }
}

/// Which rule found it, and never the secret.
fn secret(one: &Secret) -> Option<Finding> {
    let said =
        Said { id: &one.id, severity: severity(&one.severity), summary: text(&one.title), ..Said::default() };
    Finding::of(Kind::Configuration, said)
}
