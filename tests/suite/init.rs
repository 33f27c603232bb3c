//! The beginning of an installation: killed at any instant, repeated, and without enforcement.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use tokio::time::Instant;

use crate::support::certificate::{self, Certificate};
use crate::support::client::{Client, Skopeo};
use crate::support::http::Http;
use crate::support::image::{Image, random_bytes};
use crate::support::portcullis::{ACCOUNT, BINARY, Portcullis, field, listener, settings_text};
use crate::support::process::{Running, bare, run};
use crate::support::registry::Registry;
use crate::support::wait::within;
use crate::support::who::{IAMAPIKEY, Nobody, ServiceId, Stranger, Who};

const KEY: &str = "Administrator API key";

fn command(verb: &str, folder: &Path) -> Command {
    let mut command = bare(BINARY);
    command.args([verb, "--config"]).arg(folder.join("portcullis.toml")).env("HOME", folder);
    command
}

/// A folder with settings and nothing else.
fn empty(certificate: &Certificate) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = settings_text(folder.path(), certificate, "http://127.0.0.1:9", "");
    fs::write(folder.path().join("portcullis.toml"), text).unwrap();
    folder
}

/// Whether the key logs in at a server on what lies in that folder.
fn logs_in(folder: &Path, certificate: &Certificate, key: &str) -> bool {
    let mut server = Running::start(&mut command("serve", folder));
    server.await_log("`ready`", |log| log.lines().any(|line| line == "ready").then_some(()));
    let http = Http::tls(listener(&server.log(), "registry"), &certificate.ca);
    http.basic(IAMAPIKEY, key).get("/oauth/token?service=registry").status == 200
}

#[test]
fn an_init_killed_at_any_instant_and_run_again_leaves_a_key_that_works() {
    let place = tempfile::tempdir().unwrap();
    let certificate = certificate::make(place.path());
    let folder = empty(&certificate);
    let begun = Instant::now();
    run(&mut command("init", folder.path()), "").must_succeed();
    let whole = begun.elapsed();
    for round in 0..30 {
        let folder = empty(&certificate);
        let mut init = command("init", folder.path());
        let mut child = init.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let random = u32::from(random_bytes(1)[0]);
        // Any time up to a little more than it takes.
        let _ = within(whole * random / 230, || None::<()>);
        child.kill().unwrap();
        let killed = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let again = run(&mut command("init", folder.path()), "").must_succeed().stdout;
        let key = field(&again, KEY).or_else(|| field(&killed, KEY));
        let key = key.unwrap_or_else(|| panic!("round {round}: nobody has a key:\n{killed}---\n{again}"));
        assert!(logs_in(folder.path(), &certificate, key), "round {round}:\n{killed}---\n{again}");
        let third = run(&mut command("init", folder.path()), "").must_succeed().stdout;
        assert!(third.contains("nothing was changed") && field(&third, KEY).is_none(), "{third}");
    }
}

#[test]
fn init_twice_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let certificate = certificate::make(place.path());
    let folder = empty(&certificate);
    let first = run(&mut command("init", folder.path()), "").must_succeed().stdout;
    let key = field(&first, KEY).unwrap();
    let master = fs::read(folder.path().join("master.key")).unwrap();
    let given = "another-administrator-0123456789abcdefghijklmnop";
    for policy_free in [false, true] {
        let mut again = command("init", folder.path());
        again.env("PORTCULLIS_BOOTSTRAP_API_KEY", given).args(policy_free.then_some("--policy-free"));
        let said = run(&mut again, "").must_succeed().stdout;
        assert!(said.contains("nothing was changed"), "{said}");
    }
    assert_eq!(fs::read(folder.path().join("master.key")).unwrap(), master);
    assert!(logs_in(folder.path(), &certificate, key));
    assert!(!logs_in(folder.path(), &certificate, given), "a second bootstrap key was taken");
}

#[test]
fn a_policy_free_registry_lets_everybody_known_in_and_says_whom_policies_would_refuse() {
    let registry = Registry::start();
    let at = Portcullis::with(&registry.url(), &["--policy-free"], "");
    let administration = at.administration();
    let status = administration.run("cr iam-policies-status").must_succeed().stdout;
    assert!(status.contains("disabled"), "{status}");
    let robot = ServiceId::create(&administration, "robot");
    let skopeo = robot.skopeo(&at);
    let (image, reference) = (Image::tiny(), at.image("team/app:1"));
    skopeo.push(&image, &reference).must_succeed();
    skopeo.pull(&reference).must_succeed();
    assert_eq!(robot.http(&at).get("/v2/_catalog").json(), json!({"repositories": ["team/app"]}));

    // Known means proven: nobody and a stranger are as far away as ever.
    Skopeo::new(&at.trust()).pull(&reference).must_fail_saying(&["Authorization required"]);
    assert_eq!(Nobody.http(&at).get("/v2/team/app/tags/list").status, 401);
    assert_eq!(Stranger.http(&at).get("/v2/team/app/tags/list").status, 401);
    // And it is about images, never about who may do what.
    let body = json!({"name": "x", "account_id": ACCOUNT});
    let made = robot.http(&at).call("POST", "/v1/serviceids", &body);
    assert_eq!(made.status, 403, "{}", made.text());

    let event = at.await_audit("what would be refused", |event| {
        event["decision"] == "would_deny" && event["operation"] == "manifest_write"
    });
    assert_eq!((&event["initiator"]["name"], &event["outcome"]), (&json!("robot"), &json!("success")));
    let would = at.metric("portcullis_policy_would_deny_total");
    assert!(would >= 5.0, "{would}");
    // Whom policies grant what they ask for is not counted.
    assert_eq!(at.administrator().get("/v2/team/app/tags/list").status, 200);
    assert_eq!(at.metric("portcullis_policy_would_deny_total"), would);

    administration.run("cr iam-policies-enable").must_succeed();
    let refused = ["You are not authorized to access the specified resource."];
    skopeo.pull(&reference).must_fail_saying(&refused);
    skopeo.push(&image, &reference).must_fail_saying(&refused);
    robot.grant(&administration, "Reader", "team");
    skopeo.pull(&reference).must_succeed();
    let before = at.metric("portcullis_policy_would_deny_total");
    assert_eq!(robot.http(&at).get("/v2/other/app/tags/list").status, 403);
    assert_eq!(at.metric("portcullis_policy_would_deny_total"), before);

    // It cannot be undone: not by the API, not by the settings.
    let account = [("Account", ACCOUNT), ("Content-Type", "application/json")];
    let back = at.administrator().send("PATCH", "/api/v1/auth", &account, br#"{"iam_authz": false}"#);
    assert_eq!(back.status, 409, "{}", back.text());
    let status = administration.run("cr iam-policies-status").must_succeed().stdout;
    assert!(status.contains("enabled"), "{status}");
    let init = run(command("init", &at.folder()).arg("--policy-free"), "").must_succeed().stdout;
    assert!(init.contains("nothing was changed"), "{init}");
    assert_eq!(robot.http(&at).get("/v2/other/app/tags/list").status, 403);
}
