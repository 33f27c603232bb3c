//! Where an answer ends, and what becomes of its connection: bytes of one exchange never get into another.

use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::upstream::{always, head, raw};
use super::{ask, blob, chunk, content, digest_of, fed, forwarder, is_broken, send};
use crate::forward::Failure;

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
