//! Cases 8 and 14: from where one may come (H-27, H-28, H-31, R-12). The public listener is at 127.0.0.1; clients choose
//! from which loopback address they come: .1 is the administrator's, .2 is inside, .3 is outside.

use serde_json::{Value, json};

use super::people::{Json, Person, bearer, root, text};
use super::scene::{Scene, Trace};
use super::second::Second;
use super::wire::{Answer, Wire};
use crate::support::http::Response;
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::recorder::Recorder;
use crate::support::who::Who;

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";
const INSIDE: &str = "127.0.0.2";
const OUTSIDE: &str = "127.0.0.3";
const SCOPE: [&str; 1] = ["repository:tenant-a/app:pull"];

/// Sets the account's list, as the administrator.
fn allow(at: &Portcullis, list: &str) -> Response {
    let path = format!("/v1/accounts/{ACCOUNT}/settings/identity");
    let body = json!({"allowed_ip_addresses": list}).to_string();
    let lines = [("If-Match", "*"), ("Content-Type", "application/json")];
    root(at).send("PUT", &path, &lines, body.as_bytes())
}

fn allowed(at: &Portcullis, list: &str) {
    let answer = allow(at, list);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Asks once, on a connection of its own from there.
fn ask(scene: &Scene<Recorder>, source: &str, target: &str, who: &str) -> Answer {
    Wire::from(&scene.at, source).ask(scene.head("GET", target, who))
}

/// What the audit says kept it out.
fn kept_out_by(scene: &Scene<Recorder>, answer: &Answer) -> Value {
    let record = scene.audited(answer.request_id());
    let decision = record["decision"].as_str().unwrap();
    assert!(["denied", "credentials_rejected"].contains(&decision), "{record}");
    assert_eq!(record["initiator"]["host"]["address"], OUTSIDE, "{record}");
    record["reason"]["policies"][0].clone()
}

#[test]
fn pull_from_outside_the_allowlist_is_refused_before_any_upstream_call() {
    let scene = Scene::recorded();
    let token = bearer(&scene.alice.token(&scene.at, &SCOPE));
    let given = scene.alice.identity(&scene.at);
    let iam = bearer(&text(&given, "access_token"));
    allowed(&scene.at, "127.0.0.1 - 127.0.0.2");
    assert_eq!(ask(&scene, INSIDE, TARGET, &token).status, 200);
    assert_eq!(ask(&scene, INSIDE, TARGET, &scene.alice.basic()).status, 200);
    scene.heard();
    // A token that is used elsewhere is worth nothing; a key that is tried elsewhere looks like any wrong one.
    for (case, target, who, status) in [
        ("a registry token", TARGET, &token, 403),
        ("a registry token for a ping", "/v2/", &token, 403),
        ("a registry token for a list", "/v2/_catalog", &token, 403),
        ("a key", TARGET, &scene.alice.basic(), 401),
        ("a key for a token", "/oauth/token?service=registry", &scene.alice.basic(), 401),
        ("an IAM token", "/v1/apikeys", &iam, 403),
        ("an IAM token for the registry's API", "/api/v1/namespaces", &iam, 403),
        ("a key for the management API", "/v1/apikeys", &scene.alice.basic(), 401),
    ] {
        let answer = ask(&scene, OUTSIDE, target, who);
        assert_eq!(answer.status, status, "{case}: {}", answer.text());
        assert_eq!(kept_out_by(&scene, &answer), "allowlist:account", "{case}");
        scene.traced(case, &answer, &Trace::Refused(&scene.alice));
        scene.keeps_secrets(case, &answer);
    }
    let basic = |key: &str| super::people::basic(key);
    let wrong =
        ask(&scene, OUTSIDE, "/oauth/token?service=registry", &basic("pNoSuchKeyWasEverGivenOut0000000"));
    let right = ask(&scene, OUTSIDE, "/oauth/token?service=registry", &scene.alice.basic());
    assert_eq!(right.faceless(), wrong.faceless(), "a stolen key tells nobody that it is one");
    assert_eq!(scene.heard(), [""; 0]);
    let head = Wire::from(&scene.at, OUTSIDE).ask(scene.head("HEAD", TARGET, &token));
    assert_eq!(head.status, 401);
    assert!(head.header("www-authenticate").unwrap().contains("not authorized"), "{head:?}");
}

/// H-31: nor is anything exchanged there
#[test]
fn no_token_is_issued_outside_the_allowlist() {
    let scene = Scene::recorded();
    let refresh = text(&scene.alice.identity(&scene.at), "refresh_token");
    let key = scene.alice.basic();
    let key = key.trim_end().rsplit(' ').next().unwrap().to_owned();
    let key = String::from_utf8(data_encoding::BASE64.decode(key.as_bytes()).unwrap()).unwrap();
    let key = key.split_once(':').unwrap().1.to_owned();
    allowed(&scene.at, "127.0.0.1,127.0.0.2");
    let form = "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic Yng6Yng=\r\n";
    let by_key = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={key}");
    let by_refresh = format!("grant_type=refresh_token&refresh_token={refresh}");
    for fields in [&by_key, &by_refresh] {
        let request = scene.with_body("POST", "/identity/token", form, fields);
        let refused = Wire::from(&scene.at, OUTSIDE).ask(&request);
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert_eq!(kept_out_by(&scene, &refused), "allowlist:account");
        assert_eq!(Wire::from(&scene.at, INSIDE).ask(&request).status, 200);
    }
}

/// H-28: connections that were opened before obey with their next request
#[test]
fn a_change_of_the_allowlist_bites_on_connections_that_are_open() {
    let scene = Scene::recorded();
    let token = bearer(&scene.alice.token(&scene.at, &SCOPE));
    let mut first = Wire::from(&scene.at, OUTSIDE);
    let mut second = Second::from(&scene.at, OUTSIDE);
    let request = scene.head("GET", TARGET, &token);
    for _ in 0..3 {
        allowed(&scene.at, "");
        assert_eq!(first.ask(&request).status, 200);
        let all = |second: &mut Second| {
            let requests = (0..50).map(|_| second.request("GET", TARGET, &token)).collect();
            second.ask_all(requests).into_iter().map(|answer| answer.unwrap().status).collect::<Vec<_>>()
        };
        assert_eq!(all(&mut second), [200; 50]);
        scene.heard();
        allowed(&scene.at, "127.0.0.1");
        assert_eq!(first.ask(&request).status, 403);
        assert_eq!(all(&mut second), [403; 50]);
        assert_eq!(scene.heard(), [""; 0]);
    }
}

/// The lists of account, principal and key must all hold the address.
#[test]
fn lists_of_principals_restrict_besides_that_of_the_account() {
    let scene = Scene::recorded();
    let ada = Person::new(&scene.at, "ada");
    ada.grant(&scene.at, "Reader", "tenant-a");
    let list = |id: &str, list: &str| {
        let path = format!("/api/native/allowlists/{id}");
        let answer = root(&scene.at).send_json("PUT", &path, &json!({"allowed_ip_addresses": list}));
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    let statuses = |person: &Person| {
        ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
            .map(|source| ask(&scene, source, TARGET, &person.basic()).status)
    };
    assert_eq!(statuses(&ada), [200, 200, 200]);
    list(&ada.iam_id, "127.0.0.2, 127.0.0.3");
    assert_eq!((statuses(&ada), statuses(&scene.alice)), ([200, 200, 401], [200; 3]));
    list(&ada.key_id, "127.0.0.3/32");
    assert_eq!(statuses(&ada), [401, 200, 401]);
    // Another key of hers would be good elsewhere.
    for (path, body) in [
        ("/v1/apikeys", json!({"name": "free", "iam_id": ada.iam_id})),
        ("/api/native/access-keys", json!({"iam_id": ada.iam_id})),
    ] {
        let made = ada.http(&scene.at).from(OUTSIDE).send_json("POST", path, &body);
        assert_eq!(made.status, 409, "{}", made.text());
        assert!(made.text().contains("at some addresses only"), "{}", made.text());
    }
    allowed(&scene.at, "127.0.0.1, 127.0.0.2");
    assert_eq!((statuses(&ada), statuses(&scene.alice)), ([401; 3], [200, 401, 401]));
    list(&ada.key_id, "");
    assert_eq!(statuses(&ada), [200, 401, 401]);
}

/// A change that would keep the caller from taking it back needs to be insisted on.
#[test]
fn nobody_locks_themselves_out_by_accident() {
    let scene = Scene::recorded();
    let refused = allow(&scene.at, "10.0.0.0/8");
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("127.0.0.1"), "{}", refused.text());
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 200);
    let path = format!("/v1/accounts/{ACCOUNT}/settings/identity?force=true");
    let lines = [("If-Match", "*"), ("Content-Type", "application/json")];
    let forced = root(&scene.at).send("PUT", &path, &lines, br#"{"allowed_ip_addresses": "127.0.0.2"}"#);
    assert_eq!(forced.status, 200, "{}", forced.text());
    assert_eq!(allow(&scene.at, "").status, 401, "the caller is out");
    // From inside it can be undone.
    let path = path.trim_end_matches("?force=true");
    let back = root(&scene.at).from(INSIDE).send("PUT", path, &lines, br#"{"allowed_ip_addresses": ""}"#);
    assert_eq!(back.status, 200, "{}", back.text());
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 200, "H-27: an empty list is none");
}

/// A rule as the API takes it, on namespace `tenant-a`.
fn rule(contexts: Value, mode: &str) -> Value {
    let attribute = |name: &str, value: &str| json!({"name": name, "value": value});
    json!({
        "description": "made by the suite",
        "enforcement_mode": mode,
        "contexts": contexts,
        "resources": [{"attributes": [
            attribute("accountId", ACCOUNT),
            attribute("serviceName", "container-registry"),
            attribute("resourceType", "namespace"),
            attribute("resource", "tenant-a"),
        ]}],
    })
}

/// Makes a zone with these addresses, and returns its id.
fn zone(at: &Portcullis, name: &str, kind: &str, value: &str) -> String {
    let body = json!({"name": name, "addresses": [{"type": kind, "value": value}]});
    let made = root(at).send_json("POST", "/v1/zones", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    text(&serde_json::from_slice(&made.body).unwrap(), "id")
}

fn in_zone(id: &str) -> Value {
    json!([{"attributes": [{"name": "networkZoneId", "value": id}]}])
}

/// R-12: a rule on a namespace holds for pulls, lists and mounts from it, and not for its neighbours.
#[test]
fn a_context_based_restriction_keeps_a_namespace_from_who_comes_from_elsewhere() {
    let scene = Scene::recorded();
    let ada = Person::with(&scene.at, "ada", &["Reader", "Writer"], "tenant-a");
    ada.grant(&scene.at, "Reader", "tenant-b");
    ada.grant(&scene.at, "Writer", "tenant-b");
    let office = zone(&scene.at, "office", "ipRange", "127.0.0.1-127.0.0.2");
    let made = root(&scene.at).send_json("POST", "/v1/rules", &rule(in_zone(&office), "enabled"));
    assert_eq!(made.status, 201, "{}", made.text());
    let id = text(&serde_json::from_slice(&made.body).unwrap(), "id");
    assert_eq!(ask(&scene, INSIDE, TARGET, &ada.basic()).status, 200);
    scene.heard();
    let refused = ask(&scene, OUTSIDE, TARGET, &ada.basic());
    assert_eq!(refused.status, 403);
    assert_eq!(kept_out_by(&scene, &refused), format!("cbr:{id}"));
    assert_eq!(scene.heard(), [""; 0]);
    assert_eq!(ask(&scene, OUTSIDE, "/v2/tenant-b/app/manifests/v1", &ada.basic()).status, 200);
    scene.heard();
    // A mount from there is no mount: the upstream is never asked for one.
    let digest = format!("sha256:{}", "0".repeat(64));
    let mount = format!("/v2/tenant-b/app/blobs/uploads/?mount={digest}&from=tenant-a/app");
    Wire::from(&scene.at, OUTSIDE).ask(scene.with_body("POST", &mount, &ada.basic(), ""));
    assert!(scene.heard().iter().all(|request| !request.contains("mount=")), "R-12");
    Wire::from(&scene.at, INSIDE).ask(scene.with_body("POST", &mount, &ada.basic(), ""));
    assert!(scene.heard().iter().any(|request| request.contains("mount=")), "inside, it is one");
    // What the rule names cannot go while the rule is there.
    assert_eq!(root(&scene.at).send("DELETE", &format!("/v1/zones/{office}"), &[], b"").status, 409);
    assert_eq!(root(&scene.at).send("DELETE", &format!("/v1/rules/{id}"), &[], b"").status, 204);
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &ada.basic()).status, 200);
}

#[test]
fn a_rule_in_report_mode_is_counted_and_recorded_and_lets_through() {
    let scene = Scene::recorded();
    let office = zone(&scene.at, "office", "ipAddress", INSIDE);
    let made = root(&scene.at).send_json("POST", "/v1/rules", &rule(in_zone(&office), "report"));
    assert_eq!(made.status, 201, "{}", made.text());
    let id = text(&serde_json::from_slice(&made.body).unwrap(), "id");
    let reported = |answer: &Answer| scene.audited(answer.request_id())["reason"]["wouldRefuse"].take();
    let outside = ask(&scene, OUTSIDE, TARGET, &scene.alice.basic());
    assert_eq!((outside.status, reported(&outside)), (200, json!([id])));
    let inside = ask(&scene, INSIDE, TARGET, &scene.alice.basic());
    assert_eq!((inside.status, reported(&inside)), (200, Value::Null));
    assert_eq!(scene.at.metric("portcullis_network_would_refuse_total"), 1.0);
    // The rule is about the namespace that is mounted from, not about the one that is pushed to.
    let ada = Person::with(&scene.at, "ada", &["Reader", "Writer"], "tenant-a");
    ada.grant(&scene.at, "Reader", "tenant-b");
    ada.grant(&scene.at, "Writer", "tenant-b");
    let mount = format!("/v2/tenant-b/app/blobs/uploads/?mount=sha256:{}&from=tenant-a/app", "0".repeat(64));
    let mounted = Wire::from(&scene.at, OUTSIDE).ask(scene.with_body("POST", &mount, &ada.basic(), ""));
    assert_eq!(reported(&mounted), json!([id]));
    let put = |mode: &str| {
        let lines = [("If-Match", "*"), ("Content-Type", "application/json")];
        let body = rule(in_zone(&office), mode).to_string();
        root(&scene.at).send("PUT", &format!("/v1/rules/{id}"), &lines, body.as_bytes()).status
    };
    assert_eq!(put("disabled"), 200);
    let silent = ask(&scene, OUTSIDE, TARGET, &scene.alice.basic());
    assert_eq!((silent.status, reported(&silent)), (200, Value::Null));
    assert_eq!(put("enabled"), 200);
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 403);
}

/// R-21, H-30: whatever the request claims; and the way back stays open.
#[test]
fn a_private_only_registry_refuses_images_over_the_public_network_and_stays_manageable() {
    let private =
        "[[listener]]\naddress = \"127.0.0.1:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]\n";
    let scene = Scene::scripted(super::scene::yes, private);
    let inside = crate::support::portcullis::listener(&scene.at.log(), "private; surfaces registry");
    let through = |who: &str| {
        let stream = std::net::TcpStream::connect(inside).unwrap();
        let head = format!("GET {TARGET} HTTP/1.1\r\nHost: private.us.registry.test\r\n{who}\r\n");
        Wire::over(Box::new(stream)).ask(head)
    };
    let token = bearer(&scene.alice.token(&scene.at, &SCOPE));
    let cli = scene.at.administration();
    let said = cli.run("cr private-only --enable").must_succeed().stdout;
    assert!(said.contains("Enabling private-only networking for account 'example'"), "{said}");
    scene.heard();
    for claim in ["", "X-Forwarded-For: 10.0.0.1\r\n", "X-Forwarded-Host: private.us.registry.test\r\n"] {
        let refused = ask(&scene, INSIDE, TARGET, &format!("{token}{claim}"));
        assert_eq!(refused.status, 403, "{claim}");
        assert!(
            refused.text().contains("Private-only access is enabled on this account"),
            "{}",
            refused.text()
        );
        let record = scene.audited(refused.request_id());
        assert_eq!(record["reason"]["policies"], json!(["private_only"]));
    }
    assert_eq!(scene.heard(), [""; 0]);
    assert_eq!(through(&token).status, 200);
    assert!(cli.run("cr private-only --status").must_succeed().stdout.contains("is enabled"));
    cli.run("cr private-only --disable").must_succeed();
    assert_eq!(ask(&scene, INSIDE, TARGET, &token).status, 200);
    assert_eq!(cli.run("cr private-only").code, Some(2));
}

/// Seed 003: on private networks, either the client's address or the registry's own must be in the list.
#[test]
fn on_private_networks_a_list_holds_the_client_or_the_registry_itself() {
    for (source, inside, outside) in [("client", INSIDE, OUTSIDE), ("endpoint", "127.0.0.9", "127.0.0.8")] {
        let settings = format!(
            "[allowlist]\nprivate_source = \"{source}\"\n\
             [[listener]]\naddress = \"0.0.0.0:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]\n"
        );
        let scene = Scene::scripted(super::scene::yes, &settings);
        let port = crate::support::portcullis::listener(&scene.at.log(), "private; surfaces registry").port();
        allowed(&scene.at, &format!("127.0.0.1, {inside}"));
        for (address, status) in [(inside, 200), (outside, 401)] {
            // The address is that from which the client comes, or that which it comes to.
            let (from, to) = if source == "client" { (address, "127.0.0.5") } else { ("127.0.0.7", address) };
            let to = std::net::SocketAddr::new(to.parse().unwrap(), port);
            let stream = crate::support::http::connect_from(from.parse().unwrap(), to).unwrap();
            let head = format!(
                "GET {TARGET} HTTP/1.1\r\nHost: private.us.registry.test\r\n{}\r\n",
                scene.alice.basic()
            );
            assert_eq!(Wire::over(Box::new(stream)).ask(head).status, status, "{source} {address}");
        }
    }
}

/// Behind a proxy that is trusted, it is the client who is in the list or not; from elsewhere its word counts for nothing.
#[test]
fn behind_a_trusted_proxy_the_real_address_is_judged() {
    let proxied = "[[listener]]\naddress = \"127.0.0.1:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]\n\
                   trusted_proxies = [\"127.0.0.4\"]\n";
    let scene = Scene::scripted(super::scene::yes, proxied);
    let at = crate::support::portcullis::listener(&scene.at.log(), "private; surfaces registry");
    allowed(&scene.at, "127.0.0.1, 192.0.2.0/24");
    for (from, claim, status) in [
        ("127.0.0.4", "192.0.2.7", 200),
        ("127.0.0.4", "198.51.100.7", 401),
        ("127.0.0.4", "192.0.2.7, 198.51.100.7", 401),
        ("127.0.0.3", "192.0.2.7", 401),
    ] {
        let stream = crate::support::http::connect_from(from.parse().unwrap(), at).unwrap();
        let who = scene.alice.basic();
        let head = format!(
            "GET {TARGET} HTTP/1.1\r\nHost: private.us.registry.test\r\n{who}X-Forwarded-For: {claim}\r\n\r\n"
        );
        assert_eq!(Wire::over(Box::new(stream)).ask(head).status, status, "{from}: {claim}");
    }
}

/// The commands of IBM Cloud's documentation, and what they do.
#[test]
fn the_command_line_sets_lists_zones_and_rules() {
    let scene = Scene::recorded();
    let cli = scene.at.administration();
    let run = |arguments: &[&str]| cli.run_with(arguments).must_succeed().stdout;
    let list = "127.0.0.1, 127.0.0.2 - 127.0.0.2, 10.0.0.0/8";
    assert!(run(&["iam", "account-settings-update", "--allowed-ip-addresses", list]).contains("OK"));
    assert!(run(&["iam", "account-settings"]).contains(list));
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 401);
    let refused = cli.run_with(&["iam", "account-settings-update", "--allowed-ip-addresses", "10.0.0.0/8"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    run(&["iam", "account-settings-update", "--unset-allowed-ip-addresses"]);
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 200);
    assert_eq!(cli.run("iam account-settings-update").code, Some(2));

    run(&["iam", "allowlist-update", "alice", "--allowed-ip-addresses", INSIDE]);
    assert!(run(&["iam", "allowlist", "alice"]).contains(INSIDE));
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 401);
    let explained = run(&[
        "explain",
        "--principal",
        "alice",
        "--action",
        "pull",
        "--resource",
        "tenant-a/app",
        "--context",
        "aws:SourceIp=127.0.0.3",
    ]);
    assert!(explained.contains("may not do") && explained.contains("allowlist:principal"), "{explained}");
    run(&["iam", "allowlist-update", "alice", "--unset-allowed-ip-addresses"]);

    run(&[
        "cbr",
        "zone-create",
        "--name",
        "office",
        "--addresses",
        "127.0.0.2,10.0.0.0/8,192.0.2.1-192.0.2.9",
    ]);
    assert!(run(&["cbr", "zones"]).contains("127.0.0.2,10.0.0.0/8,192.0.2.1-192.0.2.9"));
    run(&["cbr", "zone-update", "office", "--addresses", "127.0.0.2"]);
    assert!(run(&["cbr", "zone", "office"]).contains("127.0.0.2"));
    let made = run(&[
        "cbr",
        "rule-create",
        "--description",
        "D",
        "--service-name",
        "container-registry",
        "--region",
        "us-south",
        "--resource-attributes",
        "resourceType=namespace,resource=tenant-a",
        "--zone-id",
        "office",
        "--output",
        "json",
    ]);
    let id = text(&serde_json::from_str(&made).unwrap(), "id");
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 403);
    let explained =
        run(&["explain", "--principal", "alice", "--action", "pull", "--resource", "tenant-a/app"]);
    assert!(explained.contains(&format!("cbr:{id}")), "{explained}");
    run(&[
        "cbr",
        "rule-update",
        &id,
        "--resource-attributes",
        "resourceType=namespace,resource=tenant-a",
        "--context-attributes",
        "endpointType=public",
    ]);
    assert_eq!(ask(&scene, OUTSIDE, TARGET, &scene.alice.basic()).status, 200);
    assert!(run(&["cbr", "rules"]).contains("endpointType=public"));
    assert!(run(&["cbr", "rule", &id]).contains(&id));
    run(&["cbr", "rule-delete", &id, "--force"]);
    run(&["cbr", "zone-delete", "office", "--force"]);
    assert_eq!(cli.run("cbr zone office").code, Some(1));
}
