//! A push that takes longer than its token lives, on a clock that stands still until it is moved.

use std::time::Duration;

use serde_json::Value;

use crate::support::http::{Http, Response, path_of};
use crate::support::image::{Image, MANIFEST, sha256};
use crate::support::in_process::InProcess;
use crate::support::registry::Registry;
use crate::support::robot::Robot;

const MINUTE: Duration = Duration::from_secs(60);
const OCTETS: (&str, &str) = ("Content-Type", "application/octet-stream");
const SCOPE: &str = "repository:team/app:pull,push";

/// Tokens of a minute, and leases of a quarter of an hour.
const SETTINGS: &str = "[token]\nlifetime = \"60s\"\n[limits]\nupload_lease = \"15m\"";

struct Scene {
    registry: Registry,
    at: InProcess,
    robot: Robot,
    policy: String,
}

fn scene() -> Scene {
    let registry = Registry::start();
    let at = InProcess::before(&registry.url(), SETTINGS);
    let robot = Robot::create(&at.administrator(), "robot");
    let policy = robot.grant(&at.administrator(), "Manager", "team");
    Scene { registry, at, robot, policy }
}

impl Scene {
    /// The robot with a token of now.
    fn fresh(&self) -> Http {
        let token = self.robot.over(self.at.http()).token(&[SCOPE]);
        self.at.http().bearer(&token)
    }
}

/// An upload in progress.
struct Upload {
    place: String,
    sent: usize,
}

impl Upload {
    fn begin(http: &Http) -> Self {
        Self { place: http.begin_upload("team/app"), sent: 0 }
    }

    fn try_chunk(&self, http: &Http, bytes: &[u8]) -> Response {
        let range = format!("{}-{}", self.sent, self.sent + bytes.len() - 1);
        http.send("PATCH", &self.place, &[OCTETS, ("Content-Range", &range)], bytes)
    }

    #[track_caller]
    fn chunk(&mut self, http: &Http, bytes: &[u8]) {
        let taken = self.try_chunk(http, bytes);
        assert_eq!(taken.status, 202, "{}", taken.text());
        path_of(taken.header("location").unwrap()).clone_into(&mut self.place);
        self.sent += bytes.len();
    }

    fn finish(&self, http: &Http, digest: &str) -> Response {
        http.send("PUT", &format!("{}&digest={digest}", self.place), &[OCTETS], b"")
    }
}

#[track_caller]
fn assert_refused(answer: &Response, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.json()["errors"][0]["code"], code);
}

#[test]
fn a_push_of_ten_minutes_goes_through_with_tokens_of_sixty_seconds() {
    let scene = scene();
    let (image, at) = (Image::with_layers(&[1_000_000]), &scene.at);
    let http = scene.fresh();
    let layer = &image.layers[0];
    let mut upload = Upload::begin(&http);
    for (minute, bytes) in layer.bytes.chunks(layer.bytes.len().div_ceil(10)).enumerate() {
        upload.chunk(&http, bytes);
        at.pass(MINUTE);
        if minute >= 3 {
            // The token is good for nothing else any more.
            assert_refused(&http.get("/v2/team/app/tags/list"), 401, "UNAUTHORIZED");
            let other = http.send("POST", "/v2/team/app/blobs/uploads/", &[], b"");
            assert_refused(&other, 401, "UNAUTHORIZED");
            assert!(other.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
        }
    }
    let done = upload.finish(&http, &layer.digest);
    assert_eq!(done.status, 201, "{}", done.text());

    // What follows takes a token of now, as every client gets one.
    let manifest = |http: &Http| {
        http.send("PUT", "/v2/team/app/manifests/1", &[("Content-Type", MANIFEST)], &image.manifest.bytes)
    };
    assert_refused(&manifest(&http), 401, "UNAUTHORIZED");
    let http = scene.fresh();
    let mut config = Upload::begin(&http);
    config.chunk(&http, &image.config.bytes);
    assert_eq!(config.finish(&http, &image.config.digest).status, 201);
    assert_eq!(manifest(&http).status, 201);
    let direct = Http::plain(scene.registry.address().parse().unwrap());
    let stored = direct.get(&format!("/v2/team/app/blobs/{}", layer.digest));
    assert_eq!(sha256(&stored.body), layer.digest);
}

/// An upload whose token has expired, and that still goes on.
fn under_way(scene: &Scene) -> (Http, Upload) {
    let http = scene.fresh();
    let mut upload = Upload::begin(&http);
    upload.chunk(&http, b"while the token is good, ");
    scene.at.pass(5 * MINUTE);
    upload.chunk(&http, b"and when it is not, ");
    (http, upload)
}

#[test]
fn an_upload_stops_when_its_owners_key_is_disabled() {
    let scene = scene();
    let (http, upload) = under_way(&scene);
    let place = format!("/v1/apikeys/{}/disable", scene.robot.key.id);
    let administrator = scene.at.administrator();
    assert_eq!(administrator.call("POST", &place, &Value::Null).status, 204);
    assert_refused(&upload.try_chunk(&http, b"no more"), 401, "UNAUTHORIZED");
    assert_refused(&upload.finish(&http, &sha256(b"x")), 401, "UNAUTHORIZED");
    assert_eq!(administrator.call("DELETE", &place, &Value::Null).status, 204);
    assert_eq!(upload.try_chunk(&http, b"again").status, 202);
}

#[test]
fn an_upload_stops_when_its_owners_policy_is_gone() {
    let scene = scene();
    let (http, upload) = under_way(&scene);
    let administrator = scene.at.administrator();
    let place = format!("/v1/policies/{}", scene.policy);
    assert_eq!(administrator.call("DELETE", &place, &Value::Null).status, 204);
    assert_refused(&upload.try_chunk(&http, b"no more"), 403, "DENIED");
    assert_refused(&upload.finish(&http, &sha256(b"x")), 403, "DENIED");
    scene.robot.grant(&administrator, "Writer", "team");
    assert_eq!(upload.try_chunk(&http, b"again").status, 202);
}

#[test]
fn an_upload_stops_when_it_has_rested_longer_than_its_lease() {
    let scene = scene();
    let (expired, mut upload) = under_way(&scene);
    // Each chunk begins a new quarter of an hour.
    for _ in 0..3 {
        scene.at.pass(14 * MINUTE);
        upload.chunk(&expired, b"in time, ");
    }
    scene.at.pass(15 * MINUTE);
    assert_refused(&upload.try_chunk(&expired, b"too late"), 401, "UNAUTHORIZED");
    assert_refused(&upload.try_chunk(&scene.fresh(), b"too late"), 404, "BLOB_UPLOAD_UNKNOWN");
}

#[test]
fn nobody_else_can_use_an_upload() {
    let scene = scene();
    let (http, mut upload) = under_way(&scene);
    let administrator = scene.at.administrator();
    let other = Robot::with_role(&administrator, "other", "Manager", "team");
    let other_token = other.over(scene.at.http()).token(&[SCOPE]);
    let strangers = [scene.at.http().bearer(&other_token), other.over(scene.at.http()), administrator];
    for stranger in &strangers {
        assert_refused(&upload.try_chunk(stranger, b"mine now"), 404, "BLOB_UPLOAD_UNKNOWN");
        assert_refused(&upload.finish(stranger, &sha256(b"")), 404, "BLOB_UPLOAD_UNKNOWN");
        assert_refused(&stranger.get(&upload.place), 404, "BLOB_UPLOAD_UNKNOWN");
        let cancel = stranger.send("DELETE", &upload.place, &[], b"");
        assert_refused(&cancel, 404, "BLOB_UPLOAD_UNKNOWN");
    }
    assert_eq!(upload.try_chunk(&scene.at.http(), b"nobody's").status, 401);
    // Nor can its owner, elsewhere or without the lease.
    let owner = scene.robot.over(scene.at.http());
    let elsewhere = upload.place.replace("/team/app/", "/team/other/");
    let moved = Upload { place: elsewhere, sent: upload.sent };
    assert_refused(&moved.try_chunk(&owner, b"elsewhere"), 404, "BLOB_UPLOAD_UNKNOWN");
    let bare = upload.place.split_once('?').unwrap().0.to_owned();
    let bare = Upload { place: bare, sent: upload.sent };
    assert_refused(&bare.try_chunk(&owner, b"bare"), 404, "BLOB_UPLOAD_UNKNOWN");
    // It is where it was, and its owner's.
    upload.chunk(&http, b"and so on");
    let whole = b"while the token is good, and when it is not, and so on";
    assert_eq!(upload.finish(&http, &sha256(whole)).status, 201);
}
