//! The forwarder in front of a real registry.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesUnordered};
use http::StatusCode;
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, StreamBody};

use super::upstream::{Registry, registry};
use super::{ask, blob, content, digest_of, manifest, name, open, send, settings, start};
use crate::forward::{Failure, Forwarder};
use crate::registry::operation::{ByteRange, Operation, Page, ReadMode, UploadStart};
use crate::registry::reference::{Digest, Reference};

const MANIFEST: (&str, &str) = ("content-type", "application/vnd.docker.distribution.manifest.v2+json");
const ACCEPT: (&str, &str) = ("accept", "application/vnd.docker.distribution.manifest.v2+json");

fn forwarder(registry: &Registry) -> Forwarder {
    Forwarder::new(settings(&registry.url)).unwrap()
}

fn full(content: Bytes) -> http_body_util::Full<Bytes> {
    http_body_util::Full::new(content)
}

/// A body of pieces without an announced length.
fn chunked(pieces: Vec<Bytes>) -> impl http_body::Body<Data = Bytes, Error = std::convert::Infallible> {
    StreamBody::new(stream::iter(pieces.into_iter().map(|piece| Ok(Frame::data(piece)))))
}

async fn push(forwarder: &Forwarder, repository: &str, pieces: &[Bytes]) -> Digest {
    let digest = digest_of(&pieces.concat());
    let mut at = ask(forwarder, start(repository)).await.unwrap();
    assert_eq!(at.status(), StatusCode::ACCEPTED);
    for piece in pieces {
        let (session, query) = open(&at);
        let operation = Operation::UploadChunk { session, content_range: None };
        at = send(forwarder, operation, &[], Some(&query), chunked(vec![piece.clone()])).await.unwrap();
    }
    let (session, query) = open(&at);
    let operation = Operation::UploadFinish { session, digest: digest.clone(), content_range: None };
    let done = send(forwarder, operation, &[], Some(&query), Empty::<Bytes>::new()).await.unwrap();
    assert_eq!(done.headers()["location"], format!("{}/v2/{repository}/blobs/{digest}", super::ORIGIN));
    digest
}

async fn push_image(forwarder: &Forwarder, repository: &str, tag: &str) -> Digest {
    let config = Bytes::from(format!(r#"{{"architecture":"amd64","repository":"{repository}"}}"#));
    let digest = push(forwarder, repository, std::slice::from_ref(&config)).await;
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":{},"digest":"{digest}"}},"layers":[]}}"#,
        MANIFEST.1,
        config.len()
    );
    let digest = digest_of(manifest.as_bytes());
    let operation =
        Operation::ManifestWrite { repository: name(repository), reference: Reference::parse(tag).unwrap() };
    let answer = send(forwarder, operation, &[MANIFEST], None, full(manifest.into())).await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["docker-content-digest"]),
        (StatusCode::CREATED, &digest.as_str().parse().unwrap())
    );
    digest
}

#[test]
fn a_blob_goes_up_in_chunks_or_whole_and_comes_down_in_parts_or_whole() {
    super::local(async {
        for unix in [false, true] {
            let registry = registry(unix).await;
            let forwarder = forwarder(&registry);
            let digest = push(&forwarder, "a/b", &["hello ".into(), "brave ".into(), "world".into()]).await;
            assert_eq!(
                content(ask(&forwarder, blob("a/b", &digest)).await.unwrap()).await.unwrap(),
                "hello brave world"
            );
            // One PUT with a length, as containerd does.
            let whole = Bytes::from(vec![7; 3_000_000]);
            let at = ask(&forwarder, start("a/b")).await.unwrap();
            let (session, query) = open(&at);
            let finish = Operation::UploadFinish { session, digest: digest_of(&whole), content_range: None };
            send(&forwarder, finish, &[], Some(&query), full(whole.clone())).await.unwrap();
            assert_eq!(
                content(ask(&forwarder, blob("a/b", &digest_of(&whole))).await.unwrap()).await.unwrap(),
                whole
            );
            let part = Operation::BlobRead {
                repository: name("a/b"),
                digest: digest.clone(),
                mode: ReadMode::Get,
                range: Some(ByteRange::From(6)),
            };
            let part = ask(&forwarder, part).await.unwrap();
            assert_eq!(
                (part.status(), &part.headers()["content-range"]),
                (StatusCode::PARTIAL_CONTENT, &"bytes 6-16/17".parse().unwrap())
            );
            assert_eq!(content(part).await.unwrap(), "brave world");
            let head =
                Operation::BlobRead { repository: name("a/b"), digest, mode: ReadMode::Head, range: None };
            let head = ask(&forwarder, head).await.unwrap();
            assert_eq!(
                (&head.headers()["content-length"], &head.headers()["cache-control"]),
                (&"17".parse().unwrap(), &"private, max-age=31536000".parse().unwrap())
            );
            let lost = ask(&forwarder, blob("a/b", &digest_of(b"nowhere"))).await.err();
            assert!(matches!(lost, Some(Failure::Oci(error)) if error.status == StatusCode::NOT_FOUND));
            assert!(forwarder.sender.pool.idle() >= 1, "connections are kept");
        }
    });
}

#[test]
fn an_upload_can_be_asked_about_given_up_mounted_and_refused() {
    super::local(async {
        let registry = registry(false).await;
        let forwarder = forwarder(&registry);
        let digest = push(&forwarder, "a/b", &["hello".into()]).await;
        let mount = UploadStart::Mount { digest: digest.clone(), from: name("a/b") };
        let mounted =
            ask(&forwarder, Operation::UploadStart { repository: name("c/d"), start: mount }).await.unwrap();
        assert_eq!(mounted.status(), StatusCode::CREATED);
        assert_eq!(content(ask(&forwarder, blob("c/d", &digest)).await.unwrap()).await.unwrap(), "hello");
        let mount = UploadStart::Mount { digest: digest_of(b"other"), from: name("a/b") };
        let plain =
            ask(&forwarder, Operation::UploadStart { repository: name("c/d"), start: mount }).await.unwrap();
        assert_eq!(plain.status(), StatusCode::ACCEPTED);
        let (session, query) = open(&plain);
        let empty = Empty::<Bytes>::new;
        let status = send(&forwarder, Operation::UploadStatus(session.clone()), &[], Some(&query), empty())
            .await
            .unwrap();
        assert_eq!(
            (status.status(), &status.headers()["range"]),
            (StatusCode::NO_CONTENT, &"0-0".parse().unwrap())
        );
        let wrong = Operation::UploadFinish { session, digest: digest_of(b"x"), content_range: None };
        let wrong = send(&forwarder, wrong, &[], Some(&query), full("y".into())).await.err();
        assert!(matches!(wrong, Some(Failure::Oci(error)) if error.status == StatusCode::BAD_REQUEST));
        let at = ask(&forwarder, start("c/d")).await.unwrap();
        let (session, query) = open(&at);
        let cancelled =
            send(&forwarder, Operation::UploadCancel(session), &[], Some(&query), empty()).await.unwrap();
        assert_eq!(cancelled.status(), StatusCode::NO_CONTENT);
        // A vanilla registry takes no blob with POST: it offers a session instead, and the body is lost on it.
        let whole = UploadStart::Monolithic { digest: digest_of(b"z") };
        let whole = Operation::UploadStart { repository: name("c/d"), start: whole };
        let offered = send(&forwarder, whole, &[], None, full("z".into())).await.unwrap();
        assert_eq!(offered.status(), StatusCode::ACCEPTED);
    });
}

#[test]
fn images_are_pushed_listed_read_and_deleted() {
    super::local(async {
        let registry = registry(false).await;
        let forwarder = forwarder(&registry);
        let digest = push_image(&forwarder, "mine/app", "v2").await;
        for (repository, tag) in
            [("mine/app", "v1"), ("mine/app", "v10"), ("hidden/app", "v1"), ("mine/web", "v1")]
        {
            push_image(&forwarder, repository, tag).await;
        }
        let mine = super::only(|repository| repository.namespace() == "mine");
        let found = forwarder.catalog(&Page { limit: Some(1), last: None }, &mine).await.unwrap();
        assert_eq!((found.repositories, found.more), (vec![name("mine/app")], true));
        let found =
            forwarder.catalog(&Page { limit: Some(1), last: Some("mine/app".into()) }, &mine).await.unwrap();
        assert_eq!((found.repositories, found.more), (vec![name("mine/web")], false));
        let list = |page| Operation::TagList { repository: name("mine/app"), page };
        let tags = ask(&forwarder, list(Page { limit: Some(2), last: None })).await.unwrap();
        assert_eq!(content(tags).await.unwrap(), r#"{"name":"mine/app","tags":["v1","v10"]}"#);
        let unknown = Operation::TagList { repository: name("mine/none"), page: Page::default() };
        assert!(
            matches!(ask(&forwarder, unknown).await.err(), Some(Failure::Oci(error)) if error.status == StatusCode::NOT_FOUND)
        );
        let empty = Empty::<Bytes>::new;
        for reference in ["v1", digest.as_str()] {
            let read =
                send(&forwarder, manifest("mine/app", reference), &[ACCEPT], None, empty()).await.unwrap();
            assert_eq!(
                (&read.headers()["content-type"], &read.headers()["docker-content-digest"]),
                (&ACCEPT.1.parse().unwrap(), &digest.as_str().parse().unwrap())
            );
            let etag = read.headers()["etag"].to_str().unwrap().to_owned();
            assert_eq!(digest_of(&content(read).await.unwrap()), digest);
            let again = [ACCEPT, ("if-none-match", etag.as_str())];
            let again =
                send(&forwarder, manifest("mine/app", reference), &again, None, empty()).await.unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        }
        let delete = Operation::ManifestDelete {
            repository: name("mine/app"),
            reference: Reference::Digest(digest.clone()),
        };
        assert_eq!(ask(&forwarder, delete).await.unwrap().status(), StatusCode::ACCEPTED);
        let gone = send(&forwarder, manifest("mine/app", "v1"), &[ACCEPT], None, empty()).await.err();
        assert!(matches!(gone, Some(Failure::Oci(error)) if error.status == StatusCode::NOT_FOUND));
        let referrers =
            Operation::Referrers { repository: name("mine/app"), subject: digest, artifact_type: None };
        assert!(
            matches!(ask(&forwarder, referrers).await.err(), Some(Failure::Oci(error)) if error.status == StatusCode::NOT_FOUND)
        );
        assert_eq!(content(ask(&forwarder, Operation::Ping).await.unwrap()).await.unwrap(), "{}");
    });
}

#[test]
fn two_hundred_transfers_at_once_arrive_whole() {
    super::local(async {
        let registry = registry(false).await;
        let forwarder = forwarder(&registry);
        let transfers: FuturesUnordered<_> = (0..200_u32)
            .map(|n| {
                let forwarder = &forwarder;
                async move {
                    let size = 1 + usize::try_from(n * n * 7 % 300_000).unwrap();
                    let bytes: Vec<u8> = (0..size)
                        .map(|i| u8::try_from((i * 31 + usize::try_from(n).unwrap()) % 251).unwrap())
                        .collect();
                    let middle = size / 3;
                    let pieces =
                        [Bytes::copy_from_slice(&bytes[..middle]), Bytes::copy_from_slice(&bytes[middle..])];
                    let repository = format!("load/r{}", n % 10);
                    let digest = push(forwarder, &repository, &pieces).await;
                    let back =
                        content(ask(forwarder, blob(&repository, &digest)).await.unwrap()).await.unwrap();
                    assert_eq!(digest_of(&back), digest);
                }
            })
            .collect();
        assert_eq!(transfers.count().await, 200);
    });
}

#[test]
fn a_quarter_of_a_gibibyte_passes_through_in_constant_memory() {
    super::local(async {
        let registry = registry(true).await;
        let forwarder = forwarder(&registry);
        let before = resident();
        let piece = Bytes::from(vec![42_u8; 64 * 1024]);
        let total: usize = 256 << 20;
        let mut hasher = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        (0..total / piece.len()).for_each(|_| hasher.update(&piece));
        let digest =
            Digest::parse(&format!("sha256:{}", data_encoding::HEXLOWER.encode(hasher.finish().as_ref())))
                .unwrap();
        let at = ask(&forwarder, start("big/blob")).await.unwrap();
        let (session, query) = open(&at);
        let pieces = stream::iter(std::iter::repeat_n(piece.clone(), total / piece.len()));
        let body = StreamBody::new(pieces.map(|piece| Ok::<_, std::convert::Infallible>(Frame::data(piece))));
        let chunk = Operation::UploadChunk { session, content_range: None };
        let at = send(&forwarder, chunk, &[], Some(&query), body).await.unwrap();
        let (session, query) = open(&at);
        let finish = Operation::UploadFinish { session, digest: digest.clone(), content_range: None };
        send(&forwarder, finish, &[], Some(&query), Empty::<Bytes>::new()).await.unwrap();
        let mut body = ask(&forwarder, blob("big/blob", &digest)).await.unwrap().into_body();
        let (mut seen, mut highest) = (0, 0);
        while let Some(frame) = body.frame().await {
            seen += frame.unwrap().into_data().unwrap().len();
            highest = highest.max(resident());
        }
        assert_eq!(seen, total);
        // Other tests share this process, so the bound is loose; a buffered blob would pass it several times over.
        assert!(highest.saturating_sub(before) < 128 << 10, "{before} KiB before, {highest} KiB at most");
    });
}

/// This process's resident memory, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
