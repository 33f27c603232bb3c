//! Case 12: an early answer, a protocol switch or a tunnel never lets the next bytes pass for something else
//! (S-13, S-15, S-37…S-40, M-05, M-06).

use super::people::basic;
use super::scene::{Scene, Trace};
use super::second::Second;
use super::wire::{Answer, Wire};
use crate::support::recorder::{Recorder, answer};
use crate::support::who::{Stranger, Who};

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";
const OCTETS: &str = "Content-Type: application/octet-stream\r\n";

fn passenger(scene: &Scene<Recorder>) -> String {
    scene.head("GET", "/v2/tenant-a/app/tags/list", &scene.alice.basic())
}

/// S-13: every answer that is made before the body was read, with a request in the body's place
#[test]
fn an_answer_before_the_body_leaves_nothing_of_the_body_behind() {
    let scene = Scene::recorded();
    let (alice, stranger) = (scene.alice.basic(), basic(Stranger.key().unwrap()));
    let small = passenger(&scene);
    for body in [small.clone(), small.repeat(100), small.repeat(10_000)] {
        for (case, method, path, lines, statuses, trace) in [
            ("401", "PUT", TARGET, String::new(), &[401][..], Trace::Unproven),
            ("401 wrong key", "PUT", TARGET, stranger.clone(), &[401], Trace::Unproven),
            (
                "403",
                "PUT",
                "/v2/tenant-b/secret/manifests/v1",
                alice.clone(),
                &[403],
                Trace::Refused(&scene.alice),
            ),
            ("404", "PUT", "/v2/x/y", alice.clone(), &[404], Trace::Malformed),
            ("404 elsewhere", "POST", "/nowhere", alice.clone(), &[404], Trace::Malformed),
            ("405", "PUT", "/v2/tenant-a/app/tags/list", alice.clone(), &[405], Trace::Malformed),
            ("400", "POST", "/v2/Tenant-A/app/blobs/uploads/", alice.clone(), &[400], Trace::Malformed),
            ("415 token", "POST", "/oauth/token", String::new(), &[415], Trace::Malformed),
            (
                "no lease",
                "PATCH",
                "/v2/tenant-a/app/blobs/uploads/x",
                alice.clone(),
                &[404],
                Trace::Refused(&scene.alice),
            ),
            ("management", "POST", "/v1/apikeys", String::new(), &[401], Trace::Unproven),
        ] {
            let case = format!("S-13 {case}, {} bytes", body.len());
            scene.refuses(
                &case,
                scene.with_body(method, path, &format!("{lines}{OCTETS}"), &body),
                statuses,
                &trace,
            );
        }
    }
}

/// S-13: the token endpoint and the ping answer from memory
#[test]
fn an_answer_from_memory_leaves_nothing_of_the_body_behind() {
    let scene = Scene::recorded();
    let inner = passenger(&scene);
    let form = format!(
        "grant_type=password&username=iamapikey&password={}&service=registry",
        scene.alice.key().unwrap()
    );
    let mut wire = Wire::open(&scene.at);
    let lines = "Content-Type: application/x-www-form-urlencoded\r\n";
    for _ in 0..3 {
        assert_eq!(wire.ask(scene.with_body("POST", "/oauth/token", lines, &form)).status, 200);
    }
    let ping = wire.ask(scene.with_body("GET", "/v2/", &scene.alice.basic(), &inner));
    assert_eq!(ping.status, 400);
    assert!(wire.is_closed());
    assert_eq!(scene.heard(), [""; 0]);
}

/// S-15: nobody is told to send who may not
#[test]
fn a_client_that_asks_first_is_not_told_to_send_unless_it_may() {
    let scene = Scene::scripted(created, "");
    let expecting = |who: &str, path: &str| {
        let kind = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";
        scene.head("PUT", path, &format!("{who}{kind}Expect: 100-continue\r\nContent-Length: 2\r\n"))
    };
    for (who, path, status) in [
        (String::new(), TARGET, 401),
        (scene.eve.basic(), TARGET, 403),
        (scene.alice.basic(), "/v2/tenant-b/secret/manifests/v1", 403),
        (scene.alice.basic(), "/v2/x/y", 404),
    ] {
        let mut wire = Wire::open(&scene.at);
        let first = wire.ask(expecting(&who, path));
        assert_eq!(first.status, status, "the first word is not the answer");
        // Whether the client now sends its two bytes or not, nobody can tell; so the connection ends.
        assert!(wire.is_closed(), "{path}");
        assert_eq!(scene.heard(), [""; 0]);
    }
    let mut wire = Wire::open(&scene.at);
    assert_eq!(wire.ask(expecting(&scene.alice.basic(), TARGET)).status, 100);
    wire.send("{}");
    assert_eq!(wire.answer("PUT").unwrap().status, 201);
    let heard = scene.heard();
    assert!(heard.len() == 1 && !heard[0].to_ascii_lowercase().contains("expect"), "{heard:?}");
}

/// S-15
#[test]
fn an_expectation_that_nobody_knows_is_refused() {
    let scene = Scene::recorded();
    for (method, lines) in [
        ("GET", "Expect: 100-continue\r\n"),
        ("PUT", "Expect: 200-ok\r\nContent-Length: 2\r\n"),
        ("PUT", "Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"),
        ("PUT", "Expect: y 100-continue\r\nContent-Length: 2\r\n"),
    ] {
        let request = scene.head(method, TARGET, &format!("{}{lines}", scene.alice.basic()));
        scene.refuses(lines, format!("{request}{}", passenger(&scene)), &[417], &Trace::Unread);
    }
}

fn created(_: &[u8]) -> Vec<u8> {
    answer("201 Created", &[], "")
}

/// S-37, S-39: a wish to switch is not passed on, and what follows is authorised for itself
#[test]
fn an_upgrade_is_not_passed_on() {
    let scene = Scene::recorded();
    for lines in [
        "Connection: Upgrade\r\nUpgrade: foo\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
    ] {
        let mut wire = Wire::open(&scene.at);
        let second = scene.head("GET", "/v2/tenant-b/secret/manifests/v1", &scene.alice.basic());
        wire.send(format!(
            "{}{second}",
            scene.head("GET", TARGET, &format!("{}{lines}", scene.alice.basic()))
        ));
        let (first, second) = (wire.answer("GET").unwrap(), wire.answer("GET").unwrap());
        assert_eq!((first.status, second.status), (200, 403), "{lines}");
        let heard = scene.heard();
        assert!(heard.len() == 1 && !heard[0].to_ascii_lowercase().contains("upgrade"), "{heard:?}");
    }
}

/// S-38
#[test]
fn an_upstream_that_switches_protocols_is_not_followed() {
    let switch = |_: &[u8]| {
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nleak".to_vec()
    };
    let scene = Scene::scripted(switch, "");
    for lines in ["", "Connection: Upgrade\r\nUpgrade: foo\r\n"] {
        let mut wire = Wire::open(&scene.at);
        let answer = wire.ask(scene.head("GET", TARGET, &format!("{}{lines}", scene.alice.basic())));
        assert_eq!(answer.status, 502, "{}", answer.text());
        assert!(!answer.text().contains("leak"));
        scene.goes_on("S-38", &answer, wire);
    }
}

/// M-05, M-06, M-07
#[test]
fn there_is_no_tunnel() {
    let scene = Scene::recorded();
    for target in [
        scene.at.host(),
        "127.0.0.1:5000".to_owned(),
        scene.upstream.address().to_string(),
        TARGET.to_owned(),
    ] {
        let request = scene.head("CONNECT", &target, &scene.root());
        let answer =
            scene.refuses(&target, format!("{request}{}", passenger(&scene)), &[400, 405], &Trace::Unread);
        assert_eq!(answer.header("connection"), Some("close"), "{target}");
    }
    let mut second = Second::open(&scene.at);
    let mut request = second.request("CONNECT", "/", &scene.root());
    *request.uri_mut() = scene.upstream.address().to_string().parse().unwrap();
    let refused: Option<Answer> = second.ask(request);
    assert!(refused.is_none_or(|answer| matches!(answer.status, 400 | 405)));
    assert_eq!(scene.heard(), [""; 0]);
}

/// S-40: what was agreed on in the handshake is what is spoken
#[test]
fn the_protocol_is_the_one_that_was_agreed_on() {
    let scene = Scene::recorded();
    let request = scene.head("GET", TARGET, &scene.alice.basic());
    let mut wire = Wire::with_tls(&scene.at, "localhost", &["h2"]);
    wire.send(&request);
    let said = wire.rest();
    assert!(!said.starts_with(b"HTTP/1"), "{}", String::from_utf8_lossy(&said));
    let mut wire = Wire::with_tls(&scene.at, "localhost", &["http/1.1"]);
    wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    assert!(wire.answer("PRI").is_none_or(|answer| answer.status == 400));
    assert!(wire.is_closed());
    assert_eq!(scene.heard(), [""; 0]);
    let mut wire = Wire::with_tls(&scene.at, "localhost", &["http/1.1"]);
    assert_eq!(wire.ask(request).status, 200);
}
