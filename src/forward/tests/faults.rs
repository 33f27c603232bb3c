//! What broken, slow and hostile upstreams may not achieve.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::upstream::{always, head, raw};
use super::{ask, blob, content, digest_of, full, manifest, permit, send, session, settings, start};
use crate::admit::fault::Fault;
use crate::forward::{Failure, Forwarder};
use crate::registry::error::OciCode;
use crate::registry::operation::{ByteRange, Operation, ReadMode, UploadStart};

fn forwarder(url: &str) -> Forwarder {
    Forwarder::new(settings(url)).unwrap()
}

fn is_broken(failure: &Failure) -> bool {
    matches!(failure, Failure::Fault(Fault::UpstreamBroken(_)))
}

/// A client's body that the test feeds piece by piece.
fn fed() -> (
    tokio::sync::mpsc::Sender<Result<Bytes, std::io::Error>>,
    impl http_body::Body<Data = Bytes, Error = std::io::Error>,
) {
    let (feed, mut source) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let pieces = futures_util::stream::poll_fn(move |cx| source.poll_recv(cx));
    let frames = futures_util::StreamExt::map(pieces, |piece| piece.map(http_body::Frame::data));
    (feed, StreamBody::new(frames))
}

fn chunk() -> Operation {
    Operation::UploadChunk { session: session("a/b", "u1"), content_range: None }
}

#[test]
fn s55_to_s59_an_answer_whose_end_cannot_be_told_is_refused() {
    local_each(&[
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "garbage\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 301 Moved\r\nLocation: /v2/a/c/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 206 Partial\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 307 Go\r\nLocation: /v2/a/b/blobs/x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"https://evil/\"\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n/var/lib/",
        "HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:0000000000000000000000000000000000000000000000000000000000000000\r\nContent-Length: 5\r\n\r\nhello",
    ]);
}

fn local_each(answers: &[&'static str]) {
    super::local(async {
        for answer in answers {
            let upstream = always(*answer).await;
            let failure = ask(&forwarder(&upstream.url), blob("a/b", &digest_of(b"hello"))).await.err();
            assert!(failure.as_ref().is_some_and(is_broken), "{answer}: {failure:?}");
        }
    });
}

#[test]
fn s58_an_early_answer_reaches_the_client_and_its_connection_is_not_used_again() {
    super::local(async {
        let upstream = raw(|mut stream, _| async move {
            head(&mut stream).await;
            let early = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(early.as_bytes()).await.unwrap();
            // Reads to the end, which comes only when the proxy cuts the connection off.
            stream.read_to_end(&mut Vec::new()).await.ok();
        })
        .await;
        let forwarder = forwarder(&upstream.url);
        let (feed, body) = fed();
        feed.send(Ok(Bytes::from_static(b"begin"))).await.unwrap();
        let answer = send(&forwarder, chunk(), &[], Some("_state=x"), body).await;
        assert!(matches!(answer, Err(Failure::Oci(error)) if error.status == StatusCode::PAYLOAD_TOO_LARGE));
        feed.closed().await;
        assert_eq!(forwarder.sender.pool.idle(), 0);
    });
}

#[test]
fn s58_an_early_answer_survives_the_reset_that_follows_it() {
    super::local(async {
        let upstream = raw(|mut stream, _| async move {
            head(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .await
                .unwrap();
        })
        .await;
        let forwarder = forwarder(&upstream.url);
        for _ in 0..100 {
            let (feed, body) = fed();
            let feeding = async { while feed.send(Ok(Bytes::from(vec![0; 64 << 10]))).await.is_ok() {} };
            let (answer, ()) = tokio::join!(send(&forwarder, chunk(), &[], Some("_state=x"), body), feeding);
            assert!(
                matches!(&answer, Err(Failure::Oci(error)) if error.status == StatusCode::PAYLOAD_TOO_LARGE),
                "{:?}",
                answer.err()
            );
        }
    });
}

#[test]
fn f01_a_download_that_breaks_off_or_stalls_never_ends_cleanly() {
    super::local(async {
        let upstream = raw(|mut stream, number| async move {
            head(&mut stream).await;
            let start = if number % 2 == 1 { "Content-Length: 10" } else { "Transfer-Encoding: chunked" };
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{start}\r\n\r\n5\r\nhe").as_bytes()).await.unwrap();
            if number > 2 {
                std::future::pending::<()>().await;
            }
        })
        .await;
        let mut settings = settings(&upstream.url);
        settings.idle_timeout = Duration::from_millis(50);
        let forwarder = Forwarder::new(settings).unwrap();
        for number in 1..=4 {
            let answer = ask(&forwarder, blob("a/b", &digest_of(b"hello"))).await.unwrap();
            let end = content(answer).await;
            let timed_out = matches!(end, Err(Fault::UpstreamTimeout(_)));
            let broken = matches!(end, Err(Fault::UpstreamBroken(_)));
            assert!(if number > 2 { timed_out } else { broken }, "{number}: {end:?}");
            assert_eq!(forwarder.sender.pool.idle(), 0);
        }
    });
}

#[test]
fn s57_bytes_after_an_answer_are_never_taken_for_the_next_one() {
    super::local(async {
        let one = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWRONG";
        let upstream = always(format!("{one}{stray}")).await;
        let forwarder = forwarder(&upstream.url);
        for _ in 0..10 {
            let answer = ask(&forwarder, blob("a/b", &digest_of(b"hello"))).await.unwrap();
            assert_eq!(content(answer).await.unwrap(), "hello");
        }
        assert_eq!(upstream.connections.get(), 10);
    });
}

#[test]
fn a_connection_is_reused_only_after_its_answer_was_read_to_the_end() {
    super::local(async {
        let upstream = always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
        let forwarder = forwarder(&upstream.url);
        for _ in 0..5 {
            let answer = ask(&forwarder, blob("a/b", &digest_of(b"hello"))).await.unwrap();
            content(answer).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!((upstream.connections.get(), forwarder.sender.pool.idle()), (1, 1));
        let upstream = always("HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\nhello").await;
        let forwarder = self::forwarder(&upstream.url);
        drop(ask(&forwarder, blob("a/b", &digest_of(b"hello"))).await.unwrap());
        assert_eq!(forwarder.sender.pool.idle(), 0);
    });
}

#[test]
fn f03_a_read_survives_an_idle_connection_that_the_upstream_closes_and_a_write_is_not_repeated() {
    super::local(async {
        // Every first request on a connection is answered; the second is read and met with silence.
        let heads = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&heads);
        let upstream = raw(move |mut stream, _| {
            let seen = Rc::clone(&seen);
            async move {
                let first = head(&mut stream).await;
                seen.borrow_mut().push(first);
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await.unwrap();
                let second = head(&mut stream).await;
                seen.borrow_mut().push(second);
            }
        })
        .await;
        let forwarder = forwarder(&upstream.url);
        for _ in 0..3 {
            let answer = ask(&forwarder, blob("a/b", &digest_of(b"hello"))).await.unwrap();
            assert_eq!(content(answer).await.unwrap(), "hello");
            tokio::task::yield_now().await;
        }
        // 1 answered; 2 met silence and went out again; 3 likewise.
        assert_eq!((upstream.connections.get(), heads.borrow().len()), (3, 5));
        let lost = ask(&forwarder, start("a/b")).await.err();
        assert!(lost.as_ref().is_some_and(is_broken), "{lost:?}");
        assert_eq!(upstream.connections.get(), 3);
    });
}

#[test]
fn f04_d27_an_upstream_that_never_answers_costs_the_configured_time() {
    super::local(async {
        let upstream = raw(|mut stream, number| async move {
            head(&mut stream).await;
            while number == 1 && stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").await.is_ok() {
                tokio::task::yield_now().await;
            }
            std::future::pending().await
        })
        .await;
        let mut settings = settings(&upstream.url);
        settings.first_byte_timeout = Duration::from_millis(50);
        let forwarder = Forwarder::new(settings).unwrap();
        for _ in 0..2 {
            let failure = ask(&forwarder, manifest("a/b", "latest")).await.err();
            assert!(matches!(failure, Some(Failure::Fault(Fault::UpstreamTimeout(_)))), "{failure:?}");
        }
        let closed = forwarder_to_nowhere().await;
        let failure = ask(&closed, manifest("a/b", "latest")).await.err();
        assert!(matches!(failure, Some(Failure::Fault(Fault::UpstreamUnreachable(_)))), "{failure:?}");
    });
}

async fn forwarder_to_nowhere() -> Forwarder {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    forwarder(&format!("http://{}", listener.local_addr().unwrap()))
}

#[test]
fn d35_a_client_that_goes_away_cuts_the_upload_off_at_the_upstream() {
    super::local(async {
        let (told, mut ends) = tokio::sync::mpsc::unbounded_channel();
        let upstream = raw(move |mut stream, _| {
            let told = told.clone();
            async move {
                let head = head(&mut stream).await;
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.ok();
                told.send((head, rest)).unwrap();
            }
        })
        .await;
        let forwarder = forwarder(&upstream.url);
        // Its body breaks off.
        let (feed, body) = fed();
        feed.send(Ok(Bytes::from_static(b"part"))).await.unwrap();
        let failing = async {
            feed.send(Err(std::io::Error::other("client gone"))).await.unwrap();
            ends.recv().await.unwrap()
        };
        let (answer, (head, rest)) =
            tokio::join!(send(&forwarder, chunk(), &[], Some("_state=x%3D"), body), failing);
        assert!(matches!(answer, Err(Failure::Oci(error)) if error.code == OciCode::SizeInvalid));
        assert!(head.starts_with("PATCH /v2/a/b/blobs/uploads/u1?_state=x%3D HTTP/1.1\r\n"), "{head}");
        assert!(!rest.ends_with(b"0\r\n\r\n"), "the upload must not look complete");
        // Its request is dropped.
        let (feed, body) = fed();
        feed.send(Ok(Bytes::from_static(b"part"))).await.unwrap();
        {
            let sending = send(&forwarder, chunk(), &[], None, body);
            let taken = async { feed.reserve().await.unwrap() };
            let mut sending = std::pin::pin!(sending);
            tokio::select! {
                _ = &mut sending => panic!("there is no answer"),
                permit = taken => drop(permit),
            }
        }
        let (_, rest) = ends.recv().await.unwrap();
        assert!(!rest.ends_with(b"0\r\n\r\n"), "the upload must not look complete");
        assert_eq!(forwarder.sender.pool.idle(), 0);
    });
}

#[test]
fn d35_a_storm_of_cancelled_transfers_leaves_no_connection_behind() {
    super::local(async {
        let live = Rc::new(std::cell::Cell::new(0_usize));
        let count = Rc::clone(&live);
        let upstream = raw(move |mut stream, _| {
            let count = Rc::clone(&count);
            async move {
                count.set(count.get() + 1);
                let body = vec![b'x'; 300_000];
                while !head(&mut stream).await.is_empty() {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n").await.ok();
                    stream.write_all(&body).await.ok();
                }
                count.set(count.get() - 1);
            }
        })
        .await;
        let forwarder = forwarder(&upstream.url);
        for turns in 0..500_usize {
            let transfer = async {
                let mut body = ask(&forwarder, blob("a/b", &digest_of(b"hello"))).await.unwrap().into_body();
                while let Some(frame) = body.frame().await {
                    frame.unwrap();
                }
            };
            let patience = async {
                for _ in 0..turns % 40 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = transfer => {}
                () = patience => {}
            }
        }
        // Ends only when every connection that is not idle has been closed; the test's limit guards it.
        while live.get() > forwarder.sender.pool.idle() {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn only_named_headers_reach_the_upstream_and_only_named_ones_come_back() {
    super::local(async {
        let heads = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&heads);
        let upstream = raw(move |mut stream, _| {
            let seen = Rc::clone(&seen);
            async move {
                let first = head(&mut stream).await;
seen.borrow_mut().push(first);
                let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\
                    Server: x\r\nWWW-Authenticate: Basic\r\nAlt-Svc: h3\r\nX-Powered-By: y\r\nEtag: \"e\"\r\nLink: </evil>\r\n\
                    Cache-Control: public\r\nAccess-Control-Allow-Origin: *\r\nConnection: close\r\n\r\nhello";
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        })
        .await;
        let mut settings = settings(&format!("{}/reg", upstream.url));
        settings.credentials =
            crate::forward::settings::Credentials::Basic { user: "proxy".into(), password: "secret".into() };
        let forwarder = Forwarder::new(settings).unwrap();
        let headers = [
            ("accept", "application/one"),
            ("accept", "application/two"),
            ("accept-encoding", "gzip"),
            ("authorization", "Bearer client"),
            ("cookie", "a=b"),
            ("forwarded", "host=evil"),
            ("x-forwarded-host", "evil"),
            ("x-forwarded-proto", "gopher"),
            ("host", "evil"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("expect", "100-continue"),
            ("range", "bytes=0-1"),
            ("user-agent", "docker/28"),
            ("if-none-match", "\"e\""),
        ];
        let empty = http_body_util::Empty::<Bytes>::new();
        let answer = send(&forwarder, manifest("a/b", "latest"), &headers, None, empty).await.unwrap();
        let got: Vec<_> = answer.headers().keys().map(http::HeaderName::as_str).collect();
        let wanted = [
            "docker-distribution-api-version",
            "x-content-type-options",
            "cache-control",
            "etag",
            "content-length",
            "content-type",
        ];
        assert!(got.len() == wanted.len() && wanted.iter().all(|name| got.contains(name)), "{got:?}");
        assert_eq!(answer.headers()["content-type"], "application/octet-stream");
        assert_eq!(answer.headers()["cache-control"], "private, no-cache");
        let sent = heads.borrow().concat();
        let host = upstream.url.strip_prefix("http://").unwrap();
        let expected = format!(
            "GET /reg/v2/a/b/manifests/latest HTTP/1.1\r\nhost: {host}\r\nauthorization: Basic cHJveHk6c2VjcmV0\r\n\
             x-request-id: req-1\r\nuser-agent: docker/28\r\naccept: application/one\r\naccept: application/two\r\n\
             if-none-match: \"e\"\r\n\r\n"
        );
        assert_eq!(sent, expected);
    });
}

#[test]
fn a_range_is_written_anew_and_its_answer_must_fit() {
    super::local(async {
        let heads = Rc::new(RefCell::new(String::new()));
        let seen = Rc::clone(&heads);
        let upstream = raw(move |mut stream, number| {
            let seen = Rc::clone(&seen);
            async move {
                let head = head(&mut stream).await;
*seen.borrow_mut() = head;
                let span = if number == 1 { "1-3" } else { "1-4" };
                let answer =
                    format!("HTTP/1.1 206 P\r\nContent-Length: 3\r\nContent-Range: bytes {span}/5\r\nConnection: close\r\n\r\nell");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        })
        .await;
        let forwarder = forwarder(&upstream.url);
        let part = || Operation::BlobRead {
            repository: super::name("a/b"),
            digest: digest_of(b"hello"),
            mode: ReadMode::Get,
            range: Some(ByteRange::Span(1, 3)),
        };
        let answer = ask(&forwarder, part()).await.unwrap();
        assert!(heads.borrow().contains("\r\nrange: bytes=1-3\r\n"));
        assert_eq!(answer.headers()["content-range"], "bytes 1-3/5");
        assert_eq!(content(answer).await.unwrap(), "ell");
        assert!(ask(&forwarder, part()).await.err().as_ref().is_some_and(is_broken));
    });
}

#[test]
fn r18_an_upload_that_leaves_its_repository_or_upstream_is_refused() {
    super::local(async {
        for location in [
            "http://evil/v2/a/b/blobs/uploads/u1",
            "/v2/a/c/blobs/uploads/u1",
            "//evil/v2/a/b/blobs/uploads/u1",
            "u1",
        ] {
            let upstream =
                always(format!("HTTP/1.1 202 Accepted\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
                    .await;
            let failure = ask(&forwarder(&upstream.url), start("a/b")).await.err();
            assert!(failure.as_ref().is_some_and(is_broken), "{location}: {failure:?}");
        }
    });
}

#[test]
fn r19_a_redirect_to_an_object_store_passes_byte_for_byte() {
    super::local(async {
        let target = "https://bucket.s3.test/a%2Fb?X-Amz-Signature=a%2Bb&x=1";
        let upstream = always(format!(
            "HTTP/1.1 307 T\r\nLocation: {target}\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n<>"
        ))
        .await;
        let forwarder = forwarder(&upstream.url);
        let answer = ask(&forwarder, blob("a/b", &digest_of(b"hello"))).await.unwrap();
        assert_eq!(
            (answer.status(), &answer.headers()["location"]),
            (StatusCode::TEMPORARY_REDIRECT, &target.parse().unwrap())
        );
        assert_eq!(content(answer).await.unwrap(), "");
        assert!(ask(&forwarder, manifest("a/b", "latest")).await.err().as_ref().is_some_and(is_broken));
    });
}

#[test]
fn r32_a_manifest_that_is_not_what_was_asked_for_is_refused() {
    super::local(async {
        let upstream =
            always("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello")
                .await;
        let forwarder = forwarder(&upstream.url);
        let good = ask(&forwarder, manifest("a/b", digest_of(b"hello").as_str())).await.unwrap();
        assert_eq!(good.headers()["docker-content-digest"], digest_of(b"hello").as_str());
        assert_eq!(content(good).await.unwrap(), "hello");
        let wrong = ask(&forwarder, manifest("a/b", digest_of(b"other").as_str())).await.err();
        assert!(wrong.as_ref().is_some_and(is_broken), "{wrong:?}");
    });
}

#[test]
fn r35_a_manifest_is_checked_before_the_upstream_sees_it() {
    super::local(async {
        let upstream = always("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await;
        let forwarder = forwarder(&upstream.url);
        let put = |reference: &str| Operation::ManifestWrite {
            repository: super::name("a/b"),
            reference: crate::registry::reference::Reference::parse(reference).unwrap(),
        };
        let json = [("content-type", "application/vnd.oci.image.manifest.v1+json")];
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let long = http_body_util::Full::new(Bytes::from(vec![b' '; (4 << 20) + 1]));
        let refused = |answer: Result<_, Failure>| match answer.err() {
            Some(Failure::Oci(error)) => (error.status.as_u16(), error.code),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            refused(send(&forwarder, put("v1"), &json, None, long).await),
            (413, OciCode::SizeInvalid)
        );
        let (feed, endless) = fed();
        let feeding = async { while feed.send(Ok(Bytes::from(vec![b' '; 1 << 20]))).await.is_ok() {} };
        let (answer, ()) = tokio::join!(send(&forwarder, put("v1"), &json, None, endless), feeding);
        assert_eq!(refused(answer), (413, OciCode::SizeInvalid));
        assert_eq!(
            refused(send(&forwarder, put("v1"), &form, None, full(b"a=b")).await),
            (400, OciCode::ManifestInvalid)
        );
        assert_eq!(
            refused(send(&forwarder, put("v1"), &[], None, full(b"{}")).await),
            (400, OciCode::ManifestInvalid)
        );
        let other = put(digest_of(b"other").as_str());
        assert_eq!(
            refused(send(&forwarder, other, &json, None, full(b"{}")).await),
            (400, OciCode::DigestInvalid)
        );
        assert_eq!(upstream.connections.get(), 0);
        let stored = send(&forwarder, put("v1"), &json, None, full(b"{}")).await.unwrap();
        let place = format!("{}/v2/a/b/manifests/{}", super::ORIGIN, digest_of(b"{}"));
        assert_eq!(
            (stored.status().as_u16(), stored.headers()["location"].to_str().unwrap()),
            (201, place.as_str())
        );
        assert_eq!(stored.extensions().get(), Some(&crate::forward::ContentDigest(digest_of(b"{}"))));
    });
}

#[test]
fn errors_of_the_upstream_are_said_anew() {
    super::local(async {
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"path":"/var"}}]}"#;
        let length = body.len();
        let upstream = always(format!("HTTP/1.1 404 N\r\nContent-Length: {length}\r\n\r\n{body}")).await;
        let failure = ask(&forwarder(&upstream.url), manifest("a/b", "latest")).await.err();
        assert!(
            matches!(&failure, Some(Failure::Oci(error)) if !error.body().contains("/var")),
            "{failure:?}"
        );
        let upstream = always("HTTP/1.1 404 N\r\nContent-Length: 4\r\n\r\n404!").await;
        let failure = ask(&forwarder(&upstream.url), blob("a/b", &digest_of(b""))).await.err();
        assert!(
            matches!(&failure, Some(Failure::Oci(error)) if error.code == OciCode::BlobUnknown),
            "{failure:?}"
        );
        let upstream = always("HTTP/1.1 429 N\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").await;
        let failure = ask(&forwarder(&upstream.url), blob("a/b", &digest_of(b""))).await.err();
        assert!(matches!(failure, Some(Failure::Limited { retry_after }) if retry_after.as_secs() == 7));
        let upstream = always("HTTP/1.1 503 N\r\nContent-Length: 0\r\n\r\n").await;
        let failure = ask(&forwarder(&upstream.url), blob("a/b", &digest_of(b""))).await.err();
        assert!(matches!(failure, Some(Failure::Fault(Fault::UpstreamUnreachable(_)))));
    });
}

#[test]
fn a_body_that_belongs_to_no_operation_is_never_read() {
    super::local(async {
        let heads = Rc::new(RefCell::new(String::new()));
        let seen = Rc::clone(&heads);
        let upstream = raw(move |mut stream, _| {
            let seen = Rc::clone(&seen);
            async move {
                let head = head(&mut stream).await;
                *seen.borrow_mut() = head;
                let answer =
                    "HTTP/1.1 202 A\r\nLocation: /v2/a/b/blobs/uploads/u1\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(answer.as_bytes()).await.unwrap();
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.ok();
                assert!(rest.is_empty());
            }
        })
        .await;
        let forwarder = forwarder(&upstream.url);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = full(b"mount=sha256:0&from=tenant/secret");
        send(&forwarder, start("a/b"), &headers, None, body).await.unwrap();
        let sent = heads.borrow().clone();
        assert!(
            sent.starts_with("POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\n")
                && sent.contains("content-length: 0\r\n")
        );
        assert!(!sent.contains("content-type"), "{sent}");
    });
}

#[test]
fn a_catalog_cannot_be_forwarded_unfiltered() {
    super::local(async {
        let forwarder = forwarder_to_nowhere().await;
        let operation = Operation::Catalog { page: crate::registry::operation::Page::default() };
        let failure = ask(&forwarder, operation).await.err();
        assert!(matches!(failure, Some(Failure::Fault(Fault::Internal(_)))));
        assert!(matches!(
            permit(start("a")).of(),
            Operation::UploadStart { start: UploadStart::Session, .. }
        ));
    });
}

#[test]
fn collected_bodies_know_their_end() {
    super::local(async {
        let upstream = always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-trailer: 1\r\n\r\n").await;
        let forwarder = forwarder(&upstream.url);
        let answer = ask(&forwarder, blob("a/b", &digest_of(b"hello"))).await.unwrap();
        let collected = answer.into_body().collect().await.unwrap();
        assert!(collected.trailers().is_none());
        assert_eq!(collected.to_bytes(), "hello");
        assert_eq!(forwarder.sender.pool.idle(), 1);
    });
}
