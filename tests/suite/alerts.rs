//! Alerts reach a webhook: each exactly once, whatever fails in between, signed, and recorded.

use serde_json::{Value, json};

use crate::support::client::{Client, Skopeo};
use crate::support::hook::{Answer, Came, Hook};
use crate::support::image::Image;
use crate::support::portcullis::{Cli, Portcullis, field};
use crate::support::registry::Registry;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::IAMAPIKEY;

/// Makes a channel to the receiver, and says its secret.
#[track_caller]
fn channel(cli: &Cli, name: &str, hook: &Hook, more: &str) -> String {
    let line = format!("compliance channel-create {name} --endpoint {}{more}", hook.url());
    let made = cli.run(&line).must_succeed();
    field(&made.stdout, "Secret").unwrap_or_else(|| panic!("no secret in {}", made.stdout)).to_owned()
}

#[track_caller]
fn json_of(cli: &Cli, line: &str) -> Value {
    let done = cli.run(&format!("{line} --output json")).must_succeed();
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout))
}

fn push(at: &Portcullis, name: &str) {
    let skopeo = Skopeo::new(&at.trust());
    skopeo.login(&at.host(), IAMAPIKEY, at.admin_key()).must_succeed();
    skopeo.push(&Image::tiny(), &at.image(name)).must_succeed();
}

/// A Trivy report of so many vulnerabilities of each severity, from that number on.
fn report(at: &Portcullis, from: usize, counts: &[(&str, usize)]) -> String {
    let mut found = Vec::new();
    for (severity, count) in counts {
        for number in 0..*count {
            let id = format!("CVE-2026-{severity}-{}", from + number);
            found.push(json!({
                "VulnerabilityID": id, "PkgName": "openssl", "InstalledVersion": "1", "FixedVersion": "2",
                "Severity": severity,
            }));
        }
    }
    let whole = json!({
        "SchemaVersion": 2, "ArtifactName": "owl", "Results": [{"Target": "owl", "Vulnerabilities": found}],
    });
    let path = at.folder().join(format!("report-{from}.json"));
    std::fs::write(&path, whole.to_string()).unwrap();
    path.display().to_string()
}

fn upload(cli: &Cli, image: &str, file: &str) {
    cli.run(&format!("cr va-upload {image} {file}")).must_succeed();
}

/// The goal that is judged by channels.
#[track_caller]
fn expect_goal(cli: &Cli, status: &str) -> Value {
    let goals = json_of(cli, "compliance goals");
    let goal = goals.as_array().unwrap().iter().find(|goal| goal["id"] == "3000602").unwrap().clone();
    assert_eq!(goal["status"], status, "{goal}");
    goal
}

/// The severities and counts of what was taken, the worst first.
fn counted(taken: &[Came]) -> Vec<(String, u64)> {
    let one = |came: &Came| {
        let finding = came.finding();
        (
            finding["severity"].as_str().unwrap().to_owned(),
            finding["payload"]["issue_count"].as_u64().unwrap(),
        )
    };
    let mut all: Vec<_> = taken.iter().map(one).collect();
    all.sort();
    all
}

fn all_settled(cli: &Cli, count: usize) -> Option<Vec<Value>> {
    let rows = json_of(cli, "compliance deliveries");
    let rows = rows.as_array().unwrap().clone();
    let settled = rows.len() == count && rows.iter().all(|row| row["state"] == "delivered");
    settled.then_some(rows)
}

#[test]
fn each_alert_comes_once_although_the_receiver_fails_and_the_server_is_killed_in_between() {
    let registry = Registry::start();
    // It fails twice, and the third time it hangs until the server is gone.
    let hook = Hook::start(&[Answer::Status(500), Answer::Status(503), Answer::Silence]);
    let mut at = Portcullis::before(&registry.url());
    let cli = at.administration();
    let secret = channel(&cli, "ops", &hook, " --source VA");
    push(&at, "prod/owl:v1");
    let thousands = report(&at, 0, &[("CRITICAL", 700), ("HIGH", 1300), ("MEDIUM", 1000), ("LOW", 500)]);
    upload(&cli, "prod/owl:v1", &thousands);
    hook.await_came(3);
    at.restart();
    let cli = at.administration();
    let taken = hook.await_taken(3);
    let rows = until("all deliveries", PATIENCE, || all_settled(&cli, 3));
    assert!(rows.iter().any(|row| row["attempts"].as_u64().unwrap() > 1), "{rows:?}");
    let wanted = [("CRITICAL", 700), ("HIGH", 1300), ("MEDIUM", 1000)].map(|(word, n)| (word.to_owned(), n));
    assert_eq!(counted(&taken), wanted);
    let mut ids: Vec<&str> = taken.iter().map(Came::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3, "each has an id of its own");
    for came in hook.came() {
        assert!(came.is_signed_with(&secret), "{came:?}");
        assert!(ids.contains(&came.id()), "what failed comes again under its own id");
        assert_eq!(came.header("ce-id"), came.id());
        assert_eq!(came.header("ce-type"), "com.ibm.cloud.compliance.va");
    }
    // What is known already is told to nobody; what is new is told once, by itself.
    upload(&cli, "prod/owl:v1", &thousands);
    upload(&cli, "prod/owl:v1", &report(&at, 5000, &[("HIGH", 2)]));
    let taken = hook.await_taken(4);
    until("the last delivery", PATIENCE, || all_settled(&cli, 4));
    assert_eq!(counted(&taken[3..]), [("HIGH".to_owned(), 2)]);
    assert_eq!(hook.taken().len(), 4, "and nothing else came");
    let delivered = at.await_audit("deliveries are on record", |event| {
        event["action"] == "compliance.alert.deliver" && event["outcome"] == "success"
    });
    assert!(delivered["message"].as_str().unwrap().contains("ops"), "{delivered}");
    assert!(at.metric("portcullis_alert_deliveries_total{outcome=\"delivered\"}") >= 1.0);
}

#[test]
fn the_goal_holds_once_a_channel_has_delivered_and_what_drifts_is_told() {
    let registry = Registry::start();
    let hook = Hook::start(&[Answer::Status(302)]);
    let at = Portcullis::before(&registry.url());
    let cli = at.administration();
    expect_goal(&cli, "fail");
    let secret =
        channel(&cli, "on-call", &hook, " --severity critical,high,medium,low --message cloudevents");
    let failed = expect_goal(&cli, "fail");
    let fix = failed["fix"].as_str().unwrap().strip_prefix("portcullis ").unwrap().to_owned();
    // A redirect is not followed.
    cli.run(&fix).must_fail_saying(&["the endpoint answers 302"]);
    expect_goal(&cli, "fail");
    cli.run(&fix).must_succeed();
    expect_goal(&cli, "pass");
    let test = hook.await_taken(1).remove(0);
    let event = test.json();
    assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!("portcullis.test")));
    assert!(test.is_signed_with(&secret) && event["id"] == test.id());
    cli.run("cr platform-metrics --enable").must_succeed();
    expect_goal(&cli, "pass");
    cli.run("cr platform-metrics --disable").must_succeed();
    let drift = until("the drift", PATIENCE, || {
        hook.taken().into_iter().map(|came| came.json()).find(|event| {
            event["type"] == "portcullis.compliance.drift" && event["subject"] == "ibm-best-practices/3000627"
        })
    });
    let told = &drift["data"]["findings"][0];
    let said = told["payload"]["short_description"].as_str().unwrap();
    assert!(said.contains("fails since") && said.contains("because admin"), "{said}");
    assert_eq!((&told["provider"], &told["payload-type"]), (&json!("compliance"), &json!("findings")));
    cli.run("compliance channel-update on-call --disable").must_succeed();
    expect_goal(&cli, "fail");
    cli.run("compliance channel-delete on-call --force").must_succeed();
    assert_eq!(json_of(&cli, "compliance channels"), json!([]));
}

#[test]
fn somebody_who_is_refused_over_and_over_is_told_of_once() {
    let registry = Registry::start();
    let hook = Hook::start(&[]);
    let at = Portcullis::with(&registry.url(), &[], "[alerts]\ndenied_access = 5\n");
    let cli = at.administration();
    channel(&cli, "guard", &hook, " --source ATA:denied_access_spike");
    channel(&cli, "images", &hook, " --source VA");
    let guesser = at.http().basic(IAMAPIKEY, "wrong-key-0123456789abcdefghijklmnopqrstuvwxyzABCD");
    for _ in 0..12 {
        assert_eq!(guesser.get("/oauth/token?service=registry").status, 401);
    }
    let finding = hook.await_taken(1)[0].finding();
    assert_eq!((&finding["provider"], &finding["severity"]), (&json!("ATA"), &json!("HIGH")));
    assert_eq!(finding["payload"]["context"]["resource_name"], "127.0.0.1");
    assert!(
        finding["payload"]["short_description"].as_str().unwrap().contains("refused 5 times"),
        "{finding}"
    );
    // What was noticed after it would have come before a test does.
    cli.run("compliance channel-test guard").must_succeed();
    let spikes =
        hook.taken().iter().filter(|came| came.header("ce-type") == "com.ibm.cloud.compliance.ata").count();
    assert_eq!((spikes, hook.taken().len()), (1, 2));
}
