//! The parser against the attack catalogue; each case is named in a comment after its entry there.

use http::{HeaderMap, HeaderValue, Method};

use super::{Unparsed, parse};
use crate::registry::error::OciCode;
use crate::registry::operation::{ByteRange, Operation, OperationKind, ReadMode, UploadStart};

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn digest() -> String {
    format!("sha256:{HEX}")
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().fold(HeaderMap::new(), |mut map, (name, value)| {
        map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        map
    })
}

fn call(method: &str, target: &str) -> Result<Operation, Unparsed> {
    call_with(method, target, &HeaderMap::new())
}

fn call_with(method: &str, target: &str, headers: &HeaderMap) -> Result<Operation, Unparsed> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    parse(&Method::from_bytes(method.as_bytes()).unwrap(), path, query, headers)
}

fn code(method: &str, target: &str) -> (u16, OciCode) {
    let error = call(method, target).unwrap_err().into_error();
    (error.status.as_u16(), error.code)
}

/// The kind and the repository that a well-formed request is about.
fn about(method: &str, target: &str) -> (OperationKind, String) {
    let operation = call(method, target).unwrap_or_else(|error| panic!("{method} {target}: {error:?}"));
    (operation.kind(), operation.repository().map(ToString::to_string).unwrap_or_default())
}

#[test]
fn every_route_is_parsed_into_its_operation() {
    let d = digest();
    let table = [
        ("GET", "/v2/".to_owned(), OperationKind::Ping),
        ("HEAD", "/v2/".to_owned(), OperationKind::Ping),
        ("GET", "/v2/_catalog?n=5&last=a/b".to_owned(), OperationKind::Catalog),
        ("GET", "/v2/ns/a/manifests/latest".to_owned(), OperationKind::ManifestRead),
        ("HEAD", format!("/v2/ns/a/manifests/{d}"), OperationKind::ManifestRead),
        ("PUT", "/v2/ns/a/manifests/latest".to_owned(), OperationKind::ManifestWrite),
        ("DELETE", format!("/v2/ns/a/manifests/{d}"), OperationKind::ManifestDelete),
        ("GET", format!("/v2/ns/a/blobs/{d}"), OperationKind::BlobRead),
        ("HEAD", format!("/v2/ns/a/blobs/sha512:{HEX}{HEX}"), OperationKind::BlobRead),
        ("DELETE", format!("/v2/ns/a/blobs/{d}"), OperationKind::BlobDelete),
        ("POST", "/v2/ns/a/blobs/uploads/".to_owned(), OperationKind::UploadStart),
        ("PATCH", "/v2/ns/a/blobs/uploads/u-1".to_owned(), OperationKind::UploadChunk),
        ("PUT", format!("/v2/ns/a/blobs/uploads/u-1?digest={d}"), OperationKind::UploadFinish),
        ("GET", "/v2/ns/a/blobs/uploads/u-1".to_owned(), OperationKind::UploadStatus),
        ("HEAD", "/v2/ns/a/blobs/uploads/u-1".to_owned(), OperationKind::UploadStatus),
        ("DELETE", "/v2/ns/a/blobs/uploads/u-1".to_owned(), OperationKind::UploadCancel),
        ("GET", "/v2/ns/a/tags/list?n=0".to_owned(), OperationKind::TagList),
        ("GET", format!("/v2/ns/a/referrers/{d}?artifactType=a%2Fb%2Bjson"), OperationKind::Referrers),
    ];
    for (method, target, kind) in table {
        let name = if target.contains("ns/a") { "ns/a" } else { "" };
        assert_eq!(about(method, &target), (kind, name.to_owned()), "{method} {target}");
    }
}

#[test]
fn no_path_that_an_upstream_would_clean_or_decode_is_accepted() {
    let refused = [
        "/v2/tenant-a/app/../../tenant-b/secret/manifests/v1", // P-01
        "/v2/tenant-a/app/%2e%2e/%2e%2e/tenant-b/secret/manifests/v1", // P-02
        "/v2/tenant-a/app/.%2e/%2E./tenant-b/secret/manifests/v1", // P-02
        "/v2/tenant-a/app/..%2f..%2ftenant-b/secret/manifests/v1", // P-03
        "/v2/tenant-a/%252e%252e/secret/manifests/v1",         // P-04
        "/v2/tenant-b%252fsecret/manifests/v1",                // P-04
        "/v2/tenant-b%2fsecret/manifests/v1",                  // P-05
        "/v2/tenant-b%2Fsecret/manifests/v1",                  // P-05
        "/v2/tenant-b/secret%2fmanifests%2fv1",                // P-06
        "/v2%2ftenant-b/secret/manifests/v1",                  // P-06
        "/%76%32/tenant-b/secret/manifests/v1",                // P-06
        "/v2/tenan%74-b/secret/manifests/v1",                  // P-06
        "/v2/tenant-b/secret/m%61nifests/v1",                  // P-06
        "/v2/tenant-b/secret/manifests/%76%31",                // P-06
        "/v2/%5fcatalog",                                      // P-07
        "/v2//_catalog",                                       // P-07
        "/v2/./_catalog",                                      // P-07
        "/v2/x/../_catalog",                                   // P-07
        "/v2/_catalog/",                                       // P-07
        "//v2/tenant-b/secret/manifests/v1",                   // P-08
        "/v2/tenant-b//secret/manifests/v1",                   // P-09
        "/v2/tenant-a/app//manifests/v1",                      // P-09
        "/v2/tenant-a/app/manifests//v1",                      // P-09
        "/v2/tenant-a/app/manifests/v1/",                      // P-10
        "/v2/tenant-a/app/tags/list/",                         // P-10
        "/v2/tenant-b;x/secret/manifests/v1",                  // P-11
        "/v2/tenant-a/app/..;/..;/tenant-b/secret/manifests/v1", // P-11
        "/v2/.;/tenant-b/secret/manifests/v1",                 // P-11
        "/v2/tenant-a/app/manifests/v1;a=b",                   // P-11
        "/v2/tenant-a/app/manifests/v1%3ba",                   // P-11
        "/v2/tenant-a\\app/manifests/v1",                      // P-12
        "/v2/tenant-a%5capp/manifests/v1",                     // P-12
        "/v2/Tenant-B/secret/manifests/v1",                    // P-13
        "/v2/VICTIM/app/manifests/v1",                         // P-13
        "/v2/caf\u{e9}/manifests/v1",                          // P-15
        "/v2/a%E2%88%95b/manifests/v1",                        // P-15
        "/v2/a%EF%BC%8Fb/manifests/v1",                        // P-15
        "/v2/\u{430}pp/manifests/v1",                          // P-15
        "/v2/%c0%ae%c0%ae/manifests/v1",                       // P-16
        "/v2/a/manifests/%ff",                                 // P-16
        "/v2/a/manifests/v\u{661}",                            // P-17
        "/v2/tenant-\u{24d1}/manifests/v1",                    // P-17
        "/v2/a%00/manifests/v1",                               // P-18
        "/v2/a/manifests/v1%00",                               // P-18
        "/v2/a/blobs/sha256:%00",                              // P-18
        "/v2/a\0/manifests/v1",                                // P-18
        "/v2/a/manifests/v1%0d%0aX:%20y",                      // P-19
        "/v2/a%0d%0aX:y/manifests/v1",                         // P-19
        "/v2/a/manifests/%zz",                                 // P-20
        "/v2/a/manifests/v%",                                  // P-20
        "/v2/a%u002e/manifests/v1",                            // P-20
        "/v2/a/manifests/%2",                                  // P-20
        "/v2/tenant-b/secret/manifests/v1#/tenant-a",          // P-21
        "/v2/tenant-b/secret/manifests/v1%23",                 // P-21
        "/v2/tenant-b/secret/manifests/v1%3fx",                // P-22
        "/v2/localhost:5000/tenant-b/secret/manifests/v1",     // P-29
        "/v2/[::1]:5000/secret/manifests/v1",                  // P-29
        "http://evil.example/v2/tenant-b/secret/manifests/v1", // P-31
        "*",                                                   // P-32
        "cr.test:443",                                         // P-32
        "admin",                                               // P-32
        "",                                                    // P-32
        "/healthz/../v2/tenant-b/secret/manifests/v1",         // P-33
        "/token/../v2/tenant-b/secret/manifests/v1",           // P-33
        "/v2/..%2fmetrics",                                    // P-33
        "/v2/a/tags/list%3A",
        "/v2/%3A/manifests/v1",
        "/v2/a/blobs/uploads/%3A",
        "/v2/a/blobs/uploads/..",
        "/v2/a/blobs/uploads/%2e%2e",
        "/v2/a/blobs/uploads/...",
    ];
    for target in refused {
        let error = call("GET", target).unwrap_err();
        assert!(matches!(error, Unparsed::Malformed(_)), "{target}: {error:?}");
        assert_eq!(error.into_error().status, 400, "{target}");
    }
    //
    assert_eq!(
        code("GET", &format!("/v2/a/blobs/uploads/{}", "u".repeat(129))),
        (400, OciCode::BlobUploadInvalid)
    );
}

#[test]
fn paths_that_are_no_route_are_not_found() {
    let unknown = [
        "/",
        "/v2",
        "/v1/_ping",
        "/token",
        "/metrics",            // P-33
        "/debug/vars",         // P-33
        "/V2/",                // P-14
        "/v2/a/Manifests/v1",  // P-14
        "/v2/_Catalog",        // P-14
        "/v2/manifests/v1",    // P-28
        "/v2/tags/list",       // P-28
        "/v2/blobs/uploads/",  // P-28
        "/v2/blobs/uploads/x", // P-28
        "/v2/a/blobs/uploads", // P-10
        "/v2/a/uploads/x",
        "/v2/tenant-a/app/tags/listX",  // P-35
        "/v2/_catalogX",                // P-35
        "/v2/tenant-a/app/tags/list/x", // P-35
        "/v2/a/_catalog",
        "/extensions/v2/a/signatures/x",
    ];
    for target in unknown {
        assert_eq!(call("GET", target), Err(Unparsed::NoSuchRoute), "{target}");
        let all = [call("POST", target), call("DELETE", target)];
        assert!(all.iter().all(Result::is_err), "{target}");
    }
}

// P-25, P-26, P-27
#[test]
fn words_of_the_protocol_are_names_where_a_registry_reads_them_so() {
    let table = [
        ("GET", "/v2/a/b/manifests/tags/list", OperationKind::TagList, "a/b/manifests"),
        ("GET", "/v2/a/b/tags/manifests/list", OperationKind::ManifestRead, "a/b/tags"),
        ("GET", "/v2/tenant-a/app/manifests/tags/list", OperationKind::TagList, "tenant-a/app/manifests"),
        ("GET", "/v2/tenant-a/manifests/manifests/v1", OperationKind::ManifestRead, "tenant-a/manifests"),
        (
            "GET",
            "/v2/tenant-a/blobs/uploads/manifests/latest",
            OperationKind::ManifestRead,
            "tenant-a/blobs/uploads",
        ),
        ("POST", "/v2/tenant-a/blobs/uploads/", OperationKind::UploadStart, "tenant-a"),
        ("POST", "/v2/tenant-a/blobs/blobs/uploads/", OperationKind::UploadStart, "tenant-a/blobs"),
        (
            "POST",
            "/v2/tenant-a/blobs/uploads/blobs/uploads/",
            OperationKind::UploadStart,
            "tenant-a/blobs/uploads",
        ),
        ("GET", "/v2/a/blobs/uploads/uploads", OperationKind::UploadStatus, "a"),
        ("GET", "/v2/blobs/blobs/uploads/list", OperationKind::UploadStatus, "blobs"),
        ("GET", "/v2/tags/list/tags/list", OperationKind::TagList, "tags/list"),
        ("GET", "/v2/referrers/manifests/referrers", OperationKind::ManifestRead, "referrers"),
        ("GET", "/v2/v2/manifests/latest", OperationKind::ManifestRead, "v2"),
    ];
    for (method, target, kind, name) in table {
        assert_eq!(about(method, target), (kind, name.to_owned()), "{target}");
    }
}

#[test]
fn limits_are_exact() {
    // P-23
    for (length, ok) in [(255, true), (256, false), (257, false)] {
        assert_eq!(call("GET", &format!("/v2/{}/manifests/v1", "a".repeat(length))).is_ok(), ok, "{length}");
    }
    for (length, ok) in [(128, true), (129, false)] {
        assert_eq!(call("GET", &format!("/v2/a/manifests/{}", "t".repeat(length))).is_ok(), ok, "{length}");
    }
    // P-24
    let deep = vec!["a"; 130].join("/");
    assert_eq!(code("GET", &format!("/v2/{deep}/manifests/v1")), (400, OciCode::NameInvalid));
    assert_eq!(code("GET", &format!("/v2/{}/manifests/v1", "a".repeat(100_000))).0, 414);
    let filler = 8192 - "/v2/?".len();
    assert!(call("GET", &format!("/v2/?{}", "x".repeat(filler))).is_ok());
    assert_eq!(code("GET", &format!("/v2/?{}", "x".repeat(filler + 1))).0, 414);
}

// P-30
#[test]
fn digests_have_one_spelling() {
    let odd = [
        format!("sha256:{}", HEX.to_uppercase()),
        format!("sha256:{}", HEX.split_at(63).0),
        format!("SHA256:{HEX}"),
        format!("sha256+b64:{HEX}"),
        format!("md5:{}", HEX.split_at(32).0),
        format!("sha256:{}", HEX.split_at(32).0),
        "sha256%253A00".to_owned(),
        "sha256%%3A3A".to_owned(),
    ];
    for text in odd {
        for word in ["blobs", "manifests", "referrers"] {
            assert_eq!(code("GET", &format!("/v2/a/{word}/{text}")).0, 400, "{word}/{text}");
        }
        assert_eq!(
            call("POST", &format!("/v2/a/blobs/uploads/?digest={text}")).unwrap_err().into_error().status,
            400
        );
    }
    assert_eq!(code("GET", &format!("/v2/a/blobs/sha256+b64:{HEX}")), (400, OciCode::DigestInvalid));
    for colon in ["%3A", "%3a"] {
        let plain = call("GET", &format!("/v2/a/blobs/sha256:{HEX}")).unwrap();
        assert_eq!(call("GET", &format!("/v2/a/blobs/sha256{colon}{HEX}")).unwrap(), plain);
    }
    // Decoded once, not twice (P-04).
    assert!(call("POST", &format!("/v2/a/blobs/uploads/?digest=sha256%253A{HEX}")).is_err());
}

#[test]
fn a_tag_that_cannot_exist_is_unknown_to_readers_and_invalid_to_writers() {
    assert_eq!(code("GET", "/v2/a/manifests/.INVALID_MANIFEST_NAME"), (404, OciCode::ManifestUnknown));
    assert_eq!(code("PUT", "/v2/a/manifests/.INVALID_MANIFEST_NAME"), (400, OciCode::TagInvalid));
}

#[test]
fn methods_are_an_exact_list_per_route() {
    let d = digest();
    // M-04, M-05, M-07, M-08
    for method in
        ["FOO", "PROPFIND", "PURGE", "get", "Get", "OPTIONS", "TRACE", "CONNECT", &"X".repeat(10_000)]
    {
        let error = call(method, "/v2/a/manifests/v1").unwrap_err();
        assert!(matches!(error, Unparsed::MethodNotAllowed { .. }), "{method}");
    }
    // M-03, M-10; HEAD on lists
    let table = [
        ("POST", "/v2/a/manifests/v1?_method=DELETE".to_owned(), "DELETE, GET, HEAD, PUT"),
        ("POST", "/v2/".to_owned(), "GET, HEAD"),
        ("DELETE", "/v2/".to_owned(), "GET, HEAD"),
        ("PUT", "/v2/_catalog".to_owned(), "GET"),
        ("HEAD", "/v2/_catalog".to_owned(), "GET"),
        ("HEAD", "/v2/a/tags/list".to_owned(), "GET"),
        ("PATCH", "/v2/a/tags/list".to_owned(), "GET"),
        ("POST", format!("/v2/a/referrers/{d}"), "GET"),
        ("PUT", format!("/v2/a/blobs/{d}"), "DELETE, GET, HEAD"),
        ("GET", "/v2/a/blobs/uploads/".to_owned(), "POST"),
        ("POST", "/v2/a/blobs/uploads/u".to_owned(), "DELETE, GET, HEAD, PATCH, PUT"),
    ];
    for (method, target, allow) in table {
        assert_eq!(call(method, &target), Err(Unparsed::MethodNotAllowed { allow }), "{method} {target}");
    }
    let error = call("POST", "/v2/").unwrap_err().into_error();
    assert_eq!((error.status.as_u16(), error.code), (405, OciCode::Unsupported));
}

// M-01, M-02, P-34, P-36
#[test]
fn head_and_other_headers_do_not_change_what_is_asked_for() {
    let odd = headers(&[
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("user-agent", "kube-probe/1.0"),
        ("accept", "*/*"),
    ]);
    assert_eq!(call_with("GET", "/v2/a/manifests/v1", &odd), call("GET", "/v2/a/manifests/v1"));
    let Ok(Operation::ManifestRead { mode, .. }) = call("HEAD", "/v2/a/manifests/v1") else { panic!() };
    assert_eq!(mode, ReadMode::Head);
    assert_eq!(about("HEAD", "/v2/a/manifests/v1"), about("GET", "/v2/a/manifests/v1"));
}

// M-09
#[test]
fn a_read_with_a_body_is_refused() {
    for pair in [("content-length", "5"), ("transfer-encoding", "chunked"), ("content-length", "")] {
        for method in ["GET", "HEAD"] {
            assert!(call_with(method, "/v2/a/manifests/v1", &headers(&[pair])).is_err(), "{method} {pair:?}");
        }
    }
    assert!(call_with("GET", "/v2/a/manifests/v1", &headers(&[("content-length", "0")])).is_ok());
    assert!(call_with("PUT", "/v2/a/manifests/v1", &headers(&[("content-length", "5")])).is_ok());
}

//
#[test]
fn form_bodies_are_refused_on_every_route() {
    let forms = [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-URLencoded; charset=utf-8",
        "multipart/form-data; boundary=x",
        "MULTIPART/Form-Data",
        "multipart/mixed; boundary=x",
        " \tapplication/x-www-form-urlencoded ;",
        "text/plain, application/x-www-form-urlencoded",
        "application/x-www-form-urlenco\u{212a}ed",
    ];
    for form in forms {
        for (method, target) in
            [("POST", "/v2/a/blobs/uploads/"), ("PUT", "/v2/a/manifests/v1"), ("GET", "/v2/")]
        {
            let error =
                call_with(method, target, &headers(&[("content-type", form)])).unwrap_err().into_error();
            assert_eq!((error.status.as_u16(), error.code), (400, OciCode::Unsupported), "{method} {form}");
        }
    }
    let second =
        headers(&[("content-type", "text/plain"), ("content-type", "application/x-www-form-urlencoded")]);
    assert!(call_with("POST", "/v2/a/blobs/uploads/", &second).is_err());
    for fine in ["application/json", "application/octet-stream", ""] {
        assert!(
            call_with("POST", "/v2/a/blobs/uploads/", &headers(&[("content-type", fine)])).is_ok(),
            "{fine}"
        );
    }
}

fn start(query: &str) -> Result<UploadStart, Unparsed> {
    match call("POST", &format!("/v2/tenant-a/app/blobs/uploads/?{query}"))? {
        Operation::UploadStart { start, .. } => Ok(start),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_upload_begins_as_mount_monolith_or_session_and_nothing_between() {
    let d = digest();
    let mount = start(&format!("mount={d}&from=tenant-b/secret")).unwrap();
    let UploadStart::Mount { digest, from } = &mount else { panic!() };
    assert_eq!((digest.as_str(), from.as_str()), (d.as_str(), "tenant-b/secret"));
    //
    let escaped = format!("%6dount=sha256%3A{HEX}&%66rom=tenant-b%2Fsecret");
    assert_eq!(start(&escaped).unwrap(), mount);
    //
    assert_eq!(start(&format!("mount={d}")), Ok(UploadStart::Session));
    assert_eq!(start("from=tenant-b/secret"), Ok(UploadStart::Session));
    assert_eq!(start("ns=evil.example&digest-algorithm=sha512&x"), Ok(UploadStart::Session));
    assert_eq!(start("").unwrap(), UploadStart::Session);
    assert!(matches!(start(&format!("digest={d}")), Ok(UploadStart::Monolithic { .. })));
    let refused = [
        format!("mount={d}&from=tenant-a/app;x&from=tenant-b/secret"),
        format!("mount={d}&from=tenant-a/app%zz&from=tenant-b/secret"),
        format!("mount={d}&from=tenant-a/app&from=tenant-b/secret"),
        format!("mount={d}&from=tenant-b/secret&from=tenant-a/app"),
        format!("mount={d}&from=tenant-a/app&%66rom=tenant-b/secret"),
        format!("mount={d}&mount={d}&from=tenant-b/secret"),
        format!("mount={d}&from=Tenant-B/secret"),
        format!("mount={d}&from=tenant-b/../secret"),
        format!("mount={d}&from="),
        format!("mount={d}&from=%00"),
        format!("mount={d}&from=a%ff"),
        format!("mount={d}&from=a%2"),
        format!("mount={d}&from=a%252fb"),
        format!("mount={d}&digest={d}&from=a"),
        "mount=&from=a".to_owned(),
        "mount=sha256:00&from=a".to_owned(),
        "digest=".to_owned(),
        "x=%zz".to_owned(),
        "x;y".to_owned(),
        "x=\u{e9}".to_owned(),
        "%0d%0a=x".to_owned(),
    ];
    for query in refused {
        assert_eq!(start(&query).unwrap_err().into_error().status, 400, "{query}");
    }
}

// M-13, P-22, P-33
#[test]
fn unknown_query_keys_are_dropped() {
    let plain = call("PUT", "/v2/a/manifests/v1");
    for query in ["tag=prod&tag=x", "", "?", "_state=x&_state=y", "x=/healthz", "&&=&"] {
        assert_eq!(call("PUT", &format!("/v2/a/manifests/v1?{query}")), plain, "{query}");
    }
}

//
#[test]
fn pages_are_bounded_and_named_by_entries() {
    let page = |query: &str| -> Result<_, Unparsed> {
        match call("GET", &format!("/v2/_catalog?{query}"))? {
            Operation::Catalog { page } => Ok((page.limit, page.last)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(page(""), Ok((None, None)));
    assert_eq!(page("n=0&last="), Ok((Some(0), None)));
    assert_eq!(page("n=10000&last=ns%2Fa"), Ok((Some(10_000), Some("ns/a".to_owned()))));
    for n in ["-1", "a", "", "+1", "%2B1", "1.0", "10001", "99999999999", "4294967297", "%D9%A1"] {
        assert_eq!(
            code("GET", &format!("/v2/_catalog?n={n}")),
            (400, OciCode::PaginationNumberInvalid),
            "{n}"
        );
    }
    assert!(page("n=1&n=1").is_err() && page("last=a&last=b").is_err());
    for last in ["tenant-a~", "%22%3E;%20rel%3Dx", "%0d%0a", "x%22%3E", "a+b", "%C3%A9", &"a".repeat(256)] {
        assert!(page(&format!("last={last}")).is_err(), "{last}");
        assert!(call("GET", &format!("/v2/a/tags/list?last={last}")).is_err(), "{last}");
    }
    assert_eq!(code("GET", "/v2/a/tags/list?last=a/b"), (400, OciCode::TagInvalid));
}

//
#[test]
fn an_artifact_type_is_plain_text_without_spaces() {
    let target = |value: &str| format!("/v2/a/referrers/{}?artifactType={value}", digest());
    let Ok(Operation::Referrers { artifact_type, .. }) = call("GET", &target("application%2Fx%2Bjson"))
    else {
        panic!()
    };
    assert_eq!(artifact_type.as_deref(), Some("application/x+json"));
    for wrong in ["a+b", "%0a", "%C3%A9", &"a".repeat(256)] {
        assert!(call("GET", &target(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn an_upload_carries_its_lease_and_its_digest() {
    let d = digest();
    let target = format!("/v2/a/blobs/uploads/u?lease=AZ_-09&digest=sha256%3A{HEX}&_state=zzz%3D");
    let Ok(Operation::UploadFinish { session, digest, content_range }) = call("PUT", &target) else {
        panic!()
    };
    assert_eq!((session.id.as_str(), session.lease.as_deref()), ("u", Some("AZ_-09")));
    assert_eq!((digest.as_str(), content_range), (d.as_str(), None));
    assert_eq!(code("PUT", "/v2/a/blobs/uploads/u"), (400, OciCode::DigestInvalid));
    for lease in ["", "a%2Fb", "a.b", "a+b", "x&lease=x", &"a".repeat(4097)] {
        assert!(call("PATCH", &format!("/v2/a/blobs/uploads/u?lease={lease}")).is_err(), "{lease}");
    }
}

//
#[test]
fn only_one_range_of_bytes_is_understood() {
    let target = format!("/v2/a/blobs/{}", digest());
    let range =
        |method: &str, pairs: &[(&'static str, &str)]| match call_with(method, &target, &headers(pairs)) {
            Ok(Operation::BlobRead { range, .. }) => range,
            other => panic!("{other:?}"),
        };
    let table = [
        ("bytes=0-0", Some(ByteRange::Span(0, 0))),
        ("bytes=5-", Some(ByteRange::From(5))),
        ("bytes=-5", Some(ByteRange::Last(5))),
        ("Bytes= 1-2 ", Some(ByteRange::Span(1, 2))),
        ("bytes=18446744073709551615-", Some(ByteRange::From(u64::MAX))),
        ("bytes=18446744073709551616-", None),
        ("bytes=0-0,1-1", None),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=+1-2", None),
        ("bytes=--1", None),
        ("bytes=", None),
        ("bytes", None),
        ("items=0-1", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(range("GET", &[("range", text)]), expected, "{text}");
    }
    assert_eq!(range("GET", &[("range", "bytes=0-1"), ("range", "bytes=2-3")]), None);
    assert_eq!(range("HEAD", &[("range", "bytes=0-1")]), None);
    assert_eq!(range("GET", &[("range", &vec!["bytes=0-1"; 500].join(","))]), None);
}

//
#[test]
fn a_chunks_place_must_make_sense() {
    let chunk = |pairs: &[(&'static str, &str)]| {
        call_with("PATCH", "/v2/a/blobs/uploads/u", &headers(pairs)).map(|operation| match operation {
            Operation::UploadChunk { content_range, .. } => content_range,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(chunk(&[]), Ok(None));
    for text in ["3-9", "bytes 3-9/*", "bytes 3-9/10"] {
        assert_eq!(chunk(&[("content-range", text)]), Ok(Some((3, 9))), "{text}");
        assert_eq!(chunk(&[("content-range", text), ("content-length", "7")]), Ok(Some((3, 9))));
        let error = chunk(&[("content-range", text), ("content-length", "8")]).unwrap_err().into_error();
        assert_eq!(error.code, OciCode::SizeInvalid);
    }
    assert_eq!(chunk(&[("content-range", &format!("0-{}", u64::MAX))]), Ok(Some((0, u64::MAX))));
    for text in
        ["", "9-3", "3", "3-", "-3", "a-b", "bytes 3-9", "bytes 3-9/x", "bytes=3-9", "3-9/*", "+3-9", "3 - 9"]
    {
        let error = chunk(&[("content-range", text)]).unwrap_err().into_error();
        assert_eq!((error.status.as_u16(), error.code), (416, OciCode::RangeInvalid), "{text}");
    }
    assert!(chunk(&[("content-range", "0-1"), ("content-range", "0-1")]).is_err());
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(path in ".{0,60}", query in proptest::option::of(".{0,60}"), value in ".{0,20}") {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let mut map = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                map.insert("range", value.clone());
                map.insert("content-range", value.clone());
                map.insert("content-type", value);
            }
            let _ = parse(&method, &path, query.as_deref(), &map);
            let _ = parse(&method, &format!("/v2/{path}"), query.as_deref(), &map);
            let _ = parse(&method, &format!("/v2/a/blobs/uploads/{path}"), query.as_deref(), &map);
        }
    }
}
