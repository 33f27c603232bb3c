//! Requests and answers are written anew: what is not named does not pass, and what does not fit is refused.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::upstream::{always, head, raw};
use super::{
    ask, blob, content, digest_of, fed, forwarder, forwarder_to_nowhere, full, is_broken, manifest, permit,
    send, settings, start,
};
use crate::admit::fault::Fault;
use crate::forward::{Failure, Forwarder};
use crate::registry::error::OciCode;
use crate::registry::operation::{ByteRange, Operation, ReadMode, UploadStart};

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
