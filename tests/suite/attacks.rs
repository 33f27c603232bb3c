//! Holes that were found by attacking the running server: each test is the attack.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use serde_json::Value;

use crate::support::http::Http;
use crate::support::image::sha256;
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::recorder::{Recorder, answer};
use crate::support::registry::Registry;
use crate::support::wait::{A_MOMENT, PATIENCE, until, within};
use crate::support::who::{Administrator, IAMAPIKEY, ServiceId, Who};

/// The events of the audit log so far.
fn audit(of: &Portcullis) -> Vec<Value> {
    let text = fs::read_to_string(of.folder().join("audit.jsonl")).unwrap();
    // The last line may be half written.
    text.split_inclusive('\n').filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn is(event: &Value, pointer: &str, want: &str) -> bool {
    event.pointer(pointer).and_then(Value::as_str) == Some(want)
}

/// The `Authorization` line of someone with a key.
fn credentials(who: &dyn Who) -> String {
    let pair = format!("{IAMAPIKEY}:{}", who.key().unwrap());
    format!("Authorization: Basic {}\r\n", data_encoding::BASE64.encode(pair.as_bytes()))
}

/// Sends a request and hangs up without waiting for its answer.
fn hang_up(http: &Http, head: &str, body: &str) {
    let mut stream = http.connect();
    let length = body.len();
    let text = format!("{head}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).unwrap();
}

#[test]
fn a_change_whose_caller_hangs_up_is_audited_like_any_other() {
    let upstream = Recorder::silent();
    let portcullis = Portcullis::before(&format!("http://{}", upstream.address()));
    let admin = Administrator::of(&portcullis);
    let head = format!(
        "POST /v1/serviceids HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{}",
        credentials(&admin)
    );
    let body = format!(r#"{{"account_id":"{ACCOUNT}","name":"ghost"}}"#);
    let made = || {
        let made = admin.http(&portcullis).get("/v1/serviceids?name=ghost&pagesize=100");
        let made: Value = serde_json::from_slice(&made.body).unwrap();
        made["serviceids"].as_array().unwrap().len()
    };
    // A request is lost with its connection if the server has not read it by then.
    until("a request that is read although its caller is gone", PATIENCE, || {
        (0..20).for_each(|_| hang_up(&portcullis.http(), &head, &body));
        within(A_MOMENT, || (made() > 0).then_some(()))
    });
    until("an audit event for every service ID that was made", PATIENCE, || {
        let events = audit(&portcullis);
        let told = events.iter().filter(|event| {
            is(event, "/action", "iam-identity.account-serviceid.create") && is(event, "/decision", "allowed")
        });
        (told.count() == made()).then_some(())
    });
}

#[test]
fn a_deletion_whose_caller_hangs_up_names_the_caller_in_the_audit_log() {
    let reached = Arc::new(AtomicBool::new(false));
    let (go_on, held) = mpsc::channel::<()>();
    let (reaching, held) = (Arc::clone(&reached), Mutex::new(held));
    let upstream = Recorder::start(move |request| {
        if request.starts_with(b"DELETE ") {
            reaching.store(true, Ordering::SeqCst);
            let _ = held.lock().unwrap().recv_timeout(PATIENCE);
        }
        answer("202 Accepted", &[], "")
    });
    let portcullis = Portcullis::with(&format!("http://{}", upstream.address()), &[], "[trash]\ndays = 0");
    let alice = ServiceId::with_roles(&portcullis.administration(), "alice", "Writer", "tenant-a");
    let head = format!(
        "DELETE /v2/tenant-a/app/manifests/v1 HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
        credentials(&alice)
    );
    let mut stream = portcullis.http().connect();
    stream.write_all(head.as_bytes()).and_then(|()| stream.flush()).unwrap();
    until("the request at the upstream", PATIENCE, || reached.load(Ordering::SeqCst).then_some(()));
    drop(stream);
    until("the audit event", PATIENCE, || {
        let told = |event: &Value| {
            is(event, "/action", "container-registry.image.delete")
                && is(event, "/initiator/name", "alice")
                && is(event, "/decision", "aborted")
        };
        audit(&portcullis).iter().any(told).then_some(())
    });
    drop(go_on);
}

#[test]
fn a_head_request_that_is_answered_is_no_abort() {
    let upstream = Recorder::silent();
    let portcullis = Portcullis::before(&format!("http://{}", upstream.address()));
    let answer = Administrator::of(&portcullis).http(&portcullis).send("HEAD", "/v2/", &[], b"");
    assert_eq!(answer.status, 200);
    let id = answer.header("x-request-id").unwrap();
    let event = until("the audit event", PATIENCE, || {
        audit(&portcullis).into_iter().find(|event| is(event, "/requestId", id))
    });
    assert_eq!(event["decision"], "allowed");
}

#[test]
fn a_token_for_more_repositories_than_fit_is_good_for_the_first_of_them() {
    let upstream = Recorder::silent();
    let portcullis = Portcullis::before(&format!("http://{}", upstream.address()));
    let alice = ServiceId::with_roles(&portcullis.administration(), "alice", "Writer", "tenant-a");
    let long = "x".repeat(200);
    let scopes: Vec<String> =
        (10..70).map(|n| format!("scope=repository:tenant-a/{n}{long}:pull,push,delete")).collect();
    let path = format!("/oauth/token?service=registry&{}", scopes.join("&"));
    assert!(path.len() < 16_000);
    let answer = alice.http(&portcullis).get(&path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    let bearer = portcullis.http().bearer(answer["token"].as_str().unwrap());
    let upload =
        |n: u32| bearer.send("POST", &format!("/v2/tenant-a/{n}{long}/blobs/uploads/"), &[], b"").status;
    assert_ne!(upload(10), 401, "covered by the token");
    assert_eq!(upload(69), 401, "not covered");
}

/// One configuration with megabytes of labels costs one upload, and each image that shares it a few hundred bytes.
#[test]
fn labels_that_many_images_share_do_not_multiply_in_a_list() {
    let registry = Registry::start();
    let portcullis = Portcullis::before(&registry.url());
    let admin = Administrator::of(&portcullis).http(&portcullis);
    let labels: String = (0..1000).map(|n| format!(r#""k{n}":"{}","#, "v".repeat(2000))).collect();
    let config = format!(r#"{{"config":{{"Labels":{{{labels}"last":"one"}}}}}}"#);
    let digest = sha256(config.as_bytes());
    let path = format!("/v2/tenant-a/app/blobs/uploads/?digest={digest}");
    let begun = admin.send("POST", &path, &[], b"");
    let place = begun.header("location").unwrap().split_once(&portcullis.host()).map_or("", |(_, path)| path);
    let put = admin.send("PUT", &format!("{place}&digest={digest}"), &[], config.as_bytes());
    assert_eq!(put.status, 201, "{}", put.text());
    for n in 0..6 {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{kind}","annotations":{{"n":"{n}"}},"layers":[],"config":{{
                "mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}}}}"#,
            config.len()
        );
        let place = format!("/v2/tenant-a/app/manifests/t{n}");
        assert_eq!(admin.send("PUT", &place, &[("Content-Type", kind)], manifest.as_bytes()).status, 201);
    }
    let list = admin.send("GET", "/api/v1/images", &[("Account", ACCOUNT)], b"");
    let images: Vec<Value> = serde_json::from_slice(&list.body).unwrap();
    assert_eq!((list.status, images.len()), (200, 6));
    assert!(list.body.len() < 6 << 20, "{} bytes", list.body.len());
}

#[test]
fn nobody_makes_the_registry_be_searched_for_what_they_may_not_see() {
    let upstream = Recorder::start(|_| answer("200 OK", &[], r#"{"repositories":["tenant-b/secret"]}"#));
    let portcullis = Portcullis::before(&format!("http://{}", upstream.address()));
    let eve = ServiceId::create(&portcullis.administration(), "eve").http(&portcullis);
    let catalog = eve.get("/v2/_catalog");
    assert_eq!((catalog.status, catalog.text().as_str()), (200, r#"{"repositories":[]}"#));
    let images = eve.send("GET", "/api/v1/images", &[("Account", ACCOUNT)], b"");
    assert_eq!((images.status, images.text().as_str()), (200, "[]"));
    let seen = upstream.seen();
    assert!(!seen.iter().any(|request| request.contains("_catalog")), "{seen:?}");
}
