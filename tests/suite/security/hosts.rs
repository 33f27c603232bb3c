//! Case 15: a request is for a host that is served here, by one name throughout (H-01…H-08, H-11, S-46, P-31, P-32).

use super::scene::{Scene, Trace};
use super::second::Second;
use super::wire::{Wire, tls};
use std::io::{Read, Write};

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";

/// H-03, H-04, H-05, H-08
#[test]
fn a_host_that_is_not_served_here_gets_nothing() {
    let scene = Scene::recorded();
    let who = scene.alice.basic();
    let request = |host: &str| format!("GET {TARGET} HTTP/1.1\r\nHost: {host}\r\n{who}\r\n");
    for host in [
        "evil.test",
        "private.us.registry.test",
        "us.registry.test",
        "127.0.0.1",
        "localhost.evil.test",
        "evil.localhost",
        "us.registry.test.evil.test",
    ] {
        let answer = scene.refuses(host, request(host), &[421], &Trace::Misdirected);
        assert!(!answer.headers.iter().any(|(_, value)| value.contains("evil")), "{answer:?}");
    }
    for host in [
        "x/../y",
        "u@localhost",
        "a b",
        "ev\"il",
        "localhost, evil.test",
        "localhost:99999",
        "localhost:",
        "localhost:0x50",
        "[::1",
        "xn--\u{fc}",
    ] {
        let mut wire = Wire::open(&scene.at);
        let answer = wire.ask(request(host));
        assert!(matches!(answer.status, 400 | 421), "{host}: {}", answer.status);
        assert_eq!(scene.heard(), [""; 0], "{host}");
        scene.goes_on(host, &answer, wire);
    }
    for host in ["LOCALHOST", "LocalHost:443", "localhost.", "localhost:1"] {
        let answer = Wire::open(&scene.at).ask(request(host));
        assert!(matches!(answer.status, 200 | 400 | 421), "H-08 {host}: {}", answer.status);
        let heard = scene.heard();
        assert_eq!(heard.len(), usize::from(answer.status == 200), "{host}");
        assert!(!heard.concat().to_ascii_lowercase().contains("localhost"), "{host}: {heard:?}");
    }
}

/// H-04, H-15: what we point clients at is made of what is configured
#[test]
fn the_realm_is_a_configured_name() {
    let scene = Scene::recorded();
    let forged = "X-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: http\r\nForwarded: host=evil.test\r\n";
    let answer = Wire::open(&scene.at).ask(scene.head("GET", "/v2/", forged));
    let realm = format!("Bearer realm=\"https://{}/oauth/token\"", scene.at.host());
    assert!(answer.header("www-authenticate").unwrap().starts_with(&realm), "{answer:?}");
}

/// H-05, H-10: the handshake's name is the request's
#[test]
fn a_request_is_for_the_host_that_the_handshake_was_for() {
    let scene = Scene::recorded();
    let who = scene.alice.basic();
    let ask = |sni: &str, host: &str| {
        let answer = Wire::with_tls(&scene.at, sni, &["http/1.1"])
            .ask(format!("GET {TARGET} HTTP/1.1\r\nHost: {host}\r\n{who}\r\n"));
        (answer.status, scene.heard().len())
    };
    assert_eq!(ask("localhost", "localhost"), (200, 1));
    assert_eq!(ask("us.registry.test", "us.registry.test"), (200, 1));
    assert_eq!(ask("localhost", "us.registry.test"), (421, 0));
    assert_eq!(ask("us.registry.test", "localhost"), (421, 0));
    assert_eq!(ask("us.registry.test", "private.us.registry.test"), (421, 0));
    assert_eq!(
        ask("private.us.registry.test", "private.us.registry.test"),
        (421, 0),
        "H-30: not on the public listener"
    );
    assert_eq!(ask("private.us.registry.test", "us.registry.test"), (421, 0));

    // H-06: no name in the handshake is no contradiction.
    assert_eq!(ask("127.0.0.1", "localhost"), (200, 1));
    let mut second = Second::open(&scene.at);
    let mut coalesced = second.request("GET", TARGET, &who);
    *coalesced.uri_mut() = format!("https://us.registry.test{TARGET}").parse().unwrap();
    assert_eq!(second.ask(coalesced).unwrap().status, 421, "H-10");
    let right = second.request("GET", TARGET, &who);
    assert_eq!(second.ask(right).unwrap().status, 200);
}

/// P-31, P-32
#[test]
fn a_target_that_is_no_path_is_refused() {
    let scene = Scene::recorded();
    let absolute = format!("http://evil.test{TARGET}");
    let own = format!("https://{}{TARGET}", scene.at.host());
    for (method, target) in [
        ("GET", absolute.as_str()),
        ("GET", own.as_str()),
        ("GET", "*"),
        ("OPTIONS", "*"),
        ("GET", "localhost:443"),
        ("GET", "v2"),
        ("GET", "?x"),
        ("GET", "file:///etc/passwd"),
    ] {
        scene.refuses(target, scene.head(method, target, &scene.alice.basic()), &[400], &Trace::Unread);
    }
}

/// H-11
#[test]
fn a_protocol_that_nobody_speaks_here_ends_the_handshake() {
    let scene = Scene::recorded();
    let mut stream = tls(&scene.at, "localhost", &["ftp"]);
    let request = scene.head("GET", TARGET, &scene.alice.basic());
    let _ = stream.write_all(request.as_bytes());
    let mut said = Vec::new();
    let ended = stream.read_to_end(&mut said);
    assert!(ended.is_err() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    assert_eq!(scene.heard(), [""; 0]);
}

/// each surface where it was put
#[test]
fn a_surface_is_served_where_it_was_put() {
    let scene = Scene::recorded();
    for path in [
        "/v2/",
        "/oauth/token",
        "/identity/token",
        "/v1/apikeys",
        "/v1/policies",
        "/api/v1/namespaces",
        TARGET,
    ] {
        assert!(matches!(scene.at.observer().get(path).status, 404 | 421), "{path} on the metrics listener");
    }
    for path in ["/metrics", "/debug/vars", "/debug/pprof/"] {
        assert_eq!(scene.at.http().get(path).status, 404, "{path} on the public listener");
    }
    assert_eq!(scene.heard(), [""; 0]);
}
