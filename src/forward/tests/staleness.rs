//! What makes what is remembered old, what does not, and how long anybody waits for it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::StatusCode;

use super::cache::{KIND, LONG, Scripted, a_blob, a_manifest, answer, plain, remembering, status};
use super::{blob, digest_of, local, manifest, name, send, settings};
use crate::admit::fault::Fault;
use crate::forward::cache::{ContentCache, Shelf};
use crate::forward::settings::{UpstreamSettings, UpstreamUrl};
use crate::forward::{Failure, Forwarder};
use crate::registry::operation::Operation;
use crate::registry::reference::Reference;

/// A forwarder before the same upstream, spelled so.
fn spelled(cache: &Arc<ContentCache>, site: usize, url: &str) -> Forwarder {
    let shelf = Shelf::new(Arc::clone(cache), site, UpstreamUrl::parse(url).unwrap());
    Forwarder::new(UpstreamSettings { shelf: Some(shelf), ..settings(url) }).unwrap()
}

async fn push(forwarder: &Forwarder, reference: &str, text: &[u8]) -> Result<StatusCode, Failure> {
    let reference = Reference::parse(reference).unwrap();
    let operation = Operation::ManifestWrite { repository: name("a/b"), reference };
    let body = http_body_util::Full::new(Bytes::copy_from_slice(text));
    send(forwarder, operation, &[("content-type", KIND)], None, body).await.map(|answer| answer.status())
}

#[test]
fn an_upstream_that_hangs_is_waited_for_once_by_everybody() {
    local(async {
        let upstream = Scripted::held(|request, _| a_blob(request, b"layer")).await;
        let cache = Arc::new(ContentCache::new(LONG).unwrap());
        let shelf = Shelf::new(cache, 0, UpstreamUrl::parse(&upstream.url).unwrap());
        let first_byte_timeout = Duration::from_millis(200);
        let settings = UpstreamSettings { shelf: Some(shelf), first_byte_timeout, ..settings(&upstream.url) };
        let forwarder = Forwarder::new(settings).unwrap();
        let digest = digest_of(b"layer");
        let clients = (0..20).map(|_| plain(&forwarder, blob("a/b", &digest)));
        for got in join_all(clients).await {
            assert!(matches!(got, Err(Failure::Fault(Fault::UpstreamTimeout(_)))), "{got:?}");
        }
        assert_eq!(upstream.asked(), 1);
    });
}

#[test]
fn what_a_tag_pointed_to_is_looked_for_again_once_it_points_elsewhere() {
    local(async {
        let (old, new) = (br#"{"v":1}"#, br#"{"v":2}"#);
        let upstream = Scripted::new(move |request, number| match number {
            // This one keeps nothing that has no name.
            _ if request.starts_with("PUT ") => answer("201 Created", "", b""),
            1 => a_manifest(request, KIND, old),
            _ if request.contains("sha256") => super::cache::gone(),
            _ => a_manifest(request, KIND, new),
        })
        .await;
        let (forwarder, _) = remembering(&upstream.url, LONG);
        let by_digest = || manifest("a/b", digest_of(old).as_str());
        assert_eq!(status(&plain(&forwarder, manifest("a/b", "v1")).await), StatusCode::OK);
        assert_eq!(status(&plain(&forwarder, by_digest()).await), StatusCode::OK);
        assert_eq!((push(&forwarder, "v1", new).await.unwrap(), upstream.asked()), (StatusCode::CREATED, 2));
        assert_eq!(status(&plain(&forwarder, by_digest()).await), StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_refused_push_makes_nothing_old_unless_something_is_missing() {
    local(async {
        for (code, questions) in [("MANIFEST_INVALID", 2), ("TAG_INVALID", 2), ("MANIFEST_BLOB_UNKNOWN", 3)] {
            let upstream = Scripted::new(move |request, _| {
                if request.starts_with("PUT ") {
                    let body = format!(r#"{{"errors":[{{"code":"{code}","message":"no"}}]}}"#);
                    return answer("400 Bad Request", "", body.as_bytes());
                }
                a_blob(request, b"config")
            })
            .await;
            let (forwarder, _) = remembering(&upstream.url, LONG);
            let read = || plain(&forwarder, blob("a/b", &digest_of(b"config")));
            assert_eq!(status(&read().await), StatusCode::OK);
            // By digest: nothing loses its name.
            let text = br#"{"v":1}"#;
            assert!(push(&forwarder, digest_of(text).as_str(), text).await.is_err());
            assert_eq!(status(&read().await), StatusCode::OK);
            assert_eq!(upstream.asked(), questions, "{code}");
        }
    });
}

#[test]
fn one_upstream_under_two_names_is_one() {
    local(async {
        let upstream = Scripted::new(|request, _| match request.split(' ').next() {
            Some("DELETE") => answer("202 Accepted", "", b""),
            _ => a_blob(request, b"config"),
        })
        .await;
        let cache = Arc::new(ContentCache::new(LONG).unwrap());
        let digest = digest_of(b"config");
        let elsewhere = upstream.url.replace("127.0.0.1", "localhost");
        let (one, other) = (spelled(&cache, 0, &upstream.url), spelled(&cache, 1, &elsewhere));
        // The same repository once more, with its first part in the URL.
        let nested = spelled(&cache, 2, &format!("{elsewhere}/v2prefix"));
        let read = |forwarder: &Forwarder, repository: &str| {
            let (forwarder, operation) = (forwarder.clone(), blob(repository, &digest));
            async move { status(&plain(&forwarder, operation).await) }
        };
        assert_eq!(read(&one, "a/b").await, StatusCode::OK);
        assert_eq!(read(&one, "v2prefix/a/b").await, StatusCode::OK);
        let delete = || Operation::BlobDelete { repository: name("a/b"), digest: digest.clone() };
        for (through, repository) in [(&other, "a/b"), (&nested, "v2prefix/a/b")] {
            let before = upstream.asked();
            assert_eq!(read(&one, repository).await, StatusCode::OK);
            assert_eq!(upstream.asked(), before, "it is kept");
            assert_eq!(status(&plain(through, delete()).await), StatusCode::ACCEPTED);
            assert_eq!(read(&one, repository).await, StatusCode::OK);
            assert_eq!(upstream.asked(), before + 2, "it was looked for again");
        }
    });
}
