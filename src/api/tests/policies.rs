//! Policies and roles: who may grant what.

use serde_json::json;

use super::{ACCOUNT, House, delete, get, policy, post, put, role, subject_of};
use crate::store::Store;
use crate::store::contract::samples::ALL;

const TEAM_A: [(&str, &str); 4] = [
    ("serviceName", "container-registry"),
    ("region", "us-south"),
    ("resourceType", "namespace"),
    ("resource", "team-a"),
];

#[tokio::test]
async fn a_policy_lives_from_creation_to_deletion_in_ibms_shape() {
    let house = House::open().await;
    let who = json!(house.stranger);
    let icr_role = json!({"role_id": "crn:v1:bluemix:public:container-registry::::serviceRole:Reader"});
    let made = house.ask(post("/v1/policies", policy(&who, icr_role, &TEAM_A))).await;
    let row = made.expect(201);
    let id = row["id"].as_str().unwrap();
    assert_eq!(row["roles"][0]["role_id"], "crn:v1:bluemix:public:iam::::serviceRole:Reader");
    assert_eq!(row["roles"][0]["display_name"], "Reader");
    assert_eq!(row["href"], format!("https://us.registry.test:8443/v1/policies/{id}"));
    assert_eq!((&row["state"], &row["created_by_id"]), (&json!("active"), &json!(house.admin)));
    let path = format!("/v1/policies/{id}");
    let seen = house.ask(get(&path)).await;
    assert_eq!(seen.expect(200), row);
    let tag = seen.header("etag").to_owned();
    let writer = policy(&who, role("serviceRole", "Writer"), &TEAM_A);
    assert_eq!(
        house.ask(put(&path, &tag, writer.clone())).await.expect(200)["roles"][0]["display_name"],
        "Writer"
    );
    house.ask(put(&path, &tag, writer)).await.expect(412);
    let list = house
        .ask(get(&format!("/v1/policies?account_id={ACCOUNT}&iam_id={}", house.stranger)))
        .await
        .expect(200);
    assert_eq!(list["policies"].as_array().unwrap().len(), 1);
    let stranger = house.stranger.clone();
    house.send(Some(&stranger), get(&path)).await.expect(200);
    house.send(Some(&stranger), delete(&path)).await.expect(403);
    house.ask(delete(&path)).await.expect(204);
    house.ask(delete(&path)).await.expect(404);
}

#[tokio::test]
async fn only_who_administers_the_whole_target_may_grant_on_it() {
    let house = House::open().await;
    let (deputy, friend) = (house.stranger.clone(), json!(house.admin));
    house.grant(&deputy, role("role", "Administrator"), &TEAM_A).await;
    let try_on = async |attributes: &[(&str, &str)]| {
        let ask = post("/v1/policies", policy(&friend, role("serviceRole", "Reader"), attributes));
        house.send(Some(&deputy), ask).await
    };
    let id = try_on(&TEAM_A).await.expect(201)["id"].as_str().unwrap().to_owned();
    for wider in [&TEAM_A[..1], &TEAM_A[..2], &TEAM_A[..3], &[TEAM_A[0], TEAM_A[3]]] {
        try_on(wider).await.expect(403);
    }
    try_on(&[("serviceName", "iam-identity")]).await.expect(403);
    try_on(&[("serviceType", "service")]).await.expect(403);
    try_on(&[TEAM_A[0], TEAM_A[1], ("resource", "team-b")]).await.expect(403);
    let pattern = json!({"type": "access", "subjects": [{"attributes": [{"name": "iam_id", "value": friend}]}],
        "roles": [role("serviceRole", "Reader")], "resources": [{"attributes": [
            {"name": "accountId", "value": ACCOUNT}, {"name": "serviceName", "value": "container-registry"},
            {"name": "region", "value": "us-south"},
            {"name": "resource", "value": "team-a*", "operator": "stringMatch"}]}]});
    house.send(Some(&deputy), post("/v1/policies", pattern)).await.expect(403);
    // Nor can a policy be bent into a wider one.
    let wide = policy(&friend, role("serviceRole", "Manager"), &TEAM_A[..1]);
    house.send(Some(&deputy), put(&format!("/v1/policies/{id}"), "*", wide)).await.expect(403);
    // Not as a Reader, who may see the policies there.
    let scanner = role("serviceRole", "ServiceConfigurationReader");
    let wide = house.grant(&house.stranger, scanner, &TEAM_A[..1]).await;
    house.send(Some(&deputy), delete(&format!("/v1/policies/{wide}"))).await.expect(403);
    let store: &dyn Store = &*house.store;
    assert_eq!(store.policies(Some(&subject_of(&house.stranger)), ALL).await.unwrap().total, 2);
    // The list shows what the deputy administers, and its own.
    let list = house.send(Some(&deputy), get("/v1/policies")).await.expect(200);
    assert_eq!(list["policies"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn who_may_not_write_policies_cannot_try_out_the_names_of_roles() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    let made = json!({"name": "Puller", "display_name": "Puller", "account_id": ACCOUNT,
        "service_name": "container-registry", "actions": ["container-registry.image.pull"]});
    house.ask(post("/v2/roles", made)).await.expect(201);
    let with = |name: &str| {
        let crn = format!("crn:v1:ibmcloud:public:iam-access-management::a/{ACCOUNT}::customRole:{name}");
        post("/v1/policies", policy(&json!(stranger), json!({"role_id": crn}), &TEAM_A))
    };
    let there = house.send(Some(&stranger), with("Puller")).await;
    let not = house.send(Some(&stranger), with("Nothing")).await;
    there.expect(403);
    not.expect(403);
    assert_eq!(there.0.body, not.0.body);
    house.ask(with("Nothing")).await.expect(400);
    house.ask(with("Puller")).await.expect(201);
}

/// Where a page begins is told in the clear, so it counts only what is shown.
#[tokio::test]
async fn pages_of_policies_do_not_tell_how_many_others_there_are() {
    let house = House::open().await;
    let (admin, stranger) = (house.admin.clone(), house.stranger.clone());
    house.grant(&stranger, role("serviceRole", "Reader"), &TEAM_A).await;
    house.grant(&admin, role("role", "Viewer"), &[("serviceName", "iam-groups")]).await;
    house.grant(&stranger, role("serviceRole", "Writer"), &TEAM_A).await;
    let first = house.send(Some(&stranger), get("/v1/policies?limit=1")).await.expect(200);
    let start = first["next"]["start"].as_str().unwrap();
    assert!(start.starts_with("00000001"), "{start}");
    let next = format!("/v1/policies?limit=1&start={start}");
    let second = house.send(Some(&stranger), get(&next)).await.expect(200);
    assert_eq!(second["policies"].as_array().unwrap().len(), 1);
    assert_ne!(second["policies"], first["policies"]);
    assert!(second["next"].is_null(), "{second}");
}

#[tokio::test]
async fn what_is_no_policy_is_refused_with_what_to_do() {
    let house = House::open().await;
    let good = policy(&json!(house.stranger), role("serviceRole", "Reader"), &TEAM_A);
    let mut cases = Vec::new();
    for (pointer, value) in [
        ("/type", json!("authorization")),
        ("/roles/0/role_id", json!("Owner")),
        ("/roles", json!([])),
        ("/subjects/0/attributes/0/name", json!("color")),
        ("/subjects/0/attributes/0/value", json!("iam-ServiceId-nobody")),
        ("/resources/0/attributes/0/value", json!("210987654321")),
        ("/resources/0/attributes/1/name", json!("colour")),
        ("/resources", json!([])),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        cases.push((pointer, body));
    }
    let mut tagged = good.clone();
    tagged["resources"][0]["tags"] = json!([{"name": "a", "value": "b"}]);
    cases.push(("tags", tagged));
    for (what, body) in cases {
        let reply = house.ask(post("/v1/policies", body)).await;
        let error = reply.expect(400);
        assert_eq!(error["errors"][0]["code"], "invalid_body", "{what}");
        assert!(error["errors"][0]["message"].as_str().unwrap().len() > 20, "{what}");
    }
    let nobody = json!("iam-ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b");
    house
        .ask(post("/v1/policies", policy(&nobody, role("serviceRole", "Reader"), &TEAM_A)))
        .await
        .expect(404);
}

#[tokio::test]
async fn roles_list_their_actions() {
    let house = House::open().await;
    let roles = house.ask(get("/v2/roles?service_name=container-registry")).await.expect(200);
    let writer =
        roles["service_roles"].as_array().unwrap().iter().find(|r| r["display_name"] == "Writer").unwrap();
    let actions = writer["actions"].as_array().unwrap();
    assert!(actions.contains(&json!("container-registry.image.push")));
    assert!(!actions.contains(&json!("container-registry.image.list")));
    let platform = house.ask(get("/v2/roles?service_name=iam-groups")).await.expect(200);
    assert_eq!(platform["service_roles"], json!([]));
    assert_eq!(platform["system_roles"].as_array().unwrap().len(), 4);
}
