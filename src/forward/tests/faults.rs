//! Upstreams that die, stall or never answer, and clients that go away.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::upstream::{head, raw};
use super::{
    ask, blob, chunk, content, digest_of, fed, forwarder, forwarder_to_nowhere, is_broken, manifest, send,
    settings, start,
};
use crate::admit::fault::Fault;
use crate::forward::{Failure, Forwarder};
use crate::registry::error::OciCode;

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
