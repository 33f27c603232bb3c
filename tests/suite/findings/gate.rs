//! Vulnerable images are refused where a policy says so, with the reason; the scanner is not.

use serde_json::{Value, json};

use crate::support::aws::Aws;
use crate::support::client::{Client, Docker, Skopeo};
use crate::support::image::Image;
use crate::support::portcullis::{ACCOUNT, Cli, Portcullis};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::who::IAMAPIKEY;

/// A report of this project's own, in a scanner's format.
pub(super) fn vector(name: &str) -> String {
    format!("{}/tests/vectors/findings/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Who a service ID is in AWS's words.
pub(super) fn arn(robot: &Robot) -> String {
    let id = robot.iam_id.strip_prefix("iam-").unwrap();
    format!("arn:aws:iam::{ACCOUNT}:user/service-id/{id}")
}

/// Nobody but the scanner pulls what is as `condition` says: one statement.
pub(super) fn gate(at: &Portcullis, repository: &str, scanner: &Robot, condition: &str, value: Value) {
    let mut conditions = json!({"ArnNotEquals": {"aws:PrincipalArn": arn(scanner)}});
    let (operator, key) = condition.split_once(' ').unwrap();
    conditions.as_object_mut().unwrap().insert(operator.to_owned(), json!({key: value}));
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "NothingCritical", "Effect": "Deny", "Principal": "*",
        "Action": "ecr:BatchGetImage", "Condition": conditions,
    }]});
    let aws = Aws::administrator(at);
    let policy = policy.to_string();
    aws.run(&["ecr", "set-repository-policy", "--repository-name", repository, "--policy-text", &policy])
        .must_succeed();
}

#[track_caller]
pub(super) fn says(cli: &Cli, line: &str, expected: &[&str]) -> String {
    let done = cli.run(line).must_succeed();
    for text in expected {
        assert!(done.stdout.contains(text), "`{text}` is missing: {}\n{}", done.command, done.said());
    }
    done.stdout
}

#[test]
fn docker_is_refused_a_critical_image_and_told_why_and_the_scanner_is_not() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let (cli, admin) = (at.administration(), at.administrator());
    let pusher = Skopeo::new(&at.trust());
    pusher.login(&at.host(), IAMAPIKEY, at.admin_key()).must_succeed();
    let image = at.image("prod/owl:v1");
    pusher.push(&Image::tiny(), &image).must_succeed();
    let runner = Robot::with_role(&admin, "runner", "Reader", "prod");
    let scanner = Robot::with_role(&admin, "scanner", "Reader", "prod");
    let critical = json!("CRITICAL");
    gate(&at, "prod/owl", &scanner, "StringEquals registry:VulnerabilitySeverity", critical);
    let (production, scanning) = (Docker::start(&at.trust()), Skopeo::new(&at.trust()));
    production.login(&at.host(), IAMAPIKEY, &runner.key.value).must_succeed();
    scanning.login(&at.host(), IAMAPIKEY, &scanner.key.value).must_succeed();

    says(&cli, "cr va prod/owl:v1", &["UNSCANNED", "Nobody has scanned"]);
    production.pull(&image).must_succeed();
    let upload = format!("cr va-upload prod/owl:v1 {}", vector("trivy.json"));
    says(&cli, &upload, &["5 findings; 2 of medium severity and worse are new"]);
    let shown = says(&cli, "cr va prod/owl:v1 --extended", &["FAIL", "CVE-2026-1001", "CRITICAL", "Active"]);
    assert!(shown.contains("Upgrade openssl to 3.0.2-1") && shown.contains("DS002"), "{shown}");
    says(&cli, "cr image-list", &["5 Issues"]);

    let why = &["The image has 1 CRITICAL vulnerability (CVE-2026-1001)"];
    production.pull(&image).must_fail_saying(why);
    scanning.pull(&image).must_succeed();
    // By digest it is the same image.
    let listed = cli.run("cr image-digests --output json").must_succeed();
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let digest = listed[0]["id"].as_str().unwrap();
    let without_a_copy = Skopeo::new(&at.trust());
    without_a_copy.login(&at.host(), IAMAPIKEY, &runner.key.value).must_succeed();
    without_a_copy.pull(&at.image(&format!("prod/owl@{digest}"))).must_fail_saying(why);
    at.await_audit("the denial, with the statement that denies", |event| {
        event["outcome"] == "failure" && event.to_string().contains("NothingCritical")
    });

    let exemption = "--scope prod/owl --issue-type cve --issue-id CVE-2026-1001";
    says(&cli, &format!("cr exemption-add {exemption} --reason checked"), &["Creating exemption", "OK"]);
    production.pull(&image).must_succeed();
    says(&cli, "cr exemption-list", &["Scope", "Issue type", "prod/owl", "cve", "CVE-2026-1001", "checked"]);
    says(&cli, "cr va prod/owl:v1", &["Exempt"]);
    says(&cli, &format!("cr exemption-rm {exemption}"), &["OK"]);
    production.pull(&image).must_fail_saying(why);
    says(&cli, "cr exemption-types", &["cve", "sn", "configuration"]);
}
