//! Notification channels, as the API shows and takes them, and what becomes of alerts when the endpoint is a test's.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, Ask, House, get, post, put};
use crate::clock::SequenceEntropy;
use crate::control::alert::{Courier, Dispatch, Signature};
use crate::credential::seal::MasterKey;
use crate::findings::alert::message::{Message, Teller};
use crate::ids::issuer::DocumentUrl;

/// Takes everything at `/ok`, nothing elsewhere; goes nowhere at `refused.example.com`.
#[derive(Debug, Default)]
struct Pigeon(Mutex<Vec<(String, Signature)>>);

#[async_trait]
impl Courier for Pigeon {
    fn may_reach(&self, to: &DocumentUrl) -> Result<(), String> {
        match to.origin().authority() {
            "refused.example.com" => Err("not there".to_owned()),
            _ => Ok(()),
        }
    }

    async fn post(&self, to: &DocumentUrl, message: &Message, signature: &Signature) -> Result<u16, String> {
        self.0.lock().unwrap().push((message.id.to_string(), signature.clone()));
        Ok(if to.target() == "/ok" { 200 } else { 500 })
    }
}

pub(super) fn dispatch() -> Dispatch {
    let teller = Teller { account: super::samples::account_id(), url: "https://us.registry.test".to_owned() };
    Dispatch::new(Arc::new(Pigeon::default()), teller, &MasterKey::fresh(&SequenceEntropy::seeded(1)))
}

fn path(rest: &str) -> String {
    format!("/notifications/v1/{ACCOUNT}/notifications/{rest}")
}

fn body(name: &str, endpoint: &str) -> Value {
    json!({"name": name, "type": "Webhook", "endpoint": endpoint})
}

async fn made(house: &House, body: Value) -> Value {
    let made = house.ask(post(&path("channels"), body)).await.expect(200).clone();
    assert_eq!(made["status_code"], 200);
    made
}

async fn channel(house: &House, id: &str) -> Value {
    house.ask(get(&path(&format!("channels/{id}")))).await.expect(200)["channel"].clone()
}

#[tokio::test]
async fn a_channel_is_made_shown_changed_and_deleted_in_ibms_shapes() {
    let house = House::open().await;
    let first = made(&house, body("ops", "https://alerts.example.com/ok")).await;
    let id = first["channel_id"].as_str().unwrap();
    assert!(first["secret"].as_str().unwrap().starts_with("whsec_"));
    let shown = channel(&house, id).await;
    assert_eq!(shown["severity"], json!({"critical": true, "high": true, "medium": true, "low": false}));
    assert_eq!((&shown["enabled"], &shown["type"]), (&json!(false), &json!("Webhook")));
    assert_eq!(shown["alert_source"], json!([{"provider_name": "ALL", "finding_types": ["ALL"]}]));
    assert!(shown.get("secret").is_none(), "it is shown once");
    let mut change = body("ops", "https://alerts.example.com/other");
    change["enabled"] = json!(true);
    change["severity"] = json!(["low", "CRITICAL"]);
    change["alert_source"] =
        json!([{"provider_name": "VA", "finding_types": ["image_with_vulnerabilities"]}]);
    let path_of = path(&format!("channels/{id}"));
    let changed = house.ask(put(&path_of, "*", change)).await.expect(200).clone();
    assert!(changed.get("secret").is_none(), "{changed}");
    let shown = channel(&house, id).await;
    assert_eq!((&shown["severity"]["low"], &shown["severity"]["high"]), (&json!(true), &json!(false)));
    // What is not named stays.
    let mut again = body("ops", "https://alerts.example.com/other");
    again["rotate_secret"] = json!(true);
    let changed = house.ask(put(&path_of, "*", again)).await.expect(200).clone();
    assert_ne!(changed["secret"], first["secret"]);
    assert_eq!(channel(&house, id).await["alert_source"], shown["alert_source"]);
    assert_eq!(channel(&house, id).await["enabled"], true);
    house.ask(post(&path("channels"), body("OPS", "https://alerts.example.com/x"))).await.expect(409);
    let other = made(&house, body("other", "https://alerts.example.com/x")).await;
    let listed = house.ask(get(&path("channels?skip=1"))).await.expect(200).clone();
    assert_eq!(listed["channels"].as_array().unwrap().len(), 1);
    // Either, when both were made within one millisecond.
    let last = &listed["channels"][0]["channel_id"];
    assert!([id, other["channel_id"].as_str().unwrap()].contains(&last.as_str().unwrap()), "{last}");
    let both = json!([id, other["channel_id"]]).to_string();
    house.ask(Ask::new(Method::DELETE, &path("channels")).raw(&both)).await.expect(200);
    house.ask(Ask::new(Method::DELETE, &path_of)).await.expect(404);
}

#[tokio::test]
async fn what_is_no_channel_is_refused_with_the_reason() {
    let house = House::open().await;
    let with = |field: &str, value: Value| {
        let mut body = body("ops", "https://alerts.example.com/ok");
        body[field] = value;
        body
    };
    for (wrong, told) in [
        (with("endpoint", json!("http://alerts.example.com/ok")), "with https"),
        (with("endpoint", json!("https://refused.example.com/ok")), "not there"),
        (with("type", json!("Email")), "Webhook"),
        (with("severity", json!(["worst"])), "critical"),
        (with("alert_source", json!([{"provider_name": "NA"}])), "compliance"),
        (with("alert_source", json!([{"provider_name": "VA", "finding_types": ["x"]}])), "image_with"),
        (with("secret", json!("short")), "whsec_"),
        (with("name", json!("")), "name"),
    ] {
        let refused = house.ask(post(&path("channels"), wrong)).await;
        let text = refused.expect(400).to_string();
        assert!(text.contains(told), "{text}");
    }
    for number in 0..15 {
        made(&house, body(&format!("c{number}"), "https://alerts.example.com/ok")).await;
    }
    house.ask(post(&path("channels"), body("more", "https://alerts.example.com/ok"))).await.expect(409);
}

#[tokio::test]
async fn a_test_is_sent_once_and_decides_the_goal() {
    let house = House::open().await;
    let goal = async || {
        let report = house.ask(get("/api/native/compliance/report")).await.expect(200).clone();
        let goals = report["goals"].as_array().unwrap().clone();
        goals.into_iter().find(|one| one["id"] == "3000602").unwrap()
    };
    assert_eq!(goal().await["status"], "fail", "there is no channel");
    let mut bad = body("bad", "https://alerts.example.com/broken");
    bad["enabled"] = json!(true);
    let bad = made(&house, bad).await["channel_id"].as_str().unwrap().to_owned();
    let test =
        async |id: &str| house.ask(get(&path(&format!("channels/{id}/test")))).await.expect(200).clone();
    let failed = test(&bad).await;
    assert_eq!(
        (&failed["delivery"]["state"], &failed["delivery"]["status"]),
        (&json!("failed"), &json!(500))
    );
    assert!(failed["test"].as_str().unwrap().contains("answers 500"), "{failed}");
    let found = goal().await;
    assert!(found["found"].as_str().unwrap().contains("given up"), "{found}");
    let change = body("bad", "https://alerts.example.com/ok");
    house.ask(put(&path(&format!("channels/{bad}")), "*", change)).await.expect(200);
    assert_eq!(goal().await["status"], "fail", "another endpoint has taken nothing yet");
    assert_eq!(test(&bad).await["delivery"]["state"], "delivered");
    assert_eq!(goal().await["status"], "pass");
    let found = house.ask(get(&format!("/api/native/compliance/deliveries?channel={bad}"))).await;
    let states: Vec<Value> =
        found.expect(200)["deliveries"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["delivered", "failed"], "newest first");
    let change = json!({"name": "bad", "type": "Webhook", "endpoint": "https://alerts.example.com/ok", "enabled": false});
    house.ask(put(&path(&format!("channels/{bad}")), "*", change)).await.expect(200);
    assert_eq!(goal().await["status"], "fail", "nobody is told any more");
}

#[tokio::test]
async fn who_may_not_change_channels_sees_no_more_of_an_endpoint_than_where_it_is() {
    let house = House::open().await;
    let id = made(&house, body("ops", "https://alerts.example.com/services/T0/secret")).await;
    let id = id["channel_id"].as_str().unwrap().to_owned();
    let stranger = house.stranger.clone();
    let as_stranger = async |ask: Ask| house.send(Some(&stranger), ask).await;
    house.grant(&stranger, super::role("role", "Viewer"), &[("serviceName", "iam-identity")]).await;
    let seen = as_stranger(get(&path(&format!("channels/{id}")))).await;
    assert_eq!(seen.expect(200)["channel"]["endpoint"], "https://alerts.example.com/…");
    as_stranger(get(&path(&format!("channels/{id}/test")))).await.expect(403);
    // Who administers identities and nothing else can neither read nor grant what would go out.
    house.grant(&stranger, super::role("role", "Administrator"), &[("serviceName", "iam-identity")]).await;
    let more = body("mine", "https://alerts.example.com/mine");
    as_stranger(post(&path("channels"), more.clone())).await.expect(403);
    house
        .grant(&stranger, super::role("serviceRole", "Reader"), &[("serviceName", "container-registry")])
        .await;
    as_stranger(post(&path("channels"), more)).await.expect(200);
}

#[tokio::test]
async fn a_channel_is_tested_by_either_method_and_five_times_a_minute() {
    let house = House::open().await;
    let one = made(&house, body("ops", "https://alerts.example.com/ok")).await["channel_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = made(&house, body("other", "https://alerts.example.com/ok")).await["channel_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let test = |id: &str| path(&format!("channels/{id}/test"));
    for _ in 0..4 {
        house.ask(Ask::new(Method::POST, &test(&one))).await.expect(200);
    }
    house.ask(get(&test(&one))).await.expect(200);
    house.ask(Ask::new(Method::POST, &test(&one))).await.expect(429);
    house.ask(get(&test(&one))).await.expect(429);
    house.ask(Ask::new(Method::POST, &test(&other))).await.expect(200);
}
