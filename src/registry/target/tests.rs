//! What is written for the upstream reads back as the same operation, and nothing else gets in.

use http::{HeaderMap, Method};
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

use super::{upload_location, upload_query, upstream_target};
use crate::registry::operation::{Operation, UploadSession};
use crate::registry::parse::parse;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn read(method: &Method, target: &str) -> Option<Operation> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    parse(method, path, query, &HeaderMap::new()).ok()
}

fn without_lease(operation: Operation) -> Operation {
    let bare = |session: UploadSession| UploadSession { lease: None, ..session };
    match operation {
        Operation::UploadCancel(session) => Operation::UploadCancel(bare(session)),
        Operation::UploadChunk { session, content_range } => {
            Operation::UploadChunk { session: bare(session), content_range }
        }
        Operation::UploadFinish { session, digest, content_range } => {
            Operation::UploadFinish { session: bare(session), digest, content_range }
        }
        Operation::UploadStatus(session) => Operation::UploadStatus(bare(session)),
        other => other,
    }
}

#[test]
fn each_operation_has_one_spelling() {
    let escaped = DIGEST.replace(':', "%3A");
    let table = [
        ("GET", "/v2/?x=y".to_owned(), None, "/v2/".to_owned()),
        ("GET", "/v2/_catalog?last=a/b&n=07".to_owned(), None, "/v2/_catalog?n=7&last=a%2Fb".to_owned()),
        ("GET", "/v2/a/tags/list?last=v1".to_owned(), None, "/v2/a/tags/list?last=v1".to_owned()),
        ("GET", format!("/v2/a/blobs/{escaped}?ns=evil"), None, format!("/v2/a/blobs/{DIGEST}")),
        ("PUT", "/v2/a/manifests/v1?tag=x".to_owned(), Some("ignored=1"), "/v2/a/manifests/v1".to_owned()),
        (
            "GET",
            format!("/v2/a/referrers/{DIGEST}?artifactType=a/b%2Bc"),
            None,
            format!("/v2/a/referrers/{DIGEST}?artifactType=a%2Fb%2Bc"),
        ),
        (
            "POST",
            format!("/v2/a/blobs/uploads/?from=b/c&mount={DIGEST}"),
            None,
            format!("/v2/a/blobs/uploads/?mount={escaped}&from=b%2Fc"),
        ),
        ("POST", format!("/v2/a/blobs/uploads/?mount={DIGEST}"), None, "/v2/a/blobs/uploads/".to_owned()),
        (
            "POST",
            format!("/v2/a/blobs/uploads/?digest={DIGEST}"),
            None,
            format!("/v2/a/blobs/uploads/?digest={escaped}"),
        ),
        ("PATCH", "/v2/a/blobs/uploads/u?lease=x".to_owned(), None, "/v2/a/blobs/uploads/u".to_owned()),
        (
            "PATCH",
            "/v2/a/blobs/uploads/u?_state=mine".to_owned(),
            Some("_state=y%3D"),
            "/v2/a/blobs/uploads/u?_state=y%3D".to_owned(),
        ),
        (
            "PUT",
            format!("/v2/a/blobs/uploads/u?digest={DIGEST}"),
            Some(""),
            format!("/v2/a/blobs/uploads/u?digest={escaped}"),
        ),
        (
            "PUT",
            format!("/v2/a/blobs/uploads/u?digest={DIGEST}"),
            Some("_state=y%3D&z"),
            format!("/v2/a/blobs/uploads/u?_state=y%3D&z&digest={escaped}"),
        ),
    ];
    for (method, target, opaque, expected) in table {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(upstream_target(&read(&method, &target).unwrap(), opaque), expected, "{target}");
    }
}

//
#[test]
fn an_upload_is_only_where_the_parser_would_find_one() {
    let (repository, id) = upload_location("/v2/ns/blobs/blobs/uploads/u-1").unwrap();
    assert_eq!((repository.as_str(), id.as_str()), ("ns/blobs", "u-1"));
    let refused = [
        "",
        "/v2/a/blobs/uploads/",
        "/v2/a/blobs/uploads/..",
        "//evil/v2/a/blobs/uploads/u",
        "http://registry:5000/v2/a/blobs/uploads/u",
        "/v2/a/../b/blobs/uploads/u",
        "/v2/a/blobs/uploads/u\r\nx: y",
        "/v2/a/blobs/uploads/u%0d",
        "/v2/a/blobs/uploads/u?_state=x",
        "/v2/a/manifests/latest",
        "/prefix/v2/a/blobs/uploads/u",
    ];
    for path in refused {
        assert_eq!(upload_location(path), None, "{path}");
    }
}

#[test]
fn an_upload_query_cannot_smuggle_a_decision() {
    for fine in ["", "_state=abc%3D%3D", "_state=a&x=y&flag"] {
        assert_eq!(upload_query(fine), Some(fine));
    }
    let long = format!("_state={}", "x".repeat(3000));
    let refused = [
        "from=a",
        "_state=x&mount=y",
        "%66rom=a",
        "digest=x",
        "a;from=b",
        "_state=a b",
        "_state=%zz",
        "_state=a#b",
        "_state=a\r\n",
        "_state=é",
        &long,
    ];
    for query in refused {
        assert_eq!(upload_query(query), None, "{query}");
    }
}

fn target() -> impl Strategy<Value = String> {
    const WORDS: [&str; 11] =
        ["a", "b", "manifests", "blobs", "uploads", "tags", "list", "referrers", "_catalog", "latest", ""];
    let segment = prop_oneof![
        10 => proptest::sample::select(WORDS.as_slice()).prop_map(str::to_owned),
        3 => Just(DIGEST.to_owned()),
        1 => Just(DIGEST.replace(':', "%3A")),
        1 => "[a-zA-Z0-9._=:%-]{1,9}",
    ];
    let key =
        proptest::sample::select(&["n", "last", "mount", "from", "digest", "artifactType", "lease", "x"][..]);
    let value =
        prop_oneof![Just(DIGEST.to_owned()), "[0-9]{1,3}", "[a-z]{1,3}", "[a-z%+&/.-]{0,6}", "%2B|%2F|a%2Fb"];
    let pair = (key, value).prop_map(|(key, value)| format!("{key}={value}"));
    let query = proptest::collection::vec(pair, 0..4).prop_map(|pairs| pairs.join("&"));
    let tails = [
        "manifests/latest".to_owned(),
        format!("manifests/{DIGEST}"),
        format!("blobs/{DIGEST}"),
        format!("referrers/{DIGEST}"),
        "blobs/uploads/".to_owned(),
        "blobs/uploads/u-1".to_owned(),
        "tags/list".to_owned(),
    ];
    let name = proptest::collection::vec(proptest::sample::select(&WORDS[..8]), 1..4)
        .prop_map(|words| words.join("/"));
    let regular =
        (name, proptest::sample::select(tails.to_vec())).prop_map(|(name, tail)| format!("{name}/{tail}"));
    let odd = proptest::collection::vec(segment, 0..7).prop_map(|segments| segments.join("/"));
    (prop_oneof![regular, odd], query).prop_map(|(rest, query)| format!("/v2/{rest}?{query}"))
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4000))]

    #[test]
    fn what_parses_is_written_so_that_it_parses_back(target in target(), opaque in proptest::option::of("_state=[a-z%3D]{0,9}")) {
        let opaque = opaque.as_deref().and_then(upload_query);
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if let Some(operation) = read(&method, &target) {
                let written = upstream_target(&operation, opaque);
                let again = read(&method, &written);
                proptest::prop_assert_eq!(again, Some(without_lease(operation)), "{} {} -> {}", method, target, written);
            }
        }
    }
}
