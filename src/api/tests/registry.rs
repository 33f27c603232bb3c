//! Container Registry's API.

use http::Method;
use serde_json::json;

use super::{Ask, House, delete, get, role};

fn patch(body: &str) -> Ask {
    Ask::new(Method::PATCH, "/api/v1/auth").raw(body)
}

#[tokio::test]
async fn namespaces_are_added_listed_and_removed() {
    let house = House::open().await;
    let add = |name: &str| Ask::new(Method::PUT, &format!("/api/v1/namespaces/{name}"));
    assert_eq!(house.ask(add("birds")).await.expect(201), json!({"namespace": "birds"}));
    house.ask(add("birds")).await.expect(200);
    house.ask(add("team-a")).await.expect(201);
    house.ask(add("details")).await.expect(201);
    house.ask(delete("/api/v1/namespaces/details")).await.expect(204);
    for wrong in ["abc", "Birds", "a%2Fbcd", "-birds"] {
        assert_eq!(house.ask(add(wrong)).await.expect(400)["code"], "CRG0400E", "{wrong}");
    }
    assert_eq!(house.ask(get("/api/v1/namespaces")).await.expect(200), json!(["birds", "team-a"]));
    let details = house.ask(get("/api/v1/namespaces/details")).await.expect(200);
    assert_eq!(details[0]["name"], "birds");
    let stranger = house.stranger.clone();
    assert_eq!(house.send(Some(&stranger), get("/api/v1/namespaces")).await.expect(200), json!([]));
    house.send(Some(&stranger), add("mine")).await.expect(403);
    let birds = [("serviceName", "container-registry"), ("resourceType", "namespace"), ("resource", "birds")];
    house.grant(&stranger, role("serviceRole", "Manager"), &birds).await;
    assert_eq!(house.send(Some(&stranger), get("/api/v1/namespaces")).await.expect(200), json!(["birds"]));
    house.send(Some(&stranger), delete("/api/v1/namespaces/birds")).await.expect(403);
    house.ask(delete("/api/v1/namespaces/birds")).await.expect(204);
    house.ask(delete("/api/v1/namespaces/birds")).await.expect(404);
    house.ask(delete("/api/v1/namespaces/team-a")).await.expect(204);
    let left = house.ask(get("/api/v1/images?namespace=team-a")).await.expect(200);
    assert_eq!(left, json!([]), "its images went along");
}

#[tokio::test]
async fn images_are_listed_as_far_as_the_caller_may_see_them() {
    let house = House::open().await;
    let all = house.ask(get("/api/v1/images")).await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[0]["RepoTags"], json!(["us.registry.test:8443/team-a/app:v1"]));
    assert!(all[0].get("Created").is_none(), "what is not known is absent");
    let some = house.ask(get("/api/v1/images?namespace=team-b&includeIBM=false")).await.expect(200);
    assert_eq!(some.as_array().unwrap().len(), 1);
    let one =
        house.ask(get("/api/v1/images?repository=us.registry.test:8443%2Fteam-a%2Fapp")).await.expect(200);
    assert_eq!(one.as_array().unwrap().len(), 1);
    let stranger = house.stranger.clone();
    assert_eq!(house.send(Some(&stranger), get("/api/v1/images")).await.expect(200), json!([]));
    let team_a = [("serviceName", "container-registry"), ("resource", "team-a")];
    house.grant(&stranger, role("serviceRole", "Reader"), &team_a).await;
    let seen = house.send(Some(&stranger), get("/api/v1/images")).await.expect(200);
    assert_eq!(seen.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn policy_enforcement_is_switched_on_once_and_for_all() {
    let house = House::open().await;
    let store: &dyn crate::store::Store = &*house.store;
    let mut free = store.registry(&"us-south".parse().unwrap()).await.unwrap().unwrap().settings;
    free.policies_enforced = false;
    store.put_registry(&free).await.unwrap();
    let auth = || get("/api/v1/auth");
    assert_eq!(house.ask(auth()).await.expect(200), json!({"iam_authz": false, "private_only": false}));
    let stranger = house.stranger.clone();
    let forbidden = house.send(Some(&stranger), patch(r#"{"iam_authz":true}"#)).await.expect(403);
    assert_eq!(forbidden["code"], "CRG0020E");
    assert_eq!(forbidden["request-id"], "req-1");
    house.ask(patch(r#"{"iam_authz":true}"#)).await.expect(204);
    assert_eq!(house.ask(auth()).await.expect(200)["iam_authz"], true);
    house.ask(patch(r#"{"iam_authz":false}"#)).await.expect(409);
    house.ask(patch(r#"{"private_only":true}"#)).await.expect(204);
    assert_eq!(house.ask(auth()).await.expect(200), json!({"iam_authz": true, "private_only": true}));
    assert_eq!(house.ask(get("/api/v1/settings")).await.expect(200), json!({"platform_metrics": false}));
}

#[tokio::test]
async fn the_account_header_must_name_the_account() {
    let house = House::open().await;
    let other = get("/api/v1/auth").header("account", "210987654321");
    assert_eq!(house.ask(other).await.expect(403)["code"], "CRG0009E");
    let mut none = get("/api/v1/auth");
    none.headers.clear();
    assert_eq!(house.ask(none).await.expect(403)["code"], "CRG0009E");
    house.send(None, get("/api/v1/messages")).await.expect(204);
}
