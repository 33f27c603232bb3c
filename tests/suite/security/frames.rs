//! Case 11, over HTTP/2: what no library would send, frame by frame (S-42 … S-49, and what h2spec looks at). Each case ends its
//! stream or its connection; it is never answered as if it had been sound, and everybody else is served on.

use std::io::Write;

use super::scene::Scene;
use super::wire::tls;
use crate::support::http::Stream;
use crate::support::recorder::Recorder;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
/// A whole request in one frame.
const WHOLE: u8 = END_STREAM | END_HEADERS;
/// `:status 200` (RFC 7541, appendix A).
const OK: u8 = 0x88;
/// The stream of the sound request that follows each case.
const LAST: u32 = 101;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field that is in no table, as it stands.
fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// `GET https://localhost/livez` and more.
fn head(more: &[u8]) -> Vec<u8> {
    [&b"\x82\x87\x04\x06/livez\x01\x09localhost"[..], more].concat()
}

fn request(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, WHOLE, stream, block)
}

/// What became of the case's stream, and of the connection.
#[derive(Debug, Default)]
struct Fate {
    served: usize,
    refused: bool,
    ended: bool,
}

/// Sends a case and then a sound request, and reads until that is answered or the connection ends.
fn fate(scene: &Scene<Recorder>, case: &[u8]) -> Fate {
    let mut stream = tls(&scene.at, "localhost", &["h2"]);
    let _ =
        stream.write_all(&[PREFACE, case, &request(LAST, &head(b""))].concat()).and_then(|()| stream.flush());
    let mut fate = Fate::default();
    while let Some((kind, stream, payload)) = next(&mut stream) {
        match kind {
            GOAWAY => fate.ended = true,
            RST_STREAM => fate.refused = true,
            HEADERS if stream == LAST => return fate,
            HEADERS if payload.first() == Some(&OK) => fate.served += 1,
            HEADERS => fate.refused = true,
            _ => {}
        }
    }
    Fate { ended: true, ..fate }
}

fn next(stream: &mut dyn Stream) -> Option<(u8, u32, Vec<u8>)> {
    let mut header = [0; 9];
    if let Err(error) = stream.read_exact(&mut header) {
        let waited = matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
        assert!(!waited, "neither an answer nor an end");
        return None;
    }
    let [a, b, c, kind, _, id @ ..] = header;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    stream.read_exact(&mut payload).ok()?;
    Some((kind, u32::from_be_bytes(id), payload))
}

fn is_refused(scene: &Scene<Recorder>, name: &str, case: &[u8]) {
    let fate = fate(scene, case);
    assert!(fate.served == 0 && (fate.refused || fate.ended), "{name}: {fate:?}");
}

#[test]
fn a_request_that_only_other_bytes_could_be_meant_by_is_never_answered_over_http2() {
    let scene = Scene::recorded();
    let sound = fate(&scene, &request(1, &head(&field("x-a", "b"))));
    assert!(sound.served == 1 && !sound.refused && !sound.ended, "{sound:?}");
    for (name, value) in [
        ("x-a", "b\r\nx-c: d"),
        ("x-a", "b\nx"),
        ("x-a", "b\rx"),
        ("x-a", "b\0x"),
        ("x:a", "b"),
        ("x\r\na", "b"),
        ("x a", "b"),
        ("X-A", "b"),
        ("", "b"),
    ] {
        is_refused(&scene, &format!("S-42 {name:?}: {value:?}"), &request(1, &head(&field(name, value))));
    }
    for path in ["/livez\r\nx", "/li vez", "livez", "https://localhost/livez", "", "*"] {
        let block = [b"\x82\x87", &field(":path", path)[..], b"\x01\x09localhost"].concat();
        is_refused(&scene, &format!("S-43 {path:?}"), &request(1, &block));
    }
    for method in ["GET /x HTTP/1.1", "GET\r\n", "G T", ""] {
        let block = [&field(":method", method)[..], b"\x87\x04\x06/livez\x01\x09localhost"].concat();
        is_refused(&scene, &format!("S-44 {method:?}"), &request(1, &block));
    }
    let doubled =
        [(":path", "/livez"), (":method", "GET"), (":scheme", "https"), (":authority", "localhost")];
    let unknown = [(":status", "200"), (":version", "HTTP/1.1"), (":protocol", "websocket")];
    for (name, value) in doubled.into_iter().chain(unknown) {
        is_refused(&scene, &format!("S-45 {name}"), &request(1, &head(&field(name, value))));
    }
    let late = [b"\x82\x87\x04\x06/livez", &field("x-a", "b")[..], b"\x01\x09localhost"].concat();
    is_refused(&scene, "S-45 late", &request(1, &late));
    for missing in
        [&b"\x87\x04\x06/livez\x01\x09localhost"[..], b"\x82\x87\x01\x09localhost", b"\x82\x04\x06/livez"]
    {
        is_refused(&scene, "S-45 missing", &request(1, missing));
    }
    for (name, value) in [
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("keep-alive", "1"),
        ("upgrade", "h2c"),
        ("proxy-connection", "close"),
        ("te", "gzip"),
    ] {
        is_refused(&scene, &format!("S-48 {name}"), &request(1, &head(&field(name, value))));
    }
    for lengths in [&["5"][..], &["+0"], &["0, 0"], &["0", "5"], &["-1"], &["0x0"], &[""]] {
        let fields: Vec<u8> = lengths.iter().flat_map(|length| field("content-length", length)).collect();
        is_refused(&scene, &format!("S-49 {lengths:?}"), &request(1, &head(&fields)));
    }
    assert_eq!(scene.heard(), [""; 0]);
}

#[test]
fn frames_that_break_the_protocol_end_their_connection() {
    let scene = Scene::recorded();
    let block = head(b"");
    let padded = [&[200][..], &block].concat();
    let settings = |id: u8, value: u32| [&[0, id][..], &value.to_be_bytes()].concat();
    let most = 0x7fff_ffff_u32.to_be_bytes();
    let cases = [
        ("padding longer than the frame", frame(HEADERS, WHOLE | PADDED, 1, &padded)),
        ("an even stream", request(2, &block)),
        ("a stream below an earlier one", [request(5, b"\x82"), request(3, &block)].concat()),
        ("headers on stream 0", request(0, &block)),
        ("data on stream 0", frame(DATA, END_STREAM, 0, b"x")),
        ("data on an idle stream", frame(DATA, END_STREAM, 1, b"x")),
        ("a reset of an idle stream", frame(RST_STREAM, 0, 1, &[0; 4])),
        ("a reset of stream 0", frame(RST_STREAM, 0, 0, &[0; 4])),
        ("a short reset", frame(RST_STREAM, 0, 1, &[0; 3])),
        (
            "a window that overflows",
            [frame(WINDOW_UPDATE, 0, 0, &most), frame(WINDOW_UPDATE, 0, 0, &most)].concat(),
        ),
        ("a window update of nothing", frame(WINDOW_UPDATE, 0, 0, &[0; 4])),
        ("a short window update", frame(WINDOW_UPDATE, 0, 0, &[0; 3])),
        ("settings on a stream", frame(SETTINGS, 0, 1, &[])),
        ("settings of 5 bytes", frame(SETTINGS, 0, 0, &[0; 5])),
        ("an acknowledgement that says more", frame(SETTINGS, 1, 0, &[0; 6])),
        ("a window of 2^31", frame(SETTINGS, 0, 0, &settings(4, 0x8000_0000))),
        ("frames of 100 bytes", frame(SETTINGS, 0, 0, &settings(5, 100))),
        ("push that is neither on nor off", frame(SETTINGS, 0, 0, &settings(2, 2))),
        ("a short ping", frame(PING, 0, 0, &[0; 7])),
        ("a ping on a stream", frame(PING, 0, 1, &[0; 8])),
        ("a goodbye on a stream", frame(GOAWAY, 0, 1, &[0; 8])),
        ("a promise of a client", frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &block].concat())),
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &block)),
        (
            "something between a head and its continuation",
            [
                frame(HEADERS, END_STREAM, 1, &block[..4]),
                frame(PING, 0, 0, &[0; 8]),
                frame(CONTINUATION, END_HEADERS, 1, &block[4..]),
            ]
            .concat(),
        ),
        (
            "a continuation of another stream",
            [frame(HEADERS, END_STREAM, 1, &block[..4]), frame(CONTINUATION, END_HEADERS, 3, &block[4..])]
                .concat(),
        ),
        ("a frame of 17 KiB", frame(DATA, 0, 1, &[0; 17 * 1024])),
        ("an index beyond the table", request(1, b"\xff\x80\x01")),
        ("a table of 64 MiB", request(1, &[&b"\x3f\xe1\xff\xff\x1f"[..], &block].concat())),
        ("a text that ends too early", request(1, b"\x82\x87\x04\x7f/livez")),
    ];
    for (name, case) in cases {
        let fate = fate(&scene, &case);
        assert!(fate.served == 0 && fate.ended, "{name}: {fate:?}");
    }
    // A stream is used once; a body that comes after its end is nobody's.
    let again = [request(1, &block), request(1, &block)].concat();
    let fate = fate(&scene, &again);
    assert!(fate.served <= 1 && (fate.refused || fate.ended), "{fate:?}");
    assert_eq!(scene.heard(), [""; 0]);
}
