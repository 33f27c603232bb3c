//! Why, and who can: over documents of both dialects.

use serde_json::{Value, json};

use super::{House, post, role};
use crate::ids::principal::PrincipalId;
use crate::policy::aws::arn::Name;
use crate::policy::aws::kind::Kind;
use crate::store::aws::holder::Holder;
use crate::store::aws::inline_policy::{InlinePolicies, InlinePolicy};
use crate::store::aws::repository::{Mutability, Repositories, Repository};
use crate::store::aws::tag::Tag;
use crate::store::aws::text::DocumentText;
use crate::store::contract::samples;

const EXPLAIN: &str = "/api/native/explain";
const WHO_CAN: &str = "/api/native/who-can";

const OWL: &str = "arn:aws:ecr:us-south:123456789012:repository/birds/owl";

impl House {
    /// An AWS document, which the API cannot store yet.
    async fn write(&self, who: &PrincipalId, name: &str, statements: &Value) {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let (document, _) = DocumentText::read(&text, Kind::Inline).unwrap();
        let policy = InlinePolicy { name: Name::parse(name).unwrap(), document };
        self.store.put_inline_policy(&Holder::Principal(who.clone()), &policy).await.unwrap();
    }
}

fn birds() -> Value {
    json!([
        {"Sid": "Pull", "Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Resource": OWL},
        {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": OWL, "Condition": {"StringLike": {"registry:Tag": "v*"}}},
        {"Effect": "Allow", "Action": "iam:CreateRole", "Resource": "*",
         "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]}}},
        {"Sid": "NoDelete", "Effect": "Deny", "Action": "ecr:*Delete*", "Resource": "*"}])
}

#[tokio::test]
async fn documents_are_laid_out_with_what_decides_and_what_nearly_does() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    house.write(&stranger, "birds", &birds()).await;
    let about = |action: &str, more: Value| {
        let mut body = json!({"principal": stranger, "action": action, "resource": OWL});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        post(EXPLAIN, body)
    };
    let pull = house.ask(about("pull", json!({}))).await.expect(200);
    assert_eq!((&pull["decision"], &pull["class"]), (&json!("allow"), &json!("allow: identity policy")));
    assert_eq!(pull["decided_by"][0]["statement"], "Pull");
    let put =
        house.ask(about("ecr:putimage", json!({"context": {"registry:Tag": "latest"}}))).await.expect(200);
    assert_eq!((&put["decision"], &put["action"]), (&json!("deny"), &json!("ecr:PutImage")));
    let near = &put["documents"][0]["statements"][1];
    let missing =
        json!({"operator": "StringLike", "key": "registry:Tag", "wanted": ["v*"], "found": ["latest"]});
    assert_eq!((&near["result"], &near["condition"]), (&json!("other_condition"), &missing));
    let put = house.ask(about("ecr:PutImage", json!({"context": {"REGISTRY:tag": "v1"}}))).await.expect(200);
    assert_eq!(put["decision"], "allow", "{put}");
    let delete = house.ask(about("delete", json!({}))).await.expect(200);
    assert_eq!(delete["class"], "explicit deny: identity policy");
    assert_eq!(
        (&delete["decided_by"][0]["statement"], &delete["needed"]),
        (&json!("NoDelete"), &Value::Null)
    );
    let crn = "crn:v1:bluemix:public:container-registry:us-south:a/123456789012::repository:birds/owl";
    let by_crn = house.ask(about("pull", json!({"resource": crn}))).await.expect(200);
    assert_eq!(by_crn["resource"], pull["resource"]);
    for wrong in [json!({"resource": "arn:x"}), json!({"namespace": "birds"}), json!({"limit": 1})] {
        house.ask(about("pull", wrong)).await.expect(400);
    }
}

#[tokio::test]
async fn a_repositorys_own_policy_counts_as_it_does_at_the_gate() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    house.write(&stranger, "birds", &birds()).await;
    let (region, name) = ("us-south".parse().unwrap(), "birds/owl".parse().unwrap());
    let text = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage",
         "Condition": {"StringEquals": {"aws:ResourceTag/stage": "secret"}}}]});
    let (document, _) = DocumentText::read(&text.to_string(), Kind::Repository).unwrap();
    let row = Repository {
        region,
        name,
        mutability: Mutability::Mutable,
        exclusions: Vec::new(),
        scan_on_push: false,
        created_at: samples::time(1),
    };
    house.store.insert_repository(&row, &[Tag::parse("stage", "secret").unwrap()]).await.unwrap();
    house.store.put_repository_policy(&row.region, &row.name, Some(&document)).await.unwrap();
    let ask = |action: &str| post(EXPLAIN, json!({"principal": stranger, "action": action, "resource": OWL}));
    let pull = house.ask(ask("pull")).await.expect(200);
    assert_eq!(
        (&pull["decision"], &pull["class"]),
        (&json!("deny"), &json!("explicit deny: repository policy"))
    );
    let own = &pull["documents"][1];
    assert_eq!(
        (&own["policy_id"], &own["statements"][0]["result"]),
        (&json!(OWL), &json!("applies")),
        "{pull}"
    );
    assert_eq!(pull["decided_by"][0]["policy_id"], OWL);
    assert_eq!(house.ask(ask("ecr:GetDownloadUrlForLayer")).await.expect(200)["decision"], "allow");
}

#[tokio::test]
async fn a_key_may_have_several_values_and_a_misspelt_one_is_told_of() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    house.write(&stranger, "birds", &birds()).await;
    let arn = "arn:aws:iam::123456789012:role/r";
    let ask = |keys: Value| {
        let context = json!({"aws:TagKeys": keys, "aws:TagKey": "x"});
        post(
            EXPLAIN,
            json!({"principal": stranger, "action": "iam:CreateRole", "resource": arn, "context": context}),
        )
    };
    let yes = house.ask(ask(json!(["stage", "team"]))).await.expect(200);
    assert_eq!((&yes["decision"], &yes["resource"]["arn"]), (&json!("allow"), &json!(arn)), "{yes}");
    assert_eq!(yes["warnings"].as_array().map(Vec::len), Some(1), "{yes}");
    let no = house.ask(ask(json!(["stage", "owner"]))).await.expect(200);
    assert_eq!(no["documents"][0]["statements"][2]["condition"]["found"], json!(["stage", "owner"]), "{no}");
}

#[tokio::test]
async fn of_others_documents_only_what_decides_is_shown_to_who_may_not_read_all_policies() {
    let house = House::open().await;
    let (stranger, ci) = (house.stranger.clone(), house.service_id("ci").await);
    let ci: PrincipalId = format!("iam-{ci}").parse().unwrap();
    house.write(&ci, "birds", &birds()).await;
    let on = [("serviceName", "container-registry"), ("region", "us-south"), ("resource", "birds")];
    house.grant(&stranger, role("role", "Viewer"), &on).await;
    let ask = |action: &str| post(EXPLAIN, json!({"principal": ci, "action": action, "resource": OWL}));
    let push = house.send(Some(&stranger), ask("push")).await.expect(200);
    assert_eq!((&push["documents"], &push["hidden"]), (&json!([]), &json!(1)));
    let pull = house.send(Some(&stranger), ask("pull")).await.expect(200);
    assert_eq!((&pull["documents"][0]["policy_id"], &pull["hidden"]), (&json!("inline:birds"), &json!(0)));
    // An ARN that is no repository's is about everything, which the stranger may not read the policies of.
    let role =
        json!({"principal": ci, "action": "iam:CreateRole", "resource": "arn:aws:iam::123456789012:role/r"});
    house.send(Some(&stranger), post(EXPLAIN, role)).await.expect(403);
    house.send(Some(&stranger), post(WHO_CAN, json!({"action": "pull", "resource": OWL}))).await.expect(200);
    house
        .send(Some(&stranger), post(WHO_CAN, json!({"action": "pull", "namespace": "cats"})))
        .await
        .expect(403);
}

/// Page by page, and each as `explain` says.
#[tokio::test]
async fn who_can_names_exactly_those_of_whom_explain_says_that_they_may() {
    let house = House::open().await;
    let mut everyone = vec![house.admin.clone(), house.stranger.clone()];
    for n in 0..7 {
        let id: PrincipalId = format!("iam-{}", house.service_id(&format!("ci-{n}")).await).parse().unwrap();
        match n % 3 {
            0 => house.write(&id, "birds", &birds()).await,
            1 => {
                let on = [("serviceName", "container-registry"), ("resource", "birds")];
                house.grant(&id, role("serviceRole", "Reader"), &on).await;
            }
            _ => {}
        }
        everyone.push(id);
    }
    for (action, context) in
        [("pull", json!({})), ("ecr:PutImage", json!({"registry:Tag": "v2"})), ("delete", json!({}))]
    {
        let mut expected = Vec::new();
        for who in &everyone {
            let ask = json!({"principal": who, "action": action, "resource": OWL, "context": context});
            let told = house.ask(post(EXPLAIN, ask)).await.expect(200);
            if told["decision"] == "allow" {
                expected.push((json!(who), told["decided_by"].clone()));
            }
        }
        let (mut found, mut start, mut pages) = (Vec::new(), Value::Null, 0);
        loop {
            let ask =
                json!({"action": action, "resource": OWL, "context": context, "limit": 2, "start": start});
            let page = house.ask(post(WHO_CAN, ask)).await.expect(200);
            let rows = page["principals"].as_array().unwrap();
            assert!(rows.len() <= 2 && page["total"] == json!(everyone.len()), "{page}");
            found.extend(rows.iter().map(|row| (row["iam_id"].clone(), row["through"].clone())));
            start = page["next"].clone();
            pages += 1;
            if start.is_null() {
                break;
            }
        }
        assert_eq!(pages, everyone.len().div_ceil(2));
        let sorted = |mut rows: Vec<(Value, Value)>| {
            rows.sort_by_key(|(who, _)| who.to_string());
            rows
        };
        assert_eq!(sorted(found), sorted(expected), "{action}");
    }
    let bent = json!({"action": "pull", "resource": OWL, "start": "00000002"});
    house.ask(post(WHO_CAN, bent)).await.expect(400);
}
