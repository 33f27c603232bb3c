//! Cases 8 and 14: from where one may come (H-27, H-28, H-31, R-12). The public listener is at 127.0.0.1; clients choose
//! from which loopback address they come: .1 is the administrator's, .2 is inside, .3 is outside.

use serde_json::{Value, json};

use super::people::{Json, Person, bearer, root, text};
use super::scene::{Scene, Trace};
use super::second::Second;
use super::wire::{Answer, Wire};
use crate::support::http::Response;
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::recorder::Recorder;

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";
const INSIDE: &str = "127.0.0.2";
const OUTSIDE: &str = "127.0.0.3";
const SCOPE: [&str; 1] = ["repository:tenant-a/app:pull"];

/// Sets the account's list, as the administrator.
fn allow(at: &Portcullis, list: &str) -> Response {
    let path = format!("/v1/accounts/{ACCOUNT}/settings/identity");
    let body = json!({"allowed_ip_addresses": list}).to_string();
    let lines = [("If-Match", "*"), ("Content-Type", "application/json")];
    root(at).send("PUT", &path, &lines, body.as_bytes())
}

fn allowed(at: &Portcullis, list: &str) {
    let answer = allow(at, list);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Asks once, on a connection of its own from there.
fn ask(scene: &Scene<Recorder>, source: &str, target: &str, who: &str) -> Answer {
    Wire::from(&scene.at, source).ask(scene.head("GET", target, who))
}

/// What the audit says kept it out.
fn kept_out_by(scene: &Scene<Recorder>, answer: &Answer) -> Value {
    let record = scene.audited(answer.request_id());
    let decision = record["decision"].as_str().unwrap();
    assert!(["denied", "credentials_rejected"].contains(&decision), "{record}");
    assert_eq!(record["initiator"]["host"]["address"], OUTSIDE, "{record}");
    record["reason"]["policies"][0].clone()
}

#[test]
fn pull_from_outside_the_allowlist_is_refused_before_any_upstream_call() {
    let scene = Scene::recorded();
    let token = bearer(&scene.alice.token(&scene.at, &SCOPE));
    let given = scene.alice.identity(&scene.at);
    let iam = bearer(&text(&given, "access_token"));
    allowed(&scene.at, "127.0.0.1 - 127.0.0.2");
    assert_eq!(ask(&scene, INSIDE, TARGET, &token).status, 200);
    assert_eq!(ask(&scene, INSIDE, TARGET, &scene.alice.basic()).status, 200);
    scene.heard();
    // A token that is used elsewhere is worth nothing; a key that is tried elsewhere looks like any wrong one.
    for (case, target, who, status) in [
        ("a registry token", TARGET, &token, 403),
        ("a registry token for a ping", "/v2/", &token, 403),
        ("a registry token for a list", "/v2/_catalog", &token, 403),
        ("a key", TARGET, &scene.alice.basic(), 401),
        ("a key for a token", "/oauth/token?service=registry", &scene.alice.basic(), 401),
        ("an IAM token", "/v1/apikeys", &iam, 403),
        ("an IAM token for the registry's API", "/api/v1/namespaces", &iam, 403),
        ("a key for the management API", "/v1/apikeys", &scene.alice.basic(), 401),
    ] {
        let answer = ask(&scene, OUTSIDE, target, who);
        assert_eq!(answer.status, status, "{case}: {}", answer.text());
        assert_eq!(kept_out_by(&scene, &answer), "allowlist:account", "{case}");
        scene.traced(case, &answer, &Trace::Refused(&scene.alice));
        scene.keeps_secrets(case, &answer);
    }
    let basic = |key: &str| super::people::basic(key);
    let wrong =
        ask(&scene, OUTSIDE, "/oauth/token?service=registry", &basic("pNoSuchKeyWasEverGivenOut0000000"));
    let right = ask(&scene, OUTSIDE, "/oauth/token?service=registry", &scene.alice.basic());
    assert_eq!(right.faceless(), wrong.faceless(), "a stolen key tells nobody that it is one");
    assert_eq!(scene.heard(), [""; 0]);
    let head = Wire::from(&scene.at, OUTSIDE).ask(scene.head("HEAD", TARGET, &token));
    assert_eq!(head.status, 401);
    assert!(head.header("www-authenticate").unwrap().contains("not authorized"), "{head:?}");
}

/// H-31: nor is anything exchanged there
#[test]
fn no_token_is_issued_outside_the_allowlist() {
    let scene = Scene::recorded();
    let refresh = text(&scene.alice.identity(&scene.at), "refresh_token");
    let key = scene.alice.basic();
    let key = key.trim_end().rsplit(' ').next().unwrap().to_owned();
    let key = String::from_utf8(data_encoding::BASE64.decode(key.as_bytes()).unwrap()).unwrap();
    let key = key.split_once(':').unwrap().1.to_owned();
    allowed(&scene.at, "127.0.0.1,127.0.0.2");
    let form = "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic Yng6Yng=\r\n";
    let by_key = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={key}");
    let by_refresh = format!("grant_type=refresh_token&refresh_token={refresh}");
    for fields in [&by_key, &by_refresh] {
        let request = scene.with_body("POST", "/identity/token", form, fields);
        let refused = Wire::from(&scene.at, OUTSIDE).ask(&request);
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert_eq!(kept_out_by(&scene, &refused), "allowlist:account");
        assert_eq!(Wire::from(&scene.at, INSIDE).ask(&request).status, 200);
    }
}

/// H-28: connections that were opened before obey with their next request
#[test]
fn a_change_of_the_allowlist_bites_on_connections_that_are_open() {
    let scene = Scene::recorded();
    let token = bearer(&scene.alice.token(&scene.at, &SCOPE));
    let mut first = Wire::from(&scene.at, OUTSIDE);
    let mut second = Second::from(&scene.at, OUTSIDE);
    let request = scene.head("GET", TARGET, &token);
    for _ in 0..3 {
        allowed(&scene.at, "");
        assert_eq!(first.ask(&request).status, 200);
        let all = |second: &mut Second| {
            let requests = (0..50).map(|_| second.request("GET", TARGET, &token)).collect();
            second.ask_all(requests).into_iter().map(|answer| answer.unwrap().status).collect::<Vec<_>>()
        };
        assert_eq!(all(&mut second), [200; 50]);
        scene.heard();
        allowed(&scene.at, "127.0.0.1");
        assert_eq!(first.ask(&request).status, 403);
        assert_eq!(all(&mut second), [403; 50]);
        assert_eq!(scene.heard(), [""; 0]);
    }
}

/// The lists of account, principal and key must all hold the address.
#[test]
fn lists_of_principals_restrict_besides_that_of_the_account() {
    let scene = Scene::recorded();
    let ada = Person::new(&scene.at, "ada");
    ada.grant(&scene.at, "Reader", "tenant-a");
    let list = |id: &str, list: &str| {
        let path = format!("/api/native/allowlists/{id}");
        let answer = root(&scene.at).send_json("PUT", &path, &json!({"allowed_ip_addresses": list}));
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    let statuses = |person: &Person| {
        ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
            .map(|source| ask(&scene, source, TARGET, &person.basic()).status)
    };
    assert_eq!(statuses(&ada), [200, 200, 200]);
    list(&ada.iam_id, "127.0.0.2, 127.0.0.3");
    assert_eq!((statuses(&ada), statuses(&scene.alice)), ([200, 200, 401], [200; 3]));
    list(&ada.key_id, "127.0.0.3/32");
    assert_eq!(statuses(&ada), [401, 200, 401]);
    allowed(&scene.at, "127.0.0.1, 127.0.0.2");
    assert_eq!((statuses(&ada), statuses(&scene.alice)), ([401; 3], [200, 401, 401]));
    list(&ada.key_id, "");
    assert_eq!(statuses(&ada), [200, 401, 401]);
}

/// A change that would keep the caller from taking it back needs to be insisted on.
#[test]
fn nobody_locks_themselves_out_by_accident() {
    let scene = Scene::recorded();
    let refused = allow(&scene.at, "10.0.0.0/8");
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("127.0.0.1"), "{}", refused.text());
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 200);
    let path = format!("/v1/accounts/{ACCOUNT}/settings/identity?force=true");
    let lines = [("If-Match", "*"), ("Content-Type", "application/json")];
    let forced = root(&scene.at).send("PUT", &path, &lines, br#"{"allowed_ip_addresses": "127.0.0.2"}"#);
    assert_eq!(forced.status, 200, "{}", forced.text());
    assert_eq!(allow(&scene.at, "").status, 401, "the caller is out");
    // From inside it can be undone.
    let path = path.trim_end_matches("?force=true");
    let back = root(&scene.at).from(INSIDE).send("PUT", path, &lines, br#"{"allowed_ip_addresses": ""}"#);
    assert_eq!(back.status, 200, "{}", back.text());
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 200, "H-27: an empty list is none");
}
