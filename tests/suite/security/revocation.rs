//! Case 8: what was taken away is gone with the next request, on connections that are open and tokens that are young
//! (T-32, C-03, C-15, H-28).
//!
//! The bound in this process is the next request after the management call has returned; that is what is asserted. A
//! second replica needs a shared store, which comes with a later part. Changes of allowlists and rules are in `allowlists`.

use serde_json::json;

use super::people::{self, Json, Person, bearer, grant_to, new_key, root, text};
use super::scene::{Scene, Trace};
use super::second::Second;
use super::wire::Wire;
use crate::support::recorder::Recorder;

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";

/// A way to lose the right.
struct Loss {
    name: &'static str,
    /// Makes someone who has the right.
    given: fn(&Scene<Recorder>) -> (Person, String),
    /// Takes it away: method and path.
    taken: fn(&Person, &str) -> (&'static str, String),
    /// What a request with a token or a key gets from then on.
    status: u16,
}

fn reader(scene: &Scene<Recorder>) -> (Person, String) {
    let person = Person::new(&scene.at, "reader");
    let policy = person.grant(&scene.at, "Reader", "tenant-a");
    (person, policy)
}

/// A reader by way of an access group.
fn member(scene: &Scene<Recorder>) -> (Person, String) {
    let person = Person::new(&scene.at, "member");
    let made =
        root(&scene.at).send_json("POST", "/v2/groups?account_id=123456789012", &json!({"name": "readers"}));
    let group = text(&people::created(&made), "id");
    let members = json!({"members": [{"iam_id": person.iam_id, "type": "service"}]});
    assert_eq!(
        root(&scene.at).send_json("PUT", &format!("/v2/groups/{group}/members"), &members).status,
        207
    );
    let _policy = grant_to(&scene.at, "access_group_id", &group, "Reader", "tenant-a");
    (person, group)
}

const LOSSES: [Loss; 6] = [
    Loss {
        name: "the key is deleted",
        given: reader,
        taken: |person, _| ("DELETE", format!("/v1/apikeys/{}", person.key_id)),
        status: 401,
    },
    Loss {
        name: "the key is disabled",
        given: reader,
        taken: |person, _| ("POST", format!("/v1/apikeys/{}/disable", person.key_id)),
        status: 401,
    },
    Loss {
        name: "the service ID is deleted",
        given: reader,
        taken: |person, _| ("DELETE", format!("/v1/serviceids/{}", person.id)),
        status: 401,
    },
    Loss {
        name: "the policy is deleted",
        given: reader,
        taken: |_, policy| ("DELETE", format!("/v1/policies/{policy}")),
        status: 403,
    },
    Loss {
        name: "the member is removed",
        given: member,
        taken: |person, group| ("DELETE", format!("/v2/groups/{group}/members/{}", person.iam_id)),
        status: 403,
    },
    Loss {
        name: "the group is deleted",
        given: member,
        taken: |_, group| ("DELETE", format!("/v2/groups/{group}?force=true")),
        status: 403,
    },
];

/// T-32, C-03, C-15: on one HTTP/1.1 connection that stays open, with a key and with a token that is still young
#[test]
fn the_next_request_on_a_live_connection_is_refused() {
    for loss in LOSSES {
        let scene = Scene::recorded();
        let (person, thing) = (loss.given)(&scene);
        let token = bearer(&person.token(&scene.at, &["repository:tenant-a/app:pull"]));
        let (mut by_key, mut by_token) = (Wire::open(&scene.at), Wire::open(&scene.at));
        let (key_request, token_request) =
            (scene.head("GET", TARGET, &person.basic()), scene.head("GET", TARGET, &token));
        for _ in 0..2 {
            assert_eq!(by_key.ask(&key_request).status, 200, "{}", loss.name);
            assert_eq!(by_token.ask(&token_request).status, 200, "{}", loss.name);
        }
        scene.heard();
        let (method, path) = (loss.taken)(&person, &thing);
        let gone = root(&scene.at).send(method, &path, &[], b"");
        assert!(matches!(gone.status, 200 | 204), "{}: {} {}", loss.name, gone.status, gone.text());
        for (mut wire, request) in [(by_key, key_request), (by_token, token_request)] {
            let answer = wire.ask(request);
            assert_eq!(answer.status, loss.status, "{}: {}", loss.name, answer.text());
            let trace = if loss.status == 401 { Trace::Unproven } else { Trace::Refused(&person) };
            scene.traced(loss.name, &answer, &trace);
            scene.goes_on(loss.name, &answer, wire);
        }
        assert_eq!(scene.heard(), [""; 0], "{}", loss.name);
    }
}

/// T-32, H-28: over HTTP/2, many streams at once
#[test]
fn the_next_streams_of_a_live_connection_are_refused() {
    for loss in LOSSES {
        let scene = Scene::recorded();
        let (person, thing) = (loss.given)(&scene);
        let token = bearer(&person.token(&scene.at, &["repository:tenant-a/app:pull"]));
        let mut second = Second::open(&scene.at);
        let all = |second: &mut Second| {
            let requests = vec![[person.basic(), token.clone()]; 10].concat();
            let requests = requests.iter().map(|who| second.request("GET", TARGET, who)).collect();
            second.ask_all(requests).into_iter().map(|answer| answer.unwrap().status).collect::<Vec<_>>()
        };
        assert_eq!(all(&mut second), [200; 20], "{}", loss.name);
        scene.heard();
        let (method, path) = (loss.taken)(&person, &thing);
        root(&scene.at).send(method, &path, &[], b"");
        assert_eq!(all(&mut second), [loss.status; 20], "{}", loss.name);
        assert_eq!(scene.heard(), [""; 0], "{}", loss.name);
        // It is the caller that is refused, not the connection.
        let other = second.request("GET", TARGET, &scene.alice.basic());
        assert_eq!(second.ask(other).unwrap().status, 200, "{}", loss.name);
    }
}

/// T-32, C-04, B-12: and what is given (back) is there with the next request
#[test]
fn what_is_given_back_is_there_at_once() {
    let scene = Scene::recorded();
    let (person, _) = reader(&scene);
    let request = scene.head("GET", TARGET, &person.basic());
    let mut wire = Wire::open(&scene.at);
    let switch = |method: &str| {
        let path = format!("/v1/apikeys/{}/disable", person.key_id);
        assert_eq!(root(&scene.at).send(method, &path, &[], b"").status, 204);
    };
    for _ in 0..5 {
        switch("POST");
        assert_eq!(wire.ask(&request).status, 401);
        switch("DELETE");
        assert_eq!(wire.ask(&request).status, 200);
    }
    // A key is not poisoned by having been asked for before it existed.
    let new = person.with_key(&new_key(&scene.at, &person.iam_id, None));
    assert_eq!(wire.ask(scene.head("GET", TARGET, &new.basic())).status, 200);
    let refused = wire.ask(scene.head("GET", TARGET, &scene.eve.basic()));
    assert_eq!(refused.status, 403);
    scene.eve.grant(&scene.at, "Reader", "tenant-a");
    assert_eq!(wire.ask(scene.head("GET", TARGET, &scene.eve.basic())).status, 200);
}

/// T-32: no new token for what is gone, whichever way it is asked for
#[test]
fn nothing_is_exchanged_for_a_key_that_is_gone() {
    let scene = Scene::recorded();
    let (person, _) = reader(&scene);
    let given = person.identity(&scene.at);
    let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
    assert_eq!(
        root(&scene.at).send("DELETE", &format!("/v1/apikeys/{}", person.key_id), &[], b"").status,
        204
    );
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let coded = data_encoding::BASE64.encode(format!("iambearer:{access}").as_bytes());
    for (case, request, status) in [
        ("key", scene.head("GET", "/oauth/token?service=registry", &person.basic()), 401),
        (
            "IAM token",
            scene.head("GET", "/oauth/token?service=registry", &format!("Authorization: Basic {coded}\r\n")),
            401,
        ),
        ("management", scene.head("GET", "/v1/apikeys", &bearer(&access)), 401),
        (
            "refresh",
            scene.with_body(
                "POST",
                "/identity/token",
                form,
                &format!("grant_type=refresh_token&refresh_token={refresh}"),
            ),
            400,
        ),
    ] {
        scene.refuses(case, request, &[status], &Trace::Unproven);
    }
}
