//! Our own endpoints.

use serde_json::json;

use super::{House, get, post, put, role};

#[tokio::test]
async fn explain_names_the_policy_that_allows_or_the_attribute_that_fails() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    let team_a = [("serviceName", "container-registry"), ("region", "us-south"), ("resource", "team-a")];
    let id = house.grant(&stranger, role("serviceRole", "Reader"), &team_a).await;
    let ask = |action: &str, repository: &str| {
        post(
            "/api/native/explain",
            json!({"principal": stranger, "action": action, "repository": repository}),
        )
    };
    let yes = house.ask(ask("pull", "team-a/app")).await.expect(200);
    assert_eq!((&yes["decision"], &yes["because"]["policy_id"]), (&json!("allow"), &json!(id)));
    let push = house.ask(ask("container-registry.image.push", "team-a/app")).await.expect(200);
    assert_eq!(
        (&push["decision"], &push["considered"][0]["result"]),
        (&json!("deny"), &json!("lacks_action"))
    );
    assert_eq!(push["needed"]["any_role_of"], json!(["Manager", "Writer"]));
    let other = house.ask(ask("image.pull", "team-b/app")).await.expect(200);
    assert_eq!(
        other["considered"][0]["mismatch"],
        json!({"attribute": "resource", "policy_has": "team-a", "resource_has": "team-b"})
    );
    house.send(Some(&stranger), ask("pull", "team-b/app")).await.expect(200);
    // Readers may read the policies on what they read, and no others.
    let about_admin =
        |at: &str| json!({"principal": house.admin, "action": "pull", "repository": format!("{at}/app")});
    house.send(Some(&stranger), post("/api/native/explain", about_admin("team-a"))).await.expect(200);
    house.send(Some(&stranger), post("/api/native/explain", about_admin("team-b"))).await.expect(403);
    house.ask(ask("image.fly", "team-a/app")).await.expect(400);
    house.ask(ask("pull", "Team-A")).await.expect(400);
}

#[tokio::test]
async fn explain_takes_so_many_condition_keys_and_no_more() {
    let house = House::open().await;
    let ask = |keys: usize| {
        let context: std::collections::BTreeMap<_, _> =
            (0..keys).map(|number| (format!("k{number}"), "")).collect();
        post("/api/native/explain", json!({"action": "pull", "repository": "team-a/app", "context": context}))
    };
    house.ask(ask(100)).await.expect(200);
    house.ask(ask(101)).await.expect(400);
}

/// Reading policies on one namespace shows nothing of what others may do elsewhere.
#[tokio::test]
async fn explain_shows_of_others_only_the_policies_that_the_caller_may_see() {
    let house = House::open().await;
    let (stranger, ci) = (house.stranger.clone(), house.service_id("ci").await);
    let ci = format!("iam-{ci}").parse().unwrap();
    let on =
        |namespace| [("serviceName", "container-registry"), ("region", "us-south"), ("resource", namespace)];
    house.grant(&stranger, role("role", "Viewer"), &on("team-a")).await;
    let seen = house.grant(&ci, role("serviceRole", "Reader"), &on("team-a")).await;
    house.grant(&ci, role("serviceRole", "Writer"), &on("team-b")).await;
    let question = json!({"principal": ci, "action": "push", "repository": "team-a/app"});
    let answer = house.send(Some(&stranger), post("/api/native/explain", question)).await.expect(200);
    let considered = answer["considered"].as_array().unwrap();
    assert!(considered.len() == 1 && considered[0]["policy_id"] == json!(seen), "{answer}");
}

#[tokio::test]
async fn explain_names_the_group_that_a_policy_is_for_and_its_pattern_as_it_was_written() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    let group = house.ask(post("/v2/groups", json!({"name": "robots"}))).await.expect(201)["id"].clone();
    let id = group.as_str().unwrap();
    let member = json!({"members": [{"iam_id": stranger, "type": "service"}]});
    house.ask(put(&format!("/v2/groups/{id}/members"), "*", member)).await.expect(207);
    let granted = json!({"type": "access", "subjects": [{"attributes": [{"name": "access_group_id", "value": id}]}],
        "roles": [role("serviceRole", "Writer")], "resources": [{"attributes": [
            {"name": "accountId", "value": "123456789012"}, {"name": "serviceName", "value": "container-registry"},
            {"name": "resource", "value": "team-?*", "operator": "stringMatch"}]}]});
    house.ask(post("/v1/policies", granted)).await.expect(201);
    let ask = |repository: &str| {
        post(
            "/api/native/explain",
            json!({"principal": stranger, "action": "push", "repository": repository}),
        )
    };
    let yes = house.ask(ask("team-a/app")).await.expect(200);
    let considered = &yes["considered"][0];
    assert_eq!((&yes["decision"], &considered["access_group_name"]), (&json!("allow"), &json!("robots")));
    assert_eq!(considered["access_group_id"], group);
    let no = house.ask(ask("other/app")).await.expect(200);
    assert_eq!(no["considered"][0]["mismatch"]["policy_has"], "team-?*");
}

#[tokio::test]
async fn whoami_and_registries_say_where_the_caller_is() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    let who = house.send(Some(&stranger), get("/api/native/whoami")).await.expect(200);
    assert_eq!((&who["iam_id"], &who["account_name"]), (&json!(stranger), &json!("example")));
    assert_eq!((&who["address"], &who["endpoint"]), (&json!("192.0.2.1"), &json!("public")));
    let sites = house.send(Some(&stranger), get("/api/native/registries")).await.expect(200);
    assert_eq!(sites["registries"][0]["aliases"], json!(["localhost"]));
}
