//! A report as OSCAL assessment results (NIST, version 1.1.2): one observation and one finding for each verdict.

use serde_json::{Value, json};

use super::Report;
use crate::compliance::verdict::{Status, Verdict};

/// An id that is the same whenever the same thing is reported: 128 bits of FNV-1a, in the form of a UUID.
fn id(parts: &[&str]) -> String {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u128::from(byte)).wrapping_mul(PRIME);
    }
    uuid::Builder::from_random_bytes(hash.to_be_bytes()).into_uuid().to_string()
}

/// The report.
#[must_use]
pub fn render(report: &Report) -> Value {
    let Report { profile, name, description, at, account, .. } = report;
    let observations: Vec<Value> = report.goals.iter().map(|goal| observation(report, goal)).collect();
    let findings: Vec<Value> = report.goals.iter().map(|goal| finding(report, goal)).collect();
    json!({
        "assessment-results": {
            "uuid": id(&[account, profile, at]),
            "metadata": {
                "title": format!("{name}: account {account}"),
                "last-modified": at,
                "version": at,
                "oscal-version": "1.1.2",
            },
            "import-ap": {"href": format!("#{}", id(&[profile]))},
            "results": [{
                "uuid": id(&[account, profile, at, "result"]),
                "title": name,
                "description": description,
                "start": at,
                "end": at,
                "reviewed-controls": {"control-selections": [{"include-all": {}}]},
                "observations": observations,
                "findings": findings,
            }],
        },
    })
}

fn observation(report: &Report, goal: &Verdict) -> Value {
    json!({
        "uuid": id(&[&report.account, &report.profile, &report.at, &goal.id, "observation"]),
        "title": goal.description,
        "description": format!("expected: {}; found: {}", goal.expected, goal.found),
        "methods": ["TEST"],
        "collected": report.at,
        "props": [
            {"name": "status", "value": goal.status.label(), "ns": NAMESPACE},
            {"name": "severity", "value": goal.severity.label(), "ns": NAMESPACE},
            {"name": "since", "value": goal.since, "ns": NAMESPACE},
        ],
        "remarks": remarks(goal),
    })
}

/// Whose names the properties are.
const NAMESPACE: &str = "https://portcullis.dev/ns/oscal";

fn remarks(goal: &Verdict) -> String {
    let resource = if goal.resource.is_empty() { "none" } else { &goal.resource };
    match goal.fix.is_empty() {
        true => format!("resource: {resource}"),
        false => format!("resource: {resource}\nfix: {}", goal.fix),
    }
}

fn finding(report: &Report, goal: &Verdict) -> Value {
    let (state, reason) = match goal.status {
        Status::Pass => ("satisfied", "pass"),
        Status::Fail => ("not-satisfied", "fail"),
        Status::UnableToPerform | Status::NotApplicable => ("not-satisfied", "other"),
    };
    json!({
        "uuid": id(&[&report.account, &report.profile, &report.at, &goal.id, "finding"]),
        "title": goal.description,
        "description": goal.found,
        "target": {
            "type": "objective-id",
            "target-id": format!("goal-{}", goal.id),
            "status": {"state": state, "reason": reason, "remarks": goal.status.label()},
        },
        "related-observations": [{
            "observation-uuid": id(&[&report.account, &report.profile, &report.at, &goal.id, "observation"]),
        }],
    })
}
