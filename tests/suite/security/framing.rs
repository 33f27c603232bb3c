//! Case 11: one request in is at most one canonical request out, however it is framed (S-01…S-34, S-41…S-54).
//!
//! `edge::framing` has the whole table over its own bytes; here stands what of it must hold from the client's socket to
//! the upstream's. Behind every malformed request another one is waiting that would be allowed.

use super::scene::{Scene, Trace};
use super::second::Second;
use super::wire::Wire;
use crate::support::recorder::Recorder;

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";

/// What is smuggled: a request that would be allowed if anybody read it.
fn passenger(scene: &Scene<Recorder>) -> String {
    scene.head("GET", "/v2/tenant-a/app/tags/list", &scene.alice.basic())
}

/// S-01 to S-08, S-10, S-16 to S-21
#[test]
fn a_body_whose_length_can_be_read_in_two_ways_is_refused() {
    let scene = Scene::recorded();
    for (case, lines) in [
        ("S-01", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"),
        ("S-02", "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n"),
        ("S-03", "Transfer-Encoding: ,chunked\r\n"),
        ("S-04", "Transfer-Encoding: gzip, chunked\r\n"),
        ("S-05", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
        ("S-06", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("S-06", "Transfer-Encoding: chunked, chunked\r\n"),
        ("S-07", "Transfer-Encoding: xchunked\r\n"),
        ("S-07", "Transfer-Encoding: \x0bchunked\r\n"),
        ("S-07", "Transfer-Encoding: chunked;p=1\r\n"),
        ("S-07", "Transfer-Encoding:\r\n"),
        ("S-08", "Transfer-Encoding : chunked\r\n"),
        ("S-09", "Transfer-Encoding:\r\n chunked\r\n"),
        ("S-16", "Content-Length: 3\r\nContent-Length: 3\r\n"),
        ("S-17", "Content-Length: 3\r\nContent-Length: 4\r\n"),
        ("S-18", "Content-Length: 3, 3\r\n"),
        ("S-19", "Content-Length: +3\r\n"),
        ("S-19", "Content-Length: -0\r\n"),
        ("S-19", "Content-Length: 0x3\r\n"),
        ("S-19", "Content-Length: 3 3\r\n"),
        ("S-19", "Content-Length:\r\n"),
        ("S-19", "Content-Length: 18446744073709551616\r\n"),
        ("S-20", "Content-Length: 003\r\n"),
        ("S-21", "Content_Length: 3\r\n"),
        ("S-21", "X_Forwarded_For: 10.0.0.1\r\n"),
    ] {
        let lines = format!(
            "{}Content-Type: application/vnd.oci.image.manifest.v1+json\r\n{lines}",
            scene.alice.basic()
        );
        let request = format!("{}0\r\n\r\n{}", scene.head("PUT", TARGET, &lines), passenger(&scene));
        let answer = scene.refuses(&format!("{case} {lines}"), request, &[400, 431, 501], &Trace::Unread);
        assert_eq!(answer.header("connection"), Some("close"), "{case}");
    }
    let old = format!(
        "PUT {TARGET} HTTP/1.0\r\nHost: {}\r\n{}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        scene.at.host(),
        scene.alice.basic()
    );
    scene.refuses("S-10", format!("{old}{}", passenger(&scene)), &[400], &Trace::Unread);
}

/// S-29 to S-34, H-01, H-02
#[test]
fn a_head_that_can_be_read_in_two_ways_is_refused() {
    let scene = Scene::recorded();
    let host = format!("Host: {}\r\n", scene.at.host());
    let who = scene.alice.basic();
    let get = |rest: &str| format!("GET {TARGET} HTTP/1.1\r\n{host}{who}{rest}");
    for (case, head) in [
        ("S-29 whole", get("\r\n").replace("\r\n", "\n")),
        ("S-29 one line", get("X: a\nY: b\r\n\r\n")),
        ("S-30 bare CR", get("X: a\rb\r\n\r\n")),
        ("S-30 NUL", get("X: a\0b\r\n\r\n")),
        ("S-32 no colon", get("X\r\n\r\n")),
        ("S-32 no name", get(": x\r\n\r\n")),
        ("S-32 name", get("X Y: x\r\n\r\n")),
        ("S-09 folded", get("X: a\r\n b\r\n\r\n")),
        ("S-33 version", format!("GET {TARGET} HTTP/1.2\r\n{host}{who}\r\n")),
        ("S-33 version", format!("GET {TARGET} HTTP/2.0\r\n{host}{who}\r\n")),
        ("S-33 case", format!("GET {TARGET} http/1.1\r\n{host}{who}\r\n")),
        ("S-33 two spaces", format!("GET  {TARGET} HTTP/1.1\r\n{host}{who}\r\n")),
        ("S-33 tab", format!("GET\t{TARGET} HTTP/1.1\r\n{host}{who}\r\n")),
        ("H-01 two hosts", format!("GET {TARGET} HTTP/1.1\r\n{host}{host}{who}\r\n")),
        ("H-02 no host", format!("GET {TARGET} HTTP/1.1\r\n{who}\r\n")),
        ("H-02 empty host", format!("GET {TARGET} HTTP/1.1\r\nHost:\r\n{who}\r\n")),
    ] {
        scene.refuses(case, format!("{head}{}", passenger(&scene)), &[400, 505], &Trace::Unread);
    }
    let obs = [get("X: ").as_bytes(), b"\xff\r\n\r\n"].concat();
    scene.refuses("S-31", obs, &[400], &Trace::Unread);
}

/// S-22, S-24 to S-27: the length is clear, the chunks are not
#[test]
fn garbled_chunks_reach_the_upstream_as_no_whole_request() {
    let scene = Scene::recorded();
    let kind = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\nTransfer-Encoding: chunked\r\n";
    let head = scene.head("PUT", TARGET, &format!("{}{kind}", scene.alice.basic()));
    for (case, body) in [
        ("S-22", "0x3\r\nabc\r\n0\r\n\r\n"),
        ("S-22", "+3\r\nabc\r\n0\r\n\r\n"),
        ("S-22", "-1\r\nabc\r\n0\r\n\r\n"),
        ("S-22", " 3\r\nabc\r\n0\r\n\r\n"),
        ("S-22", "\r\nabc\r\n0\r\n\r\n"),
        ("S-22", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
        ("S-24", "3;\nabc\r\n0\r\n\r\n"),
        ("S-24", "3\r\r;X\r\nabc\r\n0\r\n\r\n"),
        ("S-26", "3\nabc\r\n0\r\n\r\n"),
        ("S-26", "3\r\nabc\n0\r\n\r\n"),
        ("S-26", "5\r\nhello!!\r\n0\r\n\r\n"),
        ("S-26", "3\r\nabc\r\n0\n\r\n"),
        ("S-26", "3\r\nabc\r\n0\r\n\n"),
    ] {
        let mut wire = Wire::open(&scene.at);
        wire.send(format!("{head}{body}{}", passenger(&scene)));
        if let Some(answer) = wire.answer("PUT") {
            assert_eq!(answer.status, 400, "{case} {body:?}: {}", answer.text());
        }
        assert!(wire.is_closed(), "{case} {body:?}: the passenger was answered");
        let whole =
            |request: &String| !request.ends_with("\r\n0\r\n\r\n") && !request.contains("Content-Length: 3");
        assert!(scene.heard().iter().all(whole), "{case} {body:?}");
    }
}

/// S-23, S-24, S-28: what is accepted goes on in one spelling, without extensions and trailers
#[test]
fn what_is_accepted_goes_on_in_one_spelling() {
    let scene = Scene::scripted(created, "");
    let kind = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\nTransfer-Encoding: chunked\r\n";
    let head = scene.head("PUT", TARGET, &format!("{}{kind}", scene.alice.basic()));
    for (case, body) in [
        ("plain", "2\r\n{}\r\n0\r\n\r\n"),
        ("two", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
        ("S-24", "2;a=b\r\n{}\r\n0\r\n\r\n"),
        ("S-23", "0002\r\n{}\r\n0\r\n\r\n"),
        ("S-28", "2\r\n{}\r\n0\r\nAuthorization: Basic x\r\nHost: evil\r\nContent-Length: 9\r\n\r\n"),
    ] {
        let mut wire = Wire::open(&scene.at);
        let answer = wire.ask(format!("{head}{body}"));
        let heard = scene.heard();
        if answer.status == 400 {
            assert!(heard.is_empty(), "{case}: {heard:?}");
            continue;
        }
        assert_eq!(answer.status, 201, "{case}: {}", answer.text());
        let [only] = heard.as_slice() else { panic!("{case}: {heard:?}") };
        assert!(
            only.starts_with(&format!("PUT {TARGET} HTTP/1.1\r\n")) && only.ends_with("\r\n\r\n{}"),
            "{case}: {only}"
        );
        let lower = only.to_ascii_lowercase();
        for never in ["authorization", "evil", "chunked", ";a=b", "content-length: 9", &scene.at.host()] {
            assert!(!lower.contains(never), "{case}: {never} in {only}");
        }
    }
}

fn created(_: &[u8]) -> Vec<u8> {
    crate::support::recorder::answer("201 Created", &[], "")
}

/// S-11, S-12, S-14, M-09: a read has no body, and nothing that stands in its place is read as a request
#[test]
fn a_body_where_none_belongs_is_no_second_request() {
    let scene = Scene::recorded();
    let inner = passenger(&scene);
    let chunked = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
        for (lines, body) in [
            (format!("Content-Length: {}\r\n", inner.len()), &inner),
            ("Transfer-Encoding: chunked\r\n".to_owned(), &chunked),
        ] {
            let mut wire = Wire::open(&scene.at);
            let case = format!("S-12 {method} {lines}");
            let answer = wire.ask(format!(
                "{}{body}",
                scene.head(method, TARGET, &format!("{}{lines}", scene.alice.basic()))
            ));
            let heard = scene.heard();
            assert!(heard.len() <= 1 && !heard.concat().contains("tags/list"), "{case}: {heard:?}");
            assert!(heard.iter().all(|request| request.ends_with("\r\n\r\n")), "{case}: {heard:?}");
            scene.goes_on(&case, &answer, wire);
        }
    }
    let old = format!(
        "POST /v2/tenant-a/app/blobs/uploads/ HTTP/1.0\r\nHost: {}\r\n{}\r\n{inner}",
        scene.at.host(),
        scene.alice.basic()
    );
    let mut wire = Wire::open(&scene.at);
    wire.ask(old);
    assert!(wire.is_closed() && scene.heard().len() <= 1, "S-11");
}

/// S-34, S-36
#[test]
fn what_follows_the_last_request_is_not_read() {
    let scene = Scene::recorded();
    let mut wire = Wire::open(&scene.at);
    let closing = scene.head("GET", TARGET, &format!("{}Connection: close\r\n", scene.alice.basic()));
    assert_eq!(wire.ask(format!("{closing}{}", passenger(&scene))).status, 200);
    assert!(wire.is_closed(), "S-36");
    assert_eq!(scene.heard().len(), 1, "S-36");
    let mut wire = Wire::open(&scene.at);
    wire.send("\r\n".repeat(500_000));
    wire.send(passenger(&scene));
    assert!(wire.answer("GET").is_none_or(|answer| answer.status == 400), "S-34");
    assert_eq!(scene.heard(), [""; 0], "S-34");
}

/// S-41, H-14 to H-16, R-25: of the client's own headers only those that belong to the call go on
#[test]
fn the_upstream_hears_our_words_only() {
    let scene = Scene::recorded();
    let odd = "Connection: keep-alive, Authorization, X-Forwarded-For, X-Request-Id\r\nX-Forwarded-For: 10.0.0.1\r\n\
        X-Forwarded-Host: evil.test\r\nForwarded: for=10.0.0.1;host=evil.test\r\nX-Real-IP: 10.0.0.1\r\nX-Request-Id: forged\r\n\
        X-Original-URL: /evil\r\nX-Auth-User: root\r\nCookie: evil=1\r\nTE: trailers\r\nAccept-Encoding: gzip\r\nProxy-Authorization: Basic evil\r\n\
        Accept: application/json\r\nUser-Agent: suite/1\r\n";
    let answer = Wire::open(&scene.at).ask(scene.head(
        "GET",
        &format!("{TARGET}?ns=evil.test&x=evil"),
        &format!("{}{odd}", scene.alice.basic()),
    ));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let heard = scene.heard();
    let [only] = heard.as_slice() else { panic!("{heard:?}") };
    let mut lines: Vec<&str> = only.trim_end().split("\r\n").collect();
    lines.sort_unstable_by_key(|line| line.to_ascii_lowercase());
    let id = format!("x-request-id: {}", answer.request_id());
    let host = format!("host: {}", scene.upstream.address());
    let accept = "accept: application/json";
    let first = format!("GET {TARGET} HTTP/1.1");
    let mut expected = [first.as_str(), accept, &host, "user-agent: suite/1", &id];
    expected.sort_unstable_by_key(|line| line.to_ascii_lowercase());
    assert_eq!(
        lines.iter().map(|line| line.to_ascii_lowercase()).collect::<Vec<_>>(),
        expected.iter().map(|line| line.to_ascii_lowercase()).collect::<Vec<_>>()
    );
}

/// S-46, S-47, S-50, S-52, S-53, S-54, S-21 over HTTP/2
#[test]
fn over_http2_the_same_is_refused() {
    let scene = Scene::recorded();
    let who = scene.alice.basic();
    let mut second = Second::open(&scene.at);
    let host = scene.at.host();
    for (case, lines) in [
        ("S-46", "host: evil.test".to_owned()),
        ("S-46 two", format!("host: {host}\nhost: {host}")),
        ("S-21", "x_forwarded_for: 10.0.0.1".to_owned()),
        ("S-54", format!("authorization: Bearer {}", "a.b.c")),
        ("S-15", "expect: 100-continue".to_owned()),
    ] {
        let request = second.request("GET", TARGET, &format!("{who}{lines}"));
        let answer = second.ask(request).unwrap_or_else(|| panic!("{case}: reset"));
        assert!(matches!(answer.status, 400 | 417), "{case}: {}", answer.status);
        scene.traced(case, &answer, &Trace::Unread);
    }
    for (case, uri) in [
        ("S-53", format!("http://{host}{TARGET}")),
        ("S-47 comma", format!("https://{host},evil.test{TARGET}")),
        ("S-47 user", format!("https://user:pw@{host}{TARGET}")),
    ] {
        let mut request = second.request("GET", TARGET, &who);
        let Ok(uri) = uri.parse() else { continue };
        *request.uri_mut() = uri;
        if let Some(answer) = second.ask(request) {
            assert!(matches!(answer.status, 400 | 421), "{case}: {}", answer.status);
        }
    }
    assert_eq!(scene.heard(), [""; 0]);
    let good = second.request("GET", TARGET, &who);
    assert_eq!(second.ask(good).unwrap().status, 200, "the connection is as good as before");
}
