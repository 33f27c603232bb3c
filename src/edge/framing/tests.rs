//! Raw byte tables: the cases named S, H, P, M and D are those of the project's attack catalogue.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, ReadBuf};

use super::{REFUSED, REFUSED_HEAD, StrictHttp1};
use crate::edge::exchanges::Exchanges;

/// Hands out `bytes` in pieces of `step`, then ends.
struct Feed<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl AsyncRead for Feed<'_> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let len = this.step.min(this.bytes.len()).min(buf.remaining());
        let (now, later) = this.bytes.split_at(len);
        buf.put_slice(now);
        this.bytes = later;
        Poll::Ready(Ok(()))
    }
}

#[derive(Debug, Eq, PartialEq)]
enum End {
    Eof,
    Waits,
    Garbled,
}

#[derive(Debug, Eq, PartialEq)]
struct Seen {
    delivered: Vec<u8>,
    refused: Option<StatusCode>,
    end: End,
}

fn run(bytes: &[u8], step: usize, window: usize) -> Seen {
    let exchanges = Exchanges::new();
    let mut strict = StrictHttp1::new(Feed { bytes, step }, Rc::clone(&exchanges), Duration::ZERO);
    let mut cx = Context::from_waker(Waker::noop());
    let mut delivered = Vec::new();
    let mut space = vec![0; window];
    let end = loop {
        let mut buf = ReadBuf::new(&mut space);
        match Pin::new(&mut strict).poll_read(&mut cx, &mut buf) {
            Poll::Pending => break End::Waits,
            Poll::Ready(Err(error)) => {
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                break End::Garbled;
            }
            Poll::Ready(Ok(())) if buf.filled().is_empty() => break End::Eof,
            Poll::Ready(Ok(())) => delivered.extend_from_slice(buf.filled()),
        }
    };
    // Requests are begun one by one; the one that must be refused is the last one delivered.
    let heads = strict.heads;
    let refused = (0..heads).filter_map(|_| exchanges.begin().rejection()).next_back();
    Seen { delivered, refused: refused.map(|rejection| rejection.status), end }
}

/// Runs the input at once and in many cuts; all must agree.
fn see(bytes: impl AsRef<[u8]>) -> Seen {
    let bytes = bytes.as_ref();
    let whole = run(bytes, usize::MAX, 65536);
    for (step, window) in [(1, 65536), (7, 16), (usize::MAX, 5), (3, 1)] {
        assert_eq!(run(bytes, step, window), whole, "cut into {step} with a window of {window}");
    }
    whole
}

fn passes(case: &str, bytes: &str) {
    let seen = see(bytes);
    assert_eq!(String::from_utf8_lossy(&seen.delivered), bytes, "{case}");
    assert_eq!((seen.refused, seen.end), (None, End::Eof), "{case}");
}

fn refused(case: &str, status: u16, bytes: impl AsRef<[u8]>) {
    let seen = see(bytes);
    assert_eq!(seen.refused.map(|s| s.as_u16()), Some(status), "{case}");
    assert_eq!(
        (seen.delivered.as_slice(), seen.end),
        (REFUSED, End::Waits),
        "{case}: nothing of it is delivered"
    );
}

fn post(fields: &str) -> String {
    format!("POST /v2/ HTTP/1.1\r\nHost: cr.test\r\n{fields}\r\nabcdef")
}

fn get(fields: &str) -> String {
    format!("GET /v2/ HTTP/1.1\r\nHost: cr.test\r\n{fields}\r\n")
}

#[test]
fn sound_requests_pass_unchanged() {
    passes("plain", &get(""));
    passes("fields", &get("Accept: a, b\r\nX: \t y \r\nEmpty:\r\nConnection: keep-alive\r\n"));
    passes("query", "GET /v2/_catalog?n=5&last=a%2Fb HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n");
    passes("length", &post("Content-Length: 6\r\n"));
    passes("no body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    passes("expectation", &post("Content-Length: 6\r\nExpect: 100-Continue\r\n"));
    passes("upgrade is only a field", &get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"));
    for method in ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        passes(method, &format!("{method} /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    passes("S-34 one empty line before", &format!("\r\n{}", get("")));
    passes("an end inside a head is an end", "");
}

#[test]
fn pipelined_requests_pass_in_order() {
    let chunked = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let length = "PUT /l HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    passes("S-35", &format!("{}{chunked}{length}{chunked}{}{length}", get(""), get("A: b\r\n")));
}

#[test]
fn a_bad_request_behind_good_ones_is_refused_in_its_turn() {
    let good = post("Content-Length: 6\r\n");
    let seen = see(format!("{good}{}{}", get("Host: two\r\n"), get("")));
    assert_eq!(seen.delivered, [good.as_bytes(), REFUSED].concat());
    assert_eq!((seen.refused, seen.end), (Some(StatusCode::BAD_REQUEST), End::Waits));
}

#[test]
fn a_refused_head_is_answered_as_a_head_without_a_body() {
    for fields in ["Content-Length: 6\r\n", "Host: two\r\n", "bad\r\n"] {
        let seen = see(format!("HEAD /v2/ HTTP/1.1\r\nHost: cr.test\r\n{fields}\r\nabcdef"));
        assert_eq!((seen.delivered.as_slice(), seen.refused), (REFUSED_HEAD, Some(StatusCode::BAD_REQUEST)));
    }
}

#[test]
fn two_ways_to_delimit_a_body_are_one_too_many() {
    for (case, fields) in [
        ("S-01", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"),
        ("S-02", "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n"),
        ("S-03", "Transfer-Encoding: ,chunked\r\n"),
        ("S-05", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
        ("S-06 two", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("S-06 list", "Transfer-Encoding: chunked, chunked\r\n"),
        ("S-07 x", "Transfer-Encoding: xchunked\r\n"),
        ("S-07 order", "Transfer-Encoding: chunked, identity\r\n"),
        ("S-07 identity", "Transfer-Encoding: identity\r\n"),
        ("S-07 vertical tab", "Transfer-Encoding: \x0bchunked\r\n"),
        ("S-07 comma", "Transfer-Encoding: chunked,\r\n"),
        ("S-07 parameter", "Transfer-Encoding: chunked;p=1\r\n"),
        ("S-07 empty", "Transfer-Encoding:\r\n"),
        ("S-08 space", "Transfer-Encoding : chunked\r\n"),
        ("S-08 tab", "Transfer-Encoding\t: chunked\r\n"),
        ("S-09 fold", "Transfer-Encoding:\r\n chunked\r\n"),
        ("S-16", "Content-Length: 6\r\nContent-Length: 6\r\n"),
        ("S-17", "Content-Length: 6\r\nContent-Length: 5\r\n"),
        ("S-18", "Content-Length: 6, 6\r\n"),
        ("S-21 length", "Content_Length: 6\r\n"),
        ("S-21 coding", "Transfer_Encoding: chunked\r\n"),
    ] {
        refused(case, 400, post(fields));
    }
    refused("S-04", 501, post("Transfer-Encoding: gzip, chunked\r\n"));
    refused("S-10", 400, "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

#[test]
fn a_length_is_plain_digits() {
    for value in
        ["+3", "-3", "-0", "0x3", "3_0", "3 3", "", "003", "00", "18446744073709551616", "3.0", "3\t3"]
    {
        refused("S-19, S-20", 400, post(&format!("Content-Length: {value}\r\n")));
    }
}

#[test]
fn heads_have_one_spelling() {
    for (case, fields) in [
        ("S-09", "X: a\r\n b\r\n"),
        ("S-29 one line", "X: a\n"),
        ("S-30 carriage return", "X: a\rb\r\n"),
        ("S-30 two", "X: a\r\r\n"),
        ("S-30 NUL", "X: a\0b\r\n"),
        ("S-31", "X: \u{e9}\r\n"),
        ("S-32 no colon", "X\r\n"),
        ("S-32 empty name", ": a\r\n"),
        ("S-32 bad name", "X(y): a\r\n"),
        ("S-32 name with space", "X y: a\r\n"),
        ("DEL", "X: \x7f\r\n"),
    ] {
        refused(case, 400, get(fields));
    }
    refused("S-29 all lines", 400, "GET / HTTP/1.1\nHost: x\n\n");
    refused("S-32 first field", 400, "GET / HTTP/1.1\r\n Host: x\r\n\r\n");
}

#[test]
fn request_lines_have_one_spelling() {
    for (case, line) in [
        ("S-33 0.9", "GET /"),
        ("S-33 1.2", "GET / HTTP/1.2"),
        ("S-33 2.0", "GET / HTTP/2.0"),
        ("S-33 case", "GET / http/1.1"),
        ("S-33 two spaces", "GET  / HTTP/1.1"),
        ("S-33 tab", "GET\t/\tHTTP/1.1"),
        ("S-33 trailing", "GET / HTTP/1.1 "),
        ("S-40 preface", "PRI * HTTP/2.0"),
        ("H-17 PROXY", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2"),
        ("P-08", "GET //v2/ HTTP/1.1"),
        ("P-12", "GET /v2\\x HTTP/1.1"),
        ("P-21", "GET /v2/#x HTTP/1.1"),
        ("P-31", "GET http://evil.example/v2/ HTTP/1.1"),
        ("P-32 asterisk", "OPTIONS * HTTP/1.1"),
        ("P-32 authority", "GET cr.test:443 HTTP/1.1"),
        ("P-32 word", "GET admin HTTP/1.1"),
        ("no method", " / HTTP/1.1"),
    ] {
        refused(case, 400, format!("{line}\r\nHost: cr.test\r\n\r\n"));
    }
    refused("P-15", 400, "GET /v2/\u{e9} HTTP/1.1\r\nHost: x\r\n\r\n");
    refused("S-34 many empty lines", 400, "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    refused("TLS on a plain port", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc");
}

#[test]
fn methods_that_nothing_answers_get_405() {
    let long = "A".repeat(10_000);
    for method in ["FOO", "PROPFIND", "PURGE", "get", "Get", "TRACE", &long] {
        refused("M-04, M-07", 405, format!("{method} / HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    refused("M-05", 405, "CONNECT cr.test:443 HTTP/1.1\r\nHost: cr.test:443\r\n\r\n");
}

#[test]
fn there_is_exactly_one_host() {
    for (case, fields) in [
        ("H-01", "Host: a\r\nHost: a\r\n"),
        ("H-02 none", ""),
        ("H-02 empty", "Host:\r\n"),
        ("H-03 path", "Host: x/../y\r\n"),
        ("H-03 user", "Host: u@x\r\n"),
        ("H-03 space", "Host: a b\r\n"),
        ("H-03 quote", "Host: ev\"il\r\n"),
        ("H-03 comma", "Host: cr.test, evil\r\n"),
        ("H-03 port 0", "Host: x:0\r\n"),
        ("H-03 port", "Host: x:99999\r\n"),
    ] {
        refused(case, 400, format!("GET / HTTP/1.1\r\n{fields}\r\n"));
    }
}

#[test]
fn expectations_and_bodies_go_where_they_belong() {
    refused("S-15 on GET", 417, get("Expect: 100-continue\r\n"));
    refused("S-15 twice", 417, post("Content-Length: 6\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n"));
    refused("S-15 list", 417, post("Content-Length: 6\r\nExpect: y 100-continue\r\n"));
    refused("S-15 other", 417, post("Content-Length: 6\r\nExpect: 200-ok\r\n"));
    refused("S-12, S-14, M-09", 400, format!("{}abc", get("Content-Length: 3\r\n")));
    refused("S-12", 400, format!("{}0\r\n\r\n", get("Transfer-Encoding: chunked\r\n")));
}

#[test]
fn heads_are_bounded() {
    let fields = |count: usize| "X: y\r\n".repeat(count);
    passes("D-17 as many fields as there may be", &get(&fields(99)));
    refused("D-17 one more", 431, get(&fields(100)));
    let sized = |len: usize| get(&format!("X: {}\r\n", "y".repeat(len - get("X: \r\n").len())));
    passes("D-17 the largest head", &sized(32 * 1024 - 1));
    refused("D-17 a larger one", 431, sized(32 * 1024 + 1));
    refused("P-24", 414, format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(16 * 1024)));
    refused("an endless request line", 414, "G".repeat(20_000));
}

#[test]
fn nothing_is_read_behind_the_last_request() {
    for last in [
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Close\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab",
    ] {
        let seen = see(format!("{last}GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(String::from_utf8_lossy(&seen.delivered), last, "S-11, S-36");
        assert_eq!((seen.refused, seen.end), (None, End::Eof));
    }
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn sound_chunks_pass_unchanged() {
    for body in [
        "0\r\n\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
        "00003\r\nabc\r\n000\r\n\r\n",
        "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "3;a=b\r\nabc\r\n0;last\r\n\r\n",
        "3;a=\"\r\nabc\r\n0\r\n\r\n",
        "0\r\nX:POST /b HTTP/1.1\r\n\r\n",
        "0\r\nAuthorization: Bearer x\r\nHost: y\r\n\r\n",
    ] {
        passes(body, &format!("{CHUNKED}{body}{}", get("")));
    }
}

#[test]
fn garbled_chunks_end_the_connection() {
    let digits = "0".repeat(17);
    let extension = format!("3;{}\r\nabc\r\n0\r\n\r\n", "a".repeat(300));
    let trailers = format!("0\r\n{}\r\n", "X: yyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(400));
    for (case, body) in [
        ("S-22", "0x3\r\nabc\r\n0\r\n\r\n"),
        ("S-22", "+3\r\nabc\r\n0\r\n\r\n"),
        ("S-22", "0_3\r\nabc\r\n0\r\n\r\n"),
        ("S-22", "-1\r\nabc\r\n0\r\n\r\n"),
        ("S-22", " 3\r\nabc\r\n0\r\n\r\n"),
        ("S-22", "\r\nabc\r\n0\r\n\r\n"),
        ("S-22", &digits),
        ("S-23", "3 \r\nabc\r\n0\r\n\r\n"),
        ("S-24", "3;\n\r\nabc\r\n0\r\n\r\n"),
        ("S-24", "3\r\r;X\r\nabc\r\n0\r\n\r\n"),
        ("S-24", "3;\0\r\nabc\r\n0\r\n\r\n"),
        ("S-25", &extension),
        ("S-26", "3\nabc\r\n0\r\n\r\n"),
        ("S-26", "0\n\r\n"),
        ("S-26", "5\r\nhello!!\r\n0\r\n\r\n"),
        ("S-26", "3\r\nabc0\r\n\r\n"),
        ("S-26", "3\r\nabc\n0\r\n\r\n"),
        ("S-26", "0\r\n\n"),
        ("trailer fold", "0\r\n X: y\r\n\r\n"),
        ("trailer line feed", "0\r\nX: y\n\r\n"),
        ("endless trailers", &trailers),
    ] {
        for (step, window) in [(usize::MAX, 65536), (1, 65536), (3, 4)] {
            let seen = run(format!("{CHUNKED}{body}{}", get("")).as_bytes(), step, window);
            assert_eq!((seen.end, seen.refused), (End::Garbled, None), "{case}: {body:?}");
            assert!(!String::from_utf8_lossy(&seen.delivered).contains("GET /v2/"), "{case}: {body:?}");
        }
    }
}

#[test]
fn a_large_body_is_delivered_in_reads_as_large_as_asked_for() {
    let head = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n";
    let bytes = [head.as_bytes(), &vec![b'x'; 4 << 20], get("").as_bytes()].concat();
    let feed = Feed { bytes: &bytes, step: usize::MAX };
    let mut strict = StrictHttp1::new(feed, Exchanges::new(), Duration::ZERO);
    let mut space = vec![0; 1 << 20];
    let mut sizes = Vec::new();
    loop {
        let mut buf = ReadBuf::new(&mut space);
        assert!(
            Pin::new(&mut strict).poll_read(&mut Context::from_waker(Waker::noop()), &mut buf).is_ready()
        );
        sizes.push(buf.filled().len());
        if buf.filled().is_empty() {
            break;
        }
    }
    assert_eq!(sizes.iter().sum::<usize>(), bytes.len());
    assert!(sizes.len() <= 9, "{sizes:?}");
}
