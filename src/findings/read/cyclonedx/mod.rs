//! CycloneDX: a bill of materials with its vulnerabilities, or VEX, which says what of a scan is of no effect.

mod wire;

use std::collections::HashMap;

use self::wire::{Component, Document, Vulnerability};
use super::{Unread, text, typed};
use crate::clock::UnixTime;
use crate::findings::finding::{Finding, Kind, Said, id};
use crate::findings::report::{Format, Report};
use crate::findings::severity::Severity;

pub(super) fn read(bytes: &[u8]) -> Result<Report, Unread> {
    let document: Document = typed("CycloneDX", bytes)?;
    let components = document.components.as_deref().unwrap_or_default();
    let known: HashMap<&str, &Component> =
        components.iter().filter_map(|one| Some((one.reference.as_deref()?, one))).collect();
    let at = document.metadata.and_then(|metadata| metadata.timestamp);
    let (mut findings, mut dismissed) = (Vec::new(), Vec::new());
    // A bill of materials alone says nothing of what is wrong, and nothing of what is not.
    for one in document.vulnerabilities.ok_or(Unread::Format)? {
        match one.is_of_no_effect() {
            true => dismissed.extend(id(text(&one.id))),
            false => found(&one, &known, &mut findings),
        }
    }
    Ok(Report {
        format: Format::CycloneDx,
        tool: "cyclonedx".into(),
        made_at: at.and_then(|at| UnixTime::parse(&at).ok()),
        os: None,
        is_scan: !components.is_empty(),
        findings,
        dismissed,
        subjects: Vec::new(),
    })
}

impl Vulnerability {
    /// Only what is said outright; what is being looked into still is a finding.
    fn is_of_no_effect(&self) -> bool {
        let state = self.analysis.as_ref().and_then(|analysis| analysis.state.as_deref());
        matches!(state, Some("resolved" | "resolved_with_pedigree" | "false_positive" | "not_affected"))
    }
}

/// One finding for each component that is affected; one without a component if none is named. Past the limit, one too many is
/// enough.
fn found(one: &Vulnerability, known: &HashMap<&str, &Component>, findings: &mut Vec<Finding>) {
    let words = one.ratings.iter().flatten().flat_map(|rating| {
        let word = rating.severity.as_deref().map(Severity::of_word);
        word.into_iter().chain(rating.score.map(Severity::of_score))
    });
    let said = Said {
        id: text(&one.id),
        severity: words.max(),
        fixed: text(&one.recommendation),
        notices: one.advisories.iter().flatten().filter_map(|one| one.title.as_deref()).collect(),
        summary: text(&one.description),
        link: one.source.as_ref().map(|source| text(&source.url)).unwrap_or_default(),
        ..Said::default()
    };
    let affected = one.affects.iter().flatten().filter_map(|one| one.reference.as_deref());
    let before = findings.len();
    for reference in affected {
        let component = known.get(reference);
        let (package, installed) = match component {
            Some(component) => (text(&component.name), text(&component.version)),
            None => (reference, ""),
        };
        findings.extend(Finding::of(Kind::Vulnerability, Said { package, installed, ..said.clone() }));
        if findings.len() > super::FINDINGS_MAX {
            return;
        }
    }
    if findings.len() == before {
        findings.extend(Finding::of(Kind::Vulnerability, said));
    }
}
