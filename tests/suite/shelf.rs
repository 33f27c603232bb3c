//! What a vanilla registry lacks: deleted images that come back, quotas, retention, and several regions. With real clients.

use std::time::Duration;

use serde_json::Value;

use crate::support::client::{Client, Docker, Skopeo};
use crate::support::http::Http;
use crate::support::image::{Image, MANIFEST};
use crate::support::in_process::InProcess;
use crate::support::portcullis::{Cli, Portcullis};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::IAMAPIKEY;

#[track_caller]
fn says(cli: &Cli, line: &str, expected: &[&str]) -> String {
    let done = cli.run(line).must_succeed();
    for text in expected {
        assert!(done.stdout.contains(text), "`{text}` is missing: {}\n{}", done.command, done.said());
    }
    done.stdout
}

#[track_caller]
fn json(cli: &Cli, line: &str) -> Value {
    let done = cli.run(&format!("{line} --output json")).must_succeed();
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout))
}

/// A server, and docker logged in to it as the administrator.
fn with_docker(registry: &Registry) -> (Portcullis, Cli, Docker) {
    let at = Portcullis::before(&registry.url());
    let cli = at.administration();
    let docker = Docker::start(&at.trust());
    docker.login(&at.host(), IAMAPIKEY, at.admin_key()).must_succeed();
    (at, cli, docker)
}

#[test]
fn a_deleted_image_is_gone_for_docker_and_comes_back_by_tag_by_digest_and_by_push() {
    let registry = Registry::start();
    let (at, cli, docker) = with_docker(&registry);
    let image = Image::tiny();
    let (one, two) = (at.image("birds/owl:1"), at.image("birds/owl:2"));
    for name in [&one, &two] {
        docker.push(&image, name).must_succeed();
    }
    let gone = |name: &str| {
        let said = docker.pull(name).said();
        assert!(said.contains("manifest unknown") || said.contains("not found"), "{name}: {said}");
    };
    says(&cli, &format!("cr image-rm {one}"), &["Deleting image", "Successfully deleted image", "OK"]);
    gone(&one);
    gone(&two);
    says(&cli, "cr image-list", &["There are no images that you may see."]);
    let trash = json(&cli, "cr trash-list");
    let (name, row) = trash.as_object().unwrap().iter().next().unwrap();
    assert_eq!(row["daysUntilExpiry"], 30, "{trash}");
    gone(name);
    says(&cli, "cr trash-list --restrict birds", &["Days until expiry", name, "1,2"]);

    // By tag: that one alone.
    says(&cli, "cr image-restore birds/owl:2", &["Successfully restored image"]);
    docker.pull(&two).must_succeed();
    gone(&one);
    // By digest: whatever it had.
    says(&cli, "cr image-rm birds/owl:2", &[]);
    gone(&two);
    says(&cli, &format!("cr image-restore {name}"), &["Restored tags: 2"]);
    docker.pull(&two).must_succeed();
    docker.pull(name).must_succeed();
    // By push: the tag that was pushed, and the image.
    says(&cli, "cr image-rm birds/owl:2", &[]);
    docker.push(&image, &one).must_succeed();
    docker.pull(&one).must_succeed();
    gone(&two);
    assert_eq!(json(&cli, "cr trash-list"), serde_json::json!({}));
    // A tag alone is taken off.
    says(&cli, "cr image-tag birds/owl:1 birds/owl:3", &["OK"]);
    says(&cli, "cr image-untag birds/owl:1", &["Successfully deleted image tag"]);
    gone(&one);
    docker.pull(&at.image("birds/owl:3")).must_succeed();
}

#[test]
fn what_is_deleted_is_hidden_at_once_and_leaves_the_upstream_when_its_time_is_over() {
    let registry = Registry::start();
    let at = InProcess::before(&registry.url(), "[trash]\ndays = 7");
    let robot = Robot::create(&at.administrator(), "robot");
    robot.grant(&at.administrator(), "Manager", "team");
    let scope = "repository:team/app:pull,push,delete";
    let http = |at: &InProcess| {
        let token = robot.over(at.http()).token(&[scope]);
        at.http().bearer(&token)
    };
    let (kept, image) = (Image::tiny(), Image::tiny());
    assert_eq!(http(&at).push(&kept, "team/app", "kept").status, 201);
    assert_eq!(http(&at).push(&image, "team/app", "v1").status, 201);
    let read = |http: &Http, path: &str| http.send("GET", path, &[("Accept", MANIFEST)], b"").status;
    let place = format!("/v2/team/app/manifests/{}", image.manifest.digest);
    assert_eq!(read(&http(&at), &place), 200);
    assert_eq!(http(&at).send("DELETE", &place, &[], b"").status, 202);
    assert_eq!(http(&at).send("DELETE", &place, &[], b"").status, 404);
    for path in [&place, "/v2/team/app/manifests/v1"] {
        assert_eq!(read(&http(&at), path), 404, "{path}");
    }
    assert_eq!(http(&at).get("/v2/team/app/tags/list").json()["tags"], serde_json::json!(["kept"]));
    let upstream = Http::plain(registry.address().parse().unwrap());
    assert_eq!(read(&upstream, &place), 200, "the upstream keeps it");
    at.pass(Duration::from_secs(6 * 24 * 3600));
    assert_eq!(read(&http(&at), &place), 404);
    assert_eq!(read(&upstream, &place), 200);
    at.pass(Duration::from_secs(24 * 3600 + 60));
    until("the purge", PATIENCE, || (read(&upstream, &place) == 404).then_some(()));
    // After that it is like one that never was.
    assert_eq!(read(&http(&at), &place), 404);
    assert_eq!(http(&at).push(&image, "team/app", "v1").status, 201);
    assert_eq!(read(&http(&at), "/v2/team/app/manifests/v1"), 200);
}

#[test]
fn a_quota_that_is_reached_in_mid_push_stops_docker_with_words_that_say_why() {
    let registry = Registry::start();
    let (at, cli, docker) = with_docker(&registry);
    says(&cli, "cr quota-set --storage 1", &["Setting quotas: 'storage: 1'...", "OK"]);
    says(&cli, "cr quota", &["QUOTA", "Storage", "Unlimited"]);
    let words = "Your account has exceeded its image storage quota for the current month.";
    let refused = docker.push(&Image::with_layers(&[700_000; 12]), &at.image("birds/owl:1"));
    assert!(refused.code != Some(0) && refused.said().contains(words), "{}", refused.said());
    let refused = docker.push(&Image::tiny(), &at.image("birds/crow:1"));
    assert!(refused.code != Some(0) && refused.said().contains(words), "{}", refused.said());
    let used = json(&cli, "cr quota")["usage"]["store"].as_u64().unwrap();
    assert!(used > 1 << 20, "{used}");
    says(&cli, "cr quota-set --storage -1", &["OK"]);
    docker.push(&Image::tiny(), &at.image("birds/crow:1")).must_succeed();
}

#[test]
fn a_pull_beyond_the_traffic_quota_is_refused_and_the_one_that_reaches_it_is_not() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let cli = at.administration();
    let skopeo = Skopeo::new(&at.trust());
    skopeo.login(&at.host(), IAMAPIKEY, at.admin_key()).must_succeed();
    let name = at.image("birds/owl:1");
    let image = Image::with_layers(&[700_000; 3]);
    skopeo.push(&image, &name).must_succeed();
    says(&cli, "cr quota-set --traffic 1", &["Setting quotas: 'traffic: 1'...", "OK"]);
    skopeo.pull(&name).must_succeed();
    let refused = skopeo.pull(&name);
    assert!(refused.code != Some(0) && refused.said().contains("403 (Forbidden)"), "{}", refused.said());
    let robot = Robot::with_role(&at.administrator(), "robot", "Reader", "birds");
    let http = at.http().bearer(&robot.over(at.http()).token(&["repository:birds/owl:pull"]));
    let refused = http.get(&format!("/v2/birds/owl/blobs/{}", image.config.digest));
    let words = "Your account has exceeded its pull traffic quota for the current month.";
    assert_eq!((refused.status, refused.json()["errors"][0]["message"].as_str()), (403, Some(words)));
    let metrics = || at.observer().get("/metrics").text();
    assert!(!metrics().contains("ibm_containerregistry_"), "platform metrics are off");
    says(&cli, "cr platform-metrics --enable", &["Enabling platform metrics", "OK"]);
    let shown = metrics();
    let limit = shown.lines().find(|line| line.starts_with("ibm_containerregistry_pull_traffic_quota{"));
    assert!(limit.is_some_and(|line| line.ends_with(" 1048576") && line.contains("us-south")), "{shown}");
    assert!(shown.contains("ibm_containerregistry_storage{"), "{shown}");
    assert!(json(&cli, "cr quota")["usage"]["traffic"].as_u64().unwrap() > 2_100_000);
}

#[test]
fn a_retention_run_deletes_what_its_dry_run_showed_and_nothing_else() {
    let registry = Registry::start();
    let (at, cli, docker) = with_docker(&registry);
    for tag in ["1", "2", "3"] {
        docker.push(&Image::tiny(), &at.image(&format!("birds/owl:{tag}"))).must_succeed();
    }
    docker.push(&Image::tiny(), &at.image("birds/crow:1")).must_succeed();
    let digests = || -> Vec<String> {
        let rows = json(&cli, "cr image-digests --restrict birds");
        let mut all: Vec<String> =
            rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    };
    let before = digests();
    assert_eq!(before.len(), 4);
    let foretold = json(&cli, "cr retention-run --images 1 --dry-run birds");
    assert_eq!(digests(), before, "a dry run deletes nothing");
    let shown = says(
        &cli,
        "cr retention-policy-set --images 1 --force birds",
        &["Found 2 images to delete.", "keeps 1 images"],
    );
    let after = digests();
    let owls = foretold[at.image("birds/owl")].as_array().unwrap();
    assert_eq!((owls.len(), after.len()), (2, 2), "{foretold}");
    for image in owls {
        let image = image.as_str().unwrap();
        assert!(shown.contains(image), "{shown}");
        assert!(!after.iter().any(|digest| image.ends_with(digest)), "{image} is still there");
    }
    let table = says(&cli, "cr retention-policy-list", &["Namespace", "birds"]);
    assert!(table.contains("false"), "{table}");
    // What the policy deleted can be restored like anything else.
    assert_eq!(json(&cli, "cr trash-list").as_object().unwrap().len(), 2);
}
