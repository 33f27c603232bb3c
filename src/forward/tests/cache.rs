//! What is remembered of an upstream, asked by clients who want it to be wrong.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Response, StatusCode};
use http_body_util::Empty;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;

use super::upstream::{head, raw};
use super::{blob, content, digest_of, is_broken, local, manifest, name, send, settings};
use crate::forward::body::ForwardBody;
use crate::forward::cache::{CacheSettings, ContentCache, Shelf};
use crate::forward::settings::UpstreamUrl;
use crate::forward::{Failure, Forwarder};
use crate::record::metrics::CacheEvent;
use crate::registry::operation::{ByteRange, Operation, ReadMode};
use crate::registry::reference::{Digest, Reference};

pub(super) const KIND: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MINUTE: Duration = Duration::from_secs(60);

pub(super) const LONG: CacheSettings =
    CacheSettings { max_bytes: 64 << 20, max_blob: 64 << 10, tags: MINUTE, content: MINUTE };

/// A forwarder that remembers, and what it remembers.
pub(super) fn remembering(url: &str, kept: CacheSettings) -> (Forwarder, Arc<ContentCache>) {
    let cache = Arc::new(ContentCache::new(kept).unwrap());
    let shelf = Shelf::new(Arc::clone(&cache), 0, UpstreamUrl::parse(url).unwrap());
    let settings = crate::forward::settings::UpstreamSettings { shelf: Some(shelf), ..settings(url) };
    (Forwarder::new(settings).unwrap(), cache)
}

pub(super) fn events(cache: &ContentCache, event: CacheEvent) -> u64 {
    cache.events()[event as usize]
}

/// An upstream that answers what a script makes of a request's head, once there is a pass for it.
pub(super) struct Scripted {
    pub(super) url: String,
    pub(super) seen: Rc<RefCell<Vec<String>>>,
    pub(super) passes: Rc<Semaphore>,
}

impl Scripted {
    pub(super) async fn new(script: impl Fn(&str, usize) -> Vec<u8> + 'static) -> Self {
        Self::holding(|_| false, script).await
    }

    /// One that keeps everybody waiting.
    pub(super) async fn held(script: impl Fn(&str, usize) -> Vec<u8> + 'static) -> Self {
        Self::holding(|_| true, script).await
    }

    /// One that keeps some waiting. The script gets the request's head and its number, from 1.
    pub(super) async fn holding(
        holds: impl Fn(usize) -> bool + 'static,
        script: impl Fn(&str, usize) -> Vec<u8> + 'static,
    ) -> Self {
        let (seen, passes) = (Rc::<RefCell<Vec<String>>>::default(), Rc::new(Semaphore::new(0)));
        let (script, log, gate) = (Rc::new((script, holds)), Rc::clone(&seen), Rc::clone(&passes));
        let upstream = raw(move |mut stream, _| {
            let (script, log, gate) = (Rc::clone(&script), Rc::clone(&log), Rc::clone(&gate));
            async move {
                loop {
                    let request = head(&mut stream).await;
                    if request.is_empty() {
                        return;
                    }
                    log.borrow_mut().push(request.clone());
                    let number = log.borrow().len();
                    let (script, holds) = &*script;
                    if holds(number) {
                        gate.acquire().await.unwrap().forget();
                    }
                    let answer = script(&request, number);
                    // An answer without an end is one that breaks off.
                    let whole = !answer.ends_with(CUT);
                    let sent = stream.write_all(answer.strip_suffix(CUT).unwrap_or(&answer)).await;
                    if !whole || sent.is_err() {
                        return;
                    }
                }
            }
        })
        .await;
        Self { url: upstream.url, seen, passes }
    }

    pub(super) fn asked(&self) -> usize {
        self.seen.borrow().len()
    }

    pub(super) async fn await_asked(&self, count: usize) {
        while self.asked() < count {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.asked(), count, "{:?}", self.seen.borrow());
    }
}

/// What an answer ends with that breaks off there.
pub(super) const CUT: &[u8] = b"<cut>";

pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub(super) fn a_manifest(request: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let digest = digest_of(body);
    let headers =
        format!("Content-Type: {kind}\r\nDocker-Content-Digest: {digest}\r\nEtag: \"{digest}\"\r\n");
    if request.contains(&format!("if-none-match: \"{digest}\"")) {
        return format!("HTTP/1.1 304 Not Modified\r\n{headers}\r\n").into_bytes();
    }
    let whole = answer("200 OK", &headers, body);
    if request.starts_with("HEAD ") { whole[..whole.len() - body.len()].to_vec() } else { whole }
}

pub(super) fn a_blob(request: &str, body: &[u8]) -> Vec<u8> {
    let headers = format!(
        "Content-Type: application/octet-stream\r\nEtag: \"{}\"\r\nAccept-Ranges: bytes\r\n",
        digest_of(body)
    );
    let whole = answer("200 OK", &headers, body);
    if request.starts_with("HEAD ") { whole[..whole.len() - body.len()].to_vec() } else { whole }
}

pub(super) fn gone() -> Vec<u8> {
    answer("404 Not Found", "", br#"{"errors":[{"code":"BLOB_UNKNOWN","message":"gone"}]}"#)
}

pub(super) type Got = Result<Response<ForwardBody>, Failure>;

pub(super) async fn taking(forwarder: &Forwarder, operation: Operation, kinds: &str) -> Got {
    send(forwarder, operation, &[("accept", kinds)], None, Empty::<Bytes>::new()).await
}

pub(super) async fn plain(forwarder: &Forwarder, operation: Operation) -> Got {
    taking(forwarder, operation, KIND).await
}

pub(super) fn with_mode(operation: Operation, wanted: ReadMode) -> Operation {
    match operation {
        Operation::ManifestRead { repository, reference, .. } => {
            Operation::ManifestRead { repository, reference, mode: wanted }
        }
        Operation::BlobRead { repository, digest, range, .. } => {
            Operation::BlobRead { repository, digest, mode: wanted, range }
        }
        other => other,
    }
}

pub(super) fn status(got: &Got) -> StatusCode {
    match got {
        Ok(answer) => answer.status(),
        Err(Failure::Oci(error)) => error.status,
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn one_question_answers_every_kind_of_read_of_a_manifest_as_the_upstream_would() {
    local(async {
        let text = br#"{"schemaVersion":2}"#;
        let upstream = Scripted::new(move |request, _| a_manifest(request, KIND, text)).await;
        let (forwarder, cache) = remembering(&upstream.url, LONG);
        let digest = digest_of(text);
        let first = plain(&forwarder, manifest("a/b", "v1")).await.unwrap();
        for reference in ["v1", digest.as_str()] {
            let operation = manifest("a/b", reference);
            let again = plain(&forwarder, operation.clone()).await.unwrap();
            let (mut one, mut two) = (first.headers().clone(), again.headers().clone());
            let lasting = [&mut one, &mut two].map(|headers| headers.remove("cache-control").unwrap());
            assert_eq!(one, two, "{reference}");
            assert_eq!(lasting[0], "private, no-cache");
            assert_eq!(lasting[1] == "private, no-cache", reference == "v1", "{lasting:?}");
            assert_eq!(content(again).await.unwrap(), &text[..]);
            let head = plain(&forwarder, with_mode(operation.clone(), ReadMode::Head)).await.unwrap();
            assert_eq!(head.headers()["content-length"], text.len().to_string());
            assert!(content(head).await.unwrap().is_empty());
            for tag in
                [format!("\"{digest}\""), format!("W/\"x\", \"{digest}\""), "*".into(), digest.to_string()]
            {
                let headers = [("accept", KIND), ("if-none-match", tag.as_str())];
                let same = send(&forwarder, operation.clone(), &headers, None, Empty::<Bytes>::new()).await;
                let same = same.unwrap();
                assert_eq!(
                    (same.status(), same.headers().get("content-length")),
                    (StatusCode::NOT_MODIFIED, None)
                );
                assert_eq!(same.headers()["docker-content-digest"], digest.as_str());
            }
            let headers = [("accept", KIND), ("if-none-match", "\"other\"")];
            let other = send(&forwarder, operation, &headers, None, Empty::<Bytes>::new()).await.unwrap();
            assert_eq!(other.status(), StatusCode::OK);
        }
        assert_eq!(upstream.asked(), 1, "{:?}", upstream.seen.borrow());
        assert_eq!((events(&cache, CacheEvent::Miss), events(&cache, CacheEvent::Hit)), (1, 14));
        // Nobody's headers but ours went there.
        assert!(upstream.seen.borrow()[0].contains("accept: application/vnd.oci.image.index.v1+json, "));
    });
}

#[test]
fn a_client_that_does_not_name_the_type_is_answered_by_the_upstream_and_spoils_it_for_nobody() {
    local(async {
        let (index, image) = (br#"{"manifests":[]}"#, br#"{"layers":[]}"#);
        // It converts for who does not take an index, as a vanilla registry does.
        let upstream = Scripted::new(move |request, _| {
            if request.contains(INDEX) {
                a_manifest(request, INDEX, index)
            } else {
                a_manifest(request, KIND, image)
            }
        })
        .await;
        let (forwarder, _) = remembering(&upstream.url, LONG);
        for (at, kinds) in ["*/*", "", KIND, &format!("{INDEX};q=0, {KIND}")].into_iter().enumerate() {
            let got = taking(&forwarder, manifest("a/b", "v1"), kinds).await.unwrap();
            let expected = if kinds.contains(INDEX) { INDEX } else { KIND };
            assert_eq!(got.headers()["content-type"], expected, "{kinds} ({at})");
            let both = format!("{KIND}, {INDEX}");
            let got = taking(&forwarder, manifest("a/b", "v1"), &both).await.unwrap();
            assert_eq!(content(got).await.unwrap(), &index[..], "after {kinds}");
        }
        // One for what is kept, and one for each who does not take it.
        assert_eq!(upstream.asked(), 5);
    });
}

#[test]
fn parts_of_a_blob_come_from_the_whole_of_it_and_never_the_other_way_round() {
    local(async {
        let upstream = Scripted::new(|request, _| {
            if request.contains("range: ") {
                let part = "Content-Range: bytes 0-3/10\r\nContent-Type: application/octet-stream\r\n";
                return answer("206 Partial Content", part, b"0123");
            }
            a_blob(request, b"0123456789")
        })
        .await;
        let (forwarder, _) = remembering(&upstream.url, LONG);
        let digest = digest_of(b"0123456789");
        let part = |range| Operation::BlobRead {
            repository: name("a/b"),
            digest: digest.clone(),
            mode: ReadMode::Get,
            range: Some(range),
        };
        let early = plain(&forwarder, part(ByteRange::Span(0, 3))).await.unwrap();
        assert_eq!(
            (early.status(), content(early).await.unwrap()),
            (StatusCode::PARTIAL_CONTENT, "0123".into())
        );
        let known = plain(&forwarder, with_mode(blob("a/b", &digest), ReadMode::Head)).await.unwrap();
        assert_eq!((known.headers()["content-length"].clone(), upstream.asked()), ("10".parse().unwrap(), 2));
        assert_eq!(
            content(plain(&forwarder, blob("a/b", &digest)).await.unwrap()).await.unwrap(),
            "0123456789"
        );
        assert_eq!(upstream.asked(), 3);
        for (range, text, place) in [
            (ByteRange::Span(2, 4), "234", "bytes 2-4/10"),
            (ByteRange::Span(8, 99), "89", "bytes 8-9/10"),
            (ByteRange::From(9), "9", "bytes 9-9/10"),
            (ByteRange::Last(3), "789", "bytes 7-9/10"),
            (ByteRange::Last(99), "0123456789", "bytes 0-9/10"),
        ] {
            let got = plain(&forwarder, part(range)).await.unwrap();
            assert_eq!(
                (got.status(), &got.headers()["content-range"]),
                (StatusCode::PARTIAL_CONTENT, &place.parse().unwrap())
            );
            assert_eq!(got.headers()["content-length"], text.len().to_string());
            assert_eq!(content(got).await.unwrap(), text);
        }
        for outside in [ByteRange::From(10), ByteRange::Last(0), ByteRange::Span(10, 12)] {
            let got = plain(&forwarder, part(outside)).await.unwrap();
            let place = got.headers()["content-range"].to_str().unwrap();
            assert_eq!(
                (got.status(), place),
                (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */10"),
                "{outside:?}"
            );
        }
        let etag = format!("\"{digest}\"");
        for (condition, expected) in [(etag.as_str(), 206), (&format!("W/{etag}"), 200), ("\"other\"", 200)] {
            let (headers, operation) = ([("if-range", condition)], part(ByteRange::From(5)));
            let got = send(&forwarder, operation, &headers, None, Empty::<Bytes>::new()).await.unwrap();
            assert_eq!(got.status(), expected, "{condition}");
        }
        let head = plain(&forwarder, with_mode(blob("a/b", &digest), ReadMode::Head)).await.unwrap();
        assert_eq!(head.headers()["content-length"], "10");
        assert_eq!(upstream.asked(), 3, "{:?}", upstream.seen.borrow());
    });
}

#[test]
fn what_one_repository_has_says_nothing_of_another() {
    local(async {
        let upstream =
            Scripted::new(
                |request, _| {
                    if request.contains("/v2/a/b/") { a_blob(request, b"secret") } else { gone() }
                },
            )
            .await;
        let (forwarder, _) = remembering(&upstream.url, LONG);
        let digest = digest_of(b"secret");
        assert_eq!(status(&plain(&forwarder, blob("a/b", &digest)).await), StatusCode::OK);
        for (mode, repository) in [(ReadMode::Get, "a/c"), (ReadMode::Head, "a/c"), (ReadMode::Get, "a")] {
            let got = plain(&forwarder, with_mode(blob(repository, &digest), mode)).await;
            assert_eq!(status(&got), StatusCode::NOT_FOUND, "{repository}");
        }
        // Nor is a blob a manifest.
        assert_eq!(upstream.asked(), 4);
        assert!(plain(&forwarder, manifest("a/c", digest.as_str())).await.is_err());
        assert_eq!(upstream.asked(), 5);
    });
}

#[test]
fn what_does_not_hash_to_its_digest_or_breaks_off_is_neither_served_nor_kept() {
    local(async {
        let good = b"what was asked for";
        let digest = digest_of(good);
        let named = format!("Content-Type: {KIND}\r\nDocker-Content-Digest: {digest}\r\n");
        let long = format!("HTTP/1.1 200 OK\r\nContent-Length: 18\r\n{named}\r\nwhat was").into_bytes();
        for wrong in [answer("200 OK", &named, b"something else aaa"), [long, CUT.to_vec()].concat()] {
            for operation in [blob("a/b", &digest), manifest("a/b", digest.as_str()), manifest("a/b", "v1")] {
                let bad = wrong.clone();
                let upstream = Scripted::new(move |request, number| match number {
                    1 => bad.clone(),
                    _ => a_manifest(request, KIND, good),
                })
                .await;
                let (forwarder, cache) = remembering(&upstream.url, LONG);
                let failure = plain(&forwarder, operation.clone()).await.expect_err("it is wrong");
                assert!(is_broken(&failure), "{operation:?}: {failure:?}");
                assert_eq!(cache.bytes().0, 0);
                let got = plain(&forwarder, operation.clone()).await.unwrap();
                assert_eq!(content(got).await.unwrap(), &good[..], "{operation:?}");
                assert_eq!(upstream.asked(), 2, "{operation:?}");
            }
        }
    });
}

#[test]
fn a_hundred_clients_at_once_cost_one_question_whoever_of_them_stays() {
    local(async {
        let upstream = Scripted::held(|request, _| a_blob(request, b"layer")).await;
        let (forwarder, cache) = remembering(&upstream.url, LONG);
        let digest = digest_of(b"layer");
        let mut clients: Vec<_> = (0..100)
            .map(|_| {
                let (forwarder, digest) = (forwarder.clone(), digest.clone());
                tokio::task::spawn_local(async move {
                    content(plain(&forwarder, blob("a/b", &digest)).await?).await.map_err(Failure::from)
                })
            })
            .collect();
        upstream.await_asked(1).await;
        // The first, who asked, goes away; so does another.
        for gone in [0, 50] {
            clients.remove(gone).abort();
        }
        upstream.passes.add_permits(1);
        for got in join_all(clients).await {
            assert_eq!(got.unwrap().unwrap(), "layer");
        }
        assert_eq!(upstream.asked(), 1);
        assert_eq!(events(&cache, CacheEvent::Coalesced), 98);
    });
}

#[test]
fn when_everybody_has_gone_the_upstream_is_let_go_and_the_next_one_is_served() {
    local(async {
        let upstream = Scripted::held(|request, _| a_blob(request, b"layer")).await;
        let (forwarder, cache) = remembering(&upstream.url, LONG);
        let digest = digest_of(b"layer");
        let asking = forwarder.clone();
        let lost = blob("a/b", &digest);
        let client = tokio::task::spawn_local(async move { plain(&asking, lost).await.map(drop) });
        upstream.await_asked(1).await;
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
        // Its question is not answered any more: the next one puts its own.
        let next = forwarder.clone();
        let operation = blob("a/b", &digest);
        let client =
            tokio::task::spawn_local(async move { content(plain(&next, operation).await.unwrap()).await });
        upstream.await_asked(2).await;
        upstream.passes.add_permits(2);
        assert_eq!(client.await.unwrap().unwrap(), "layer");
        assert_eq!((events(&cache, CacheEvent::Miss), events(&cache, CacheEvent::Hit)), (1, 0));
    });
}

#[test]
fn what_is_not_there_is_not_there_for_all_and_a_fault_is_tried_once_more_together() {
    local(async {
        let digest = digest_of(b"layer");
        for (fault, questions) in [(false, 1), (true, 2)] {
            let upstream = Scripted::held(move |_, _| if fault { CUT.to_vec() } else { gone() }).await;
            let (forwarder, cache) = remembering(&upstream.url, LONG);
            let clients: Vec<_> = (0..20)
                .map(|_| {
                    let (forwarder, digest) = (forwarder.clone(), digest.clone());
                    tokio::task::spawn_local(async move {
                        plain(&forwarder, blob("a/b", &digest)).await.map(drop)
                    })
                })
                .collect();
            upstream.await_asked(1).await;
            // Everybody waits by now: nothing of this test runs between two of them.
            upstream.passes.add_permits(1);
            upstream.await_asked(questions).await;
            upstream.passes.add_permits(1);
            for got in join_all(clients).await {
                let failure = got.unwrap().unwrap_err();
                assert_eq!(matches!(failure, Failure::Fault(_)), fault, "{failure:?}");
            }
            assert_eq!((upstream.asked(), cache.bytes().0), (questions, 0));
        }
    });
}

#[test]
fn a_fault_that_passes_fails_nobody_but_the_one_who_met_it() {
    local(async {
        let upstream = Scripted::held(
            |request, number| if number == 1 { CUT.to_vec() } else { a_blob(request, b"layer") },
        )
        .await;
        let (forwarder, _) = remembering(&upstream.url, LONG);
        let digest = digest_of(b"layer");
        let clients: Vec<_> = (0..20)
            .map(|_| {
                let (forwarder, digest) = (forwarder.clone(), digest.clone());
                tokio::task::spawn_local(async move { plain(&forwarder, blob("a/b", &digest)).await.is_ok() })
            })
            .collect();
        upstream.await_asked(1).await;
        upstream.passes.add_permits(1);
        upstream.await_asked(2).await;
        upstream.passes.add_permits(1);
        let served: Vec<bool> = join_all(clients).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(served.iter().filter(|served| !**served).count(), 1);
    });
}

#[test]
fn a_long_blob_passes_as_it_comes_and_is_not_kept() {
    local(async {
        let long: &[u8] = &[7; 100_000];
        let upstream = Scripted::new(move |request, _| a_blob(request, long)).await;
        let (forwarder, cache) = remembering(&upstream.url, LONG);
        let digest = digest_of(long);
        for questions in 1..4 {
            let got = plain(&forwarder, blob("a/b", &digest)).await.unwrap();
            assert!(matches!(got.body(), ForwardBody::Shared(_)));
            assert_eq!((content(got).await.unwrap().len(), upstream.asked()), (long.len(), questions));
        }
        assert!(cache.bytes().0 < 4096);
        assert_eq!((events(&cache, CacheEvent::Miss), events(&cache, CacheEvent::Passed)), (3, 0));
    });
}

#[test]
fn a_tag_is_believed_for_its_time_and_then_asked_for_by_what_is_known() {
    local(async {
        let (old, new) = (br#"{"v":1}"#, br#"{"v":2}"#);
        let moved = Rc::new(std::cell::Cell::new(false));
        let is_moved = Rc::clone(&moved);
        let upstream = Scripted::new(move |request, _| {
            a_manifest(request, KIND, if is_moved.get() { new } else { old })
        })
        .await;
        // Never believed: every read asks, and what has not changed is not sent again.
        let (forwarder, _) = remembering(&upstream.url, CacheSettings { tags: Duration::ZERO, ..LONG });
        for questions in 1..3 {
            let got = plain(&forwarder, manifest("a/b", "v1")).await.unwrap();
            assert_eq!((content(got).await.unwrap(), upstream.asked()), (Bytes::from_static(old), questions));
        }
        assert!(upstream.seen.borrow()[1].contains(&format!("if-none-match: \"{}\"", digest_of(old))));
        moved.set(true);
        let got = plain(&forwarder, manifest("a/b", "v1")).await.unwrap();
        assert_eq!(content(got).await.unwrap(), &new[..]);
        // Believed for a while.
        let (forwarder, _) =
            remembering(&upstream.url, CacheSettings { tags: Duration::from_millis(300), ..LONG });
        plain(&forwarder, manifest("a/b", "v1")).await.unwrap();
        moved.set(false);
        let mut seen = new.to_vec();
        while seen == new {
            seen = content(plain(&forwarder, manifest("a/b", "v1")).await.unwrap()).await.unwrap().to_vec();
        }
        assert_eq!(seen, old);
    });
}

#[test]
fn what_vanishes_behind_our_back_is_missed_and_what_stays_is_not_sent_again() {
    local(async {
        let there = Rc::new(std::cell::Cell::new(true));
        let is_there = Rc::clone(&there);
        let upstream =
            Scripted::new(move |request, _| if is_there.get() { a_blob(request, b"config") } else { gone() })
                .await;
        let (forwarder, cache) =
            remembering(&upstream.url, CacheSettings { content: Duration::ZERO, ..LONG });
        let digest = digest_of(b"config");
        for method in ["GET", "HEAD", "HEAD"] {
            let got = plain(&forwarder, blob("a/b", &digest)).await.unwrap();
            assert_eq!(content(got).await.unwrap(), "config");
            assert!(upstream.seen.borrow().last().unwrap().starts_with(method));
        }
        there.set(false);
        for method in ["HEAD", "GET"] {
            assert_eq!(status(&plain(&forwarder, blob("a/b", &digest)).await), StatusCode::NOT_FOUND);
            assert!(upstream.seen.borrow().last().unwrap().starts_with(method));
        }
        assert_eq!(cache.bytes().0, 0);
        assert_eq!((events(&cache, CacheEvent::Miss), events(&cache, CacheEvent::Checked)), (1, 2));
    });
}

#[test]
fn an_answer_from_before_a_change_is_not_believed_after_it() {
    local(async {
        let (old, new) = (br#"{"v":1}"#, br#"{"v":2}"#);
        let script = move |request: &str, number| match number {
            1 => a_manifest(request, KIND, old),
            _ if request.starts_with("DELETE ") => answer("202 Accepted", "", b""),
            _ if request.contains("sha256") => gone(),
            _ => a_manifest(request, KIND, new),
        };
        let upstream = Scripted::holding(|number| number == 1, script).await;
        let (forwarder, _) = remembering(&upstream.url, LONG);
        let slow = forwarder.clone();
        let reader = tokio::task::spawn_local(async move {
            content(plain(&slow, manifest("a/b", "v1")).await.unwrap()).await.unwrap()
        });
        upstream.await_asked(1).await;
        // A delete overtakes the read.
        let reference = Reference::Digest(digest_of(old));
        let delete = Operation::ManifestDelete { repository: name("a/b"), reference };
        assert_eq!(plain(&forwarder, delete).await.unwrap().status(), StatusCode::ACCEPTED);
        upstream.passes.add_permits(1);
        assert_eq!(reader.await.unwrap(), &old[..], "it asked before");
        assert_eq!(
            status(&plain(&forwarder, manifest("a/b", digest_of(old).as_str())).await),
            StatusCode::NOT_FOUND
        );
        let got = plain(&forwarder, manifest("a/b", "v1")).await.unwrap();
        assert_eq!(content(got).await.unwrap(), &new[..]);
    });
}

#[test]
fn a_reader_after_a_change_does_not_join_those_who_asked_before_it() {
    local(async {
        let script = |request: &str, number| match number {
            1 => gone(),
            // Closed afterwards: nobody reads the body here.
            _ if request.starts_with("PUT ") => [answer("201 Created", "", b""), CUT.to_vec()].concat(),
            _ => a_manifest(request, KIND, br#"{"v":2}"#),
        };
        let upstream = Scripted::holding(|number| number == 1, script).await;
        let (forwarder, _) = remembering(&upstream.url, LONG);
        let waiting = forwarder.clone();
        let early =
            tokio::task::spawn_local(async move { status(&plain(&waiting, manifest("a/b", "v1")).await) });
        upstream.await_asked(1).await;
        let (repository, reference) = (name("a/b"), Reference::parse("v1").unwrap());
        let push = Operation::ManifestWrite { repository, reference };
        let pushed =
            send(&forwarder, push, &[("content-type", KIND)], None, super::full(br#"{"v":2}"#)).await;
        assert_eq!(status(&pushed), StatusCode::CREATED);
        // The first question hangs on, and nobody waits for it who comes now.
        assert_eq!(status(&plain(&forwarder, manifest("a/b", "v1")).await), StatusCode::OK);
        upstream.passes.add_permits(1);
        assert_eq!(early.await.unwrap(), StatusCode::NOT_FOUND);
    });
}

#[test]
fn the_memory_is_bounded_whatever_is_asked_for() {
    local(async {
        let all: Vec<(Digest, Vec<u8>)> = (0..400u32)
            .map(|number| {
                let content = [number.to_be_bytes().as_slice(), &[0; 10_000]].concat();
                (digest_of(&content), content)
            })
            .collect();
        let shown = all.clone();
        let upstream = Scripted::new(move |request, _| {
            let found = shown.iter().find(|(digest, _)| request.contains(digest.as_str()));
            found.map_or_else(gone, |(_, content)| a_blob(request, content))
        })
        .await;
        let (forwarder, cache) = remembering(&upstream.url, CacheSettings { max_bytes: 1 << 20, ..LONG });
        for (digest, expected) in &all {
            let got = content(plain(&forwarder, blob("a/b", digest)).await.unwrap()).await.unwrap();
            assert_eq!(got, expected);
            assert!(cache.bytes().0 <= 1 << 20, "{}", cache.bytes().0);
        }
        assert!(cache.bytes().0 > 1 << 19, "almost nothing is kept: {}", cache.bytes().0);
    });
}

#[test]
fn what_slow_clients_hold_on_to_is_bounded_too() {
    local(async {
        let all: Vec<Vec<u8>> = (0..60u8).map(|number| vec![number; 60_000]).collect();
        let shown = all.clone();
        let upstream = Scripted::new(move |request, _| {
            let found = shown.iter().find(|one| request.contains(digest_of(one).as_str()));
            found.map_or_else(gone, |one| a_blob(request, one))
        })
        .await;
        let (forwarder, _) = remembering(&upstream.url, CacheSettings { max_bytes: 1 << 20, ..LONG });
        let mut held = Vec::new();
        for one in &all {
            held.push(plain(&forwarder, blob("a/b", &digest_of(one))).await.unwrap());
        }
        let of_memory = |got: &Response<ForwardBody>| matches!(got.body(), ForwardBody::Full(_));
        let in_memory = held.iter().filter(|got| of_memory(got)).count();
        assert!((20..=(2 << 20) / 60_000).contains(&in_memory), "{in_memory} of them");
        // Everybody is served; and when they have gone, there is room again.
        for (got, one) in held.into_iter().zip(&all) {
            assert_eq!(content(got).await.unwrap(), one);
        }
        let last = all.last().unwrap();
        assert!(of_memory(&plain(&forwarder, blob("a/b", &digest_of(last))).await.unwrap()));
    });
}

#[test]
fn registries_before_one_upstream_see_one_anothers_changes() {
    local(async {
        let there = Rc::new(std::cell::Cell::new(true));
        let is_there = Rc::clone(&there);
        let upstream = Scripted::new(move |request, _| {
            if request.starts_with("DELETE ") {
                is_there.set(false);
                return answer("202 Accepted", "", b"");
            }
            if is_there.get() { a_blob(request, b"config") } else { gone() }
        })
        .await;
        let (one, cache) = remembering(&upstream.url, LONG);
        let shelf = Shelf::new(cache, 1, UpstreamUrl::parse(&upstream.url).unwrap());
        let other =
            crate::forward::settings::UpstreamSettings { shelf: Some(shelf), ..settings(&upstream.url) };
        let other = Forwarder::new(other).unwrap();
        let digest = digest_of(b"config");
        for (forwarder, questions) in [(&one, 1), (&other, 2), (&one, 2)] {
            assert_eq!(status(&plain(forwarder, blob("a/b", &digest)).await), StatusCode::OK);
            assert_eq!(upstream.asked(), questions, "what one keeps is not the other's");
        }
        let delete = Operation::BlobDelete { repository: name("a/b"), digest: digest.clone() };
        assert_eq!(status(&plain(&one, delete).await), StatusCode::ACCEPTED);
        for forwarder in [&other, &one] {
            assert_eq!(status(&plain(forwarder, blob("a/b", &digest)).await), StatusCode::NOT_FOUND);
        }
    });
}

#[test]
fn who_waits_for_a_worker_that_ends_asks_instead_of_it() {
    local(async {
        let upstream = Scripted::held(|request, _| a_blob(request, b"layer")).await;
        let (forwarder, cache) = remembering(&upstream.url, LONG);
        let (digest, url) = (digest_of(b"layer"), upstream.url.clone());
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let shelf = Shelf::new(cache, 0, UpstreamUrl::parse(&url).unwrap());
        let wanted = digest.clone();
        let worker = std::thread::spawn(move || {
            local(async {
                let settings =
                    crate::forward::settings::UpstreamSettings { shelf: Some(shelf), ..settings(&url) };
                let leader = Forwarder::new(settings).unwrap();
                tokio::select! {
                    _ = plain(&leader, blob("a/b", &wanted)) => panic!("nobody has answered"),
                    _ = ended => {}
                }
                // Its task still asks, because somebody else waits; it ends with the worker.
            });
        });
        upstream.await_asked(1).await;
        let follower = tokio::task::spawn_local(async move {
            content(plain(&forwarder, blob("a/b", &digest)).await.unwrap()).await.unwrap()
        });
        // It boards when it runs for the first time.
        tokio::task::yield_now().await;
        end.send(()).unwrap();
        worker.join().unwrap();
        upstream.await_asked(2).await;
        upstream.passes.add_permits(2);
        assert_eq!(follower.await.unwrap(), "layer");
    });
}
