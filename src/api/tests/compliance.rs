//! Goals and configuration rules, as the API shows and takes them.

use http::Method;
use serde_json::{Value, json};

use super::{Ask, House, get, post, put};

/// The rule of the documentation, to the letter.
const SEED: &str = include_str!("../../compliance/rule/seed_rule.json");

async fn make(house: &House, rule: Value) -> Value {
    let body = json!({"rules": [{"request_id": "r1", "rule": rule}]});
    house.ask(post("/config/v1/rules", body)).await.expect(201)["rules"][0].clone()
}

fn auth(private_only: bool) -> Ask {
    let body = json!({"private_only": private_only}).to_string();
    Ask::new(Method::PATCH, "/api/v1/auth").header("account", super::ACCOUNT).raw(&body)
}

async fn results(house: &House) -> Vec<Value> {
    let found = house.ask(get("/api/native/compliance/results")).await.expect(200);
    found["results"].as_array().unwrap().clone()
}

async fn status(house: &House, goal: &str) -> Value {
    let report = house.ask(get("/api/native/compliance/report")).await.expect(200);
    report["goals"].as_array().unwrap().iter().find(|one| one["id"] == goal).unwrap().clone()
}

#[tokio::test]
async fn the_documentations_rule_is_reported_and_refuses_under_disallow() {
    let house = House::open().await;
    let seed: Value = serde_json::from_str(SEED).unwrap();
    let entry = make(&house, seed.clone()).await;
    assert_eq!((&entry["request_id"], &entry["status_code"]), (&json!("r1"), &json!(201)));
    let rule = &entry["rule"];
    assert_eq!((&rule["target"], &rule["required_config"]), (&seed["target"], &seed["required_config"]));
    let id = rule["rule_id"].as_str().unwrap().to_owned();
    let found = results(&house).await;
    assert_eq!((&found[0]["id"], &found[0]["status"]), (&json!(id), &json!("fail")));
    house.ask(auth(true)).await.expect(204);
    assert_eq!(results(&house).await[0]["status"], "pass");
    house.ask(auth(false)).await.expect(204);
    assert_eq!(results(&house).await[0]["status"], "fail", "without enforcement it is only reported");
    // Enforced, it lets in the change that mends it and refuses the one that breaks it.
    let path = format!("/config/v1/rules/{id}");
    let mut enforced = seed;
    enforced["enforcement_actions"] = json!([{"action": "disallow"}, {"action": "audit_log"}]);
    house.ask(put(&path, "\"1-0\"", enforced.clone())).await.expect(412);
    let tag = house.ask(get(&path)).await.header("etag").to_owned();
    house.ask(put(&path, &tag, enforced)).await.expect(200);
    house.ask(auth(true)).await.expect(204);
    let refused = house.ask(auth(false)).await;
    let told = refused.expect(409)["message"].to_string();
    assert!(told.contains(&id) && told.contains("private_only is true"), "{told}");
    assert_eq!(results(&house).await[0]["status"], "pass");
    house.ask(Ask::new(Method::DELETE, &path)).await.expect(204);
    house.ask(get(&path)).await.expect(404);
    house.ask(auth(false)).await.expect(204);
    assert!(results(&house).await.is_empty());
}

#[tokio::test]
async fn a_rule_binds_every_way_to_change_what_it_is_about() {
    let house = House::open().await;
    let target = json!({"service_name": "container-registry", "resource_kind": "service"});
    let of = |required: Value| json!({"target": target, "required_config": required, "enforcement_actions": [{"action": "disallow"}]});
    let quota = json!({"property": "storage_quota", "operator": "num_less_than_equals", "value": 5_242_880});
    for required in [
        json!({"property": "platform_metrics", "operator": "is_false"}),
        quota,
        json!({"property": "allowed_ip_addresses", "operator": "strings_in_list", "value": "192.0.2.1"}),
        json!({"property": "private_only", "operator": "is_false"}),
    ] {
        make(&house, of(required)).await;
    }
    let registry = |path: &str, body: Value| {
        Ask::new(Method::PATCH, path).header("account", super::ACCOUNT).raw(&body.to_string())
    };
    let settings = format!("/v1/accounts/{}/settings/identity", super::ACCOUNT);
    house.ask(registry("/api/v1/quotas", json!({"storage_megabytes": 5}))).await.expect(200);
    for (what, ask) in [
        ("metrics", registry("/api/v1/settings", json!({"platform_metrics": true}))),
        ("quota", registry("/api/v1/quotas", json!({"storage_megabytes": 6}))),
        ("list", put(&settings, "*", json!({"allowed_ip_addresses": "192.0.2.0/24"}))),
        ("private_only of the registry", auth(true)),
        ("private_only of the account", put(&settings, "*", json!({"private_only": true}))),
    ] {
        let reply = house.ask(ask).await;
        assert_eq!(reply.0.status, 409, "{what}: {:?}", reply.0.body);
    }
    house.ask(put(&settings, "*", json!({"allowed_ip_addresses": "192.0.2.1"}))).await.expect(200);
}

#[tokio::test]
async fn an_attachment_says_where_a_rule_is_reported_and_refuses() {
    let house = House::open().await;
    let mut rule: Value = serde_json::from_str(SEED).unwrap();
    rule["enforcement_actions"] = json!([{"action": "disallow"}]);
    let id = make(&house, rule).await["rule"]["rule_id"].as_str().unwrap().to_owned();
    let path = format!("/config/v1/rules/{id}/attachments");
    let account = json!({"scope_id": super::ACCOUNT, "scope_type": "account", "note": "all of it"});
    let body = |included: &Value| json!({"attachments": [{"account_id": super::ACCOUNT, "included_scope": included}]});
    let made = house.ask(post(&path, body(&account))).await.expect(201)["attachments"][0].clone();
    assert_eq!((&made["rule_id"], &made["included_scope"]), (&json!(id), &account));
    assert_eq!(
        house.ask(get(&format!("/config/v1/rules/{id}"))).await.expect(200)["number_of_attachments"],
        1
    );
    // Nobody may change the one registry while the rule is for it, not even with the rule attached to everything.
    house.ask(auth(true)).await.expect(204);
    house.ask(auth(false)).await.expect(409);
    let one = format!("{path}/{}", made["attachment_id"].as_str().unwrap());
    let tag = house.ask(get(&one)).await.header("etag").to_owned();
    let typo = json!({"included_scope": {"scope_id": "us-sout", "scope_type": "account.region"}});
    house.ask(put(&one, &tag, typo)).await.expect(400);
    let nothing = json!({"included_scope": account, "excluded_scopes": [account]});
    house.ask(put(&one, &tag, nothing)).await.expect(400);
    let region = json!({"scope_id": "us-south", "scope_type": "account.region"});
    let changed = house.ask(put(&one, &tag, json!({"included_scope": region}))).await;
    assert_eq!(changed.expect(200)["included_scope"], region);
    house.ask(put(&one, &tag, json!({"included_scope": account}))).await.expect(412);
    house.ask(auth(false)).await.expect(409);
    let listed = house.ask(get(&format!("{path}?limit=1"))).await.expect(200);
    assert_eq!((&listed["total_count"], &listed["attachments"][0]["included_scope"]), (&json!(1), &region));
    // Rules are found by what they are attached to.
    for (query, count) in
        [("attached=true", 1), ("attached=false", 0), ("scopes=us-south", 1), ("scopes=eu-de", 0)]
    {
        let listed = house.ask(get(&format!("/config/v1/rules?{query}"))).await.expect(200);
        assert_eq!(listed["total_count"], count, "{query}");
    }
    let ten = json!({"attachments": vec![json!({"included_scope": region}); 10]});
    house.ask(post(&path, ten)).await.expect(409);
    let unknown = json!({"attachments": [{"included_scope": region, "scope": "x"}]});
    house.ask(post(&path, unknown)).await.expect(400);
    let other = make(&house, serde_json::from_str(SEED).unwrap()).await["rule"]["rule_id"].clone();
    let stray = one.replace(&id, other.as_str().unwrap());
    house.ask(get(&stray)).await.expect(404);
    house.ask(Ask::new(Method::DELETE, &stray)).await.expect(404);
    house.ask(Ask::new(Method::DELETE, &one)).await.expect(204);
    house.ask(get(&one)).await.expect(404);
    house.ask(auth(false)).await.expect(409);
}

#[tokio::test]
async fn one_bad_rule_leaves_the_others_and_says_why() {
    let house = House::open().await;
    let good: Value = serde_json::from_str(SEED).unwrap();
    let mut bad = good.clone();
    bad["required_config"]["and"][0]["operator"] = json!("is_so");
    let body = json!({"rules": [{"request_id": "a", "rule": bad}, {"request_id": "b", "rule": good}]});
    let reply = house.ask(post("/config/v1/rules", body)).await.expect(207);
    assert_eq!(reply["rules"][0]["status_code"], 400);
    let told = reply["rules"][0]["errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("is_so"), "{told}");
    assert_eq!(reply["rules"][1]["status_code"], 201);
    let listed = house.ask(get("/config/v1/rules?limit=1")).await.expect(200);
    assert_eq!((&listed["total_count"], listed["rules"].as_array().unwrap().len()), (&json!(1), 1));
    assert!(listed["first"]["href"].as_str().unwrap().ends_with("/config/v1/rules?limit=1&offset=0"));
}

#[tokio::test]
async fn every_goal_says_what_was_expected_and_found_where_and_since_when() {
    let house = House::open().await;
    let report = house.ask(get("/api/native/compliance/report")).await.expect(200);
    let goals = report["goals"].as_array().unwrap();
    assert_eq!(goals.len(), 9);
    for goal in goals {
        for member in ["id", "description", "status", "expected", "found", "resource", "since", "fix"] {
            assert!(goal[member].is_string(), "{member} of {goal}");
        }
        assert!(goal.get("parameter").is_some(), "it is there also where it is null");
        let says_how = goal["status"] != "fail" || !goal["fix"].as_str().unwrap().is_empty();
        assert!(says_how, "{goal}");
    }
    let summary = &report["summary"];
    assert_eq!(summary["total"], 9);
    house.ask(get("/api/native/compliance/report?profile=nonsense")).await.expect(404);
    let ours = house.ask(get("/api/native/compliance/report?profile=auditor")).await.expect(200);
    assert_eq!(ours["goals"].as_array().unwrap().len(), 13);
    let profiles = house.ask(get("/api/native/compliance/profiles")).await.expect(200);
    assert_eq!(profiles["profiles"][0]["id"], "ibm-best-practices");
}

#[tokio::test]
async fn a_verdict_follows_the_change_at_once_and_its_turning_is_kept() {
    let house = House::open().await;
    assert_eq!(status(&house, "3000627").await["status"], "fail");
    let on = Ask::new(Method::PATCH, "/api/v1/settings")
        .header("account", super::ACCOUNT)
        .raw(&json!({"platform_metrics": true}).to_string());
    house.ask(on).await.expect(204);
    assert_eq!(status(&house, "3000627").await["status"], "pass");
    let history = house.ask(get("/api/native/compliance/history")).await.expect(200);
    let drift = &history["drift"][0];
    assert_eq!(
        (&drift["id"], &drift["from"], &drift["to"]),
        (&json!("3000627"), &json!("fail"), &json!("pass"))
    );
    let scans = |history: &Value| history["scans"].as_array().unwrap().len();
    let before = scans(&history);
    house.ask(post("/api/native/compliance/scans", json!({}))).await.expect(200);
    let after = house.ask(get("/api/native/compliance/history")).await.expect(200);
    assert!(scans(&after) > before, "a scan that was asked for has its place in the history");
    let only = house.ask(get("/api/native/compliance/history?profile=rules&limit=1")).await.expect(200);
    assert_eq!(only["scans"][0]["profile"], "rules");
}

#[tokio::test]
async fn managers_by_a_group_make_the_goals_of_managers_and_groups_pass() {
    let house = House::open().await;
    for (goal, expected) in
        [("3000639", "fail"), ("3000635", "pass"), ("3000636", "fail"), ("3000623", "pass")]
    {
        assert_eq!(status(&house, goal).await["status"], expected, "{goal}");
    }
    let robot = house.service_id("manager").await;
    let group = house.ask(post("/v2/groups", json!({"name": "managers"}))).await.expect(201)["id"].clone();
    let group = group.as_str().unwrap().to_owned();
    let iam_id = format!("iam-{robot}");
    let member = json!({"members": [{"iam_id": iam_id, "type": "service"}]});
    house.ask(put(&format!("/v2/groups/{group}/members"), "*", member)).await.expect(207);
    let policy = json!({
        "type": "access",
        "subjects": [{"attributes": [{"name": "access_group_id", "value": group}]}],
        "roles": [super::role("serviceRole", "Manager")],
        "resources": [super::target("serviceName", "container-registry")],
    });
    house.ask(post("/v1/policies", policy)).await.expect(201);
    let found = status(&house, "3000636").await;
    assert_eq!(
        (&found["status"], &found["found"]),
        (&json!("pass"), &json!("1 service IDs with the IAM manager role: manager"))
    );
}

#[tokio::test]
async fn an_old_signing_key_is_replaced_once_and_the_old_one_stays_good_for_a_while() {
    use crate::store::keyring::Keyring;
    let house = House::open().await;
    let (old, _) = house.store.signing_keys().await.unwrap();
    let desk = house.api.desk();
    let young = desk.rotate_signing_key(std::time::Duration::from_secs(1 << 40)).await.unwrap();
    assert!(young.is_none(), "it is young");
    assert!(desk.rotate_signing_key(std::time::Duration::ZERO).await.unwrap().is_some());
    let (keys, _) = house.store.signing_keys().await.unwrap();
    assert_eq!(keys.len(), old.len() + 1);
    assert!(keys[0].retires_at.is_none() && keys[0].kid != old[0].kid, "the youngest signs");
    let before = keys.iter().find(|key| key.kid == old[0].kid).unwrap();
    assert!(
        before.retires_at.is_some_and(|end| end > desk.clock.now()),
        "what it signed is good for a while"
    );
}
