//! Case 6: a scope is a wish; a token holds what of it is granted, spelt exactly, and is used exactly (T-18…T-29).

use serde_json::{Value, json};

use super::people::{bearer, text};
use super::scene::{Scene, Trace};
use crate::support::portcullis::Portcullis;
use crate::support::who::{Nobody, Who};

/// The `access` claim of a token for this query.
fn access(at: &Portcullis, who: &dyn Who, query: &str) -> Value {
    let got = who.http(at).get(&format!("/oauth/token?service=registry{query}"));
    assert_eq!(got.status, 200, "{query}: {}", got.text());
    let token = text(&serde_json::from_slice(&got.body).unwrap(), "token");
    let claims = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["access"].take()
}

fn on(name: &str, actions: &[&str]) -> Value {
    json!({"type": "repository", "name": name, "actions": actions})
}

/// T-18 to T-27
#[test]
fn a_token_never_holds_more_than_is_granted() {
    let scene = Scene::recorded();
    let app = on("tenant-a/app", &["pull"]);
    let both = on("tenant-a/app", &["pull", "push"]);
    let catalog = json!({"type": "registry", "name": "catalog", "actions": ["*"]});
    let table = [
        ("T-18 another's", "&scope=repository:tenant-b/secret:pull", json!([])),
        (
            "T-18 half",
            "&scope=repository:tenant-b/secret:pull&scope=repository:tenant-a/app:pull",
            json!([app]),
        ),
        (
            "T-19 star",
            "&scope=repository:tenant-a/app:*",
            json!([on("tenant-a/app", &["pull", "push", "delete"])]),
        ),
        ("T-19 star of another's", "&scope=repository:tenant-b/secret:*", json!([])),
        ("T-19 unknown", "&scope=repository:tenant-a/app:pull,push,foo,admin", json!([both])),
        ("T-20", "&scope=repository:tenant-a/app,tenant-b/secret:pull", json!([])),
        ("T-21", "&scope=repository:host:5000/x:pull", json!([])),
        ("T-22 class", "&scope=repository(plugin):tenant-b/secret:pull", json!([])),
        ("T-22 class of one's own", "&scope=repository(plugin):tenant-a/app:pull", json!([app])),
        ("T-22 empty class", "&scope=repository():tenant-a/app:pull", json!([])),
        ("T-22 two classes", "&scope=repository(plugin)(x):tenant-a/app:pull", json!([])),
        ("T-23 prefix", "&scope=Xrepository:tenant-a/app:pull", json!([])),
        ("T-23 case", "&scope=Repository:tenant-a/app:pull", json!([])),
        ("T-23 noise", "&scope=!!registry:catalog:*", json!([])),
        ("T-24", "&scope=registry:catalog:*", json!([catalog])),
        ("T-25 list", "&scope=repository:tenant-a/app:pull+repository:tenant-b/secret:pull", json!([app])),
        ("T-25 space", "&scope=repository:tenant-a/app:pull%20repository:tenant-b/secret:pull", json!([app])),
        ("T-25 tab", "&scope=repository:tenant-a/app:pull%09repository:tenant-a/x:pull", json!([])),
        ("T-25 newline", "&scope=repository:tenant-a/app:pull%0arepository:tenant-a/x:pull", json!([])),
        ("T-26 nothing", "", json!([])),
        ("T-26 empty", "&scope=", json!([])),
        ("T-26 colons", "&scope=::", json!([])),
        ("T-26 no name", "&scope=repository::pull", json!([])),
        ("T-26 no action", "&scope=repository:tenant-a/app:", json!([])),
        ("T-26 too short", "&scope=repository:tenant-a/app", json!([])),
        ("T-27 pattern", "&scope=repository:tenant-*/x:pull", json!([])),
        ("T-27 star", "&scope=repository:*:pull", json!([])),
        ("T-27 dots", "&scope=repository:tenant-a/../tenant-b/secret:pull", json!([])),
        ("T-27 escaped", "&scope=repository:tenant-a%252fapp:pull", json!([])),
        ("T-27 capitals", "&scope=repository:Tenant-A/app:pull", json!([])),
    ];
    for (case, query, expected) in table {
        let found = access(&scene.at, &scene.alice, query);
        let same = as_sets(&found) == as_sets(&expected);
        // What alice may delete is the roles' business: never more than was asked for, never another's.
        let narrower = case == "T-19 star" && as_sets(&found) == as_sets(&json!([both]));
        assert!(same || narrower, "{case}: {found}");
        assert_eq!(
            access(&scene.at, &scene.eve, query),
            if case == "T-24" { json!([catalog]) } else { json!([]) },
            "{case} as eve"
        );
        assert_eq!(access(&scene.at, &Nobody, query), json!([]), "T-36 {case}");
    }
    assert_eq!(scene.heard(), [""; 0]);
}

/// Actions in any order.
fn as_sets(access: &Value) -> Vec<(String, std::collections::BTreeSet<String>)> {
    let words = |entry: &Value| {
        entry["actions"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    access.as_array().unwrap().iter().map(|entry| (text(entry, "name"), words(entry))).collect()
}

/// T-25
#[test]
fn a_flood_of_scopes_is_bounded_and_order_does_not_matter() {
    let scene = Scene::recorded();
    let scope = |n: usize| format!("&scope=repository:tenant-a/r{n:03}:pull");
    let forth = access(&scene.at, &scene.alice, &(0..200).map(scope).collect::<String>());
    let back = access(&scene.at, &scene.alice, &(0..200).rev().map(scope).collect::<String>());
    assert_eq!(forth, back);
    assert_eq!(forth.as_array().unwrap().len(), 64);
}

/// T-28
#[test]
fn a_token_is_good_for_exactly_what_it_names() {
    let scene = Scene::recorded();
    let token = bearer(&scene.alice.token(&scene.at, &["repository:tenant-a/app:pull"]));
    let ask = |method: &str, path: &str| scene.head(method, path, &token);
    for path in ["tenant-a/app2", "tenant-a/app/sub", "tenant-a", "tenant-a/ap"] {
        let request = ask("GET", &format!("/v2/{path}/manifests/v1"));
        let answer = scene.refuses(path, request, &[401], &Trace::Refused(&scene.alice));
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.contains(&format!("scope=\"repository:{path}:pull\",error=\"insufficient_scope\"")),
            "{challenge}"
        );
    }
    let push = scene.with_body("POST", "/v2/tenant-a/app/blobs/uploads/", &token, "");
    scene.refuses("push with a pull token", push, &[401], &Trace::Refused(&scene.alice));
    scene.refuses(
        "delete",
        ask("DELETE", "/v2/tenant-a/app/manifests/v1"),
        &[401, 403],
        &Trace::Refused(&scene.alice),
    );
    scene.refuses("catalog", ask("GET", "/v2/_catalog"), &[401], &Trace::Refused(&scene.alice));
}

/// T-18: a token that was asked for too much is still a token for the rest, and only for that
#[test]
fn what_was_left_out_of_a_token_is_refused_at_its_use() {
    let scene = Scene::recorded();
    let token = bearer(
        &scene.alice.token(&scene.at, &["repository:tenant-b/secret:pull", "repository:tenant-a/app:pull"]),
    );
    let request = scene.head("GET", "/v2/tenant-b/secret/manifests/v1", &token);
    scene.refuses("T-18", request, &[401, 403], &Trace::Refused(&scene.alice));
    let anonymous = bearer(&anonymous_token(&scene.at));
    scene.refuses(
        "T-36",
        scene.head("GET", "/v2/tenant-b/secret/manifests/v1", &anonymous),
        &[401, 403],
        &Trace::Anonymous,
    );
}

fn anonymous_token(at: &Portcullis) -> String {
    let got = at.http().get("/oauth/token?service=registry&scope=repository:tenant-b/secret:pull");
    text(&serde_json::from_slice(&got.body).unwrap(), "token")
}

/// T-31, T-12, B-05: one way to say who asks
#[test]
fn credentials_are_taken_from_one_place_only() {
    let scene = Scene::recorded();
    let key = scene.alice.key().unwrap();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let query = scene.head("GET", &format!("/oauth/token?service=registry&password={key}"), "");
    scene.refuses("T-31 in the query", query, &[400], &Trace::Malformed);
    let body = format!("grant_type=password&username=iamapikey&password={key}&service=registry");
    let twice = scene.with_body("POST", "/oauth/token", &format!("{form}{}", scene.bob.basic()), &body);
    scene.refuses("T-30 two callers", twice, &[400], &Trace::Malformed);
    let pair = scene.with_body("POST", "/oauth/token", form, &format!("{body}&password=x"));
    scene.refuses("T-31 twice", pair, &[400], &Trace::Malformed);
    let other = scene.head("GET", "/oauth/token?service=other", &scene.alice.basic());
    scene.refuses("T-12", other, &[400], &Trace::Malformed);
    let account = scene.head("GET", "/oauth/token?service=registry&account=root", &scene.alice.basic());
    scene.refuses("B-05", account, &[401], &Trace::Unproven);
    let refresh = scene.with_body(
        "POST",
        "/oauth/token",
        form,
        "grant_type=refresh_token&refresh_token=x&service=registry",
    );
    scene.refuses("T-30 refresh", refresh, &[401], &Trace::Unproven);
    for query in ["access_token", "token"] {
        let token = scene.alice.token(&scene.at, &["repository:tenant-a/app:pull"]);
        let request = scene.head("GET", &format!("/v2/tenant-a/app/manifests/v1?{query}={token}"), "");
        scene.refuses("T-35 in the query", request, &[401], &Trace::Unproven);
    }
}
