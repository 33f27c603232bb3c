//! What a read costs in allocations: a count does not depend on the machine, so it can be held to a number.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use allocation_counter::measure;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Empty};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use super::cache::{KIND, LONG, Scripted, a_manifest, plain, remembering};
use super::{ORIGIN, digest_of, local, manifest, permit, seal, settings};
use crate::forward::{Exchange, Forwarder};

/// The most allocations of an answer from memory, and of one that is passed on.
const HIT: u64 = 8;
const PASSED: u64 = 48;

const TEXT: &[u8] = br#"{"v":1}"#;

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(KIND));
    headers
}

const fn exchange(client_headers: &HeaderMap) -> Exchange<'_> {
    Exchange {
        client_headers,
        origin: ORIGIN,
        request_id: "req-1",
        trace: None,
        upload_query: None,
        lease: &seal,
    }
}

#[test]
fn an_answer_from_memory_allocates_for_its_headers_and_little_else() {
    local(async {
        let upstream = Scripted::new(|request, _| a_manifest(request, KIND, TEXT)).await;
        let (forwarder, _) = remembering(&upstream.url, LONG);
        let digest = digest_of(TEXT);
        for reference in ["v1", digest.as_str()] {
            let headers = headers();
            plain(&forwarder, manifest("a/b", reference)).await.unwrap();
            let asked = upstream.asked();
            let permit = permit(manifest("a/b", reference));
            let mut got = None;
            let counted = measure(|| {
                got = forwarder.forward(&permit, exchange(&headers), Empty::<Bytes>::new()).now_or_never();
            });
            let got = got.unwrap().unwrap().into_body().collect().await.unwrap().to_bytes();
            assert_eq!((&*got, upstream.asked()), (TEXT, asked));
            assert!(counted.count_total <= HIT, "{reference}: {counted:?}");
        }
    });
}

/// An upstream in a thread of its own, whose allocations are not counted.
fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = a_manifest("GET ", KIND, TEXT);
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut piece) {
            request.extend_from_slice(&piece[..count]);
            if request.ends_with(b"\r\n\r\n") {
                request.clear();
                stream.write_all(&answer).unwrap();
            }
        }
    });
    url
}

#[test]
fn a_request_that_is_passed_on_allocates_a_bounded_number_of_times() {
    const REQUESTS: u64 = 100;
    let (runtime, tasks) = (Builder::new_current_thread().enable_all().build().unwrap(), LocalSet::new());
    let forwarder = Forwarder::new(settings(&upstream())).unwrap();
    let (permit, headers) = (permit(manifest("a/b", "v1")), headers());
    let read = async || {
        let got = forwarder.forward(&permit, exchange(&headers), Empty::<Bytes>::new()).await.unwrap();
        assert_eq!(got.into_body().collect().await.unwrap().to_bytes(), TEXT);
    };
    tasks.block_on(&runtime, read());
    let all = measure(|| {
        tasks.block_on(&runtime, async {
            for _ in 0..REQUESTS {
                read().await;
            }
        });
    });
    let each = all.count_total / REQUESTS;
    assert!(each <= PASSED, "{each} each, {all:?}");
}
