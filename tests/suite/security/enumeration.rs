//! Case 17: an answer does not tell a guesser how close the guess was (B-06, B-07, B-13; T-32, A-16).
//!
//! Limits on wrong guesses (B-08, B-09, B-10) come with Part 5.

use serde_json::json;

use super::people::{self, Person, basic, new_key, root, text};
use super::scene::{Scene, Trace};
use super::wire::{Answer, Wire};
use crate::support::recorder::Recorder;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{Stranger, Who};

/// Keys that are no good, each for a reason of its own.
fn bad_keys(scene: &Scene<Recorder>) -> Vec<(&'static str, String)> {
    let owner = |name: &str| Person::with(&scene.at, name, &["Reader"], "tenant-a");
    let (disabled, deleted, orphan, short) =
        (owner("disabled"), owner("deleted"), owner("orphan"), owner("short"));
    let admin = root(&scene.at);
    assert_eq!(admin.send("POST", &format!("/v1/apikeys/{}/disable", disabled.key_id), &[], b"").status, 204);
    assert_eq!(admin.send("DELETE", &format!("/v1/apikeys/{}", deleted.key_id), &[], b"").status, 204);
    assert_eq!(admin.send("DELETE", &format!("/v1/serviceids/{}", orphan.id), &[], b"").status, 204);
    let soon = portcullis::clock::Clock::now(&portcullis::clock::SystemClock)
        .plus(std::time::Duration::from_secs(2));
    let expired = short.with_key(&new_key(&scene.at, &short.iam_id, Some(&soon.rfc3339())));
    until("its expiry", PATIENCE, || (expired.http(&scene.at).get("/v2/").status == 401).then_some(()));
    let good = scene.alice.key().unwrap();
    let mut last = good.to_owned();
    let end = if last.pop() == Some('A') { 'B' } else { 'A' };
    vec![
        ("unknown", Stranger.key().unwrap().to_owned()),
        ("almost right", format!("{last}{end}")),
        ("disabled", disabled.key().unwrap().to_owned()),
        ("deleted", deleted.key().unwrap().to_owned()),
        ("of nobody any more", orphan.key().unwrap().to_owned()),
        ("expired", expired.key().unwrap().to_owned()),
        ("short", "x".to_owned()),
        ("another kind", "AKIAIOSFODNN7EXAMPLE".to_owned()),
    ]
}

/// B-07: to the byte, wherever a key can be shown
#[test]
fn every_bad_key_gets_the_same_answer() {
    let scene = Scene::recorded();
    let keys = bad_keys(&scene);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    type Ask = (&'static str, fn(&Scene<Recorder>, &str, &str) -> String);
    let places: [Ask; 6] = [
        ("GET /oauth/token", |scene, key, _| {
            scene.head("GET", "/oauth/token?service=registry&scope=repository:tenant-a/app:pull", &basic(key))
        }),
        ("POST /oauth/token", |scene, key, form| {
            scene.with_body(
                "POST",
                "/oauth/token",
                form,
                &format!("grant_type=password&username=iamapikey&password={key}&service=registry"),
            )
        }),
        ("POST /identity/token", |scene, key, form| {
            scene.with_body(
                "POST",
                "/identity/token",
                form,
                &format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={key}"),
            )
        }),
        ("GET /v2/", |scene, key, _| scene.head("GET", "/v2/", &basic(key))),
        ("GET a manifest", |scene, key, _| scene.head("GET", "/v2/tenant-a/app/manifests/v1", &basic(key))),
        ("GET /v1/apikeys", |scene, key, _| scene.head("GET", "/v1/apikeys", &basic(key))),
    ];
    for (place, request) in places {
        let ask = |key: &str| scene.refuses(place, request(&scene, key, form), &[400, 401], &Trace::Unproven);
        let first = ask(&keys[0].1).faceless();
        for (case, key) in &keys[1..] {
            assert_eq!(ask(key).faceless(), first, "{place}: {case}");
        }
    }
}

/// B-13: for one with no rights at all, and for nobody
#[test]
fn a_stranger_cannot_tell_what_exists() {
    let scene = Scene::recorded();
    let admin = root(&scene.at);
    assert!(admin.send("PUT", "/api/v1/namespaces/exists", &[("Account", "123456789012")], b"").status < 300);
    let ask = |who: &str, method: &str, name: &str, trace: &Trace<'_>| {
        let path = format!("/v2/{name}/app/manifests/v1");
        let answer: Answer = scene.refuses(name, scene.head(method, &path, who), &[401, 403], trace);
        answer.faceless().replace(&format!("repository:{name}/"), "repository:NAME/")
    };
    for (who, trace) in [(scene.eve.basic(), Trace::Refused(&scene.eve)), (String::new(), Trace::Unproven)] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            assert_eq!(ask(&who, method, "exists", &trace), ask(&who, method, "absent", &trace), "{method}");
        }
    }
    let upload = |name: &str| {
        let request =
            scene.with_body("POST", &format!("/v2/{name}/app/blobs/uploads/"), &scene.eve.basic(), "");
        scene.refuses(name, request, &[403], &Trace::Refused(&scene.eve)).faceless()
    };
    assert_eq!(upload("exists"), upload("absent"));
    let catalog = Wire::open(&scene.at).ask(scene.head(
        "GET",
        "/api/v1/namespaces",
        &format!("{}Account: 123456789012\r\n", scene.eve.basic()),
    ));
    assert_eq!((catalog.status, catalog.text().as_str()), (200, "[]"), "names of namespaces");
}

/// to one who may not look, what exists looks like what does not
#[test]
fn a_management_id_that_exists_looks_like_one_that_does_not() {
    let scene = Scene::recorded();
    let policy = scene.bob.grant(&scene.at, "Writer", "tenant-b");
    let group = people::created(&people::Json::send_json(
        &root(&scene.at),
        "POST",
        "/v2/groups?account_id=123456789012",
        &json!({"name": "g"}),
    ));
    let pairs = [
        (
            format!("/v1/apikeys/{}", scene.bob.key_id),
            "/v1/apikeys/ApiKey-00000000-0000-4000-8000-000000000000".to_owned(),
        ),
        (
            format!("/v1/serviceids/{}", scene.bob.id),
            "/v1/serviceids/ServiceId-00000000-0000-4000-8000-000000000000".to_owned(),
        ),
        (format!("/v1/policies/{policy}"), "/v1/policies/00000000-0000-4000-8000-000000000000".to_owned()),
        (
            format!("/v2/groups/{}", text(&group, "id")),
            "/v2/groups/AccessGroupId-00000000-0000-4000-8000-000000000000".to_owned(),
        ),
    ];
    for (there, absent) in pairs {
        for method in ["GET", "DELETE"] {
            let ask = |path: &str| {
                let mut wire = Wire::open(&scene.at);
                let answer = wire.ask(scene.head(method, path, &scene.eve.basic()));
                assert!(
                    matches!(answer.status, 403 | 404),
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.text()
                );
                scene.traced(path, &answer, &Trace::Refused(&scene.eve));
                let shown = answer.faceless().replace(path.rsplit('/').next().unwrap(), "THING");
                scene.goes_on(path, &answer, wire);
                shown
            };
            assert_eq!(ask(&there), ask(&absent), "{method} {there}");
        }
    }
}
