//! However an image is reached, it is the same image: by tag, by digest, by AWS's calls, as the source of a copy, in an index.

use serde_json::{Value, json};

use super::gate::{arn, gate, says, vector};
use crate::support::aws::Aws;
use crate::support::client::{Client, Skopeo};
use crate::support::http::Http;
use crate::support::image::{Blob, Image, MANIFEST};
use crate::support::portcullis::{Cli, Portcullis};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::IAMAPIKEY;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const WHY: &[&str] = &["CRITICAL vulnerability (CVE-2026-1001)"];

/// A critical image `prod/owl:v1`, and somebody who may pull from prod what is not critical.
fn critical(registry: &Registry, settings: &str) -> (Portcullis, Cli, Robot, Image) {
    let at = Portcullis::with(&registry.url(), &[], settings);
    let (cli, admin, image) = (at.administration(), at.administrator(), Image::tiny());
    let pushed = pusher(&at).push(&image, "prod/owl", "v1");
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    let runner = Robot::with_role(&admin, "runner", "Reader", "prod");
    let scanner = Robot::with_role(&admin, "scanner", "Reader", "prod");
    gate(&at, "prod/owl", &scanner, "StringEquals registry:VulnerabilitySeverity", json!("CRITICAL"));
    says(&cli, &format!("cr va-upload prod/owl:v1 {}", vector("trivy.json")), &["OK"]);
    (at, cli, runner, image)
}

/// The registry's API, for whoever may push there.
fn pusher(at: &Portcullis) -> Http {
    let token = at.http().basic(IAMAPIKEY, at.admin_key()).token(&["repository:prod/owl:pull,push"]);
    at.http().bearer(&token)
}

fn skopeo(at: &Portcullis, robot: &Robot) -> Skopeo {
    let skopeo = Skopeo::new(&at.trust());
    skopeo.login(&at.host(), IAMAPIKEY, &robot.key.value).must_succeed();
    skopeo
}

#[test]
fn a_critical_image_is_had_neither_by_awss_calls_nor_by_a_copy() {
    let registry = Registry::start();
    let (at, cli, runner, _) = critical(&registry, "");
    runner.grant(&at.administrator(), "Writer", "copy");
    runner.grant(&at.administrator(), "Reader", "copy");
    says(&cli, "cr namespace-add copy", &["OK"]);
    let own = Cli::new();
    own.login(&at, &runner.key.value).must_succeed();
    own.run("cr image-tag prod/owl:v1 copy/owl:v1").must_fail_saying(&["not authorized"]);
    let aws = Aws::administrator(&at);
    let reads = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly";
    let user = Aws::user(&at, &aws, "aws-reader");
    aws.run(&["iam", "attach-user-policy", "--user-name", "aws-reader", "--policy-arn", reads])
        .must_succeed();
    let get = ["ecr", "batch-get-image", "--repository-name", "prod/owl", "--image-ids", "imageTag=v1"];
    user.run(&get).must_fail_saying(WHY);
    says(&cli, "cr exemption-add --scope prod --issue-type cve --issue-id CVE-2026-1001", &["OK"]);
    user.run(&get).must_succeed();
    own.run("cr image-tag prod/owl:v1 copy/owl:v1").must_succeed();
}

#[test]
fn a_tag_that_moves_is_decided_on_what_it_stands_for_now_and_an_index_on_all_in_it() {
    let registry = Registry::start();
    let (at, cli, runner, bad) = critical(&registry, "");
    let (http, own, good) = (pusher(&at), skopeo(&at, &runner), Image::tiny());
    assert_eq!(http.push(&good, "prod/owl", "good").status, 201);
    own.pull(&at.image("prod/owl:v1")).must_fail_saying(WHY);
    says(&cli, "cr image-tag prod/owl:good prod/owl:moving", &["OK"]);
    own.pull(&at.image("prod/owl:moving")).must_succeed();
    assert_eq!(http.push(&bad, "prod/owl", "moving").status, 201);
    own.pull(&at.image("prod/owl:moving")).must_fail_saying(WHY);

    let child = |image: &Image, architecture: &str| {
        json!({"mediaType": MANIFEST, "digest": image.manifest.digest, "size": image.manifest.bytes.len(),
            "platform": {"os": "linux", "architecture": architecture}})
    };
    let index = |children: Value| {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children});
        Blob::of(index.to_string().into_bytes())
    };
    let both = index(json!([child(&good, "amd64"), child(&bad, "arm64")]));
    let put = http.send("PUT", "/v2/prod/owl/manifests/all", &[("Content-Type", INDEX)], &both.bytes);
    assert_eq!(put.status, 201, "{}", put.text());
    let token = at.http().basic(IAMAPIKEY, &runner.key.value).token(&["repository:prod/owl:pull"]);
    let mine = at.http().bearer(&token);
    let both_kinds = format!("{INDEX}, {MANIFEST}");
    let get = |reference: &str| {
        let path = format!("/v2/prod/owl/manifests/{reference}");
        mine.send("GET", &path, &[("Accept", &both_kinds)], b"")
    };
    assert_eq!(get("all").status, 403, "{}", get("all").text());
    assert_eq!(get(&both.digest).status, 403);
    assert_eq!(get(&good.manifest.digest).status, 200, "each child by itself");
    assert_eq!(get(&bad.manifest.digest).status, 403);
    // An exemption of the index reaches its children.
    says(&cli, "cr exemption-add --scope prod/owl:all --issue-type cve --issue-id CVE-2026-1001", &["OK"]);
    assert_eq!((get("all").status, get(&bad.manifest.digest).status), (200, 200));
}

#[test]
fn an_exemption_ends_by_itself() {
    let registry = Registry::start();
    let (at, cli, runner, _) = critical(&registry, "");
    let own = skopeo(&at, &runner);
    let seconds = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() + 15;
    let until_then = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
    let line = format!(
        "cr exemption-add --scope prod/owl --issue-type cve --issue-id CVE-2026-1001 --expires {until_then}"
    );
    says(&cli, &line, &["OK"]);
    own.pull(&at.image("prod/owl:v1")).must_succeed();
    let refused = until("the end of the exemption", PATIENCE, || {
        let pulled = own.pull(&at.image("prod/owl:v1"));
        (pulled.code != Some(0)).then_some(pulled)
    });
    refused.must_fail_saying(WHY);
    says(&cli, "cr va prod/owl:v1", &["FAIL", "Active"]);
}

#[test]
fn a_gate_that_only_reports_lets_through_and_counts() {
    let registry = Registry::start();
    let (at, _, runner, _) = critical(&registry, "[findings]\ngate = \"report\"\n");
    skopeo(&at, &runner).pull(&at.image("prod/owl:v1")).must_succeed();
    at.await_audit("what would have been refused", |event| {
        event["outcome"] == "success" && event.to_string().contains("CVE-2026-1001")
    });
    assert!(at.metric("portcullis_findings_would_refuse_total") >= 1.0);
    until("the count", PATIENCE, || {
        let line = "portcullis_findings{registry=\"us.registry.test\",severity=\"critical\"}";
        let page = at.observer().get("/metrics").text();
        page.lines().any(|one| one.starts_with(line) && one.ends_with(" 1")).then_some(())
    });
}

#[test]
fn an_image_without_a_signature_is_refused_where_one_is_demanded() {
    let registry = Registry::start();
    let (at, _, runner, image) = critical(&registry, "");
    let scanner = Robot::create(&at.administrator(), "signer");
    gate(&at, "prod/owl", &scanner, "Bool registry:Signed", json!("false"));
    assert!(arn(&scanner).contains("ServiceId-"));
    let own = skopeo(&at, &runner);
    own.pull(&at.image("prod/owl:v1")).must_fail_saying(&["The image has no signature"]);
    // Where cosign puts a signature, by whomever.
    let admin = Skopeo::new(&at.trust());
    admin.login(&at.host(), IAMAPIKEY, at.admin_key()).must_succeed();
    let tag = format!("prod/owl:{}.sig", image.manifest.digest.replace(':', "-"));
    admin.push(&Image::tiny(), &at.image(&tag)).must_succeed();
    own.pull(&at.image("prod/owl:v1")).must_succeed();
}

#[test]
fn findings_are_shown_as_occurrences_to_whoever_may_see_the_image() {
    let registry = Registry::start();
    let (at, _, runner, image) = critical(&registry, "");
    let account = crate::support::portcullis::ACCOUNT;
    let place = format!("/findings/v1/{account}/providers/security-advisor");
    let list = runner.at(&at).get(&format!("{place}/occurrences"));
    let found = list.json();
    let all = found["occurrences"].as_array().unwrap();
    assert_eq!(all.len(), 2, "{found}");
    assert_eq!(all[0]["finding"]["severity"], "CRITICAL");
    assert_eq!(all[0]["context"]["resource_id"], image.manifest.digest.as_str());
    let one = at.administrator().get(&format!("{place}/occurrences/{}", all[0]["id"].as_str().unwrap()));
    assert_eq!(one.json(), all[0]);
    let stranger = Robot::create(&at.administrator(), "stranger");
    let none = stranger.at(&at).get(&format!("{place}/occurrences"));
    assert_eq!(none.json()["occurrences"], json!([]), "{}", none.text());
}
