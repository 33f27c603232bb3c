//! Case 1: a blob is mounted only from where its caller may pull, by whatever carrier the wish arrives (R-01…R-11).
//!
//! The upstream is a real one, which honours every carrier: that is shown first, so that the refusals mean something.

use super::scene::{Scene, Trace};
use super::wire::Wire;
use crate::support::http::Http;
use crate::support::image::{Blob, Image, random_bytes};
use crate::support::registry::Registry;
use crate::support::who::Who;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=B";

/// Puts an image of the victim in place; returns one of its blobs.
fn victim(scene: &Scene<Registry>) -> Blob {
    let image = Image::tiny();
    assert_eq!(scene.administrator().http(&scene.at).push(&image, "tenant-b/secret", "v1").status, 201);
    assert_eq!(scene.administrator().http(&scene.at).push(&Image::tiny(), "tenant-a/app", "v1").status, 201);
    image.layers[0].clone()
}

fn multipart(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    format!("{}--B--\r\n", fields.iter().map(part).collect::<String>())
}

/// Every carrier: case, query, content type, body.
fn carriers(digest: &str) -> Vec<(&'static str, String, &'static str, String)> {
    let form = format!("mount={digest}&from=tenant-b/secret");
    let escaped = digest.replace(':', "%3A");
    vec![
        ("R-01", format!("?mount={digest}&from=tenant-b/secret"), "", String::new()),
        ("R-02", String::new(), FORM, form.clone()),
        ("R-02 without a type", String::new(), "", form.clone()),
        ("R-03", String::new(), MULTIPART, multipart(&[("mount", digest), ("from", "tenant-b/secret")])),
        ("R-04", format!("?mount={digest}&from=tenant-a/app"), FORM, "from=tenant-b/secret".to_owned()),
        (
            "R-05",
            format!("?mount={digest}"),
            "Application/X-WWW-Form-URLencoded; charset=utf-8",
            "from=tenant-b/secret".to_owned(),
        ),
        ("R-05 two types", format!("?mount={digest}"), "a/b, application/x-www-form-urlencoded", form),
        ("R-06", format!("?mount={digest}&from=tenant-a/app;x&from=tenant-b/secret"), "", String::new()),
        ("R-07", format!("?mount={digest}&from=tenant-a/app%zz&from=tenant-b/secret"), "", String::new()),
        ("R-08", format!("?%6dount={escaped}&%66rom=tenant-b%2Fsecret"), "", String::new()),
        (
            "R-08 twice",
            format!("?mount={digest}&from=tenant-a/app&%66rom=tenant-b/secret"),
            "",
            String::new(),
        ),
        ("R-09", format!("?mount={digest}&from=tenant-a/app&from=tenant-b/secret"), "", String::new()),
        ("R-09", format!("?from=tenant-b/secret&mount={digest}&from=tenant-a/app"), "", String::new()),
        ("R-10", format!("?mount={digest}"), "", String::new()),
        (
            "a name that is cleaned",
            format!("?mount={digest}&from=tenant-a/../tenant-b/secret"),
            "",
            String::new(),
        ),
        ("a name in capitals", format!("?mount={digest}&from=Tenant-B/secret"), "", String::new()),
        (
            "another wish beside it",
            format!("?mount={digest}&from=tenant-b/secret&digest={digest}"),
            "",
            String::new(),
        ),
    ]
}

fn begin(
    http: &Http,
    repository: &str,
    query: &str,
    kind: &str,
    body: &str,
) -> crate::support::http::Response {
    let fields: &[(&str, &str)] = if kind.is_empty() { &[] } else { &[("Content-Type", kind)] };
    http.send("POST", &format!("/v2/{repository}/blobs/uploads/{query}"), fields, body.as_bytes())
}

/// M-09
#[test]
fn no_carrier_mounts_a_blob_that_its_caller_may_not_pull() {
    let scene = Scene::real();
    let blob = victim(&scene);
    let there = format!("/v2/tenant-a/app/blobs/{}", blob.digest);
    for (case, query, kind, body) in carriers(&blob.digest) {
        let answer = begin(&scene.alice.http(&scene.at), "tenant-a/app", &query, kind, &body);
        assert!(matches!(answer.status, 202 | 400), "{case}: {} {}", answer.status, answer.text());
        assert!(answer.header("docker-content-digest").is_none(), "{case}: it names what it should not know");
        assert_eq!(scene.behind().send("HEAD", &there, &[], b"").status, 404, "{case}: it is there now");
        assert_eq!(scene.alice.http(&scene.at).send("HEAD", &there, &[], b"").status, 404, "{case}");
        let record = scene.audited(answer.header("x-request-id").unwrap());
        let expected = if answer.status == 202 { "allowed" } else { "malformed" };
        assert_eq!(record["decision"], expected, "{case}: {record}");
        assert_eq!(
            record["mountDowngraded"].as_bool() == Some(true),
            matches!(case, "R-01") || (case == "R-08"),
            "{case}"
        );
    }
}

/// the same requests, straight to a vanilla registry
#[test]
fn the_registry_behind_would_have_mounted_it() {
    let scene = Scene::real();
    let blob = victim(&scene);
    let mut mounted = Vec::new();
    for (at, (case, query, kind, body)) in carriers(&blob.digest).into_iter().enumerate() {
        let attacker = format!("attacker/{at}");
        if begin(&scene.behind(), &attacker, &query, kind, &body).status == 201 {
            mounted.push(case);
        }
    }
    for case in ["R-01", "R-02", "R-03", "R-04", "R-05", "R-06", "R-07", "R-08"] {
        assert!(mounted.contains(&case), "{case} is no attack here: {mounted:?}");
    }
}

/// what is refused above is granted to whom it belongs
#[test]
fn who_may_pull_at_the_source_may_mount_from_it() {
    let scene = Scene::real();
    let blob = victim(&scene);
    scene.alice.grant(&scene.at, "Reader", "tenant-b");
    let query = format!("?mount={}&from=tenant-b%2Fsecret", blob.digest.replace(':', "%3A"));
    let answer = begin(&scene.alice.http(&scene.at), "tenant-a/app", &query, "", "");
    assert_eq!(answer.status, 201, "{}", answer.text());
    let there = format!("/v2/tenant-a/app/blobs/{}", blob.digest);
    assert_eq!(scene.alice.http(&scene.at).get(&there).body, blob.bytes);
}

///
#[test]
fn a_refused_mount_does_not_tell_whether_the_blob_exists() {
    let scene = Scene::real();
    let blob = victim(&scene);
    let absent = Blob::of(random_bytes(20));
    let ask = |digest: &str| {
        let target = format!("/v2/tenant-a/app/blobs/uploads/?mount={digest}&from=tenant-b/secret");
        let request = scene.with_body("POST", &target, &scene.alice.basic(), "");
        let answer = Wire::open(&scene.at).ask(request);
        let names: Vec<String> = answer.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        (answer.status, names, answer.body)
    };
    assert_eq!(ask(&blob.digest), ask(&absent.digest));
}

/// the oracle, with an upstream that would believe anything
#[test]
fn a_carrier_that_could_be_read_in_two_ways_never_leaves_the_house() {
    let scene = Scene::recorded();
    let digest = format!("sha256:{}", "a".repeat(64));
    for (case, query, kind, body) in carriers(&digest) {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let lines = format!("{}{kind}", scene.alice.basic());
        let request =
            scene.with_body("POST", &format!("/v2/tenant-a/app/blobs/uploads/{query}"), &lines, &body);
        if matches!(case, "R-01" | "R-08" | "R-10" | "R-02 without a type") {
            // These go on as plain uploads, and the upstream sees nothing but that.
            Wire::open(&scene.at).ask(request);
            let heard = scene.heard();
            let [only] = heard.as_slice() else { panic!("{case}: {heard:?}") };
            assert!(only.starts_with("POST /v2/tenant-a/app/blobs/uploads/ HTTP/1.1\r\n"), "{case}: {only}");
            assert!(
                only.ends_with("\r\n\r\n") && !only.contains("tenant-b") && !only.contains(&digest),
                "{case}: {only}"
            );
        } else {
            scene.refuses(case, request, &[400], &Trace::Malformed);
        }
    }
}
