//! Who did what, from where, and why they could: the audit log of real clients.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::image::Image;
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::who::{IAMAPIKEY, Stranger, Who};

#[track_caller]
fn assert_says(event: &Value, expected: &[(&str, Value)]) {
    for (pointer, value) in expected {
        assert_eq!(event.pointer(pointer), Some(value), "{pointer} in {event:#}");
    }
}

/// What every event of that robot says of who, from where.
fn who(robot: &Robot) -> [(&'static str, Value); 7] {
    [
        ("/initiator/id", json!(robot.iam_id)),
        ("/initiator/name", json!("robot")),
        ("/initiator/typeURI", json!("service/security/account/serviceid")),
        ("/initiator/credential/type", json!("apikey-serviceid")),
        ("/initiator/credential/id", json!(robot.key.id)),
        ("/initiator/host/address", json!("127.0.0.1")),
        ("/initiator/host/endpoint", json!("public")),
    ]
}

#[test]
fn pulls_pushes_and_refusals_of_a_client_are_told_one_by_one() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let administrator = at.administrator();
    let robot = Robot::create(&administrator, "robot");
    let policy = robot.grant(&administrator, "Reader", "team");
    let image = Image::with_layers(&[50_000]);
    let reference = at.image("team/app:v1");
    // skopeo would compress the layer.
    assert_eq!(administrator.push(&image, "team/app", "v1").status, 201);
    let skopeo = robot.skopeo(&at);
    skopeo.pull(&reference).must_succeed();
    skopeo.push(&Image::tiny(), &reference).must_fail_saying(&["not authorized"]);

    let layer = &image.layers[0];
    let blob = |event: &Value, operation: &str| {
        event["operation"] == operation && event["digest"] == layer.digest.as_str()
    };
    let pushed = at.await_audit("the push of the layer", |event| blob(event, "upload_finish"));
    assert_says(
        &pushed,
        &[
            ("/action", json!("container-registry.image.push")),
            ("/outcome", json!("success")),
            ("/initiator/name", json!("admin")),
            ("/initiator/typeURI", json!("service/security/account/user")),
            ("/target/id", json!(format!("us.registry.test/team/app@{}", layer.digest))),
            ("/target/region", json!("us-south")),
        ],
    );
    let sent: u64 = at
        .audit()
        .iter()
        .filter(|event| event["target"]["name"].as_str().is_some_and(|name| name.contains("team/app")))
        .filter(|event| matches!(event["operation"].as_str(), Some("upload_chunk" | "upload_finish")))
        .map(|event| event["bytesReceived"].as_u64().unwrap())
        .sum();
    assert_eq!(sent as usize, layer.bytes.len() + image.config.bytes.len());

    let pulled = at.await_audit("the pull of the layer", |event| blob(event, "blob_read"));
    assert_says(&pulled, &who(&robot));
    assert_says(
        &pulled,
        &[
            ("/action", json!("container-registry.image.pull")),
            ("/decision", json!("allowed")),
            ("/outcome", json!("success")),
            ("/reason/reasonCode", json!(200)),
            ("/reason/policies/0", json!(policy)),
            ("/reason/policies/1", json!("Reader")),
            ("/bytesSent", json!(layer.bytes.len())),
        ],
    );
    assert!(pulled["initiator"]["host"]["agent"].as_str().unwrap().contains("skopeo"), "{pulled}");

    let manifest = at.await_audit("the pull of the manifest", |event| {
        event["operation"] == "manifest_read" && event["initiator"]["id"] == robot.iam_id.as_str()
    });
    assert_says(
        &manifest,
        &[
            ("/target/name", json!("us.registry.test/team/app:v1")),
            ("/digest", json!(image.manifest.digest)),
            ("/target/id", json!(format!("us.registry.test/team/app@{}", image.manifest.digest))),
        ],
    );

    let denied = at.await_audit("the refused push", |event| {
        event["decision"] == "denied" && event["action"] == "container-registry.image.push"
    });
    assert_says(&denied, &who(&robot));
    assert_says(
        &denied,
        &[("/outcome", json!("failure")), ("/severity", json!("critical")), ("/reason/policies", json!([]))],
    );
    assert!(denied["reason"]["reasonForFailure"].as_str().unwrap().contains("team"), "{denied}");
}

#[test]
fn management_calls_are_told_with_what_they_were_done_to() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let administrator = at.administrator();
    let robot = Robot::create(&administrator, "robot");
    let policy = robot.grant(&administrator, "Writer", "team");
    let place = format!("/v1/apikeys/{}", robot.key.id);
    assert_eq!(administrator.call("POST", &format!("{place}/lock"), &Value::Null).status, 204);
    let locked = administrator.call("DELETE", &place, &Value::Null).status;
    let refused = robot.at(&at).call("POST", "/v1/serviceids", &json!({"name": "x", "account_id": ACCOUNT}));
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(administrator.call("DELETE", &format!("/v1/policies/{policy}"), &Value::Null).status, 204);

    // A change is in the file before it is acknowledged: no waiting here.
    let events = at.audit();
    let find = |action: &str, outcome: &str| {
        let is_it = |event: &&Value| event["action"] == action && event["outcome"] == outcome;
        let found: Vec<&Value> = events.iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{action} {outcome} in {events:#?}");
        found[0].clone()
    };
    let made = find("iam-identity.account-serviceid.create", "success");
    assert_says(
        &made,
        &[
            ("/initiator/name", json!("admin")),
            ("/initiator/host/address", json!("127.0.0.1")),
            ("/target/name", json!("POST /v1/serviceids")),
            ("/target/typeURI", json!("iam-identity/account-serviceid")),
            ("/reason/permission", json!("iam-identity.serviceid.create")),
            ("/dataEvent", json!(false)),
            ("/observer/name", json!("ActivityTracker")),
            ("/reason/reasonCode", json!(201)),
        ],
    );
    assert!(made["reason"]["policies"].to_string().contains("Administrator"), "{made}");
    let key = find("iam-identity.serviceid-apikey.create", "success");
    assert_eq!(key["target"]["id"], robot.key.id.as_str());
    assert_eq!(
        find("iam-identity.serviceid-apikey.update", "success")["target"]["id"],
        robot.key.id.as_str()
    );
    let kept = find("iam-identity.serviceid-apikey.delete", "failure");
    assert_says(&kept, &[("/reason/reasonCode", json!(locked)), ("/target/id", json!(robot.key.id))]);
    let denied = find("iam-identity.account-serviceid.create", "failure");
    assert_says(&denied, &who(&robot));
    assert_says(&denied, &[("/decision", json!("denied")), ("/reason/reasonCode", json!(403))]);
    let granted = find("iam-am.policy.create", "success");
    let removed = find("iam-am.policy.delete", "success");
    assert_eq!((&granted["target"]["id"], &removed["target"]["id"]), (&json!(policy), &json!(policy)));
}

#[test]
fn logins_are_told_and_every_request_once_and_no_secret_ever() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let administrator = at.administrator();
    let robot = Robot::with_role(&administrator, "robot", "Manager", "team");
    let token = robot.at(&at).token(&["repository:team/app:pull,push"]);
    let http = at.http().bearer(&token);
    let place = http.begin_upload("team/app");
    assert_eq!(http.get(&place).status, 204);
    assert_eq!(Stranger.http(&at).get("/oauth/token?service=registry").status, 401);
    let form = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={}", at.admin_key());
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let iam = at.http().basic("bx", "bx").send("POST", "/identity/token", &kind, form.as_bytes()).json();
    let skopeo = robot.skopeo(&at);
    skopeo.push(&Image::tiny(), &at.image("team/app:1")).must_succeed();

    let login = at.await_audit("the login", |event| {
        event["operation"] == "token_docker_get" || event["target"]["name"] == "docker_get"
    });
    assert_says(&login, &who(&robot));
    assert_says(&login, &[("/action", json!("iam-identity.serviceid-apikey.login"))]);
    let stranger =
        at.await_audit("the stranger's login", |event| event["decision"] == "credentials_rejected");
    assert_says(&stranger, &[("/outcome", json!("failure")), ("/reason/reasonCode", json!(401))]);
    assert!(stranger["initiator"].get("id").is_none(), "{stranger}");

    // One event for each line of the log, and the other way round.
    let logged = || -> HashSet<String> {
        let log = at.log();
        let ids = log.lines().filter_map(|line| line.split_once("request_id=\"")?.1.split_once('"'));
        ids.map(|(id, _)| id.to_owned()).collect()
    };
    let audited = || -> Vec<String> {
        let events = at.audit();
        events.iter().filter_map(|event| event["requestId"].as_str().map(str::to_owned)).collect()
    };
    let agree = || {
        let (logged, audited) = (logged(), audited());
        let once: HashSet<String> = audited.iter().cloned().collect();
        (once == logged && once.len() == audited.len()).then_some(())
    };
    crate::support::wait::until("log and audit to agree", crate::support::wait::PATIENCE, agree);

    let everything = format!(
        "{}\n{}\n{}",
        at.log(),
        std::fs::read_to_string(at.folder().join("audit.jsonl")).unwrap(),
        at.observer().get("/metrics").text()
    );
    let lease = place.split_once("lease=").unwrap().1;
    let basic = data_encoding::BASE64.encode(format!("{IAMAPIKEY}:{}", robot.key.value).as_bytes());
    let secrets = [
        at.admin_key(),
        &robot.key.value,
        Stranger.key().unwrap(),
        &token,
        token.rsplit_once('.').unwrap().1,
        iam["access_token"].as_str().unwrap(),
        iam["refresh_token"].as_str().unwrap(),
        lease,
        &basic,
    ];
    for (number, secret) in secrets.iter().enumerate() {
        assert!(secret.len() > 20, "secret {number} is none");
        assert!(!everything.contains(secret), "secret {number} is in what everybody reads");
    }
}
