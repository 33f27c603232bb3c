//! Goals about images follow what is pushed, scanned, signed and removed, and are mended by the commands that they name.

use serde_json::{Value, json};

use super::{World, goal};
use crate::support::aws::Aws;
use crate::support::http::Http;
use crate::support::image::{Blob, Image, MANIFEST};
use crate::support::portcullis::Cli;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::IAMAPIKEY;

const SCANS: &str = "portcullis-image-scans";
const SIGNATURES: &str = "portcullis-image-signatures";
const TAGS: &str = "portcullis-image-tags";

#[track_caller]
fn follows(cli: &Cli, id: &str, status: &str) -> Value {
    let mut last = Value::Null;
    until(&format!("{id} to be {status}"), PATIENCE, || {
        last = goal(cli, "auditor", id);
        (last["status"] == status).then(|| last.clone())
    })
}

/// Pushes a signature beside an image, as Notation does; how it can be deleted.
fn sign(http: &Http, repository: &str, image: &Image) -> String {
    let nothing = Blob::of(b"{}".to_vec());
    let stored = http.push_blob(repository, &nothing);
    assert_eq!(stored.status, 201, "{}", stored.text());
    let part = |kind: &str| json!({"mediaType": kind, "digest": nothing.digest, "size": 2});
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.cncf.notary.signature",
        "config": part("application/vnd.oci.empty.v1+json"),
        "layers": [part("application/jose+json")],
        "subject": {"mediaType": MANIFEST, "digest": image.manifest.digest, "size": image.manifest.bytes.len()},
    });
    let manifest = Blob::of(manifest.to_string().into_bytes());
    let target = format!("/v2/{repository}/manifests/{}", manifest.digest);
    let put = http.send("PUT", &target, &[("Content-Type", MANIFEST)], &manifest.bytes);
    assert_eq!(put.status, 201, "{}", put.text());
    target
}

#[test]
fn the_goals_about_images_follow_pushes_scans_signatures_and_deletions() {
    let world = World::begin();
    let (cli, at) = (world.southern(), &world.at);
    // Somebody has asked, so both registries are looked through.
    follows(&cli, SCANS, "not_applicable");
    let scope = "repository:birds/owl:pull,push,delete";
    let token = at.http().basic(IAMAPIKEY, at.admin_key()).token(&[scope]);
    let (http, image) = (at.http().bearer(&token), Image::tiny());
    let pushed = http.push(&image, "birds/owl", "v1");
    assert_eq!(pushed.status, 201, "{}", pushed.text());

    let unscanned = follows(&cli, SCANS, "fail");
    assert_eq!(unscanned["resource"], at.image("birds/owl:v1").replace(&at.host(), "us.registry.test"));
    let trivy = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/findings/trivy.json");
    let mut report: Value = serde_json::from_slice(&std::fs::read(trivy).unwrap()).unwrap();
    report.as_object_mut().unwrap().remove("CreatedAt");
    let file = world.file("report.json", &report.to_string());
    let fix = unscanned["fix"].as_str().unwrap().replace("report.json", &file.display().to_string());
    for command in fix.split(" && ").filter_map(|command| command.strip_prefix("portcullis ")) {
        cli.run(command).must_succeed();
    }
    let scanned = follows(&cli, SCANS, "pass");
    assert!(scanned["found"].as_str().unwrap().starts_with("1 images"), "{scanned}");

    let unsigned = follows(&cli, SIGNATURES, "fail");
    let expected = format!("cosign sign us.registry.test/birds/owl@{}", image.manifest.digest);
    assert_eq!(unsigned["fix"], expected);
    let signature = sign(&http, "birds/owl", &image);
    follows(&cli, SIGNATURES, "pass");
    assert_eq!(http.send("DELETE", &signature, &[], b"").status, 202);
    follows(&cli, SIGNATURES, "fail");

    let movable = follows(&cli, TAGS, "fail");
    let fix: Vec<&str> = movable["fix"].as_str().unwrap().split(' ').skip(1).collect();
    Aws::administrator(at).run(&fix).must_succeed();
    follows(&cli, TAGS, "pass");

    cli.run("cr image-rm birds/owl:v1").must_succeed();
    follows(&cli, SCANS, "not_applicable");
    follows(&cli, TAGS, "not_applicable");
}
