//! Images that are deleted, and come back; quotas, retention, and the settings of a registry.

use http::Method;
use serde_json::json;

use super::{Ask, House, delete, get, post, role};
use crate::policy::aws::kind::Kind;
use crate::store::Store;
use crate::store::aws::holder::Holder;
use crate::store::aws::inline_policy::InlinePolicy;
use crate::store::aws::text::DocumentText;
use crate::store::contract::aws_samples::name;

const IMAGE: &str = "/api/v1/images/us.registry.test:8443%2Fteam-a%2Fapp%3Av1";

fn patch(target: &str, body: &str) -> Ask {
    Ask::new(Method::PATCH, target).raw(body)
}

fn restore(image: &str, how: &str) -> Ask {
    Ask::new(Method::POST, &format!("/api/v1/trash/{image}/{how}"))
}

#[tokio::test]
async fn a_deleted_image_is_nowhere_but_in_the_trash_until_it_is_restored() {
    let house = House::open().await;
    house.ask(Ask::new(Method::PUT, "/api/v1/namespaces/team-a")).await.expect(201);
    let gone = house.ask(delete(IMAGE)).await.expect(200);
    assert_eq!(gone, json!({"Untagged": "us.registry.test:8443/team-a/app:v1"}));
    house.ask(delete(IMAGE)).await.expect(404);
    house.ask(get(&format!("{IMAGE}/json"))).await.expect(404);
    house.ask(get(&format!("{IMAGE}/manifest"))).await.expect(404);
    assert_eq!(house.ask(get("/api/v1/images?namespace=team-a")).await.expect(200), json!([]));
    let digest = super::shelf::digest();
    let name = format!("us.registry.test:8443/team-a/app@{digest}");
    let trash = house.ask(get("/api/v1/trash?namespace=team-a")).await.expect(200);
    assert_eq!(trash, json!({&name: {"daysUntilExpiry": 30, "tags": ["v1"]}}));
    assert_eq!(house.ask(get("/api/v1/trash?namespace=team-b")).await.expect(200), json!({}));
    let stranger = house.stranger.clone();
    assert_eq!(house.send(Some(&stranger), get("/api/v1/trash")).await.expect(200), json!({}));
    let encoded = format!("team-a%2Fapp@{digest}");
    house.send(Some(&stranger), restore(&encoded, "restoretags")).await.expect(403);
    let restored = house.ask(restore(&encoded, "restoretags")).await.expect(200);
    assert_eq!(restored, json!({"successful": ["v1"], "unsuccessful": []}));
    house.ask(restore(&encoded, "restoretags")).await.expect(404);
    assert_eq!(
        house.ask(get("/api/v1/images?namespace=team-a")).await.expect(200).as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn an_image_is_restored_by_tag_or_by_digest_and_a_tag_is_taken_off_alone() {
    let house = House::open().await;
    house.ask(delete(IMAGE)).await.expect(200);
    house.ask(restore("team-a%2Fapp:v1", "restore")).await.expect(200);
    let manifest = house.ask(get(&format!("{IMAGE}/manifest"))).await;
    manifest.expect(200);
    assert!(manifest.0.body.starts_with(b"{ \"config\""), "to the letter");
    let untagged = house.ask(delete("/api/v1/tags/team-a%2Fapp:v1")).await.expect(200);
    assert_eq!(untagged["Untagged"], "us.registry.test:8443/team-a/app:v1");
    house.ask(delete("/api/v1/tags/team-a%2Fapp:v1")).await.expect(404);
    let digests = house.ask(post("/api/v1/images/digests", json!({"repositories": ["team-a/app"]}))).await;
    assert_eq!(digests.expect(200)[0]["repoTags"], json!({"us.registry.test:8443/team-a/app": {}}));
    assert_eq!(house.ask(get("/api/v1/trash")).await.expect(200), json!({}), "the image is still there");
}

#[tokio::test]
async fn many_are_deleted_at_once_and_each_is_reported() {
    let house = House::open().await;
    let digest = super::shelf::digest();
    let (there, none) = (format!("us.registry.test:8443/team-a/app@{digest}"), "team-b/none@sha256:x");
    let done = house.ask(post("/api/v1/images/bulkdelete", json!([there, none]))).await.expect(200);
    assert_eq!(done["success"], json!([there]));
    assert_eq!(done["error"][none]["code"], "CRG0400E");
    let stranger = house.stranger.clone();
    let denied =
        house.send(Some(&stranger), post("/api/v1/images/bulkdelete", json!([there]))).await.expect(200);
    assert_eq!(denied["error"][&there]["code"], "CRG0020E");
    house.ask(post("/api/v1/images/bulkdelete", json!({}))).await.expect(400);
}

#[tokio::test]
async fn quotas_settings_and_the_plan_are_read_and_set() {
    let house = House::open().await;
    let none = json!({
        "limit": {"storage_bytes": -1, "traffic_bytes": -1}, "usage": {"storage_bytes": 7, "traffic_bytes": 0},
    });
    assert_eq!(house.ask(get("/api/v1/quotas")).await.expect(200), none);
    house.ask(patch("/api/v1/quotas", r#"{"storage_megabytes":1}"#)).await.expect(200);
    house.ask(patch("/api/v1/quotas", r#"{"traffic_megabytes":2}"#)).await.expect(200);
    let limit = &house.ask(get("/api/v1/quotas")).await.expect(200)["limit"];
    assert_eq!(*limit, json!({"storage_bytes": 1_048_576, "traffic_bytes": 2_097_152}));
    house.ask(patch("/api/v1/quotas", r#"{"storage_megabytes":-1}"#)).await.expect(200);
    assert_eq!(house.ask(get("/api/v1/quotas")).await.expect(200)["limit"]["storage_bytes"], -1);
    house.ask(patch("/api/v1/quotas", r#"{"storage_megabytes":-2}"#)).await.expect(400);
    house.ask(patch("/api/v1/settings", r#"{"platform_metrics":true}"#)).await.expect(204);
    assert_eq!(house.ask(get("/api/v1/settings")).await.expect(200), json!({"platform_metrics": true}));
    assert_eq!(house.ask(get("/api/v1/plans")).await.expect(200), json!({"plan": "Standard"}));
    house.ask(patch("/api/v1/plans", r#"{"plan":"Free"}"#)).await.expect(400);
}

#[tokio::test]
async fn a_namespace_is_put_into_a_resource_group_once() {
    let house = House::open().await;
    let group = |method: Method, name: &str| {
        Ask::new(method, &format!("/api/v1/namespaces/{name}")).header("x-auth-resource-group", "beaks")
    };
    house.ask(group(Method::PUT, "birds")).await.expect(404);
    let made = house.ask(post("/v2/resource_groups", json!({"name": "Beaks"}))).await.expect(201);
    house.ask(group(Method::PUT, "birds")).await.expect(201);
    house.ask(Ask::new(Method::PUT, "/api/v1/namespaces/cats")).await.expect(201);
    house.ask(group(Method::PATCH, "birds")).await.expect(409);
    let details = house.ask(get("/api/v1/namespaces/details")).await.expect(200);
    let default = json!(format!("{:0>32}", super::ACCOUNT));
    assert_eq!((&details[0]["resource_group"], &details[1]["resource_group"]), (&made["id"], &default));
    house.ask(group(Method::PATCH, "cats")).await.expect(200);
    house.ask(group(Method::PATCH, "owls")).await.expect(404);
    let details = house.ask(get("/api/v1/namespaces/details")).await.expect(200);
    assert_eq!(details[1]["resource_group"], made["id"]);
    let ask = post("/api/native/explain", json!({"action": "pull", "namespace": "cats"}));
    assert_eq!(house.ask(ask).await.expect(200)["resource_group_id"], made["id"]);
}

#[tokio::test]
async fn resource_groups_are_made_listed_renamed_and_removed_when_nothing_is_in_them() {
    let house = House::open().await;
    let made = house.ask(post("/v2/resource_groups", json!({"name": "beaks"}))).await.expect(201);
    let place = format!("/v2/resource_groups/{}", made["id"].as_str().unwrap());
    let listed = async |query: &str| {
        let answer = house.ask(get(&format!("/v2/resource_groups{query}"))).await.expect(200);
        let names = answer["resources"].as_array().unwrap().iter().map(|row| row["name"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed("").await, ["Default", "beaks"]);
    assert_eq!(listed("?default=true").await, ["Default"]);
    assert_eq!(listed("?name=BEAKS").await, ["beaks"]);
    for (status, name) in [(409, "Beaks"), (409, "default"), (400, ""), (400, " x"), (400, "a/b")] {
        house.ask(post("/v2/resource_groups", json!({"name": name}))).await.expect(status);
    }
    // A name that reads like an id could stand for another group.
    house.ask(post("/v2/resource_groups", json!({"name": made["id"]}))).await.expect(400);
    let renamed = house.ask(patch(&place, r#"{"name":"claws"}"#)).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["id"]), (&json!("claws"), &made["id"]));
    assert_eq!(house.ask(get(&place)).await.expect(200)["default"], false);
    let put = Ask::new(Method::PUT, "/api/v1/namespaces/birds").header("x-auth-resource-group", "claws");
    house.ask(put).await.expect(201);
    house.ask(Ask::new(Method::DELETE, &place)).await.expect(409);
    house.ask(Ask::new(Method::DELETE, "/api/v1/namespaces/birds")).await.expect(204);
    house.ask(Ask::new(Method::DELETE, &place)).await.expect(204);
    house.ask(get(&place)).await.expect(404);
    let default = format!("/v2/resource_groups/{:0>32}", super::ACCOUNT);
    house.ask(Ask::new(Method::DELETE, &default)).await.expect(409);
    house.ask(patch(&default, r#"{"name":"ours"}"#)).await.expect(409);
    let stranger = house.stranger.clone();
    let none = house.send(Some(&stranger), get("/v2/resource_groups")).await.expect(200);
    assert_eq!(none, json!({"resources": []}));
}

#[tokio::test]
async fn a_retention_policy_is_for_who_may_delete_and_is_read_back() {
    let house = House::open().await;
    house.ask(Ask::new(Method::PUT, "/api/v1/namespaces/team-a")).await.expect(201);
    let wanted = json!({"namespace": "team-a", "images_per_repo": 1, "retain_untagged": true});
    assert_eq!(house.ask(post("/api/v1/retentions/analyze", wanted.clone())).await.expect(200), json!({}));
    assert_eq!(house.ask(post("/api/v1/retentions", wanted.clone())).await.expect(200), json!({}));
    assert_eq!(house.ask(get("/api/v1/retentions/team-a")).await.expect(200), wanted);
    assert_eq!(house.ask(get("/api/v1/retentions")).await.expect(200), json!({"team-a": wanted}));
    let stranger = house.stranger.clone();
    let team_a = [("serviceName", "container-registry"), ("resource", "team-a")];
    house.grant(&stranger, role("serviceRole", "Reader"), &team_a).await;
    house.send(Some(&stranger), post("/api/v1/retentions", wanted.clone())).await.expect(403);
    house.send(Some(&stranger), post("/api/v1/retentions/analyze", wanted)).await.expect(200);
    let none = json!({"namespace": "nowhere", "images_per_repo": 1, "retain_untagged": true});
    house.ask(post("/api/v1/retentions", none)).await.expect(404);
    house
        .ask(post("/api/v1/retentions", json!({"namespace": "team-a", "images_per_repo": 0})))
        .await
        .expect(400);
}

#[tokio::test]
async fn a_retention_policy_deletes_nothing_from_a_repository_that_its_author_must_not_delete_from() {
    let house = House::open().await;
    house.ask(Ask::new(Method::PUT, "/api/v1/namespaces/team-a")).await.expect(201);
    let stranger = house.stranger.clone();
    let team_a = [("serviceName", "container-registry"), ("resource", "team-a")];
    house.grant(&stranger, role("serviceRole", "Manager"), &team_a).await;
    let wanted = json!({"namespace": "team-a", "images_per_repo": 1, "retain_untagged": true});
    house.send(Some(&stranger), post("/api/v1/retentions", wanted.clone())).await.expect(200);
    let deny = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "ecr:BatchDeleteImage", "Resource": "arn:aws:ecr:*:*:repository/team-a/app",
    }]});
    let document = DocumentText::read(&deny.to_string(), Kind::Inline).unwrap().0;
    let policy = InlinePolicy { name: name("own"), document };
    let store: &dyn Store = &*house.store;
    store.put_inline_policy(&Holder::Principal(stranger.clone()), &policy).await.unwrap();
    house.send(Some(&stranger), post("/api/v1/retentions", wanted)).await.expect(403);
}
