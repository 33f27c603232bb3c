//! Service IDs, API keys and users.

use http::Method;
use serde_json::json;

use super::{ACCOUNT, Ask, House, delete, get, post, put, role};
use crate::credential::api_key::{ApiKey, Pepper};
use crate::ids::principal::PrincipalId;
use crate::policy::aws::arn::Name;
use crate::policy::aws::kind::Kind;
use crate::store::Store;
use crate::store::aws::holder::Holder;
use crate::store::aws::inline_policy::InlinePolicy;
use crate::store::aws::role::Role;
use crate::store::aws::text::DocumentText;
use crate::store::contract::aws_samples::{self, by_aws};
use crate::store::contract::samples;

#[tokio::test]
async fn a_service_id_lives_from_creation_to_deletion_in_ibms_shape() {
    let house = House::open().await;
    let made = house.ask(post("/v1/serviceids/", json!({"account_id": ACCOUNT, "name": "ci"}))).await;
    let row = made.expect(201);
    let id = row["id"].as_str().unwrap();
    assert_eq!(row["iam_id"], format!("iam-{id}"));
    assert_eq!(row["crn"], format!("crn:v1:bluemix:public:iam-identity::a/{ACCOUNT}::serviceid:{id}"));
    assert_eq!(row["created_at"], "2023-11-14T22:13+0000");
    assert_eq!(made.header("etag"), format!("{:?}", row["entity_tag"].as_str().unwrap()));
    assert_eq!(made.0.event.target.as_deref(), Some(id));
    let path = format!("/v1/serviceids/{id}");
    assert_eq!(house.ask(get(&path)).await.expect(200), row);
    let tag = row["entity_tag"].as_str().unwrap();
    let renamed = house.ask(put(&path, tag, json!({"name": "cd"}))).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["description"]), (&json!("cd"), &json!("")));
    house.ask(put(&path, tag, json!({"name": "late"}))).await.expect(412);
    house.ask(Ask::new(Method::PUT, &path).raw("{}")).await.expect(400);
    house.ask(put(&path, "*", json!({"description": "any"}))).await.expect(200);
    house.ask(delete(&path)).await.expect(204);
    house.ask(delete(&path)).await.expect(404);
    house.ask(get(&path)).await.expect(404);
}

#[tokio::test]
async fn service_ids_are_listed_page_by_page_and_sorted() {
    let house = House::open().await;
    for name in ["bravo", "alpha", "charlie"] {
        house.service_id(name).await;
    }
    let first = house.ask(get("/v1/serviceids/?pagesize=3&sort=name")).await.expect(200);
    let names = |page: &serde_json::Value| -> Vec<String> {
        let rows = page["serviceids"].as_array().unwrap();
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["alpha", "bravo", "charlie"]);
    let next = first["next"].as_str().unwrap().strip_prefix("https://us.registry.test:8443").unwrap();
    let second = house.ask(get(next)).await.expect(200);
    assert_eq!(names(&second), ["service 99"]);
    assert!(second.get("next").is_none() && second.get("previous").is_some());
    let other = next.replace("sort=name", "sort=created_at");
    house.ask(get(&other)).await.expect(400);
    for wrong in [
        "pagesize=0",
        "pagesize=101",
        "pagesize=1000000000",
        "pagesize=-1",
        "pagesize=+5",
        "sort=hash",
        "order=x",
    ] {
        house.ask(get(&format!("/v1/serviceids?{wrong}"))).await.expect(400);
    }
    let only = house.ask(get("/v1/serviceids?name=bravo&unknown=1")).await.expect(200);
    assert_eq!(names(&only), ["bravo"]);
}

#[tokio::test]
async fn a_locked_service_id_refuses_changes_to_itself_its_keys_and_its_policies() {
    let house = House::open().await;
    let id = house.service_id("ci").await;
    let owner: PrincipalId = format!("iam-{id}").parse().unwrap();
    let key = post("/v1/apikeys", json!({"name": "k", "iam_id": owner}));
    let key_id = house.ask(key.clone()).await.expect(201)["id"].as_str().unwrap().to_owned();
    let registry = [("serviceName", "container-registry")];
    let policy_id = house.grant(&owner, role("serviceRole", "Reader"), &registry).await;
    let path = format!("/v1/serviceids/{id}");
    house.ask(Ask::new(Method::POST, &format!("{path}/lock"))).await.expect(204);
    assert_eq!(house.ask(get(&path)).await.expect(200)["locked"], true);
    house.ask(put(&path, "*", json!({"name": "x"}))).await.expect(409);
    house.ask(delete(&path)).await.expect(409);
    house.ask(key).await.expect(409);
    house.ask(delete(&format!("/v1/apikeys/{key_id}"))).await.expect(409);
    house.ask(Ask::new(Method::POST, &format!("/v1/apikeys/{key_id}/disable"))).await.expect(409);
    for holder in [&key_id, &owner.to_string()] {
        let list = put(&format!("/api/native/allowlists/{holder}"), "*", json!({"allowed_ip_addresses": ""}));
        house.ask(list).await.expect(409);
    }
    house.ask(delete(&format!("/v1/policies/{policy_id}"))).await.expect(409);
    let more = super::policy(&json!(owner), role("serviceRole", "Writer"), &registry);
    house.ask(post("/v1/policies", more)).await.expect(409);
    house.ask(delete(&format!("{path}/lock"))).await.expect(204);
    house.ask(delete(&format!("/v1/policies/{policy_id}"))).await.expect(204);
    house.ask(delete(&path)).await.expect(204);
}

#[tokio::test]
async fn an_api_key_is_revealed_once_and_stored_as_a_hash() {
    let house = House::open().await;
    let body = json!({"name": "laptop", "iam_id": house.admin, "expires_at": "2030-01-01T00:00+0000"});
    let made = house.ask(post("/v1/apikeys", body)).await;
    let row = made.expect(201);
    let (id, value) = (row["id"].as_str().unwrap(), row["apikey"].as_str().unwrap());
    assert_eq!(value.len(), 44);
    assert!(!format!("{:?}", made.0).contains(value), "no key prints");
    let hash = Pepper::new(&[7; 32]).hash(&ApiKey::presented(value).unwrap());
    let store: &dyn Store = &*house.store;
    assert_eq!(store.key_owner(&hash).await.unwrap().unwrap().0, house.admin);
    let seen = house.ask(get(&format!("/v1/apikeys/{id}"))).await.expect(200);
    assert!(seen.get("apikey").is_none());
    assert_eq!(seen["expires_at"], "2030-01-01T00:00+0000");
    let details = get("/v1/apikeys/details").header("iam-apikey", value);
    assert_eq!(house.ask(details.clone()).await.expect(200), seen);
    let stranger = house.stranger.clone();
    let hidden = house.send(Some(&stranger), details).await;
    let wrong = house.send(Some(&stranger), get("/v1/apikeys/details").header("iam-apikey", "wrong")).await;
    hidden.expect(404);
    assert_eq!(hidden.0.body, wrong.0.body);
    let never =
        house.ask(put(&format!("/v1/apikeys/{id}"), "*", json!({"expires_at": ""}))).await.expect(200);
    assert!(never.get("expires_at").is_none());
    house
        .ask(put(&format!("/v1/apikeys/{id}"), "*", json!({"expires_at": "2001-01-01T00:00+0000"})))
        .await
        .expect(400);
    house.ask(delete(&format!("/v1/apikeys/{id}"))).await.expect(204);
    house.ask(delete(&format!("/v1/apikeys/{id}"))).await.expect(404);
}

#[tokio::test]
async fn a_locked_key_refuses_changes_until_it_is_unlocked() {
    let house = House::open().await;
    let ask = post("/v1/apikeys", json!({"name": "k", "iam_id": house.admin})).header("entity-lock", "true");
    let row = house.ask(ask).await.expect(201);
    let path = format!("/v1/apikeys/{}", row["id"].as_str().unwrap());
    house.ask(put(&path, "*", json!({"name": "x"}))).await.expect(409);
    house.ask(delete(&path)).await.expect(409);
    house.ask(Ask::new(Method::POST, &format!("{path}/disable"))).await.expect(409);
    house.ask(delete(&format!("{path}/lock"))).await.expect(204);
    house.ask(Ask::new(Method::POST, &format!("{path}/disable"))).await.expect(204);
    assert_eq!(house.ask(get(&path)).await.expect(200)["disabled"], true);
    house.ask(delete(&format!("{path}/disable"))).await.expect(204);
    assert_eq!(house.ask(get(&path)).await.expect(200)["disabled"], false);
}

#[tokio::test]
async fn everyone_manages_their_own_keys_and_nobody_elses() {
    let house = House::open().await;
    let (admin, stranger) = (house.admin.clone(), house.stranger.clone());
    let admins = house.ask(post("/v1/apikeys", json!({"name": "k", "iam_id": admin}))).await.expect(201);
    let own = post("/v1/apikeys", json!({"name": "mine", "iam_id": stranger}));
    let own = house.send(Some(&stranger), own).await.expect(201);
    house.send(Some(&stranger), post("/v1/apikeys", json!({"name": "x", "iam_id": admin}))).await.expect(403);
    for query in ["", "?scope=account", "?scope=account&type=serviceid"] {
        let list = house.send(Some(&stranger), get(&format!("/v1/apikeys{query}"))).await.expect(200);
        assert_eq!(list["apikeys"].as_array().unwrap().len(), 1, "{query}");
        assert_eq!(list["apikeys"][0]["id"], own["id"]);
    }
    let others = house.send(Some(&stranger), get(&format!("/v1/apikeys?iam_id={admin}"))).await.expect(200);
    assert_eq!(others["apikeys"], json!([]));
    let path = format!("/v1/apikeys/{}", admins["id"].as_str().unwrap());
    house.send(Some(&stranger), delete(&path)).await.expect(404);
    house
        .send(Some(&stranger), delete(&format!("/v1/apikeys/{}", own["id"].as_str().unwrap())))
        .await
        .expect(204);
    let all = house.ask(get("/v1/apikeys?scope=account&type=user")).await.expect(200);
    assert_eq!(all["apikeys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_for_another_takes_the_rights_of_that_other() {
    let house = House::open().await;
    let (admin, stranger) = (house.admin.clone(), house.stranger.clone());
    house.grant(&stranger, role("role", "Administrator"), &[("serviceName", "iam-identity")]).await;
    let for_admin = post("/v1/apikeys", json!({"name": "x", "iam_id": admin}));
    house.send(Some(&stranger), for_admin).await.expect(403);
    let robot: PrincipalId = format!("iam-{}", house.service_id("robot").await).parse().unwrap();
    let for_robot = post("/v1/apikeys", json!({"name": "x", "iam_id": robot}));
    house.send(Some(&stranger), for_robot.clone()).await.expect(201);
    house.grant(&robot, role("serviceRole", "Reader"), &[("serviceName", "container-registry")]).await;
    house.send(Some(&stranger), for_robot.clone()).await.expect(403);
    house.grant(&stranger, role("serviceRole", "Reader"), &[("serviceName", "container-registry")]).await;
    house.send(Some(&stranger), for_robot.clone()).await.expect(201);
    let store: &dyn Store = &*house.store;
    let holder = Holder::Principal(robot);
    store.attach(&holder, &by_aws("IAMReadOnlyAccess"), samples::time(1)).await.unwrap();
    house.send(Some(&stranger), for_robot.clone()).await.expect(403);
    house.ask(for_robot).await.expect(201);
}

/// What trust policies and policies of repositories give to whom they name takes no policy of one's own.
#[tokio::test]
async fn a_key_for_another_takes_what_roles_and_repositories_give_to_that_other() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    house.grant(&stranger, role("role", "Administrator"), &[("serviceName", "iam-identity")]).await;
    let robots = [house.service_id("one").await, house.service_id("two").await];
    let keys =
        robots.clone().map(|id| post("/v1/apikeys", json!({"name": "x", "iam_id": format!("iam-{id}")})));
    for key in &keys {
        house.send(Some(&stranger), key.clone()).await.expect(201);
    }
    let store: &dyn Store = &*house.store;
    let document = |action: &str, id: &str| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": action,
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/service-id/{id}")},
        }]})
        .to_string()
    };
    let trust = DocumentText::read(&document("sts:AssumeRole", &robots[0]), Kind::Trust).unwrap().0;
    store.insert_role(&Role { trust, ..aws_samples::role(1) }, None, &[]).await.unwrap();
    let repository = aws_samples::repository(1);
    store.insert_repository(&repository, &[]).await.unwrap();
    let policy = DocumentText::read(&document("ecr:*", &robots[1]), Kind::Repository).unwrap().0;
    store.put_repository_policy(&repository.region, &repository.name, Some(&policy)).await.unwrap();
    for key in keys {
        house.send(Some(&stranger), key.clone()).await.expect(403);
        house.ask(key).await.expect(201);
    }
}

/// What is denied of one repository is not denied of all, and those who take on another come without it.
#[tokio::test]
async fn a_key_for_another_is_no_way_around_what_is_denied_of_a_part() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    let registry = [("serviceName", "container-registry")];
    let robot: PrincipalId = format!("iam-{}", house.service_id("robot").await).parse().unwrap();
    house.grant(&robot, role("serviceRole", "Reader"), &registry).await;
    house.grant(&stranger, role("role", "Administrator"), &[("serviceName", "iam-identity")]).await;
    house.grant(&stranger, role("serviceRole", "Reader"), &registry).await;
    let key = post("/v1/apikeys", json!({"name": "x", "iam_id": robot}));
    house.send(Some(&stranger), key.clone()).await.expect(201);
    let secret = format!("arn:aws:ecr:us-south:{ACCOUNT}:repository/team-a/secret");
    let statement = json!([{"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": secret}]);
    let text = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let document = DocumentText::read(&text, Kind::Inline).unwrap().0;
    let limits = InlinePolicy { name: Name::parse("limits").unwrap(), document };
    let store: &dyn Store = &*house.store;
    store.put_inline_policy(&Holder::Principal(stranger.clone()), &limits).await.unwrap();
    house.send(Some(&stranger), key.clone()).await.expect(403);
    house.grant(&stranger, role("role", "Administrator"), &registry).await;
    house.send(Some(&stranger), key).await.expect(201);
}

/// Whoever has a key of somebody whom a profile trusts takes the profile on with it.
#[tokio::test]
async fn a_key_for_another_takes_what_profiles_that_trust_that_other_may_do() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    house.grant(&stranger, role("role", "Administrator"), &[("serviceName", "iam-identity")]).await;
    let robot = format!("iam-{}", house.service_id("robot").await);
    let keys = [
        post("/v1/apikeys", json!({"name": "x", "iam_id": robot})),
        post("/api/native/access-keys", json!({"iam_id": robot})),
    ];
    let profile = house.ask(post("/v1/profiles", json!({"account_id": ACCOUNT, "name": "deployer"}))).await;
    let profile = profile.expect(201);
    let trust = format!("/v1/profiles/{}/identities/serviceid", profile["id"].as_str().unwrap());
    house.ask(post(&trust, json!({"identifier": robot, "type": "serviceid"}))).await.expect(200);
    house.send(Some(&stranger), keys[0].clone()).await.expect(201);
    let iam_id: PrincipalId = profile["iam_id"].as_str().unwrap().parse().unwrap();
    house.grant(&iam_id, role("serviceRole", "Reader"), &[("serviceName", "container-registry")]).await;
    for key in &keys {
        house.send(Some(&stranger), key.clone()).await.expect(403);
    }
    house.grant(&stranger, role("serviceRole", "Reader"), &[("serviceName", "container-registry")]).await;
    for key in keys {
        house.send(Some(&stranger), key).await.expect(201);
    }
}

#[tokio::test]
async fn users_are_invited_listed_and_removed_but_never_by_themselves() {
    let house = House::open().await;
    let base = format!("/v2/accounts/{ACCOUNT}/users");
    let body = json!({"users": [{"email": "ann@example.com", "account_role": "Member"}]});
    let made = house.ask(post(&base, body.clone())).await.expect(202);
    let id = made["resources"][0]["id"].as_str().unwrap();
    house.ask(post(&base, body)).await.expect(409);
    house.ask(post(&base, json!({"users": [{"email": "a b"}]}))).await.expect(400);
    let list = house.ask(get(&base)).await.expect(200);
    assert_eq!(list["total_results"], 2);
    let own = house.send(Some(&id.parse().unwrap()), get(&base)).await.expect(200);
    assert_eq!(
        (&own["total_results"], &own["resources"][0]["email"]),
        (&json!(1), &json!("ann@example.com"))
    );
    house.send(Some(&id.parse().unwrap()), get(&format!("{base}/{}", house.admin))).await.expect(404);
    house.ask(delete(&format!("{base}/{}", house.admin))).await.expect(409);
    house.ask(delete(&format!("{base}/{id}"))).await.expect(204);
    house.ask(delete(&format!("{base}/{id}"))).await.expect(404);
    house.ask(get("/v2/accounts/210987654321/users")).await.expect(400);
}

/// Everyone may make keys for themselves; nobody may fill the store with them.
#[tokio::test]
async fn a_principal_has_at_most_100_api_keys() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    let key = post("/v1/apikeys", json!({"name": "k", "iam_id": stranger}));
    for _ in 0..100 {
        house.send(Some(&stranger), key.clone()).await.expect(201);
    }
    house.send(Some(&stranger), key.clone()).await.expect(409);
    let first = house.send(Some(&stranger), get("/v1/apikeys")).await.expect(200)["apikeys"][0]["id"].clone();
    house
        .send(Some(&stranger), delete(&format!("/v1/apikeys/{}", first.as_str().unwrap())))
        .await
        .expect(204);
    house.send(Some(&stranger), key).await.expect(201);
}
