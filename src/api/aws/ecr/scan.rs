//! Scans, as ECR shows them.

use serde_json::{Map, Value, json};

use crate::clock::UnixTime;
use crate::control::aws::ecr::scan::ImageScan;
use crate::control::scans::Progress;
use crate::findings::finding::Finding;
use crate::findings::severity::Severity;

pub(super) fn status(scan: &ImageScan) -> Value {
    match &scan.progress {
        Some(Progress::UnderWay) => json!({"status": "IN_PROGRESS", "description": "The scan is under way."}),
        Some(Progress::Failed(why)) => json!({"status": "FAILED", "description": why}),
        None => json!({"status": "COMPLETE", "description": "The scan was completed successfully."}),
    }
}

/// One page of what was found, and how much there is in all.
pub(super) fn findings(scan: &ImageScan, (start, limit): (usize, usize)) -> Value {
    let mut counts: Map<String, Value> = Map::new();
    for severity in Severity::ALL.into_iter().rev() {
        let count = scan.findings.iter().filter(|one| one.severity == severity).count();
        if count > 0 {
            counts.insert(word(severity).to_owned(), json!(count));
        }
    }
    let at = scan.scanned_at.map(UnixTime::seconds);
    json!({
        "imageScanCompletedAt": at,
        "vulnerabilitySourceUpdatedAt": at,
        "findingSeverityCounts": counts,
        "findings": scan.findings.iter().skip(start).take(limit).map(finding).collect::<Vec<_>>(),
    })
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
