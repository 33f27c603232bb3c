//! Long blobs: read from the upstream once for all who want them at the same time, and once at all where there is a disk.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use http::StatusCode;
use http_body_util::BodyExt as _;

use super::cache::{
    CUT, LONG, Scripted, a_blob, answer, events, gone, plain, remembering, status, with_mode,
};
use super::{blob, content, digest_of, is_broken, local, name, settings};
use crate::forward::body::ForwardBody;
use crate::forward::cache::disk::Disk;
use crate::forward::cache::{CacheSettings, ContentCache, Shelf};
use crate::forward::settings::{UpstreamSettings, UpstreamUrl};
use crate::forward::{Failure, Forwarder};
use crate::record::metrics::CacheEvent;
use crate::registry::operation::{ByteRange, Operation, ReadMode};
use crate::registry::reference::Digest;

/// Longer than what is kept in memory, and shorter than a window.
const LAYER: usize = 300_000;

fn layer(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at / 1000 % 251).unwrap()).collect()
}

/// What the upstream answers to a read of all or the rest of `body`.
fn a_layer(request: &str, body: &[u8]) -> Vec<u8> {
    let Some(from) = request.split("range: bytes=").nth(1) else { return a_blob(request, body) };
    let from: usize = from.split('-').next().unwrap().parse().unwrap();
    let place = format!("Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
    answer("206 Partial Content", &place, &body[from..])
}

fn private_folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    dir
}

/// A forwarder that keeps layers in that folder.
fn keeping(url: &str, folder: &Path, max: u64) -> (Forwarder, Arc<ContentCache>) {
    let disk = Disk::open(folder, max).unwrap();
    let cache = Arc::new(ContentCache::new(LONG).unwrap().with_disk(Some(disk)));
    let shelf = Shelf::new(Arc::clone(&cache), 0, UpstreamUrl::parse(url).unwrap());
    let settings = UpstreamSettings { shelf: Some(shelf), ..settings(url) };
    (Forwarder::new(settings).unwrap(), cache)
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

async fn pull(forwarder: &Forwarder, digest: &Digest) -> Result<Bytes, Failure> {
    Ok(content(plain(forwarder, blob("a/b", digest)).await?).await?)
}

#[test]
fn five_hundred_clients_of_a_cold_layer_cost_one_question_with_and_without_a_disk() {
    local(async {
        let body = layer(LAYER);
        for on_disk in [false, true] {
            let script = body.clone();
            let upstream = Scripted::held(move |request, _| a_layer(request, &script)).await;
            let folder = private_folder();
            let (forwarder, cache) = match on_disk {
                true => keeping(&upstream.url, folder.path(), 1 << 30),
                false => remembering(&upstream.url, LONG),
            };
            let digest = digest_of(&body);
            let clients: Vec<_> = (0..500)
                .map(|_| {
                    let (forwarder, digest) = (forwarder.clone(), digest.clone());
                    tokio::task::spawn_local(async move { pull(&forwarder, &digest).await })
                })
                .collect();
            upstream.await_asked(1).await;
            upstream.passes.add_permits(1);
            for got in join_all(clients).await {
                assert!(got.unwrap().unwrap() == body);
            }
            assert_eq!((upstream.asked(), files(folder.path())), (1, usize::from(on_disk)));
            assert_eq!((events(&cache, CacheEvent::Miss), events(&cache, CacheEvent::Coalesced)), (1, 499));
        }
    });
}

#[test]
fn a_layer_on_the_disk_answers_every_kind_of_read_and_outlives_the_process() {
    local(async {
        let body = layer(LAYER);
        let script = body.clone();
        let upstream = Scripted::new(move |request, _| a_layer(request, &script)).await;
        let folder = private_folder();
        let digest = digest_of(&body);
        let (forwarder, cache) = keeping(&upstream.url, folder.path(), 1 << 30);
        assert!(pull(&forwarder, &digest).await.unwrap() == body);
        let part = Operation::BlobRead {
            repository: name("a/b"),
            digest: digest.clone(),
            mode: ReadMode::Get,
            range: Some(ByteRange::Span(299_000, 400_000)),
        };
        let got = plain(&forwarder, part).await.unwrap();
        assert_eq!(got.headers()["content-range"], "bytes 299000-299999/300000");
        assert!(content(got).await.unwrap() == body[299_000..]);
        let head = plain(&forwarder, with_mode(blob("a/b", &digest), ReadMode::Head)).await.unwrap();
        assert_eq!(head.headers()["content-length"], "300000");
        assert!(pull(&forwarder, &digest).await.unwrap() == body);
        assert_eq!((upstream.asked(), events(&cache, CacheEvent::Hit)), (1, 3));

        // Another repository: the registry is asked whether it has it, and for nothing else.
        let other = plain(&forwarder, blob("c/d", &digest)).await.unwrap();
        assert!(content(other).await.unwrap() == body);
        assert!(upstream.seen.borrow()[1].starts_with("HEAD /v2/c/d/"), "{:?}", upstream.seen.borrow());

        let (again, _) = keeping(&upstream.url, folder.path(), 1 << 30);
        assert!(pull(&again, &digest).await.unwrap() == body);
        assert!(upstream.seen.borrow()[2].starts_with("HEAD /v2/a/b/"), "{:?}", upstream.seen.borrow());
        assert_eq!(upstream.asked(), 3);

        let delete = Operation::BlobDelete { repository: name("a/b"), digest: digest.clone() };
        assert!(plain(&again, delete).await.is_ok());
        while files(folder.path()) > 0 {
            tokio::task::yield_now().await;
        }
        assert!(pull(&again, &digest).await.unwrap() == body);
        assert!(upstream.seen.borrow()[4].starts_with("GET "), "{:?}", upstream.seen.borrow());
    });
}

#[test]
fn a_layer_that_a_repository_lacks_is_not_served_to_it_from_the_disk() {
    local(async {
        let body = layer(LAYER);
        let script = body.clone();
        let upstream = Scripted::new(move |request, _| match request.contains("/a/b/") {
            true => a_layer(request, &script),
            false => gone(),
        })
        .await;
        let folder = private_folder();
        let (forwarder, _) = keeping(&upstream.url, folder.path(), 1 << 30);
        let digest = digest_of(&body);
        assert!(pull(&forwarder, &digest).await.unwrap() == body);
        for _ in 0..2 {
            assert_eq!(status(&plain(&forwarder, blob("c/d", &digest)).await), StatusCode::NOT_FOUND);
        }
        assert!(pull(&forwarder, &digest).await.unwrap() == body);
    });
}

#[test]
fn what_is_not_what_it_should_be_or_breaks_off_ends_in_an_error_for_everybody_and_is_not_kept() {
    local(async {
        let body = layer(LAYER);
        let digest = digest_of(&body);
        let mut wrong = body.clone();
        wrong[LAYER - 1] ^= 1;
        for (on_disk, cut) in [(true, false), (true, true), (false, true)] {
            let (script, wrong) = (body.clone(), wrong.clone());
            let upstream = Scripted::held(move |request, _| {
                let whole = a_layer(request, if cut { &script } else { &wrong });
                if cut { [&whole[..whole.len() - 1000], CUT].concat() } else { whole }
            })
            .await;
            let folder = private_folder();
            let (forwarder, _) = match on_disk {
                true => keeping(&upstream.url, folder.path(), 1 << 30),
                false => remembering(&upstream.url, LONG),
            };
            let clients: Vec<_> = (0..20)
                .map(|_| {
                    let (forwarder, digest) = (forwarder.clone(), digest.clone());
                    tokio::task::spawn_local(async move { pull(&forwarder, &digest).await })
                })
                .collect();
            upstream.await_asked(1).await;
            upstream.passes.add_permits(1);
            for got in join_all(clients).await {
                assert!(matches!(got.unwrap(), Err(failure) if is_broken(&failure)));
            }
            assert_eq!((upstream.asked(), files(folder.path())), (1, 0));
        }
    });
}

#[test]
fn who_is_slow_holds_nobody_up_and_gets_the_rest_alone() {
    local(async {
        let body = layer(12 << 20);
        let script = body.clone();
        let upstream = Scripted::new(move |request, _| a_layer(request, &script)).await;
        let (forwarder, _) = remembering(&upstream.url, LONG);
        let digest = digest_of(&body);
        let (slow, fast) =
            tokio::join!(plain(&forwarder, blob("a/b", &digest)), plain(&forwarder, blob("a/b", &digest)));
        let mut slow = slow.unwrap().into_body();
        let first = slow.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(content(fast.unwrap()).await.unwrap() == body);
        assert_eq!(upstream.asked(), 1);
        let rest = slow.collect().await.unwrap().to_bytes();
        assert!([first, rest].concat() == body);
        assert_eq!(upstream.asked(), 2);
        assert!(upstream.seen.borrow()[1].contains("range: bytes="));
    });
}

#[test]
fn a_layer_for_which_there_is_no_room_passes_all_the_same() {
    local(async {
        let body = layer(LAYER);
        let script = body.clone();
        let upstream = Scripted::new(move |request, _| a_layer(request, &script)).await;
        let digest = digest_of(&body);
        let folder = private_folder();
        let (forwarder, _) = keeping(&upstream.url, folder.path(), 1000);
        assert!(pull(&forwarder, &digest).await.unwrap() == body);
        assert_eq!(files(folder.path()), 0);
        let small = CacheSettings { max_bytes: 1 << 20, ..LONG };
        let (forwarder, _) = remembering(&upstream.url, small);
        let got = plain(&forwarder, blob("a/b", &digest)).await.unwrap();
        assert!(matches!(got.body(), ForwardBody::Stream(_)), "no window either");
        assert!(content(got).await.unwrap() == body);
    });
}

#[test]
fn when_everybody_has_gone_a_layer_is_given_up() {
    local(async {
        let body = layer(32 << 20);
        let script = body.clone();
        let upstream = Scripted::new(move |request, _| a_layer(request, &script)).await;
        let folder = private_folder();
        let digest = digest_of(&body);
        for on_disk in [true, false] {
            let (forwarder, _) = match on_disk {
                true => keeping(&upstream.url, folder.path(), 1 << 30),
                false => remembering(&upstream.url, LONG),
            };
            let asked = upstream.asked();
            let mut got = plain(&forwarder, blob("a/b", &digest)).await.unwrap().into_body();
            got.frame().await.unwrap().unwrap();
            drop(got);
            while files(folder.path()) > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            assert!(pull(&forwarder, &digest).await.unwrap() == body, "the next one begins anew");
            assert!(upstream.asked() <= asked + 2);
            fs::read_dir(folder.path())
                .unwrap()
                .for_each(|file| fs::remove_file(file.unwrap().path()).unwrap());
        }
    });
}
