//! Container Registry's API.

use http::Method;
use serde_json::json;

use super::{ACCOUNT, Ask, House, delete, get, post, role};

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

/// Who manages the registry cannot come to administer namespaces by putting them where they administer.
#[tokio::test]
async fn a_namespace_comes_into_no_group_whose_policies_are_beyond_its_mover() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    let group = house.ask(post("/v2/resource_groups", json!({"name": "paws", "account_id": ACCOUNT}))).await;
    let group = group.expect(201)["id"].as_str().unwrap().to_owned();
    house.ask(Ask::new(Method::PUT, "/api/v1/namespaces/birds")).await.expect(201);
    let registry = ("serviceName", "container-registry");
    house.grant(&stranger, role("serviceRole", "Manager"), &[registry]).await;
    let paws = [registry, ("resourceGroupId", group.as_str())];
    house.grant(&stranger, role("serviceRole", "Writer"), &paws).await;
    let elsewhere = [paws[0], paws[1], ("resource", "cats")];
    house.grant(&stranger, role("role", "Administrator"), &elsewhere).await;
    let assign = Ask::new(Method::PATCH, "/api/v1/namespaces/birds").header("x-auth-resource-group", "paws");
    let all = house.grant(&stranger, role("role", "Administrator"), &paws).await;
    house.send(Some(&stranger), assign.clone()).await.expect(403);
    let add = |name: &str| {
        let path = format!("/api/v1/namespaces/{name}");
        Ask::new(Method::PUT, &path).header("x-auth-resource-group", "paws")
    };
    house.send(Some(&stranger), add("team-a")).await.expect(403);
    house.send(Some(&stranger), add("fresh")).await.expect(201);
    house.ask(delete(&format!("/v1/policies/{all}"))).await.expect(204);
    house.send(Some(&stranger), assign).await.expect(200);
}

/// Both have read the settings before either writes them.
#[tokio::test]
async fn changes_of_settings_at_one_time_do_not_take_each_other_back() {
    let house = House::open().await;
    let metrics = Ask::new(Method::PATCH, "/api/v1/settings").raw(r#"{"platform_metrics":true}"#);
    let (auth, settings) = tokio::join!(house.ask(patch(r#"{"private_only":true}"#)), house.ask(metrics));
    auth.expect(204);
    assert!(settings.0.status.is_success());
    assert_eq!(house.ask(get("/api/v1/auth")).await.expect(200)["private_only"], true);
    assert_eq!(house.ask(get("/api/v1/settings")).await.expect(200)["platform_metrics"], true);
    let quota = |body: &str| Ask::new(Method::PATCH, "/api/v1/quotas").raw(body);
    let limits = [r#"{"storage_megabytes":5}"#, r#"{"traffic_megabytes":7}"#];
    let (storage, traffic) = tokio::join!(house.ask(quota(limits[0])), house.ask(quota(limits[1])));
    assert!(storage.0.status.is_success() && traffic.0.status.is_success());
    let region = "us-south".parse().unwrap();
    let store: &dyn crate::store::Store = &*house.store;
    let kept = store.quota(&region).await.unwrap();
    assert!(kept.storage.is_some() && kept.traffic.is_some(), "{kept:?}");
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
