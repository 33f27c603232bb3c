//! Reads bytes as scanners' reports: whatever stands there, there is an answer, and what it keeps is bounded and tame.

use portcullis::findings::assess::assess;
use portcullis::findings::finding::{Finding, ID_MAX};
use portcullis::findings::read::{FINDINGS_MAX, read};
use portcullis::findings::standing::Standing;
use portcullis::registry::reference::Digest;
use portcullis::registry::shape::Shape;

/// `data` is a report, and perhaps a manifest.
pub(crate) fn check(data: &[u8]) {
    let _ = Shape::read(data);
    let Ok(report) = read(data) else { return };
    assert_eq!(read(data).as_ref(), Ok(&report));
    assert!(report.findings.len() <= FINDINGS_MAX && report.dismissed.len() <= FINDINGS_MAX);
    for finding in &report.findings {
        assert!(!finding.id.is_empty() && finding.id.len() <= ID_MAX, "{finding:?}");
        let texts = [&finding.package, &finding.installed, &finding.fixed, &finding.summary, &finding.link];
        for text in texts {
            assert!(text.len() <= 512 && !text.chars().any(char::is_control), "{finding:?}");
        }
        let kept = serde_json::to_string(finding).unwrap();
        assert_eq!(serde_json::from_str::<Finding>(&kept).unwrap(), *finding, "{kept}");
    }
    for pair in report.findings.windows(2) {
        assert!(pair[0].severity >= pair[1].severity && !pair[0].is(&pair[1]), "{pair:?}");
    }
    let now = portcullis::clock::UnixTime::from_seconds(0);
    let seen = assess(&report.findings, &[], now);
    let told: usize = seen.vulnerabilities.len() + seen.checks.len();
    assert!(told <= report.findings.len());
    let digest = Digest::parse(&format!("sha256:{:064x}", 1)).unwrap();
    let worst = Standing::of(&digest, None, &report.findings, &[]).at(now, &[]);
    assert_eq!(worst.severity, seen.vulnerabilities.iter().map(|one| one.severity).max());
}
