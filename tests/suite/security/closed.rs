//! Case 9: when in doubt, refuse (K-09…K-12, A-25…A-27, M-04).

use serde_json::json;
use sqlx::Connection;
use tokio::time::Instant;

use super::people::{Json, policy, root};
use super::scene::{Scene, Trace, yes};
use super::wire::Wire;
use crate::support::process::{bare, run};
use crate::support::recorder::Recorder;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{Stranger, Who};

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";

/// A scene whose server goes on for at most a second without its store.
fn impatient() -> Scene<Recorder> {
    let mut scene = Scene::scripted(yes, "");
    scene.reconfigure("[store]\n", "[store]\nmax_staleness = \"1s\"\n");
    scene
}

/// K-10, F-06: known callers at most `max_staleness` longer, then nobody; and it mends itself
#[test]
fn without_its_store_the_server_serves_for_a_moment_and_then_nobody() {
    let scene = impatient();
    let request = scene.head("GET", TARGET, &scene.alice.basic());
    let ask = || Wire::open(&scene.at).ask(&request);
    assert_eq!(ask().status, 200);
    let (place, away) = (scene.at.folder().join("portcullis.db"), scene.at.folder().join("away.db"));
    std::fs::rename(&place, &away).unwrap();
    let gone = Instant::now();
    let refused = until("the end of its patience", PATIENCE, || {
        let answer = ask();
        assert!(matches!(answer.status, 200 | 503), "{} {}", answer.status, answer.text());
        (answer.status == 503).then_some(answer)
    });
    assert!(gone.elapsed().as_secs() < 10, "after {:?}", gone.elapsed());
    assert!(
        refused.header("retry-after").is_some() && !refused.text().contains("portcullis.db"),
        "{refused:?}"
    );
    assert_eq!(scene.audited(refused.request_id())["decision"], "faulted");
    scene.heard();
    // Not 401, which would make clients throw their logins away, and not allowed either.
    for (case, who) in
        [("known", scene.alice.basic()), ("unknown", super::people::basic(Stranger.key().unwrap()))]
    {
        for target in [TARGET, "/oauth/token?service=registry", "/v1/apikeys", "/v2/_catalog"] {
            let answer = Wire::open(&scene.at).ask(scene.head("GET", target, &who));
            assert_eq!(answer.status, 503, "{case} {target}: {}", answer.text());
        }
    }
    let written = root(&scene.at).send_json(
        "POST",
        "/v1/serviceids",
        &json!({"account_id": "123456789012", "name": "x"}),
    );
    assert_eq!(written.status, 503, "a write was acknowledged: {}", written.text());
    assert_eq!(scene.at.observer().get("/readyz").status, 503);
    assert_eq!(scene.at.observer().get("/livez").status, 200);
    assert_eq!(scene.heard(), [""; 0]);

    std::fs::rename(&away, &place).unwrap();
    until("its recovery", PATIENCE, || (ask().status == 200).then_some(()));
}

/// K-10: a store that was put in its place is not the store
#[test]
fn a_store_that_was_swapped_is_not_believed() {
    let scene = impatient();
    let folder = scene.at.folder();
    std::fs::copy(folder.join("portcullis.db"), folder.join("copy.db")).unwrap();
    std::fs::rename(folder.join("copy.db"), folder.join("portcullis.db")).unwrap();
    let request = scene.head("GET", TARGET, &scene.alice.basic());
    until("the refusal", PATIENCE, || (Wire::open(&scene.at).ask(&request).status == 503).then_some(()));
}

/// K-11, A-27: what cannot be understood may have been a restriction
#[test]
fn a_policy_that_cannot_be_read_stops_its_owner_and_nobody_else() {
    let mut scene = Scene::recorded();
    scene.at.kill();
    let url = format!("sqlite:{}", scene.at.folder().join("portcullis.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let changed = runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let update = "update policy set document = replace(document, '\"resource\"', '\"colour\"') where principal_id = ?1";
        let done = sqlx::query(update).bind(&scene.bob.iam_id).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        done.rows_affected()
    });
    assert_eq!(changed, 1);
    scene.at.restart();
    let bob =
        Wire::open(&scene.at).ask(scene.head("GET", "/v2/tenant-b/secret/manifests/v1", &scene.bob.basic()));
    assert_eq!(bob.status, 503, "{}", bob.text());
    assert_eq!(scene.heard(), [""; 0]);
    let alice = Wire::open(&scene.at).ask(scene.head("GET", TARGET, &scene.alice.basic()));
    assert_eq!(alice.status, 200, "{}", alice.text());
}

/// what decides nothing is not stored as if it did
#[test]
fn a_policy_with_anything_unknown_in_it_is_refused_when_it_is_written() {
    let scene = Scene::recorded();
    let good = policy("iam_id", &scene.eve.iam_id, "Reader", "tenant-a");
    for (case, pointer, value) in [
        (
            "operator",
            "/resources/0/attributes/4",
            json!({"name": "resource", "value": "a", "operator": "stringLike"}),
        ),
        ("attribute", "/resources/0/attributes/4", json!({"name": "colour", "value": "red"})),
        ("role", "/roles/0/role_id", json!("crn:v1:bluemix:public:iam::::serviceRole:Owner")),
        ("service", "/resources/0/attributes/1/value", json!("another-service")),
        ("no role", "/roles", json!([])),
        ("no resource", "/resources", json!([])),
        ("type", "/type", json!("authorization")),
        ("account", "/resources/0/attributes/0/value", json!("999999999999")),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        let answer = root(&scene.at).send_json("POST", "/v1/policies", &body);
        assert!(matches!(answer.status, 400 | 403), "{case}: {} {}", answer.status, answer.text());
    }
    scene.refuses(
        "still nothing",
        scene.head("GET", TARGET, &scene.eve.basic()),
        &[403],
        &Trace::Refused(&scene.eve),
    );
}

/// M-04: nobody is asked about what does not exist
#[test]
fn an_unknown_route_is_refused_for_everyone() {
    let scene = Scene::recorded();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/v1/unknown"),
        ("GET", "/v3/"),
        ("GET", "/v1/policies/x/y/z"),
        ("GET", "/metrics"),
        ("GET", "/console"),
    ] {
        let answer =
            scene.refuses(path, scene.head(method, path, &scene.root()), &[401, 404], &Trace::Nowhere);
        assert!(!answer.text().contains("portcullis_"), "{path}");
    }
}

/// K-12: a server that does not know what to do does nothing
#[test]
fn a_settings_file_that_says_too_little_or_too_much_starts_nothing() {
    let scene = Scene::recorded();
    let good = std::fs::read_to_string(scene.at.folder().join("portcullis.toml")).unwrap();
    let cases = [
        ("empty", String::new(), "registry"),
        ("no listener", good.split("[[listener]]").next().unwrap().to_owned(), "listener"),
        ("an unknown key", good.replace("[audit]\n", "[audit]\nallow_all = true\n"), "allow_all"),
        ("an unknown section", format!("{good}\n[authentication]\nenabled = false\n"), "authentication"),
        ("a key twice", good.replace("[audit]\n", "[audit]\npath = \"x\"\n"), "duplicate"),
        ("a value of another kind", good.replace("[audit]\n", "[audit]\non_failure = false\n"), "on_failure"),
        ("a surface that does not exist", good.replace("\"control\"", "\"kontrol\""), "kontrol"),
        (
            "PROXY headers",
            good.replace("endpoint = \"public\"", "endpoint = \"public\"\nproxy_protocol = true"),
            "proxy_protocol",
        ),
    ];
    let file = scene.at.folder().join("wrong.toml");
    for (case, text, names) in cases {
        std::fs::write(&file, text).unwrap();
        for verb in ["check", "serve"] {
            let finished =
                run(bare(env!("CARGO_BIN_EXE_portcullis")).args([verb, "--config"]).arg(&file), "");
            assert_eq!(finished.code, Some(1), "{case}: {finished:?}");
            assert!(finished.said().contains(names), "{case}: {}", finished.said());
        }
    }
}
