//! Case 3: a path means one repository and one call, to the gate as to the registry behind it (P-25…P-30).
//!
//! `tests/router_differential.rs` compares the parse with a real registry's router; here it is the decision that is
//! compared with what the upstream then hears.

use super::people::bearer;
use super::scene::{Scene, Trace};
use super::wire::Wire;

/// Paths whose repository is named like a call: path, the repository that it is about, the operation.
const LOOKALIKES: &[(&str, &str, &str)] = &[
    ("/v2/tenant-a/app/manifests/tags/list", "tenant-a/app/manifests", "tag_list"),
    ("/v2/tenant-a/app/tags/manifests/list", "tenant-a/app/tags", "manifest_read"),
    ("/v2/tenant-a/blobs/uploads/manifests/latest", "tenant-a/blobs/uploads", "manifest_read"),
    ("/v2/tenant-a/manifests/manifests/v1", "tenant-a/manifests", "manifest_read"),
    ("/v2/tenant-a/tags/tags/list", "tenant-a/tags", "tag_list"),
    ("/v2/tenant-a/tags/list/manifests/v1", "tenant-a/tags/list", "manifest_read"),
    ("/v2/tenant-a/uploads/tags/list", "tenant-a/uploads", "tag_list"),
];

/// P-25, P-26, P-27
#[test]
fn the_repository_that_is_decided_on_is_the_one_that_the_upstream_is_asked_for() {
    let scene = Scene::scripted(tags, "");
    for (path, repository, operation) in LOOKALIKES {
        let answer = Wire::open(&scene.at).ask(scene.head("GET", path, &scene.alice.basic()));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let record = scene.audited(answer.request_id());
        assert_eq!(record["operation"], *operation, "{path}: {record}");
        let name = record["target"]["name"].as_str().unwrap();
        let rest = name.strip_prefix(&format!("us.registry.test/{repository}"));
        assert!(rest.is_some_and(|rest| !rest.starts_with('/')), "{path}: {name}");
        let heard = scene.heard();
        assert!(
            heard.len() == 1 && heard[0].starts_with(&format!("GET {path} HTTP/1.1\r\n")),
            "{path}: {heard:?}"
        );
    }
}

fn tags(request: &[u8]) -> Vec<u8> {
    let body =
        if request.windows(5).any(|five| five == b"/list") { r#"{"name":"x","tags":[]}"# } else { "{}" };
    crate::support::recorder::answer("200 OK", &[("Content-Type", "application/json")], body)
}

/// P-26, T-28: a token is for exactly the repository that it names
#[test]
fn a_token_for_one_repository_does_not_open_one_that_is_named_after_a_call_of_it() {
    let scene = Scene::recorded();
    let token = bearer(&scene.alice.token(&scene.at, &["repository:tenant-a/app:pull"]));
    for path in [
        "/v2/tenant-a/app/manifests/tags/list",
        "/v2/tenant-a/app/tags/manifests/list",
        "/v2/tenant-a/tags/list",
    ] {
        let answer =
            scene.refuses(path, scene.head("GET", path, &token), &[401], &Trace::Refused(&scene.alice));
        assert!(answer.header("www-authenticate").unwrap().contains("insufficient_scope"), "{answer:?}");
    }
}

/// P-25, P-27: the namespace is the first component, whatever it is called
#[test]
fn a_namespace_that_is_called_like_a_call_is_nobody_elses() {
    let scene = Scene::recorded();
    for path in
        ["/v2/manifests/x/manifests/v1", "/v2/blobs/uploads/manifests/latest", "/v2/tags/list/tags/list"]
    {
        scene.refuses(
            path,
            scene.head("GET", path, &scene.alice.basic()),
            &[403],
            &Trace::Refused(&scene.alice),
        );
    }
}

/// P-28
#[test]
fn a_call_without_a_repository_is_no_call() {
    let scene = Scene::recorded();
    for path in ["/v2/manifests/v1", "/v2/tags/list", "/v2/referrers/x"] {
        scene.refuses(path, scene.head("GET", path, &scene.root()), &[400, 404], &Trace::Malformed);
    }
    let uploads = scene.with_body("POST", "/v2/blobs/uploads/", &scene.root(), "");
    scene.refuses("uploads", uploads, &[404], &Trace::Malformed);
}

/// P-29, P-30
#[test]
fn hosts_are_no_names_and_half_digests_no_digests() {
    let scene = Scene::recorded();
    let (hex, capitals) = ("a".repeat(64), "A".repeat(64));
    let digests = [
        format!("sha256:{capitals}"),
        format!("sha256:{}", "a".repeat(63)),
        format!("SHA256:{hex}"),
        format!("md5:{hex}"),
        format!("sha256+b64:{hex}"),
        format!("sha256:{}", "a".repeat(32)),
        format!("sha256:{hex}a"),
    ];
    for digest in digests {
        for kind in ["blobs", "manifests"] {
            let path = format!("/v2/tenant-a/app/{kind}/{digest}");
            scene.refuses(
                &path,
                scene.head("GET", &path, &scene.alice.basic()),
                &[400, 404],
                &Trace::Malformed,
            );
        }
    }
    for name in ["localhost:5000/tenant-b/secret", "[::1]:5000/tenant-b/secret", "user@tenant-b/secret"] {
        let path = format!("/v2/{name}/manifests/v1");
        let request = scene.head("GET", &path, &scene.root());
        let answer = Wire::open(&scene.at).ask(request);
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
    }
    // An address is a good name, and nothing but a name: nobody has been given it.
    let path = "/v2/127.0.0.1/secret/manifests/v1";
    scene.refuses(path, scene.head("GET", path, &scene.alice.basic()), &[403], &Trace::Refused(&scene.alice));
}

/// P-36, M-01, M-02: what does not change the question does not change the decision
#[test]
fn head_and_override_headers_do_not_change_the_decision() {
    let scene = Scene::recorded();
    let paths = ["/v2/tenant-b/secret/manifests/v1", "/v2/tenant-b/secret/blobs/sha256:DIGEST"]
        .map(|path| path.replace("DIGEST", &"a".repeat(64)));
    for path in &paths {
        for (method, status) in [("GET", 403), ("HEAD", 401)] {
            let answer = scene.refuses(
                path,
                scene.head(method, path, &scene.alice.basic()),
                &[status],
                &Trace::Refused(&scene.alice),
            );
            assert_eq!(answer.body.is_empty(), method == "HEAD");
        }
    }
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let lines = format!("{}{name}: DELETE\r\n", scene.alice.basic());
        let answer = Wire::open(&scene.at).ask(scene.head("GET", "/v2/tenant-a/app/manifests/v1", &lines));
        let heard = scene.heard();
        assert!(
            answer.status == 200 && heard.len() == 1 && heard[0].starts_with("GET "),
            "{name}: {heard:?}"
        );
        assert!(!heard[0].contains("DELETE"), "{name} went on: {heard:?}");
    }
}
