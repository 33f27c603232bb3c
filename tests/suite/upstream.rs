//! How Portcullis stands with its upstream: what it shows there, what it knows of its health, what it makes of its death.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::http::Http;
use crate::support::http2::Http2;
use crate::support::image::{Image, sha256};
use crate::support::portcullis::Portcullis;
use crate::support::recorder::{Recorder, answer};
use crate::support::registry::Registry;
use crate::support::road::{Block, Road};
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};

#[test]
fn an_upstream_that_wants_a_token_gets_ours_and_never_the_callers() {
    const OURS: &str = "the-token-of-the-proxy-itself";
    let upstream = Recorder::start(|request| {
        let text = String::from_utf8_lossy(request).to_ascii_lowercase();
        let known = text.contains(&format!("authorization: bearer {OURS}\r\n"));
        let status = if known { "200 OK" } else { "401 Unauthorized" };
        answer(status, &[("Content-Type", "application/json")], "{\"name\":\"team/app\",\"tags\":[]}")
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upstream.token");
    fs::write(&file, format!("{OURS}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let setting = ("REGISTRY__0__UPSTREAM_OPTIONS__TOKEN_FILE", file.to_str().unwrap());
    let at = Portcullis::set(&format!("http://{}", upstream.address()), &[setting]);
    let robot = Robot::with_role(&at.administrator(), "robot", "Reader", "team");
    let token = robot.at(&at).token(&["repository:team/app:pull"]);
    for http in [robot.at(&at), at.http().bearer(&token)] {
        let listed = http.get("/v2/team/app/tags/list");
        assert_eq!(listed.status, 200, "{}", listed.text());
        assert!(!format!("{listed:?}").contains(OURS), "{listed:?}");
    }
    // Whom it does not let through does not reach the upstream with it either.
    assert_eq!(at.http().get("/v2/team/app/tags/list").status, 401);
    let seen = upstream.seen();
    let asked = seen.iter().filter(|request| request.contains("/v2/team/app/tags/list")).count();
    assert_eq!(asked, 2, "{seen:?}");
    for request in seen {
        assert_eq!(request.to_ascii_lowercase().matches("authorization:").count(), 1, "{request}");
        assert!(!request.contains(&robot.key.value) && !request.contains(&token), "{request}");
    }
    let audit = fs::read_to_string(at.folder().join("audit.jsonl")).unwrap();
    assert!(!at.log().contains(OURS) && !audit.contains(OURS), "our token is on record");
}

#[test]
fn metrics_follow_the_upstream_down_and_up_and_tell_what_was_remembered() {
    let mut registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let version = format!("portcullis_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(at.metric(&version) as u64, 1);

    // Not 0 for want of a line: the line is there.
    let up = |value: u8| {
        let line = format!("portcullis_upstream_up{{registry=\"us.registry.test\"}} {value}");
        until(&line, PATIENCE, || at.observer().get("/metrics").text().contains(&line).then_some(()));
    };
    let ready = || at.observer().get("/readyz").status;
    up(1);
    until("readiness", PATIENCE, || (ready() == 200).then_some(()));
    registry.kill();
    up(0);
    until("the end of readiness", PATIENCE, || (ready() == 503).then_some(()));
    registry.restart();
    up(1);
    until("readiness again", PATIENCE, || (ready() == 200).then_some(()));

    let views = |event: &str| {
        at.metric(&format!("portcullis_cache_events_total{{cache=\"view\",event=\"{event}\"}}")) as u64
    };
    let robot = Robot::with_role(&at.administrator(), "robot", "Reader", "team");
    let misses = views("miss");
    assert_eq!(robot.at(&at).get("/v2/").status, 200);
    let (hits, after) = (views("hit"), views("miss"));
    assert!(after > misses, "the robot was not known: {misses} to {after}");
    for _ in 0..5 {
        assert_eq!(robot.at(&at).get("/v2/").status, 200);
    }
    assert_eq!(views("miss"), after, "now it is");
    assert!(views("hit") >= hits + 10, "its key and itself, five times");
    // What changes is forgotten.
    robot.grant(&at.administrator(), "Writer", "team");
    assert_eq!(robot.at(&at).get("/v2/").status, 200);
    assert!(views("miss") > after, "a change is looked up anew");
}

#[test]
fn a_pull_over_http2_whose_upstream_dies_ends_in_an_error_of_its_stream_alone() {
    let registry = Registry::start();
    let image = Image::with_layers(&[3 << 20]);
    let direct = Http::plain(registry.address().parse().unwrap());
    assert_eq!(direct.push(&image, "team/app", "1").status, 201);
    let layer = image.layers[0].digest.clone();
    let held = layer.clone();
    let road = Road::to(&registry.address(), move |line| {
        if line.contains(&held) { Block::Answer(300_000) } else { Block::Nowhere }
    });
    let at = Portcullis::before(&road.url());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = Http2::like(&at.administrator()).await;
        let path = format!("/v2/team/app/blobs/{layer}");
        let (other, same) = (client.clone(), path.clone());
        let pull = tokio::spawn(async move { other.try_send("GET", &same, Vec::new()).await });
        tokio::task::block_in_place(|| road.await_held(1));
        road.cut();
        let error = pull.await.unwrap().expect_err("a cut blob passes for a whole one");
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        assert!(cause.contains("stream error"), "{error}: {cause}");
        // The connection is as good as before.
        let (status, _, body) = client.send("GET", &path, Vec::new()).await;
        assert_eq!((status, sha256(&body)), (200, layer));
    });
}
