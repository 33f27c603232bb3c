//! Access groups.

use http::Method;
use serde_json::json;

use super::{Ask, House, delete, get, policy, post, put, role};
use crate::store::Store;
use crate::store::aws::holder::Holder;
use crate::store::contract::aws_samples::{by_aws, inline};
use crate::store::contract::samples;

async fn group(house: &House) -> String {
    let made = house.ask(post("/v2/groups?account_id=123456789012", json!({"name": "Readers"}))).await;
    made.expect(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_group_lives_from_creation_to_deletion() {
    let house = House::open().await;
    let id = group(&house).await;
    let path = format!("/v2/groups/{id}");
    house.ask(post("/v2/groups", json!({"name": "READERS"}))).await.expect(409);
    let seen = house.ask(get(&path)).await;
    seen.expect(200);
    let patch = Ask::new(Method::PATCH, &path)
        .raw(r#"{"description":"pull"}"#)
        .header("if-match", seen.header("etag"));
    assert_eq!(house.ask(patch.clone()).await.expect(200)["description"], "pull");
    house.ask(patch).await.expect(412);
    assert_eq!(house.ask(get("/v2/groups")).await.expect(200)["total_count"], 1);
    house.ask(delete(&path)).await.expect(204);
    house.ask(delete(&path)).await.expect(404);
}

#[tokio::test]
async fn members_are_added_each_on_its_own_and_see_their_group() {
    let house = House::open().await;
    let id = group(&house).await;
    let members = format!("/v2/groups/{id}/members");
    let nobody = "iam-ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b";
    let two = json!({"members": [{"iam_id": house.stranger, "type": "service"}, {"iam_id": nobody, "type": "service"}]});
    let added = house.ask(put(&members, "*", two.clone())).await.expect(207);
    assert_eq!(
        (&added["members"][0]["status_code"], &added["members"][1]["status_code"]),
        (&json!(200), &json!(404))
    );
    let again = house.ask(put(&members, "*", two)).await.expect(207);
    assert_eq!(again["members"][0]["status_code"], 409);
    let wrong = json!({"members": [{"iam_id": house.admin, "type": "service"}]});
    house.ask(put(&members, "*", wrong)).await.expect(400);
    assert_eq!(house.ask(get(&members)).await.expect(200)["members"][0]["iam_id"], json!(house.stranger));
    let stranger = house.stranger.clone();
    let one = format!("{members}/{stranger}");
    let head = Ask::new(Method::HEAD, &one);
    house.ask(head.clone()).await.expect(204);
    house.send(Some(&stranger), head.clone()).await.expect(204);
    house.send(Some(&stranger), get(&format!("/v2/groups/{id}"))).await.expect(200);
    assert_eq!(house.send(Some(&stranger), get("/v2/groups")).await.expect(200)["total_count"], 1);
    house.send(Some(&stranger), get(&members)).await.expect(403);
    house.ask(delete(&format!("/v2/groups/{id}"))).await.expect(409);
    house.ask(delete(&one)).await.expect(204);
    house.ask(delete(&one)).await.expect(404);
    house.ask(head).await.expect(404);
    house.send(Some(&stranger), get(&format!("/v2/groups/{id}"))).await.expect(404);
}

#[tokio::test]
async fn nobody_joins_a_group_that_may_do_more_than_they() {
    let house = House::open().await;
    let id = group(&house).await;
    let stranger = house.stranger.clone();
    house.grant(&stranger, role("role", "Administrator"), &[("serviceName", "iam-groups")]).await;
    let join = put(
        &format!("/v2/groups/{id}/members"),
        "*",
        json!({"members": [{"iam_id": stranger, "type": "service"}]}),
    );
    let mut managers =
        policy(&json!(""), role("serviceRole", "Manager"), &[("serviceName", "container-registry")]);
    managers["subjects"] = json!([{"attributes": [{"name": "access_group_id", "value": id}]}]);
    house.ask(post("/v1/policies", managers)).await.expect(201);
    house.send(Some(&stranger), join.clone()).await.expect(403);
    house.ask(join).await.expect(207);
}

#[tokio::test]
async fn nobody_joins_a_group_that_holds_aws_policies_but_by_who_may_grant_everything() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    house.grant(&stranger, role("role", "Administrator"), &[("serviceName", "iam-groups")]).await;
    for attached in [true, false] {
        let id = group(&house).await;
        let member = json!({"members": [{"iam_id": stranger, "type": "service"}]});
        let join = put(&format!("/v2/groups/{id}/members"), "*", member);
        let holder = Holder::Group(id.parse().unwrap());
        let store: &dyn Store = &*house.store;
        if attached {
            store.attach(&holder, &by_aws("AdministratorAccess"), samples::time(1)).await.unwrap();
        } else {
            store.put_inline_policy(&holder, &inline("own", "ecr:*")).await.unwrap();
        }
        house.send(Some(&stranger), join.clone()).await.expect(403);
        house.ask(join).await.expect(207);
        house.ask(delete(&format!("/v2/groups/{id}?force=true"))).await.expect(204);
    }
}
