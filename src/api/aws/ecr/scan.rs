//! Scans, as ECR shows them.

use serde_json::{Value, json};

use crate::clock::UnixTime;
use crate::control::aws::ecr::scan::{ImageScan, ScanSummary};
use crate::control::scans::Progress;
use crate::findings::finding::Finding;
use crate::findings::report::{Counts, counts};
use crate::findings::severity::Severity;

pub(super) fn status(progress: Option<&Progress>) -> Value {
    match progress {
        Some(Progress::UnderWay) => json!({"status": "IN_PROGRESS", "description": "The scan is under way."}),
        Some(Progress::Failed(why)) => json!({"status": "FAILED", "description": why}),
        None => json!({"status": "COMPLETE", "description": "The scan was completed successfully."}),
    }
}

/// One page of what was found, and how much there is in all.
pub(super) fn findings(scan: &ImageScan, (start, limit): (usize, usize)) -> Value {
    let at = scan.scanned_at.map(UnixTime::seconds);
    json!({
        "imageScanCompletedAt": at,
        "vulnerabilitySourceUpdatedAt": at,
        "findingSeverityCounts": counted(&counts(&scan.findings)),
        "findings": scan.findings.iter().skip(start).take(limit).map(finding).collect::<Vec<_>>(),
    })
}

/// What was found, in numbers; nothing while there is no report.
pub(super) fn summary(scan: &ScanSummary) -> Option<Value> {
    let at = scan.scanned_at.map(UnixTime::seconds)?;
    Some(json!({
        "imageScanCompletedAt": at,
        "vulnerabilitySourceUpdatedAt": at,
        "findingSeverityCounts": counted(&scan.counts),
    }))
}

fn counted(counts: &Counts) -> Value {
    let some = Severity::ALL.into_iter().zip(counts).rev().filter(|(_, count)| **count > 0);
    Value::Object(some.map(|(severity, count)| (word(severity).to_owned(), json!(count))).collect())
}

fn finding(one: &Finding) -> Value {
    let attribute = |key: &str, value: &str| json!({"key": key, "value": value});
    json!({
        "name": one.id,
        "description": one.summary,
        "uri": one.link,
        "severity": word(one.severity),
        "attributes": [attribute("package_version", &one.installed), attribute("package_name", &one.package)],
    })
}

/// ECR's own words.
const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Unknown => "UNDEFINED",
        Severity::Negligible => "INFORMATIONAL",
        Severity::Low | Severity::Medium | Severity::High | Severity::Critical => severity.label(),
    }
}
