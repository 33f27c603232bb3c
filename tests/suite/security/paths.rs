//! Case 2: however a path is spelt, it is the path that was decided on or none at all (P-01…P-24, P-33…P-36).

use super::scene::{Scene, Trace};
use super::wire::Wire;

/// Spellings that a vanilla registry, or some proxy before it, reads as the victim's `tenant-b/secret`.
const DISGUISES: &[(&str, &str)] = &[
    ("P-01", "/v2/tenant-a/app/../../tenant-b/secret/manifests/v1"),
    ("P-02", "/v2/tenant-a/app/%2e%2e/%2e%2e/tenant-b/secret/manifests/v1"),
    ("P-02", "/v2/tenant-a/app/.%2e/.%2e/tenant-b/secret/manifests/v1"),
    ("P-02", "/v2/tenant-a/app/%2E./%2E./tenant-b/secret/manifests/v1"),
    ("P-03", "/v2/tenant-a/app/..%2f..%2ftenant-b/secret/manifests/v1"),
    ("P-04", "/v2/tenant-a/app/%252e%252e/%252e%252e/tenant-b/secret/manifests/v1"),
    ("P-04", "/v2/tenant-b%252fsecret/manifests/v1"),
    ("P-05", "/v2/tenant-b%2fsecret/manifests/v1"),
    ("P-05", "/v2/tenant-b%2Fsecret/manifests/v1"),
    ("P-06", "/v2/tenant-b/secret%2fmanifests%2fv1"),
    ("P-06", "/v2%2ftenant-b/secret/manifests/v1"),
    ("P-06", "/%76%32/tenant-b/secret/manifests/v1"),
    ("P-06", "/v2/tenan%74-b/secret/manifests/v1"),
    ("P-06", "/v2/tenant-b/secret/m%61nifests/v1"),
    ("P-06", "/v2/tenant-b/secret/manifests/%76%31"),
    ("P-08", "//v2/tenant-b/secret/manifests/v1"),
    ("P-09", "/v2/tenant-b//secret/manifests/v1"),
    ("P-09", "/v2/tenant-a/app//manifests/v1"),
    ("P-09", "/v2/tenant-a/app/manifests//v1"),
    ("P-10", "/v2/tenant-a/app/manifests/v1/"),
    ("P-10", "/v2/tenant-a/app/tags/list/"),
    ("P-11", "/v2/tenant-b;x/secret/manifests/v1"),
    ("P-11", "/v2/tenant-a/app/..;/..;/tenant-b/secret/manifests/v1"),
    ("P-11", "/v2/tenant-a/.;/app/manifests/v1"),
    ("P-11", "/v2/tenant-a/app/manifests/v1;a=b"),
    ("P-11", "/v2/tenant-a/app/manifests/v1%3ba=b"),
    ("P-12", "/v2/tenant-a/app\\..\\..\\tenant-b/secret/manifests/v1"),
    ("P-12", "/v2/tenant-a%5capp/manifests/v1"),
    ("P-13", "/v2/Tenant-B/secret/manifests/v1"),
    ("P-13", "/v2/TENANT-A/app/manifests/v1"),
    ("P-14", "/V2/tenant-a/app/manifests/v1"),
    ("P-14", "/v2/tenant-a/app/Manifests/v1"),
    ("P-15", "/v2/tenant-a/%E2%88%95app/manifests/v1"),
    ("P-15", "/v2/tenant-a%EF%BC%8Fapp/manifests/v1"),
    ("P-16", "/v2/tenant-a/%c0%ae%c0%ae/tenant-b/manifests/v1"),
    ("P-16", "/v2/tenant-a/app/manifests/%ff"),
    ("P-17", "/v2/tenant-a/app/manifests/v%D9%A1"),
    ("P-18", "/v2/tenant-a/app/manifests/v1%00"),
    ("P-18", "/v2/tenant-a%00/app/manifests/v1"),
    ("P-19", "/v2/tenant-a/app/manifests/v1%0d%0aX-Injected:%20y"),
    ("P-20", "/v2/tenant-a/app/manifests/%zz"),
    ("P-20", "/v2/tenant-a/app/manifests/%"),
    ("P-20", "/v2/tenant-a/app/manifests/%u002e"),
    ("P-20", "/v2/tenant-a/app/manifests/v%2"),
    ("P-21", "/v2/tenant-b/secret/manifests/v1#/tenant-a"),
    ("P-21", "/v2/tenant-b/secret/manifests/v1%23/tenant-a"),
    ("P-22", "/v2/tenant-a/app/manifests/v1%3fx=y"),
    ("P-33", "/healthz/../v2/tenant-b/secret/manifests/v1"),
    ("P-33", "/oauth/token/../../v2/tenant-b/secret/manifests/v1"),
    ("P-33", "/v2/..%2fmetrics"),
    ("P-33", "/debug/vars"),
    ("P-35", "/v2/tenant-a/app/tags/listX"),
    ("P-35", "/v2/tenant-a/app/tags/list/x"),
];

/// P-01 to P-22, P-33, P-35
#[test]
fn a_disguised_path_is_refused_and_the_upstream_stays_silent() {
    let scene = Scene::recorded();
    for (case, path) in DISGUISES {
        let case = format!("{case} {path}");
        let request = scene.head("GET", path, &scene.alice.basic());
        let answer = scene.refuses(&case, request, &[400, 404], &trace_of(path));
        for (name, value) in &answer.headers {
            assert!(!name.eq_ignore_ascii_case("x-injected") && !value.contains("X-Injected"), "{case}");
        }
    }
}

/// What the edge refuses, nobody has read; what the parser refuses, the audit log shows.
fn trace_of(path: &str) -> Trace<'static> {
    let edge = path.starts_with("//") || path.contains(['#', '\\']);
    if edge { Trace::Unread } else { Trace::Malformed }
}

/// P-15, P-18: bytes that no request line may hold
#[test]
fn a_path_with_raw_bytes_is_refused() {
    let scene = Scene::recorded();
    for (case, piece) in
        [("P-15", &b"\xc3\xa9"[..]), ("P-15", b"\xd0\xb0"), ("P-18", b"\0"), ("P-16", b"\xff")]
    {
        let head = scene.head("GET", "/v2/tenant-a/PIECE/manifests/v1", &scene.alice.basic());
        let (before, after) = head.split_once("PIECE").unwrap();
        scene.refuses(case, [before.as_bytes(), piece, after.as_bytes()].concat(), &[400], &Trace::Unread);
    }
}

/// P-07: for everyone, the administrator too
#[test]
fn the_catalog_has_one_spelling() {
    let scene = Scene::scripted(catalog, "");
    for path in [
        "/v2/%5fcatalog",
        "/v2//_catalog",
        "/v2/./_catalog",
        "/v2/x/../_catalog",
        "/v2/_catalog/",
        "/v2/_Catalog",
        "/v2/_catalogX",
    ] {
        scene.refuses(path, scene.head("GET", path, &scene.root()), &[400, 404], &trace_of(path));
    }
    let listed = Wire::open(&scene.at).ask(scene.head("GET", "/v2/_catalog", &scene.alice.basic()));
    assert_eq!(listed.text(), r#"{"repositories":["tenant-a/app"]}"#, "R-26: only her own");
    assert!(scene.heard().iter().all(|request| request.starts_with("GET /v2/_catalog")));
}

fn catalog(_: &[u8]) -> Vec<u8> {
    let names = r#"{"repositories":["tenant-a/app","tenant-b/secret"]}"#;
    crate::support::recorder::answer("200 OK", &[("Content-Type", "application/json")], names)
}

/// P-23, P-24: at the limit and one beyond it
#[test]
fn the_limits_of_names_tags_and_targets_are_exact() {
    let scene = Scene::recorded();
    let longest = format!("tenant-a/{}", "a".repeat(255 - 9));
    for (case, path) in [
        ("a name of 255", format!("/v2/{longest}/manifests/v1")),
        ("a tag of 128", format!("/v2/tenant-a/app/manifests/{}", "t".repeat(128))),
    ] {
        let answer = Wire::open(&scene.at).ask(scene.head("GET", &path, &scene.alice.basic()));
        assert_eq!((answer.status, scene.heard().len()), (200, 1), "{case}: {}", answer.text());
    }
    for (case, path) in [
        ("P-23 a name of 256", format!("/v2/{longest}a/manifests/v1")),
        ("P-23 a name of 257", format!("/v2/{longest}aa/manifests/v1")),
        ("P-23 a tag of 129", format!("/v2/tenant-a/app/manifests/{}", "t".repeat(129))),
        ("P-24 130 components", format!("/v2/tenant-a{}/manifests/v1", "/a".repeat(130))),
    ] {
        scene.refuses(case, scene.head("GET", &path, &scene.alice.basic()), &[400], &Trace::Malformed);
    }
    let deep = format!("/v2/tenant-a/{}/manifests/v1", "a".repeat(9_000));
    scene.refuses("P-24 9 KB", scene.head("GET", &deep, &scene.alice.basic()), &[414], &Trace::Malformed);
    let vast = format!("/v2/tenant-a/{}/manifests/v1", "a".repeat(100_000));
    scene.refuses("P-24 100 KB", scene.head("GET", &vast, &scene.alice.basic()), &[414, 431], &Trace::Unread);
}

/// P-34: no agent is let in for what it calls itself
#[test]
fn a_magic_user_agent_opens_nothing() {
    let scene = Scene::recorded();
    for agent in ["kube-probe/1.0", "GoogleHC/1.0", "ELB-HealthChecker/2.0"] {
        let request = scene.head(
            "GET",
            "/v2/tenant-b/secret/manifests/v1?x=/livez",
            &format!("User-Agent: {agent}\r\n"),
        );
        scene.refuses(agent, request, &[401], &Trace::Unproven);
    }
}
