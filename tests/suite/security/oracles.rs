//! Case 5: what a caller may not read, it cannot find out either (R-13, R-30, R-39, M-14, M-08, B-13).

use super::scene::{Scene, Trace};
use super::wire::Wire;
use crate::support::image::{Blob, Image, random_bytes};
use crate::support::registry::Registry;
use crate::support::who::Who;

/// A real registry with an image of the victim and one of alice's own.
fn furnished() -> (Scene<Registry>, Image, Image) {
    let scene = Scene::real();
    let (secret, own) = (Image::tiny(), Image::tiny());
    let root = scene.administrator().http(&scene.at);
    assert_eq!(root.push(&secret, "tenant-b/secret", "v1").status, 201);
    assert_eq!(root.push(&own, "tenant-a/app", "v1").status, 201);
    (scene, secret, own)
}

/// R-13: also after the victim's own pull has passed through, so that a cache by digest would hold it
#[test]
fn a_blob_is_not_readable_through_another_repository() {
    let (scene, secret, own) = furnished();
    let (alice, bob) = (scene.alice.http(&scene.at), scene.bob.http(&scene.at));
    for blob in secret.blobs() {
        assert_eq!(bob.get(&format!("/v2/tenant-b/secret/blobs/{}", blob.digest)).body, blob.bytes);
        for method in ["GET", "HEAD"] {
            let through = format!("/v2/tenant-a/app/blobs/{}", blob.digest);
            assert_eq!(alice.send(method, &through, &[], b"").status, 404, "{method}");
            let at_home = format!("/v2/tenant-b/secret/blobs/{}", blob.digest);
            assert!(matches!(alice.send(method, &at_home, &[], b"").status, 401 | 403), "{method}");
        }
    }
    let manifest = format!("/v2/tenant-a/app/manifests/{}", secret.manifest.digest);
    assert_eq!(alice.get(&manifest).status, 404);
    let mine = format!("/v2/tenant-a/app/blobs/{}", own.config.digest);
    assert_eq!(alice.get(&mine).body, own.config.bytes);
}

/// R-31: what is not there cannot be had by naming it
#[test]
fn a_manifest_cannot_borrow_blobs_from_another_repository() {
    let (scene, secret, _) = furnished();
    let fields = [("Content-Type", crate::support::image::MANIFEST)];
    let put = scene.alice.http(&scene.at).send(
        "PUT",
        "/v2/tenant-a/app/manifests/v2",
        &fields,
        &secret.manifest.bytes,
    );
    assert_eq!(put.status, 400, "{}", put.text());
}

/// M-14, B-13, R-39: existing and missing, with and without conditions, for one who may not and for nobody
#[test]
fn existing_and_missing_look_the_same_to_who_may_not_look() {
    let (scene, secret, _) = furnished();
    let (there, absent) = (&secret.config.digest, Blob::of(random_bytes(9)).digest);
    let pairs = [
        ("/v2/tenant-b/secret/manifests/v1".to_owned(), "/v2/tenant-b/secret/manifests/v2".to_owned()),
        ("/v2/tenant-b/secret/manifests/v1".to_owned(), "/v2/tenant-b/absent/manifests/v1".to_owned()),
        (format!("/v2/tenant-b/secret/blobs/{there}"), format!("/v2/tenant-b/secret/blobs/{absent}")),
        ("/v2/tenant-b/secret/tags/list".to_owned(), "/v2/absent/secret/tags/list".to_owned()),
        (format!("/v2/tenant-b/secret/referrers/{there}"), format!("/v2/tenant-b/secret/referrers/{absent}")),
    ];
    let conditions = [
        String::new(),
        format!("If-None-Match: \"{there}\"\r\n"),
        "If-None-Match: *\r\n".to_owned(),
        "Range: bytes=0-0\r\n".to_owned(),
    ];
    let alice = (scene.alice.basic(), Trace::Refused(&scene.alice));
    for (who, trace) in [alice, (String::new(), Trace::Unproven)] {
        for method in ["GET", "HEAD", "DELETE"] {
            for condition in &conditions {
                for (there, absent) in &pairs {
                    if method != "GET" && (there.contains("/tags/") || there.contains("/referrers/")) {
                        continue;
                    }
                    let ask = |path: &String| {
                        let answer =
                            Wire::open(&scene.at).ask(scene.head(method, path, &format!("{who}{condition}")));
                        assert!(matches!(answer.status, 401 | 403), "{method} {path}: {}", answer.status);
                        scene.traced(path, &answer, &trace);
                        answer.faceless()
                    };
                    // A challenge repeats the name that was asked for, and nothing else differs.
                    let same = |text: String| {
                        text.replace("tenant-b/absent", "tenant-b/secret")
                            .replace("repository:absent/", "repository:tenant-b/")
                    };
                    assert_eq!(same(ask(there)), same(ask(absent)), "{method} {there} {condition}");
                }
            }
        }
    }
}

/// R-30
#[test]
fn referrers_and_their_fallback_tag_need_the_right_to_pull() {
    let (scene, secret, _) = furnished();
    let digest = &secret.manifest.digest;
    let tag = digest.replace(':', "-");
    let alice = scene.alice.http(&scene.at);
    for path in
        [format!("/v2/tenant-b/secret/referrers/{digest}"), format!("/v2/tenant-b/secret/manifests/{tag}")]
    {
        assert_eq!(alice.get(&path).status, 403, "{path}");
    }
    let through = alice.get(&format!("/v2/tenant-a/app/referrers/{digest}"));
    assert!(!through.text().contains("tenant-b") && through.status != 403, "{}", through.text());
    let fields = [("Content-Type", crate::support::image::MANIFEST)];
    let put = scene.bob.http(&scene.at).send(
        "PUT",
        &format!("/v2/tenant-b/secret/manifests/{tag}"),
        &fields,
        &secret.manifest.bytes,
    );
    assert_eq!(put.status, 403, "a Reader wrote a fallback tag");
}

/// R-26, R-27, R-28: the catalog shows each caller its own, however it pages
#[test]
fn the_catalog_cannot_be_searched_for_other_peoples_names() {
    let (scene, ..) = furnished();
    let list = |who: &dyn Who, query: &str| {
        let got = who.http(&scene.at).get(&format!("/v2/_catalog{query}"));
        assert_eq!(got.status, 200, "{query}: {}", got.text());
        assert!(got.header("link").is_none(), "{query}: {:?}", got.header("link"));
        got.text()
    };
    for query in ["", "?n=1", "?n=1&last=tenant-a", "?last=a"] {
        assert_eq!(list(&scene.alice, query), r#"{"repositories":["tenant-a/app"]}"#, "{query}");
        assert_eq!(list(&scene.eve, query), r#"{"repositories":[]}"#, "{query}");
    }
    assert_eq!(list(&scene.alice, "?n=1&last=tenant-b/s"), r#"{"repositories":[]}"#);
    for query in ["?n=-1", "?n=a", "?n=99999999999", "?n=1&n=2", "?last=%22%3E;%20rel=x", "?last=a%0d%0ab"] {
        let got = scene.alice.http(&scene.at).get(&format!("/v2/_catalog{query}"));
        assert_eq!(got.status, 400, "{query}: {}", got.text());
    }
}

/// M-08, M-10, M-03, M-04: a method that a path does not have is nobody's
#[test]
fn a_method_that_is_not_there_is_refused_before_anyone_is_asked() {
    let scene = Scene::recorded();
    let cases = [
        ("OPTIONS", "/v2/tenant-b/secret/manifests/v1"),
        ("OPTIONS", "/v2/tenant-b/absent/manifests/v1"),
        ("POST", "/v2/tenant-a/app/manifests/v1?_method=DELETE"),
        ("POST", "/v2/"),
        ("DELETE", "/v2/_catalog"),
        ("PUT", "/v2/tenant-a/app/tags/list"),
        ("PATCH", "/v2/tenant-a/app/manifests/v1"),
    ];
    for (method, path) in cases {
        let answer =
            scene.refuses(path, scene.head(method, path, &scene.alice.basic()), &[405], &Trace::Malformed);
        assert!(answer.header("allow").is_some(), "{method} {path}");
    }
    for method in ["FOO", "PROPFIND", "PURGE", "get", "Get", "TRACE"] {
        let request = scene.head(
            method,
            "/v2/tenant-a/app/manifests/v1",
            &format!("{}X-Echo: me\r\n", scene.alice.basic()),
        );
        let answer = scene.refuses(method, request, &[405], &Trace::Unread);
        assert!(!answer.text().contains("X-Echo"), "M-07");
    }
}
