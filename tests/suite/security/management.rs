//! Case 18: the management API takes well-formed changes from those who may make them, and nothing else (A-15…,
//! Signed requests (A-01…A-04) come with the AWS dialect.

use serde_json::{Value, json};

use super::people::{self, Json, Person, bearer, policy, root, text};
use super::scene::{Scene, Trace};
use super::wire::{Answer, Wire};
use crate::support::aws::Aws;
use crate::support::portcullis::ACCOUNT;
use crate::support::recorder::Recorder;
use crate::support::who::Who;

const JSON: &str = "Content-Type: application/json\r\n";

fn service_id(name: &str) -> String {
    json!({"account_id": ACCOUNT, "name": name}).to_string()
}

/// How many service IDs there are.
fn count(scene: &Scene<Recorder>) -> usize {
    let listed: Value = serde_json::from_slice(
        &root(&scene.at).get("/v1/serviceids?account_id=123456789012&pagesize=100").body,
    )
    .unwrap();
    listed["serviceids"].as_array().unwrap().len()
}

/// who may pull and push may not manage, and a registry token manages nothing
#[test]
fn rights_on_images_are_no_rights_on_the_account() {
    let scene = Scene::recorded();
    let before = count(&scene);
    let token = bearer(&scene.alice.token(&scene.at, &["repository:tenant-a/app:pull,push"]));
    let id = &scene.bob.id;
    let grant = policy("iam_id", &scene.alice.iam_id, "Manager", "tenant-b").to_string();
    let key = json!({"account_id": ACCOUNT, "name": "k", "iam_id": scene.bob.iam_id}).to_string();
    for (method, path, body) in [
        ("POST", "/v1/serviceids".to_owned(), service_id("x")),
        ("DELETE", format!("/v1/serviceids/{id}"), String::new()),
        ("POST", "/v1/apikeys".to_owned(), key),
        ("POST", "/v1/policies".to_owned(), grant),
        ("POST", format!("/v1/apikeys/{}/disable", scene.bob.key_id), String::new()),
        ("DELETE", format!("/v1/apikeys/{}", scene.bob.key_id), String::new()),
        ("POST", "/v2/groups?account_id=123456789012".to_owned(), json!({"name": "g"}).to_string()),
        ("PATCH", "/api/v1/auth".to_owned(), json!({"iam_authz": false}).to_string()),
        ("PUT", "/api/v1/namespaces/mine".to_owned(), String::new()),
        ("DELETE", "/api/v1/namespaces/tenant-b".to_owned(), String::new()),
    ] {
        let ask = |who: &str| scene.with_body(method, &path, &format!("{who}{JSON}"), &body);
        scene.refuses(&path, ask(&scene.eve.basic()), &[403, 404], &Trace::Refused(&scene.eve));
        scene.refuses(&path, ask(&scene.alice.basic()), &[403, 404], &Trace::Refused(&scene.alice));
        scene.refuses(&path, ask(&token), &[401], &Trace::Unproven);
        scene.refuses(&path, ask(""), &[401], &Trace::Unproven);
    }
    assert_eq!(count(&scene), before);
    assert_eq!(scene.bob.http(&scene.at).get("/v2/").status, 200);
}

///
#[test]
fn a_body_says_what_it_may_say_and_nothing_of_another_account() {
    let scene = Scene::recorded();
    let before = count(&scene);
    let with = |field: &str, value: Value| {
        let mut body: Value = serde_json::from_str(&service_id("x")).unwrap();
        body[field] = value;
        body.to_string()
    };
    let mut bodies: Vec<String> = [
        "role",
        "is_system",
        "has_admin_role",
        "created_by",
        "secret_hash",
        "expires_at",
        "locked",
        "id",
        "iam_id",
        "crn",
    ]
    .map(|field| with(field, json!("x")))
    .to_vec();
    bodies.push(with("account_id", json!("999999999999")));
    bodies.push(with("account_id", Value::Null));
    for body in bodies {
        let answer = root(&scene.at).send(
            "POST",
            "/v1/serviceids",
            &[("Content-Type", "application/json")],
            body.as_bytes(),
        );
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    for path in [
        "/v1/serviceids?account_id=999999999999",
        "/v1/policies?account_id=999999999999",
        "/v2/accounts/999999999999/users",
    ] {
        let answer = root(&scene.at).get(path);
        assert!(matches!(answer.status, 400 | 403 | 404), "{path}: {} {}", answer.status, answer.text());
    }
    let foreign = root(&scene.at).send(
        "POST",
        "/v1/serviceids?account_id=999999999999",
        &[("Content-Type", "application/json")],
        service_id("x").as_bytes(),
    );
    assert_eq!(foreign.status, 400, "{}", foreign.text());
    assert_eq!(count(&scene), before);
}

/// nobody makes for another, or for themselves, what they have not got
#[test]
fn nobody_gives_away_more_than_they_have() {
    let scene = Scene::recorded();
    let deputy = Person::new(&scene.at, "deputy");
    let mut administrator = policy("iam_id", &deputy.iam_id, "Reader", "tenant-a");
    administrator["roles"][0]["role_id"] = json!("crn:v1:bluemix:public:iam::::role:Administrator");
    people::created(&root(&scene.at).send_json("POST", "/v1/policies", &administrator));
    let as_deputy = deputy.http(&scene.at);
    let grant = |namespace: &str| policy("iam_id", &deputy.iam_id, "Manager", namespace);
    let mut everywhere = grant("tenant-a");
    everywhere["resources"][0]["attributes"].as_array_mut().unwrap().truncate(2);
    let mut pattern = grant("tenant-*");
    pattern["resources"][0]["attributes"][4]["operator"] = json!("stringMatch");
    let admin_id = serde_json::from_slice::<Value>(&root(&scene.at).get("/api/native/whoami").body).unwrap();
    let admin_id = text(&admin_id, "iam_id");
    for (case, path, body) in [
        ("another namespace", "/v1/policies", grant("tenant-b")),
        ("everywhere", "/v1/policies", everywhere),
        ("a pattern", "/v1/policies", pattern),
        (
            "a key of the administrator",
            "/v1/apikeys",
            json!({"account_id": ACCOUNT, "name": "k", "iam_id": admin_id}),
        ),
        (
            "a key of bob",
            "/v1/apikeys",
            json!({"account_id": ACCOUNT, "name": "k", "iam_id": scene.bob.iam_id}),
        ),
    ] {
        let answer = as_deputy.send_json("POST", path, &body);
        assert!(matches!(answer.status, 403 | 404), "{case}: {} {}", answer.status, answer.text());
    }
    assert_eq!(as_deputy.get("/v2/tenant-b/secret/tags/list").status, 403);
    assert_eq!(
        as_deputy.send_json("POST", "/v1/policies", &grant("tenant-a")).status,
        201,
        "within their reach they may"
    );
}

/// A role on identities, as those who look after keys have it.
fn operator_of_identities(who: &Person) -> Value {
    let attributes = [("accountId", ACCOUNT), ("serviceName", "iam-identity")];
    json!({
        "type": "access",
        "subjects": [{"attributes": [{"name": "iam_id", "value": who.iam_id}]}],
        "roles": [{"role_id": "crn:v1:bluemix:public:iam::::role:Administrator"}],
        "resources": [{"attributes": attributes.map(|(name, value)| json!({"name": name, "value": value}))}],
    })
}

#[test]
fn who_looks_after_keys_revives_none_of_those_who_can_do_more() {
    let scene = Scene::recorded();
    let deputy = Person::new(&scene.at, "deputy");
    people::created(&root(&scene.at).send_json("POST", "/v1/policies", &operator_of_identities(&deputy)));
    let as_deputy = deputy.http(&scene.at);
    let switch = format!("/v1/apikeys/{}/disable", scene.bob.key_id);
    let json = [("Content-Type", "application/json")];
    assert_eq!(as_deputy.send("POST", &switch, &json, b"").status, 204, "whoever sees a leak may stop it");
    assert_eq!(scene.bob.http(&scene.at).get("/v2/").status, 401);
    let revived = as_deputy.send("DELETE", &switch, &json, b"");
    assert_eq!(revived.status, 403, "{}", revived.text());
    assert_eq!(scene.bob.http(&scene.at).get("/v2/").status, 401);
    let by_root = root(&scene.at).send("DELETE", &switch, &json, b"");
    assert_eq!(by_root.status, 204, "{}", by_root.text());
    assert_eq!(scene.bob.http(&scene.at).get("/v2/").status, 200);
}

#[test]
fn a_right_on_the_repository_called_like_a_namespace_is_none_on_the_namespace() {
    let scene = Scene::recorded();
    let (clerk, holder) = (Person::new(&scene.at, "clerk"), Person::new(&scene.at, "holder"));
    let pulls = json!({
        "name": "Puller", "display_name": "Pulls", "account_id": ACCOUNT, "service_name": "container-registry",
        "actions": ["container-registry.image.pull"],
    });
    let role = people::created(&root(&scene.at).send_json("POST", "/v2/roles", &pulls));
    let mut grant = policy("iam_id", &holder.iam_id, "Reader", "tenant-c");
    grant["roles"][0]["role_id"] = role["crn"].clone();
    people::created(&root(&scene.at).send_json("POST", "/v1/policies", &grant));
    people::created(&root(&scene.at).send_json("POST", "/v1/policies", &operator_of_identities(&clerk)));
    let key = json!({"account_id": ACCOUNT, "name": "k", "iam_id": holder.iam_id});
    let name = clerk.iam_id.trim_start_matches("iam-");
    for (named, status) in [("tenant-c", 403), ("?", 403), ("tenant-c/*", 403), ("tenant-c*", 201)] {
        let arn = format!("arn:aws:ecr:*:{ACCOUNT}:repository/{named}");
        let statement = json!({"Effect": "Allow", "Action": "*", "Resource": arn});
        let document = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let put = ["iam", "put-user-policy", "--user-name", name, "--policy-name", "own"];
        let put = [&put[..], &["--policy-document", &document]].concat();
        Aws::administrator(&scene.at).run(&put).must_succeed();
        let answer = clerk.http(&scene.at).send_json("POST", "/v1/apikeys", &key);
        assert_eq!(answer.status, status, "{named}: {}", answer.text());
    }
}

/// D-22
#[test]
fn a_body_that_can_be_read_in_two_ways_is_refused() {
    let scene = Scene::recorded();
    let before = count(&scene);
    let good = service_id("x");
    let who = scene.root();
    let open = good.trim_end_matches('}');
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("A-20 twice", format!("{open},\"name\":\"y\"}}").into()),
        ("A-20 escaped", format!("{open},\"\\u006eame\":\"y\"}}").into()),
        ("A-20 account", format!("{open},\"account_id\":\"999999999999\"}}").into()),
        ("A-21 BOM", format!("\u{feff}{good}").into()),
        ("A-21 comment", format!("/* x */{good}").into()),
        ("A-21 trailing", format!("{good}{good}").into()),
        ("A-21 trailing comma", format!("{open},}}").into()),
        ("A-21 NaN", format!("{open},\"description\":NaN}}").into()),
        ("A-21 lone surrogate", format!("{open},\"description\":\"\\ud800\"}}").into()),
        ("A-21 UTF-16", good.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("A-21 bad UTF-8", [open.as_bytes(), b",\"description\":\"\xff\"}"].concat()),
        ("A-21 a list", format!("[{good}]").into()),
        ("A-21 nothing", Vec::new()),
        ("D-22 depth", [b"[".repeat(100_000), b"]".repeat(100_000)].concat()),
        ("D-22 number", format!("{open},\"description\":1e400000}}").into()),
    ];
    for (case, body) in bodies {
        let head =
            scene.head("POST", "/v1/serviceids", &format!("{who}{JSON}Content-Length: {}\r\n", body.len()));
        let mut wire = Wire::open(&scene.at);
        let answer = wire.ask([head.as_bytes(), &body].concat());
        assert_eq!(answer.status, 400, "{case}: {}", answer.text());
        scene.goes_on(case, &answer, wire);
    }
    for kind in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/json; charset=utf-7\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Content-Type: application/jsonx\r\n",
        "Content-Type: application/json\r\nContent-Type: text/plain\r\n",
    ] {
        let answer = Wire::open(&scene.at).ask(scene.with_body(
            "POST",
            "/v1/serviceids",
            &format!("{who}{kind}"),
            &good,
        ));
        assert!(matches!(answer.status, 400 | 415), "A-22 {kind}: {} {}", answer.status, answer.text());
    }
    let large = format!("{open},\"description\":\"{}\"}}", "a".repeat(2 << 20));
    let answer: Answer =
        Wire::open(&scene.at).ask(scene.with_body("POST", "/v1/serviceids", &format!("{who}{JSON}"), &large));
    assert_eq!(answer.status, 413, "D-22: {}", answer.text());
    assert_eq!(count(&scene), before);
}

/// nothing is taken from a browser's memory, and no other origin is invited
#[test]
fn a_browser_brings_no_rights_along() {
    let scene = Scene::recorded();
    let key = scene.at.admin_key().to_owned();
    for lines in [
        format!("Cookie: Authorization={key}; apikey={key}; token={key}\r\n"),
        format!("Cookie: session={key}\r\nOrigin: null\r\n"),
        format!("IAM-Apikey: {key}\r\n"),
    ] {
        let request = scene.with_body("POST", "/v1/serviceids", &format!("{lines}{JSON}"), &service_id("x"));
        scene.refuses("A-29", request, &[401], &Trace::Unproven);
    }
    for origin in ["null", "https://evil.test"] {
        let answer = Wire::open(&scene.at).ask(scene.head(
            "GET",
            "/v1/apikeys",
            &format!("{}Origin: {origin}\r\n", scene.root()),
        ));
        assert!(
            answer.headers.iter().all(|(name, _)| !name.to_ascii_lowercase().starts_with("access-control-")),
            "{answer:?}"
        );
        let preflight = Wire::open(&scene.at).ask(scene.head(
            "OPTIONS",
            "/v1/serviceids",
            &format!("Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n"),
        ));
        assert!(preflight.status >= 400, "{}", preflight.status);
    }
    let rebound = format!(
        "POST /v1/serviceids HTTP/1.1\r\nHost: evil.test\r\n{}{JSON}Content-Length: 2\r\n\r\n{{}}",
        scene.root()
    );
    scene.refuses("A-29 rebinding", rebound, &[421], &Trace::Misdirected);
}

///
#[test]
fn a_list_cannot_be_bent() {
    let scene = Scene::recorded();
    for query in [
        "pagesize=1000000000",
        "pagesize=-1",
        "pagesize=0",
        "pagetoken=forged",
        "sort=secret_hash",
        "order=sideways",
        "sort=name;drop",
        "pagesize=1&pagesize=2",
    ] {
        let answer = root(&scene.at).get(&format!("/v1/serviceids?account_id={ACCOUNT}&{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
    }
    let first = root(&scene.at).get(&format!("/v1/serviceids?account_id={ACCOUNT}&pagesize=1"));
    let next = text(&serde_json::from_slice(&first.body).unwrap(), "next");
    let token = next.split("pagetoken=").nth(1).unwrap().split('&').next().unwrap();
    let moved = root(&scene.at)
        .get(&format!("/v1/apikeys?account_id={ACCOUNT}&scope=account&pagesize=1&pagetoken={token}"));
    assert_eq!(moved.status, 400, "a page token of another list: {}", moved.text());
    for name in ["x' OR 1=1--", "\"; drop table principal; --", "%' or '%'='"] {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = root(&scene.at).get(&format!("/v1/serviceids?account_id={ACCOUNT}&name={encoded}"));
        assert!(answer.status != 500, "{name}");
        if answer.status == 200 {
            assert_eq!(
                serde_json::from_slice::<Value>(&answer.body).unwrap()["serviceids"]
                    .as_array()
                    .unwrap()
                    .len(),
                0,
                "{name}"
            );
        }
    }
}

/// a change is made on what was read, and every attempt is on record
#[test]
fn a_stale_change_is_refused_and_every_attempt_is_audited() {
    let scene = Scene::recorded();
    let path = format!("/v1/serviceids/{}", scene.eve.id);
    let read = Wire::open(&scene.at).ask(scene.head("GET", &path, &scene.root()));
    let tag = read.header("etag").unwrap().to_owned();
    let change = |tag: &str, name: &str| {
        let lines = format!("{}{JSON}If-Match: {tag}\r\n", scene.root());
        Wire::open(&scene.at).ask(scene.with_body("PUT", &path, &lines, &json!({"name": name}).to_string()))
    };
    let done = change(&tag, "first");
    assert_eq!(done.status, 200, "{}", done.text());
    let stale = change(&tag, "second");
    assert!(matches!(stale.status, 409 | 412), "{} {}", stale.status, stale.text());
    let blind = Wire::open(&scene.at).ask(scene.with_body(
        "PUT",
        &path,
        &format!("{}{JSON}", scene.root()),
        "{\"name\":\"third\"}",
    ));
    assert_eq!(blind.status, 400);
    for (answer, outcome) in [(&done, "success"), (&stale, "failure"), (&blind, "failure")] {
        let record = scene.audited(answer.request_id());
        assert_eq!(record["outcome"], outcome, "{record}");
        assert_eq!(record["target"]["id"], scene.eve.id.as_str(), "{record}");
        assert!(record["initiator"]["id"].as_str().unwrap().starts_with("IBMid-"), "{record}");
    }
}
