//! Case 13: what the upstream says is checked and said anew (R-18, R-19, R-22…R-25, R-32, R-33, S-55…S-59, K-04).

use super::scene::{Scene, Trace, yes};
use super::wire::{Answer, Wire};
use crate::support::image::sha256;
use crate::support::recorder::{Recorder, answer};

const LEAK: &str = "leaked-by-the-upstream";

/// One script for all cases: what comes back depends on the tag or digest that is asked for.
struct Said {
    case: &'static str,
    /// How the client asks.
    method: &'static str,
    path: String,
    /// What the upstream answers, byte for byte.
    bytes: String,
    /// What the client gets: the status, or nothing whole.
    status: u16,
}

fn get(case: &'static str, tail: &str, bytes: &str, status: u16) -> Said {
    Said { case, method: "GET", path: format!("/v2/tenant-a/{tail}"), bytes: bytes.to_owned(), status }
}

/// Asks each question of an upstream that answers as written.
fn asked(cases: Vec<Said>) -> Scene<Recorder> {
    let script: Vec<(String, Vec<u8>)> = cases
        .iter()
        .map(|said| (format!("{} {} ", said.method, said.path), said.bytes.clone().into_bytes()))
        .collect();
    let scene = Scene::scripted(
        move |request| {
            let found = script.iter().find(|(line, _)| request.starts_with(line.as_bytes()));
            found.map_or_else(|| yes(request), |(_, bytes)| bytes.clone())
        },
        "",
    );
    for said in cases {
        let mut wire = Wire::open(&scene.at);
        let request = match said.method {
            "GET" | "HEAD" | "DELETE" => scene.head(said.method, &said.path, &scene.alice.basic()),
            method => scene.with_body(method, &said.path, &scene.alice.basic(), ""),
        };
        let answer = wire.ask(request);
        assert_eq!(answer.status, said.status, "{}: {}", said.case, answer.text());
        hygienic(&scene, said.case, &answer);
        let record = scene.audited(answer.request_id());
        assert_eq!(record["initiator"]["id"].as_str(), Some(scene.alice.iam_id.as_str()), "{}", said.case);
        if answer.status >= 500 {
            assert_eq!(record["decision"], "faulted", "{}: {record}", said.case);
        }
        scene.goes_on(said.case, &answer, wire);
        scene.keeps_secrets(said.case, &answer);
    }
    scene
}

/// Headers that a client may see.
const OURS: [&str; 18] = [
    "accept-ranges",
    "cache-control",
    "connection",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "docker-content-digest",
    "docker-distribution-api-version",
    "docker-upload-uuid",
    "etag",
    "last-modified",
    "location",
    "link",
    "range",
    "retry-after",
    "x-content-type-options",
    "x-request-id",
];

fn hygienic(scene: &Scene<Recorder>, case: &str, answer: &Answer) {
    for (name, value) in &answer.headers {
        assert!(OURS.contains(&name.to_ascii_lowercase().as_str()), "{case}: {name}: {value}");
        assert!(
            !value.contains(LEAK) && !value.contains(&scene.upstream.address().to_string()),
            "{case}: {name}: {value}"
        );
    }
    if answer.status >= 400 {
        let text = answer.text();
        assert!(
            !text.contains(LEAK) && !text.contains(&scene.upstream.address().to_string()),
            "{case}: {text}"
        );
        for word in ["hyper", "127.0.0.1", "/var/", "panick"] {
            assert!(!text.contains(word), "{case}: {text}");
        }
    }
}

/// R-18: an upload stays here
#[test]
fn a_location_is_ours_or_the_answer_is_an_error() {
    let begin = |case, location: &str, name: &str, status| Said {
        case,
        method: "POST",
        path: format!("/v2/tenant-a/{name}/blobs/uploads/"),
        bytes: format!(
            "HTTP/1.1 202 Accepted\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        status,
    };
    let scene = asked(vec![
        begin("another host", "http://evil.test/v2/tenant-a/n1/blobs/uploads/u?_state=x", "n1", 502),
        begin("no scheme", "//evil.test/v2/tenant-a/n2/blobs/uploads/u?_state=x", "n2", 502),
        begin("another repository", "/v2/tenant-b/secret/blobs/uploads/u?_state=x", "n3", 502),
        begin("dots", "/v2/tenant-a/n4/blobs/uploads/../u?_state=x", "n4", 502),
        begin(
            "a mount in its query",
            "/v2/tenant-a/n5/blobs/uploads/u?mount=x&from=tenant-b/secret",
            "n5",
            502,
        ),
        begin("a file", "file:///etc/passwd", "n6", 502),
        begin("none", "", "n7", 502),
        begin("a good one", "/v2/tenant-a/n8/blobs/uploads/u?_state=x", "n8", 202),
    ]);
    let answer = Wire::open(&scene.at).ask(scene.with_body(
        "POST",
        "/v2/tenant-a/n8/blobs/uploads/",
        &scene.alice.basic(),
        "",
    ));
    let location = answer.header("location").unwrap();
    assert!(
        location.starts_with(&format!("https://{}/v2/tenant-a/n8/blobs/uploads/u?lease=", scene.at.host())),
        "{location}"
    );
}

/// R-23, R-24, R-25, T-38: the upstream's own headers are the upstream's
#[test]
fn headers_of_the_upstream_do_not_reach_the_client() {
    let odd = format!(
        "Set-Cookie: a={LEAK}\r\nServer: {LEAK}\r\nX-Powered-By: {LEAK}\r\nAlt-Svc: h3=\":443\"\r\nAccess-Control-Allow-Origin: *\r\n\
         Strict-Transport-Security: max-age=1\r\nAuthorization: Basic {LEAK}\r\nWWW-Authenticate: Bearer realm=\"https://evil.test/{LEAK}\"\r\n\
         X-Forwarded-For: {LEAK}\r\nVia: {LEAK}\r\nRefresh: 0; url=https://evil.test\r\nContent-Security-Policy: {LEAK}\r\nLink: <https://evil.test>\r\n"
    );
    let page = |status: &str, kind: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\n{odd}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let scene = asked(vec![
        get("R-24", "r/manifests/ok", &page("200 OK", "application/json", "{}"), 200),
        get("R-34 a page", "r/manifests/html", &page("200 OK", "text/html", "<script>"), 200),
        get("R-23", "r/manifests/u401", &page("401 Unauthorized", "application/json", LEAK), 502),
        get("R-23", "r/manifests/u403", &page("403 Forbidden", "application/json", LEAK), 502),
        get("R-22", "r/manifests/u301", &page("301 Moved Permanently", "text/html", LEAK), 502),
        get("R-22", "r/manifests/u302", &page("302 Found", "text/html", LEAK), 502),
        get("K-04", "r/manifests/u500", &page("500 Internal Server Error", "application/json", LEAK), 502),
        get("404 in its own words", "r/manifests/u404", &page("404 Not Found", "text/html", LEAK), 404),
    ]);
    let page =
        Wire::open(&scene.at).ask(scene.head("GET", "/v2/tenant-a/r/manifests/html", &scene.alice.basic()));
    assert_eq!(
        (page.header("content-type"), page.header("x-content-type-options")),
        (Some("application/octet-stream"), Some("nosniff"))
    );
    assert!(
        scene.heard().iter().all(|request| !request.to_ascii_lowercase().contains("authorization")),
        "R-25"
    );
}

/// S-55, S-56, S-59: an answer whose end cannot be told is none
#[test]
fn an_answer_whose_end_is_unclear_is_an_error() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let many: String = (0..300).map(|at| format!("X-{at}: {LEAK}\r\n")).collect();
    asked(vec![
        get(
            "S-55",
            "f/manifests/both",
            &format!("{ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
            502,
        ),
        get(
            "S-56 two lengths",
            "f/manifests/two",
            &format!("{ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}{LEAK}"),
            502,
        ),
        get("S-56 bare CR", "f/manifests/cr", &format!("{ok}X: a\rb\r\nContent-Length: 2\r\n\r\n{{}}"), 502),
        get(
            "S-56 old and chunked",
            "f/manifests/old",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            502,
        ),
        get(
            "S-56 many headers",
            "f/manifests/many",
            &format!("{ok}{many}Content-Length: 2\r\n\r\n{{}}"),
            502,
        ),
        get("S-59", "f/manifests/eof", &format!("{ok}Connection: close\r\n\r\n{{}}"), 502),
        get(
            "S-59 old",
            "f/manifests/eof10",
            "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
            502,
        ),
        get("garbage", "f/manifests/garbage", &format!("{LEAK}\r\n\r\n"), 502),
        get("nothing", "f/manifests/nothing", "", 502),
        get(
            "cut",
            "f/manifests/cut",
            &format!("{ok}Content-Length: 20\r\nConnection: close\r\n\r\n{{}}"),
            502,
        ),
    ]);
}

/// S-59, F-01: a blob that breaks off is never a whole one
#[test]
fn a_blob_that_breaks_off_is_not_delivered_as_whole() {
    let path = format!("/v2/tenant-a/f/blobs/sha256:{}", "a".repeat(64));
    for (bytes, status) in [
        // One that is kept is here as a whole before it is passed on.
        ("HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\nhalf", Some(502)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\nConnection: close\r\n\r\nhalf", None),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", None),
    ] {
        let line = format!("GET {path} ");
        let scene = Scene::scripted(
            move |request| {
                if request.starts_with(line.as_bytes()) { bytes.as_bytes().to_vec() } else { yes(request) }
            },
            "",
        );
        let mut wire = Wire::open(&scene.at);
        wire.send(scene.head("GET", &path, &scene.alice.basic()));
        let answer = wire.answer("GET");
        assert_eq!(answer.as_ref().map(|answer| answer.status), status, "{answer:?}");
    }
}

/// R-32, R-33: content is what its digest says
#[test]
fn content_that_is_not_what_it_was_asked_for_as_is_an_error() {
    let (asked_for, other) = (sha256(b"{\"a\":1}"), sha256(b"{}"));
    let serve = |digest: &str, body: &str| {
        String::from_utf8(answer(
            "200 OK",
            &[("Content-Type", "application/json"), ("Docker-Content-Digest", digest)],
            body,
        ))
        .unwrap()
    };
    asked(vec![
        get("R-32", &format!("d/manifests/{asked_for}"), &serve(&asked_for, "{}"), 502),
        get("R-33", &format!("e/manifests/{asked_for}"), &serve(&other, "{\"a\":1}"), 502),
        get("R-33 blob", &format!("d/blobs/{asked_for}"), &serve(&other, "{\"a\":1}"), 502),
        get("as asked", &format!("g/manifests/{asked_for}"), &serve(&asked_for, "{\"a\":1}"), 200),
    ]);
}

/// R-19
#[test]
fn a_redirect_to_an_object_store_passes_untouched_and_without_our_words() {
    let blob = format!("sha256:{}", "b".repeat(64));
    let target = "https://objects.test/bucket/b?X-Amz-Signature=a%2Fb%3D&X-Amz-Expires=60";
    let to = |location: &str| {
        format!(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nSet-Cookie: {LEAK}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    };
    let scene = asked(vec![
        get("R-19", &format!("r1/blobs/{blob}"), &to(target), 307),
        get("R-19 own path", &format!("r2/blobs/{blob}"), &to("/v2/tenant-b/secret/blobs/x"), 502),
        get("R-19 user", &format!("r3/blobs/{blob}"), &to("https://user@objects.test/"), 502),
        get("R-19 scheme", &format!("r4/blobs/{blob}"), &to("file:///etc/passwd"), 502),
        get("R-19 manifest", "r5/manifests/v1", &to(target), 502),
    ]);
    let answer = Wire::open(&scene.at).ask(scene.head(
        "GET",
        &format!("/v2/tenant-a/r1/blobs/{blob}"),
        &scene.alice.basic(),
    ));
    assert_eq!(answer.header("location"), Some(target));
    assert!(answer.body.is_empty());
}

/// S-57: what comes after an answer belongs to nobody
#[test]
fn bytes_after_an_answer_are_nobodys_answer() {
    let twice = |request: &[u8]| {
        let mut bytes = yes(request);
        bytes.extend_from_slice(
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{LEAK}", LEAK.len()).as_bytes(),
        );
        let text = String::from_utf8(bytes).unwrap().replace("Connection: close\r\n", "");
        text.into_bytes()
    };
    let scene = Scene::scripted(twice, "");
    for who in [&scene.alice, &scene.bob, &scene.alice] {
        let path = if who.iam_id == scene.bob.iam_id {
            "/v2/tenant-b/x/manifests/v1"
        } else {
            "/v2/tenant-a/x/manifests/v1"
        };
        let answer = Wire::open(&scene.at).ask(scene.head("GET", path, &who.basic()));
        assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    }
    let refused = scene.head("GET", "/v2/tenant-a/x/manifests/v1", &scene.eve.basic());
    scene.heard();
    scene.refuses("S-57", refused, &[403], &Trace::Refused(&scene.eve));
}

/// M-01: no body where none belongs, whatever the upstream sends
#[test]
fn an_answer_to_head_has_no_body() {
    let wordy = |_: &[u8]| answer("200 OK", &[("Content-Type", "application/json")], LEAK);
    let scene = Scene::scripted(wordy, "");
    let mut wire = Wire::open(&scene.at);
    let head = wire.ask(scene.head("HEAD", "/v2/tenant-a/x/manifests/v1", &scene.alice.basic()));
    assert_eq!(head.status, 200);
    scene.goes_on("M-01", &head, wire);
}
