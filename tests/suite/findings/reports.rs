//! Reports come in by upload, beside the image and from a scanner of the operator's, and are shown by every client.

use std::fs;
use std::path::PathBuf;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::gate::{says, vector};
use crate::support::aws::Aws;
use crate::support::client::{Client, Skopeo};
use crate::support::http::Http;
use crate::support::image::{Blob, Image, MANIFEST};
use crate::support::portcullis::{ACCOUNT, Cli, Portcullis};
use crate::support::process::{bare, run};
use crate::support::registry::Registry;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::IAMAPIKEY;

/// A server with one image, `prod/owl:v1`.
pub(super) fn with_an_image(registry: &Registry, settings: &str) -> (Portcullis, Cli, Image) {
    let at = Portcullis::with(&registry.url(), &[], settings);
    let (cli, image) = (at.administration(), Image::tiny());
    // To the letter, as its digest is named.
    let pushed = pusher(&at).push(&image, "prod/owl", "v1");
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    (at, cli, image)
}

fn push(at: &Portcullis, image: &Image, name: &str) {
    let skopeo = Skopeo::new(&at.trust());
    skopeo.login(&at.host(), IAMAPIKEY, at.admin_key()).must_succeed();
    skopeo.push(image, &at.image(name)).must_succeed();
}

/// The registry's API, for whoever may push there.
pub(super) fn pusher(at: &Portcullis) -> Http {
    let token = at.http().basic(IAMAPIKEY, at.admin_key()).token(&["repository:prod/owl:pull,push"]);
    at.http().bearer(&token)
}

pub(super) fn put_blob(http: &Http, bytes: &[u8]) -> Blob {
    let blob = Blob::of(bytes.to_vec());
    let stored = http.push_blob("prod/owl", &blob);
    assert_eq!(stored.status, 201, "{}", stored.text());
    blob
}

/// Pushes a document beside an image, as oras and cosign do.
fn attach(http: &Http, (kind, bytes): (&str, &[u8]), subject: Option<&Image>, tag: Option<&str>) {
    let (layer, config) = (put_blob(http, bytes), put_blob(http, b"{}"));
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config.digest, "size": 2},
        "layers": [{"mediaType": kind, "digest": layer.digest, "size": layer.bytes.len()}],
    });
    if let Some(image) = subject {
        let (digest, size) = (&image.manifest.digest, image.manifest.bytes.len());
        manifest["subject"] = json!({"mediaType": MANIFEST, "digest": digest, "size": size});
    }
    let manifest = Blob::of(manifest.to_string().into_bytes());
    let target = format!("/v2/prod/owl/manifests/{}", tag.unwrap_or(&manifest.digest));
    let put = http.send("PUT", &target, &[("Content-Type", MANIFEST)], &manifest.bytes);
    assert_eq!(put.status, 201, "{}", put.text());
}

/// What is known of an image, as JSON.
fn known(cli: &Cli, image: &str) -> Value {
    let done = cli.run(&format!("cr va {image} --output json")).must_succeed();
    let all: Value = serde_json::from_str(&done.stdout).unwrap();
    all[0].clone()
}

fn ids(known: &Value) -> Vec<String> {
    let list = known["vulnerabilities"].as_array().unwrap();
    list.iter().map(|one| one["cve_id"].as_str().unwrap().to_owned()).collect()
}

fn await_status(cli: &Cli, image: &str, status: &str) -> Value {
    until("the report", PATIENCE, || Some(known(cli, image)).filter(|known| known["status"] == status))
}

#[test]
fn a_report_that_is_pushed_beside_an_image_is_of_that_image() {
    let registry = Registry::start();
    let (at, cli, image) = with_an_image(&registry, "");
    let http = pusher(&at);
    // A bill of materials says nothing of what is wrong.
    attach(
        &http,
        ("application/vnd.cyclonedx+json", br#"{"bomFormat":"CycloneDX","components":[]}"#),
        Some(&image),
        None,
    );
    let sarif = fs::read(vector("sarif.json")).unwrap();
    attach(&http, ("application/sarif+json", &sarif), Some(&image), None);
    let found = await_status(&cli, "prod/owl:v1", "FAIL");
    assert_eq!(ids(&found), ["CVE-2026-1001", "CVE-2026-1002", "CVE-2026-1003"]);
    // VEX that somebody pushes takes nothing away; what was uploaded does.
    let vex = fs::read(vector("vex.json")).unwrap();
    attach(&http, ("application/vnd.cyclonedx+json", &vex), Some(&image), None);
    assert!(
        says(&cli, &format!("cr va-upload prod/owl:v1 {}", vector("grype.json")), &["3 findings"])
            .contains("OK")
    );
    assert!(ids(&known(&cli, "prod/owl:v1")).contains(&"CVE-2026-1001".to_owned()));
    says(&cli, &format!("cr va-upload prod/owl:v1 {}", vector("vex.json")), &["OK"]);
    assert!(!ids(&known(&cli, "prod/owl:v1")).contains(&"CVE-2026-1001".to_owned()));
}

#[test]
fn a_pushed_report_outlives_the_server_and_waits_for_its_image() {
    let registry = Registry::start();
    let (mut at, _, image) = with_an_image(&registry, "");
    let sarif = fs::read(vector("sarif.json")).unwrap();
    let (http, later) = (pusher(&at), Image::tiny());
    attach(&http, ("application/sarif+json", &sarif), Some(&later), None);
    at.await_log("a pushed report waits for its image");
    attach(&http, ("application/sarif+json", &sarif), Some(&image), None);
    // Whoever has heard that it was pushed may rely on it.
    at.restart();
    let cli = at.administration();
    await_status(&cli, "prod/owl:v1", "FAIL");
    let pushed = pusher(&at).push(&later, "prod/owl", "later");
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    await_status(&cli, "prod/owl:later", "FAIL");
}

#[test]
fn an_attestation_where_cosign_puts_it_is_of_the_image_that_it_names() {
    let registry = Registry::start();
    let (at, cli, image) = with_an_image(&registry, "");
    let envelope: Value = serde_json::from_slice(&fs::read(vector("attestation.json")).unwrap()).unwrap();
    let payload = BASE64.decode(envelope["payload"].as_str().unwrap().as_bytes()).unwrap();
    let mut statement: Value = serde_json::from_slice(&payload).unwrap();
    let hex = image.manifest.digest.strip_prefix("sha256:").unwrap().to_owned();
    let dsse = "application/vnd.dsse.envelope.v1+json";
    let tag = format!("sha256-{hex}.att");
    let http = pusher(&at);
    // About another image: nothing comes of it.
    attach(&http, (dsse, envelope.to_string().as_bytes()), None, Some(&tag));
    statement["subject"][0]["digest"]["sha256"] = json!(hex);
    let payload = BASE64.encode(statement.to_string().as_bytes());
    let envelope =
        json!({"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []});
    attach(&http, (dsse, envelope.to_string().as_bytes()), None, Some(&tag));
    let found = await_status(&cli, "prod/owl:v1", "FAIL");
    assert_eq!(ids(&found).len(), 3);
    assert!(at.log().contains("about another image"), "{}", at.log());
}

#[test]
fn a_new_scan_removes_what_is_fixed_and_an_older_one_does_not_come_back() {
    let registry = Registry::start();
    let (at, cli, _) = with_an_image(&registry, "");
    let upload = |report: &Value| {
        let file = at.folder().join("report.json");
        fs::write(&file, report.to_string()).unwrap();
        says(&cli, &format!("cr va-upload prod/owl:v1 {}", file.display()), &["OK"])
    };
    let mut report: Value = serde_json::from_slice(&fs::read(vector("trivy.json")).unwrap()).unwrap();
    assert!(upload(&report).contains("2 of medium severity and worse are new"));
    let before = report.clone();
    report["CreatedAt"] = json!("2026-03-02T10:00:00Z");
    report["Results"] =
        json!([{"Target": "x", "Vulnerabilities": [before["Results"][0]["Vulnerabilities"][2]]}]);
    assert!(upload(&report).contains("0 of medium severity and worse are new"));
    assert_eq!(ids(&known(&cli, "prod/owl:v1")), ["CVE-2026-1003"]);
    assert!(upload(&before).contains("A later report"));
    assert_eq!(ids(&known(&cli, "prod/owl:v1")), ["CVE-2026-1003"]);
    report["CreatedAt"] = json!("2026-03-03T10:00:00Z");
    report["Results"] = json!([]);
    upload(&report);
    assert_eq!(known(&cli, "prod/owl:v1")["status"], "OK");
    says(&cli, "cr image-list", &["No Issues"]);
}

#[test]
fn the_operators_scanner_scans_on_demand_and_on_push_and_ecrs_waiter_waits_for_it() {
    let registry = Registry::start();
    let settings = format!("[findings]\nscanner = [\"cat\", \"{}\"]\n", vector("trivy.json"));
    let (at, cli, _) = with_an_image(&registry, &settings);
    let aws = Aws::administrator(&at);
    let of = ["--repository-name", "prod/owl", "--image-id", "imageTag=v1"];
    let ecr = |operation: &[&str], more: &[&str]| aws.run(&[&["ecr"], operation, &of[..], more].concat());
    ecr(&["describe-image-scan-findings"], &[]).must_fail_saying(&["ScanNotFoundException"]);
    ecr(&["start-image-scan"], &[]).must_succeed();
    ecr(&["wait", "image-scan-complete"], &[]).must_succeed();
    let shown = ecr(&["describe-image-scan-findings"], &["--page-size", "2"]).must_succeed();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["imageScanStatus"]["status"], "COMPLETE");
    let found = &shown["imageScanFindings"];
    assert_eq!(found["findingSeverityCounts"], json!({"CRITICAL": 1, "HIGH": 1, "LOW": 1}));
    assert_eq!(found["findings"].as_array().unwrap().len(), 3, "in pages of two");
    assert_eq!(found["findings"][0]["name"], "CVE-2026-1001");
    let images =
        aws.run(&["ecr", "describe-images", "--repository-name", "prod/owl", "--image-ids", "imageTag=v1"]);
    let images: Value = serde_json::from_str(&images.must_succeed().stdout).unwrap();
    let detail = &images["imageDetails"][0];
    assert_eq!(detail["imageScanStatus"]["status"], "COMPLETE", "{detail}");
    let summary = &detail["imageScanFindingsSummary"];
    assert_eq!(summary["findingSeverityCounts"], found["findingSeverityCounts"], "{detail}");
    assert_eq!(summary["imageScanCompletedAt"], found["imageScanCompletedAt"], "{detail}");

    aws.run(&[
        "ecr",
        "put-image-scanning-configuration",
        "--repository-name",
        "prod/owl",
        "--image-scanning-configuration",
        "scanOnPush=true",
    ])
    .must_succeed();
    push(&at, &Image::tiny(), "prod/owl:v2");
    await_status(&cli, "prod/owl:v2", "FAIL");
}

#[test]
fn vulnerability_advisor_is_walked_by_its_own_sdk() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/clients/bin/python");
    if !python.exists() {
        let missing =
            "IBM's SDK is not installed, so nothing was walked: run `make deps`, which says why it cannot";
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{missing}");
        return println!("skipped: {missing}");
    }
    let registry = Registry::start();
    let (at, cli, _) = with_an_image(&registry, "");
    push(&at, &Image::tiny(), "prod/owl:clean");
    says(&cli, &format!("cr va-upload prod/owl:v1 {}", vector("trivy.json")), &["OK"]);
    let mut command = bare(python);
    command
        .arg(root.join("tests/clients/ibm_advisor.py"))
        .env("HOME", at.folder())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("REQUESTS_CA_BUNDLE", &at.certificate().ca)
        .env("PORTCULLIS_URL", format!("https://{}", at.host()))
        .env("PORTCULLIS_ACCOUNT", ACCOUNT)
        .env("PORTCULLIS_KEY", at.admin_key());
    let ended = run(&mut command, "").must_succeed();
    assert!(ended.stdout.lines().any(|line| line.starts_with("walked ")), "{}", ended.stdout);
}
