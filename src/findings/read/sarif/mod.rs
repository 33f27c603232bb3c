//! SARIF 2.1, as container scanners write it: a rule is a vulnerability, a result is one package that has it.

mod wire;

use std::collections::HashMap;

use self::wire::{Document, Found, Rule, Run};
use super::{Unread, text, typed};
use crate::clock::UnixTime;
use crate::findings::finding::{Finding, Kind, Said, tamed};
use crate::findings::report::{Format, Report};
use crate::findings::severity::Severity;

pub(super) fn read(bytes: &[u8]) -> Result<Report, Unread> {
    let document: Document = typed("SARIF", bytes)?;
    let Some(first) = document.runs.first() else {
        return Err(Unread::Broken("SARIF", "it has no runs".to_owned()));
    };
    let tool = tamed(&first.tool.driver.name, 64);
    let ended = document.runs.iter().flat_map(|run| run.invocations.iter().flatten());
    let made_at =
        ended.filter_map(|one| UnixTime::parse(one.ended.as_deref()?).ok()).max_by_key(|at| at.millis());
    let findings = document.runs.iter().flat_map(found).collect();
    Ok(Report {
        format: Format::Sarif,
        tool,
        made_at,
        os: None,
        is_scan: true,
        findings,
        dismissed: Vec::new(),
        subjects: Vec::new(),
    })
}

fn found(run: &Run) -> Vec<Finding> {
    let rules = run.tool.driver.rules.iter().flatten().map(|rule| (rule.id.as_str(), rule));
    let rules: HashMap<&str, &Rule> = rules.collect();
    let results = run.results.iter().flatten();
    results.filter_map(|one| finding(one, rules.get(one.rule.as_str()).copied())).collect()
}

fn finding(one: &Found, rule: Option<&Rule>) -> Option<Finding> {
    let message = one.message.as_ref().map(|message| text(&message.text)).unwrap_or_default();
    let line = |label: &str| message.lines().find_map(|line| line.trim().strip_prefix(label));
    let value = |label: &str| line(label).map(str::trim).unwrap_or_default();
    let short = rule.and_then(|rule| rule.short.as_ref()).map(|short| text(&short.text));
    let said = Said {
        id: bare(&one.rule),
        severity: Some(severity(one, rule)),
        package: value("Package:"),
        installed: value("Installed Version:"),
        fixed: value("Fixed Version:"),
        summary: short.unwrap_or(message),
        link: rule.map(|rule| text(&rule.link)).unwrap_or_default(),
        ..Said::default()
    };
    let kind = match said.id {
        id if ["CVE-", "GHSA-", "ALAS", "DSA-", "RHSA-", "USN-"].iter().any(|word| id.starts_with(word)) => {
            Kind::Vulnerability
        }
        _ if said.package.is_empty() => Kind::Configuration,
        _ => Kind::Vulnerability,
    };
    Finding::of(kind, said)
}

/// Grype's rules are called `CVE-2026-0001-openssl`.
fn bare(rule: &str) -> &str {
    let mut dashes = rule.match_indices('-').map(|(at, _)| at);
    match dashes.nth(2) {
        Some(end) if rule.starts_with("CVE-") => rule.get(..end).unwrap_or(rule),
        Some(_) | None => rule,
    }
}

/// The worst of what is said.
fn severity(one: &Found, rule: Option<&Rule>) -> Severity {
    let properties = rule.and_then(|rule| rule.properties.as_ref());
    let score = properties.and_then(|one| one.score.as_deref()?.parse().ok()).map(Severity::of_score);
    let tags = properties.iter().flat_map(|one| one.tags.iter().flatten());
    let said = tags.map(|tag| Severity::of_word(tag)).chain(score).max();
    let level = match one.level.as_deref() {
        Some("error") => Severity::High,
        Some("note") => Severity::Low,
        Some("none") => Severity::Negligible,
        Some(_) | None => Severity::Medium,
    };
    said.filter(|said| *said > Severity::Unknown).unwrap_or(level)
}
