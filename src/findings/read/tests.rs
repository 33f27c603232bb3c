//! Reports in every format, and what is none.

use super::{REPORT_MAX, Unread, read};
use crate::findings::finding::Kind;
use crate::findings::report::{Format, counts};
use crate::findings::severity::Severity;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/vectors/findings/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_format_is_recognised_and_says_the_same_of_the_same_image() {
    for (name, format) in [
        ("trivy.json", Format::Trivy),
        ("grype.json", Format::Grype),
        ("sarif.json", Format::Sarif),
        ("cyclonedx.json", Format::CycloneDx),
        ("attestation.json", Format::Trivy),
    ] {
        let report = read(&fixture(name)).unwrap();
        assert_eq!(report.format, format, "{name}");
        assert!(report.is_scan && report.made_at.is_some(), "{name}");
        let worst = &report.findings[0];
        assert_eq!((&*worst.id, worst.severity), ("CVE-2026-1001", Severity::Critical), "{name}");
        assert_eq!((&*worst.package, &*worst.installed), ("openssl", "3.0.1-1"), "{name}");
        assert!(worst.fixed.contains("3.0.2-1"), "{name}");
        let found = counts(report.findings.iter().filter(|one| one.kind == Kind::Vulnerability));
        assert_eq!(found, [0, 0, 1, 0, 1, 1], "{name}");
    }
}

#[test]
fn what_a_format_says_besides_is_kept() {
    let trivy = read(&fixture("trivy.json")).unwrap();
    let os = trivy.os.unwrap();
    assert_eq!((&*os.name, &*os.version), ("debian", "12.5"));
    assert_eq!(trivy.findings[0].notices, ["DSA-9001-1".into()]);
    assert_eq!(trivy.findings.iter().filter(|one| one.kind == Kind::Configuration).count(), 2);
    let grype = read(&fixture("grype.json")).unwrap();
    assert!(
        grype
            .findings
            .iter()
            .any(|one| &*one.id == "CVE-2026-1002" && one.notices == ["GHSA-aaaa-bbbb-cccc".into()])
    );
    let attested = read(&fixture("attestation.json")).unwrap();
    assert_eq!(attested.subjects.len(), 1);
}

#[test]
fn vex_says_what_is_of_no_effect_and_is_no_scan() {
    let vex = read(&fixture("vex.json")).unwrap();
    assert!(!vex.is_scan);
    assert_eq!(vex.dismissed, ["CVE-2026-1001".into()]);
    assert_eq!(vex.findings.len(), 1, "what is being looked into is still a finding");
}

#[test]
fn a_clean_scan_is_a_report_and_anything_else_is_none() {
    let clean = br#"{"SchemaVersion": 2, "ArtifactName": "x", "CreatedAt": "2026-01-01T00:00:00Z"}"#;
    assert!(read(clean).unwrap().findings.is_empty());
    for wrong in
        [&b""[..], b"[]", b"{}", b"null", br#"{"SchemaVersion": 2}"#, b"\xff\xfe", br#"{"payloadType":"x"}"#]
    {
        assert!(read(wrong).is_err(), "{wrong:?}");
    }
    let half = br#"{"SchemaVersion": 2, "ArtifactName": "x", "Results": [{"Vulnerabilities": [{"Severity": "LOW"}]}]}"#;
    assert!(matches!(read(half), Err(Unread::Broken("Trivy", _))));
    assert_eq!(read(&vec![b' '; REPORT_MAX + 1]), Err(Unread::TooLarge));
}

#[test]
fn an_envelope_within_an_envelope_is_refused() {
    let bom = serde_json::json!({"bomFormat": "CycloneDX", "vulnerabilities": []});
    assert_eq!(read(br#"{"bomFormat": "CycloneDX", "components": []}"#), Err(Unread::Format));
    let around = |inner: &serde_json::Value| {
        serde_json::json!({
            "predicateType": "https://cyclonedx.org/bom",
            "subject": [{"digest": {"sha256": "a".repeat(64)}}],
            "predicate": inner,
        })
    };
    let (once, twice) = (around(&bom), around(&around(&bom)));
    assert!(read(once.to_string().as_bytes()).is_ok());
    assert_eq!(read(twice.to_string().as_bytes()), Err(Unread::Format));
}
