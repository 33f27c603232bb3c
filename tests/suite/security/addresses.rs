//! Case 14, the parts that exist: where a client stands is what its socket says (H-12, H-14…H-17, H-19, H-22, H-23, H-30).
//!
//! What trusted proxies say is in `proxies`, and beside the parsers (H-13, H-18, H-20, H-21); the syntax of addresses beside
//! theirs (H-24…H-26). Who may come from where is in `allowlists`.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::scene::{Scene, Trace, yes};
use super::wire::{Wire, socket};
use crate::support::recorder::Recorder;
use crate::support::wait::PATIENCE;

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";

/// Every way in which someone may claim to stand elsewhere.
const CLAIMS: [&str; 9] = [
    "X-Forwarded-For: 10.0.0.1",
    "x-forwarded-for: 10.0.0.1, 203.0.113.9",
    "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2",
    "Forwarded: for=10.0.0.1;proto=https;host=evil.test",
    "X-Real-IP: 10.0.0.1",
    "True-Client-IP: 10.0.0.1",
    "X-Client-IP: 10.0.0.1",
    "X-Forwarded-Host: private.us.registry.test",
    "X-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\nX-Forwarded-Prefix: /evil",
];

/// H-12, H-14, H-15, H-16
#[test]
fn a_claimed_address_changes_neither_record_nor_decision_nor_answer() {
    let scene = Scene::recorded();
    let plain = Wire::open(&scene.at).ask(scene.head("GET", TARGET, ""));
    for claim in CLAIMS {
        let request = scene.head("GET", TARGET, &format!("{claim}\r\n"));
        let refused = scene.refuses(claim, request, &[401], &Trace::Unproven);
        assert_eq!(refused.faceless(), plain.faceless(), "{claim}");
        scene.heard();
        let allowed = Wire::open(&scene.at).ask(scene.head(
            "GET",
            TARGET,
            &format!("{}{claim}\r\n", scene.alice.basic()),
        ));
        assert_eq!(allowed.status, 200);
        let host = scene.audited(allowed.request_id())["initiator"]["host"].take();
        assert_eq!(
            (&host["address"], &host["addressType"], &host["endpoint"]),
            (&"127.0.0.1".into(), &"IPv4".into(), &"public".into()),
            "{claim}"
        );
        let heard = scene.heard().concat().to_ascii_lowercase();
        for word in ["10.0.0.1", "forwarded", "evil.test", "real-ip", "client-ip"] {
            assert!(!heard.contains(word), "{claim}: {heard}");
        }
    }
    let text = std::fs::read_to_string(scene.at.folder().join("audit.jsonl")).unwrap();
    assert!(!text.contains("10.0.0.1") && !scene.at.log().contains("10.0.0.1"));
}

/// H-23: an IPv4 client on an IPv6 socket is an IPv4 client
#[test]
fn a_mapped_address_is_the_address_that_it_maps() {
    let both = "[[listener]]\naddress = \"[::]:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]\n";
    let scene = Scene::scripted(yes, both);
    let log = scene.at.log();
    let Some(port) =
        log.lines().find_map(|line| line.split_once("listening on [::]:")?.1.split(' ').next()?.parse().ok())
    else {
        panic!("no third listener: {log}");
    };
    let seen = |address: &str| {
        let stream = TcpStream::connect::<(&str, u16)>((address, port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let answer = Wire::over(Box::new(stream))
            .ask(format!("GET {TARGET} HTTP/1.1\r\nHost: localhost:{port}\r\n{}\r\n", scene.alice.basic()));
        assert_eq!(answer.status, 200, "{}", answer.text());
        scene.audited(answer.request_id())["initiator"]["host"].take()
    };
    let host = seen("127.0.0.1");
    assert_eq!(
        (&host["address"], &host["addressType"], &host["endpoint"]),
        (&"127.0.0.1".into(), &"IPv4".into(), &"private".into())
    );
    let host = seen("::1");
    assert_eq!((&host["address"], &host["addressType"]), (&"::1".into(), &"IPv6".into()));
}

/// H-17, H-19, H-22: a PROXY header where none belongs
#[test]
fn a_proxy_header_is_not_guessed_at() {
    let scene = Scene::recorded();
    let request = scene.head("GET", TARGET, &scene.alice.basic());
    let second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\0\0\x01\x7f\0\0\x01\x30\x39\x01\xbb";
    let first = b"PROXY TCP4 10.0.0.1 127.0.0.1 12345 443\r\n";
    for header in [&first[..], second] {
        // Before the handshake: not TLS.
        let mut bare = socket(&scene.at);
        let _ = bare.write_all(header);
        let mut said = Vec::new();
        let _ = bare.read_to_end(&mut said);
        assert!(!said.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&said));
        // Inside: not HTTP.
        let mut wire = Wire::open(&scene.at);
        wire.send([header, request.as_bytes()].concat());
        assert!(wire.answer("GET").is_none_or(|answer| answer.status == 400), "H-22");
        assert!(wire.is_closed());
        assert_eq!(scene.heard(), [""; 0]);
    }
}

/// H-30, as far as there are private names: by socket, not by word
#[test]
fn a_private_name_is_served_to_who_comes_in_privately() {
    let private =
        "[[listener]]\naddress = \"127.0.0.1:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]\n";
    let scene: Scene<Recorder> = Scene::scripted(yes, private);
    let log = scene.at.log();
    let line = log
        .lines()
        .find(|line| line.contains("private; surfaces registry"))
        .unwrap_or_else(|| panic!("{log}"));
    let address = line.split_once("listening on ").unwrap().1.split(' ').next().unwrap().to_owned();
    let request = |who: &str| format!("GET {TARGET} HTTP/1.1\r\nHost: private.us.registry.test\r\n{who}\r\n");
    let mut inside = Wire::over(Box::new(TcpStream::connect(&address).unwrap()));
    assert_eq!(inside.ask(request(&scene.alice.basic())).status, 200);
    scene.heard();
    // And the other way round; an alias is of both networks.
    for (host, status) in [("us.registry.test", 421), ("localhost", 200)] {
        let mut inside = Wire::over(Box::new(TcpStream::connect(&address).unwrap()));
        let asked = format!("GET {TARGET} HTTP/1.1\r\nHost: {host}\r\n{}\r\n", scene.alice.basic());
        assert_eq!(inside.ask(asked).status, status, "{host}");
        assert_eq!(scene.heard().len(), usize::from(status == 200), "{host}");
    }
    for claim in CLAIMS {
        let who = format!("{}{claim}\r\n", scene.alice.basic());
        scene.refuses(claim, request(&who), &[421], &Trace::Misdirected);
    }
}
