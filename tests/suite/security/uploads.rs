//! Case 4: an upload belongs to who began it, where it was begun (R-14…R-17; Quay CVE-2026-32589).

use super::people::Person;
use super::scene::{Scene, Trace};
use super::wire::Wire;
use crate::support::http::Http;
use crate::support::image::Blob;
use crate::support::registry::Registry;
use crate::support::who::Who;

/// An upload of bob's, half done: its path, its lease, what he wants to store.
struct HalfDone {
    id: String,
    lease: String,
    blob: Blob,
}

impl HalfDone {
    fn begin(http: &Http) -> Self {
        let blob = Blob::of(b"first half, second half".to_vec());
        let begun = http.send("POST", "/v2/tenant-b/secret/blobs/uploads/", &[], b"");
        assert_eq!(begun.status, 202, "{}", begun.text());
        let (path, _) = parts(begun.header("location").unwrap());
        let patched =
            http.send("PATCH", &begun_path(begun.header("location").unwrap()), &[], b"first half, ");
        assert_eq!(patched.status, 202, "{}", patched.text());
        let (_, lease) = parts(patched.header("location").unwrap());
        Self { id: path.rsplit('/').next().unwrap().to_owned(), lease, blob }
    }

    fn path(&self, repository: &str, query: &str) -> String {
        format!("/v2/{repository}/blobs/uploads/{}{query}", self.id)
    }

    /// bob goes on as if nothing had happened.
    fn finish(self, http: &Http) {
        let query = format!("?lease={}&digest={}", self.lease, self.blob.digest);
        let stored = http.send("PUT", &self.path("tenant-b/secret", &query), &[], b"second half");
        assert_eq!(stored.status, 201, "{}", stored.text());
        let read = http.get(&format!("/v2/tenant-b/secret/blobs/{}", self.blob.digest));
        assert_eq!(read.body, self.blob.bytes);
    }
}

/// Path and lease of a Location.
fn parts(location: &str) -> (String, String) {
    let path = begun_path(location);
    let (path, query) = path.split_once('?').unwrap();
    (path.to_owned(), query.strip_prefix("lease=").unwrap().to_owned())
}

fn begun_path(location: &str) -> String {
    format!("/v2/{}", location.split_once("/v2/").unwrap().1)
}

/// alice may write in tenant-a, bob and carol in tenant-b.
fn writers() -> (Scene<Registry>, Person) {
    let scene = Scene::real();
    scene.bob.grant(&scene.at, "Writer", "tenant-b");
    let carol = Person::with(&scene.at, "carol", &["Reader", "Writer"], "tenant-b");
    (scene, carol)
}

///
#[test]
fn nobody_else_touches_an_upload_even_with_its_address_and_its_lease() {
    let (scene, carol) = writers();
    let bob = scene.bob.http(&scene.at);
    let upload = HalfDone::begin(&bob);
    let lease = format!("?lease={}", upload.lease);
    let thieves = [
        (&scene.alice, "tenant-a/app"),
        (&scene.alice, "tenant-b/secret"),
        (&carol, "tenant-b/secret"),
        (&scene.eve, "tenant-b/secret"),
    ];
    for (thief, repository) in thieves {
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            for query in ["", lease.as_str(), "?_state=x"] {
                let digest =
                    if method == "PUT" { format!("digest={}", upload.blob.digest) } else { String::new() };
                let join = if query.is_empty() || digest.is_empty() { "" } else { "&" };
                let mark = if query.is_empty() && !digest.is_empty() { "?" } else { "" };
                let path = upload.path(repository, &format!("{query}{join}{mark}{digest}"));
                let body = if matches!(method, "PATCH" | "PUT") { "stolen" } else { "" };
                let request = if method == "GET" {
                    scene.head(method, &path, &thief.basic())
                } else {
                    scene.with_body(method, &path, &thief.basic(), body)
                };
                let mut wire = Wire::open(&scene.at);
                let answer = wire.ask(request);
                let case = format!("{method} {path} as {}", thief.iam_id);
                assert!(matches!(answer.status, 403 | 404), "{case}: {} {}", answer.status, answer.text());
                scene.traced(&case, &answer, &Trace::Refused(thief));
                scene.goes_on(&case, &answer, wire);
            }
        }
    }
    upload.finish(&bob);
}

/// not even its owner moves it to another repository
#[test]
fn an_upload_stays_in_the_repository_that_it_was_begun_in() {
    let (scene, _) = writers();
    scene.bob.grant(&scene.at, "Writer", "tenant-a");
    let bob = scene.bob.http(&scene.at);
    let upload = HalfDone::begin(&bob);
    for repository in ["tenant-a/app", "tenant-b/other"] {
        let path = upload.path(repository, &format!("?lease={}&digest={}", upload.lease, upload.blob.digest));
        assert_eq!(bob.send("PUT", &path, &[], b"second half").status, 404, "{repository}");
    }
    upload.finish(&bob);
}

///
#[test]
fn an_upload_address_that_was_changed_is_no_address() {
    let (scene, _) = writers();
    let bob = scene.bob.http(&scene.at);
    let upload = HalfDone::begin(&bob);
    let lease = &upload.lease;
    let flipped = if lease.ends_with('A') { "B" } else { "A" };
    let changed = format!("{}{flipped}", lease.split_at(lease.len() - 1).0);
    for query in [
        format!("?lease={changed}"),
        format!("?lease={lease}&lease={lease}"),
        format!("?lease={lease}A"),
        format!("?lease={}", lease.split_at(1).1),
        "?lease=".to_owned(),
        String::new(),
        format!("?_state={lease}"),
    ] {
        let answer = bob.send("PATCH", &upload.path("tenant-b/secret", &query), &[], b"x");
        assert!(matches!(answer.status, 400 | 404), "{query}: {} {}", answer.status, answer.text());
    }
    // A lease is for one upload, not for all of them.
    let begun = bob.send("POST", "/v2/tenant-b/secret/blobs/uploads/", &[], b"");
    let (other, _) = parts(begun.header("location").unwrap());
    assert_eq!(bob.send("PATCH", &format!("{other}?lease={lease}"), &[], b"x").status, 404);
    upload.finish(&bob);
}

/// the upstream's own state is the upstream's own
#[test]
fn an_odd_upload_id_reaches_nobody() {
    let scene = Scene::recorded();
    let long = "a".repeat(10_000);
    for id in ["..", "../../x", "a/b", "%2e%2e", "a%2fb", ".", "a%00", long.as_str()] {
        let path = format!("/v2/tenant-a/app/blobs/uploads/{id}");
        let mut wire = Wire::open(&scene.at);
        let answer = wire.ask(scene.with_body("PATCH", &path, &scene.alice.basic(), "x"));
        assert!(matches!(answer.status, 400 | 404 | 414), "{id}: {}", answer.status);
        assert_eq!(scene.heard(), [""; 0], "{id}");
        scene.goes_on(id, &answer, wire);
    }
}

/// nothing of the registry's own state is shown
#[test]
fn the_state_of_the_registry_behind_is_not_shown() {
    let (scene, _) = writers();
    let begun = scene.bob.http(&scene.at).send("POST", "/v2/tenant-b/secret/blobs/uploads/", &[], b"");
    let location = begun.header("location").unwrap();
    assert!(
        location.starts_with(&format!("https://{}/v2/tenant-b/secret/blobs/uploads/", scene.at.host())),
        "{location}"
    );
    assert!(!location.contains("_state"), "{location}");
    assert!(!scene.at.log().contains("_state"), "the log shows it");
}
