//! Case 16: whoever is slow, silent or too much is let go, and nobody else notices (D-01…D-07, D-10…D-12, D-17, D-26, D-27).
//!
//! Limits per address, and what follows from them (B-08, B-09, the per-address part of D-26), are in `limits`.

use std::io::{Read, Write};
use std::net::TcpStream;

use tokio::time::Instant;

use super::scene::{Scene, yes};
use super::second::Second;
use super::wire::{Wire, socket, tls};
use crate::support::recorder::Recorder;

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";
const SHORT: &str = "[limits]\nhandshake_timeout = \"1s\"\nheader_timeout = \"1s\"\nidle_timeout = \"1s\"\nbody_idle_timeout = \"1s\"\n";

fn hasty() -> Scene<Recorder> {
    Scene::scripted(yes, SHORT)
}

/// Reads until the other side ends the connection, which must be soon.
fn ends(case: &str, stream: &mut impl Read) -> Vec<u8> {
    let since = Instant::now();
    let mut said = Vec::new();
    let ended = stream.read_to_end(&mut said);
    let gave_up = ended.is_err_and(|error| {
        matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
    });
    assert!(!gave_up && since.elapsed().as_secs() < 15, "{case}: still open after {:?}", since.elapsed());
    said
}

fn is_served(scene: &Scene<Recorder>) {
    let answer = Wire::open(&scene.at).ask(scene.head("GET", TARGET, &scene.alice.basic()));
    assert_eq!(answer.status, 200, "others are served");
}

/// D-01, D-02, D-03, D-04, D-05, D-06, D-07: all at once, and someone well-behaved among them
#[test]
fn whoever_says_nothing_or_half_of_it_is_let_go() {
    let scene = hasty();
    let head = scene.head("GET", TARGET, &scene.alice.basic());
    let silent = socket(&scene.at);
    let mut hello = socket(&scene.at);
    hello.write_all(b"\x16\x03\x01\x02\0\x01").unwrap();
    let speak = |protocol: &str, bytes: &[u8]| {
        let mut stream = tls(&scene.at, "localhost", &[protocol]);
        stream.write_all(bytes).unwrap();
        stream.flush().unwrap();
        stream
    };
    let half_body = scene.head(
        "PUT",
        TARGET,
        &format!(
            "{}Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: 9\r\n",
            scene.alice.basic()
        ),
    );
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [&preface[..], b"\0\0\0\x04\0\0\0\0\0"].concat();
    // HEADERS without END_HEADERS on stream 1, with `:method: GET` in it.
    let headers = [&settings[..], b"\0\0\x01\x01\0\0\0\0\x01\x82"].concat();
    let mut open = vec![
        ("D-06 half a head", speak("http/1.1", &head.as_bytes()[..30])),
        ("D-07 half a body", speak("http/1.1", format!("{half_body}x").as_bytes())),
        ("idle after an answer", speak("http/1.1", head.as_bytes())),
        ("D-03 half a preface", speak("h2", &preface[..10])),
        ("D-04 settings only", speak("h2", &settings)),
        ("D-05 half a header block", speak("h2", &headers)),
    ];
    is_served(&scene);
    for (case, mut bare) in [("D-01 silent", silent), ("D-01 half a hello", hello)] {
        assert!(!ends(case, &mut bare).starts_with(b"HTTP"), "{case}");
    }
    for (case, stream) in &mut open {
        ends(case, stream);
        is_served(&scene);
    }
}

/// D-06: a drip that never stops does not buy time
#[test]
fn a_dripped_head_is_cut_at_its_limit() {
    let scene = hasty();
    let mut wire = Wire::open(&scene.at);
    let since = Instant::now();
    let mut sent = 0_u32;
    wire.send("GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX: ");
    // Each byte goes out when the server has answered someone else, so that the pace is the machine's own.
    while since.elapsed().as_millis() < 2_500 {
        wire.send("a");
        sent += 1;
        is_served(&scene);
    }
    assert!(wire.is_closed() || sent == 0);
}

/// D-27: an upstream that says nothing costs its callers their patience, not the server
#[test]
fn an_upstream_that_never_answers_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = listener.local_addr().unwrap();
    let mut scene = Scene::recorded();
    let upstream = scene.upstream.address();
    scene.reconfigure(
        &format!("upstream = \"http://{upstream}\"\n"),
        &format!("upstream = \"http://{mute}\"\nupstream_options = {{ first_byte_timeout = \"1s\" }}\n"),
    );
    let mut second = Second::open(&scene.at);
    let requests = (0..30).map(|_| second.request("GET", TARGET, &scene.alice.basic())).collect();
    let since = Instant::now();
    for answer in second.ask_all(requests) {
        assert_eq!(answer.unwrap().status, 504);
    }
    assert!(since.elapsed().as_secs() < 15, "{:?}", since.elapsed());
    // What needs no upstream is as quick as ever.
    assert_eq!(
        Wire::open(&scene.at)
            .ask(scene.head("GET", "/oauth/token?service=registry", &scene.alice.basic()))
            .status,
        200
    );
    drop(listener);
}

/// D-26: connections beyond the limit wait; the listener for observers is not theirs to fill
#[test]
fn a_full_house_serves_whom_it_has_and_then_the_next() {
    let limits = "[limits]\nmax_connections = 8\nidle_timeout = \"1s\"\nheader_timeout = \"1s\"\nhandshake_timeout = \"1s\"\n";
    let scene = Scene::scripted(yes, limits);
    let crowd: Vec<TcpStream> = (0..40).map(|_| socket(&scene.at)).collect();
    // Those who say nothing are let go within their limits, eight at a time, and then it is our turn.
    is_served(&scene);
    drop(crowd);
}

/// D-17, D-19, D-34
#[test]
fn what_is_too_large_is_refused_at_a_clear_limit() {
    let scene = Scene::recorded();
    let who = scene.alice.basic();
    let fields = |count: usize| (0..count).map(|at| format!("x-{at}: y\r\n")).collect::<String>();
    let fixed = 2;
    for (case, lines, good) in [
        ("100 fields", fields(100 - fixed), true),
        ("101 fields", fields(101 - fixed), false),
        ("30 KiB", format!("x: {}\r\n", "a".repeat(30 * 1024)), true),
        ("33 KiB", format!("x: {}\r\n", "a".repeat(33 * 1024)), false),
        ("500 KiB", format!("x: {}\r\n", "a".repeat(500 * 1024)), false),
        ("1000 cookies", "Cookie: a=b\r\n".repeat(1000), false),
    ] {
        let answer = Wire::open(&scene.at).ask(scene.head("GET", TARGET, &format!("{who}{lines}")));
        assert_eq!(answer.status, if good { 200 } else { 431 }, "{case}: {}", answer.text());
        assert_eq!(scene.heard().len(), usize::from(good), "{case}");
        let mut second = Second::open(&scene.at);
        // The host is no field there, so that one more is as many.
        let request = second.request("GET", TARGET, &format!("{who}{lines}x-more: y\r\n"));
        let answer = second.ask(request);
        let refused = answer.as_ref().is_none_or(|answer| answer.status == 431);
        assert!(
            if good { answer.is_some_and(|answer| answer.status == 200) } else { refused },
            "{case} over HTTP/2"
        );
        scene.heard();
    }
    let query: String = (0..2_000).map(|at| format!("&{at}=1")).collect();
    let answer = Wire::open(&scene.at).ask(scene.head("GET", &format!("{TARGET}?a{query}"), &who));
    assert!(matches!(answer.status, 400 | 414), "D-19: {}", answer.status);
}

/// D-10, D-11, D-12, D-13: a flood of frames ends its own connection only
#[test]
fn a_flood_of_frames_ends_its_own_connection() {
    let scene = Scene::recorded();
    let start = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    // `:method GET`, `:scheme https`, `:path /v2/`, `:authority localhost` (RFC 7541, literals and the static table).
    let head = [&b"\x82\x87\x04\x04/v2/\x01\x09localhost"[..]].concat();
    let streams = (0..5_000_u32).map(|at| at * 2 + 1);
    let rapid_reset: Vec<u8> = streams
        .clone()
        .flat_map(|id| [frame(1, 5, id, &head), frame(3, 0, id, &[0, 0, 0, 8])].concat())
        .collect();
    let made_you: Vec<u8> =
        streams.flat_map(|id| [frame(1, 5, id, &head), frame(8, 0, id, &[0; 4])].concat()).collect();
    let continuation: Vec<u8> = [frame(1, 1, 1, &head), frame(9, 0, 1, &[]).repeat(20_000)].concat();
    let settings = frame(4, 0, 0, &[]).repeat(20_000);
    let pings = frame(6, 0, 0, &[0; 8]).repeat(20_000);
    let priorities = frame(2, 0, 1, &[0, 0, 0, 0, 1]).repeat(20_000);
    let floods = [
        ("D-10", rapid_reset),
        ("D-11", made_you),
        ("D-12", continuation),
        ("D-13 settings", settings),
        ("D-13 pings", pings),
        ("D-13 priorities", priorities),
    ];
    for (case, flood) in floods {
        let mut stream = tls(&scene.at, "localhost", &["h2"]);
        stream.write_all(start).unwrap();
        let written = stream.write_all(&flood).and_then(|()| stream.flush());
        let ended = written.and_then(|()| stream.read_to_end(&mut Vec::new()));
        let open = |error: std::io::Error| {
            matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
        };
        assert!(!ended.is_err_and(open), "{case}: the flood may go on");
        is_served(&scene);
    }
}
