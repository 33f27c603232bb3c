//! What a vanilla registry lacks: deleted images that come back, quotas, retention, and several regions. With real clients.

use std::time::Duration;

use serde_json::Value;

use crate::support::aws::Aws;
use crate::support::client::{Client, Docker, Skopeo};
use crate::support::http::Http;
use crate::support::image::{Blob, DOCKERS_MANIFEST, Image, MANIFEST};
use crate::support::in_process::InProcess;
use crate::support::portcullis::{ACCOUNT, Cli, Portcullis};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{IAMAPIKEY, ServiceId, Who};

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

/// Docker's list of an image for linux/amd64, and the image in Docker's own words.
const DOCKERS_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

fn in_dockers_words(image: &Image) -> (Blob, Blob) {
    let mut manifest: Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
    manifest["mediaType"] = DOCKERS_MANIFEST.into();
    manifest["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json".into();
    for layer in manifest["layers"].as_array_mut().unwrap() {
        layer["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip".into();
    }
    let manifest = Blob::of(manifest.to_string().into_bytes());
    let list = serde_json::json!({"schemaVersion": 2, "mediaType": DOCKERS_LIST, "manifests": [{
        "mediaType": DOCKERS_MANIFEST, "digest": manifest.digest, "size": manifest.bytes.len(),
        "platform": {"os": "linux", "architecture": "amd64"},
    }]});
    (manifest, Blob::of(list.to_string().into_bytes()))
}

#[test]
fn a_tag_that_was_taken_off_is_not_served_as_what_a_registry_converts_it_to() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let (cli, image) = (at.administration(), Image::tiny());
    let scope = "repository:birds/owl:pull,push";
    let http = at.http().bearer(&at.http().basic(IAMAPIKEY, at.admin_key()).token(&[scope]));
    assert_eq!(http.push(&image, "birds/owl", "kept").status, 201);
    let (manifest, list) = in_dockers_words(&image);
    for (reference, kind, content) in [
        (manifest.digest.as_str(), DOCKERS_MANIFEST, &manifest),
        ("v1", DOCKERS_LIST, &list),
        ("v2", DOCKERS_LIST, &list),
    ] {
        let path = format!("/v2/birds/owl/manifests/{reference}");
        let put = http.send("PUT", &path, &[("Content-Type", kind)], &content.bytes);
        assert_eq!(put.status, 201, "{}", put.text());
    }
    let read = |tag: &str, kind: &str| {
        http.send("GET", &format!("/v2/birds/owl/manifests/{tag}"), &[("Accept", kind)], b"")
    };
    let converted = read("v1", DOCKERS_MANIFEST);
    assert_eq!((converted.status, converted.body == manifest.bytes), (200, true), "{}", converted.text());
    says(&cli, "cr image-untag birds/owl:v1", &["OK"]);
    for kind in [DOCKERS_MANIFEST, DOCKERS_LIST, "*/*"] {
        assert_eq!(read("v1", kind).status, 404, "{kind}");
        // To a client that takes anything, it would give a manifest of the first schema, and has none.
        assert_eq!(read("v2", kind).status, if kind == "*/*" { 400 } else { 200 }, "{kind}");
    }
    says(&cli, "cr image-rm birds/owl:v2", &["OK"]);
    for kind in [DOCKERS_MANIFEST, DOCKERS_LIST, "*/*"] {
        assert_eq!(read("v2", kind).status, 404, "{kind}");
    }
    assert_eq!(read("kept", MANIFEST).status, 200);
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
    // Nor is there a way round by AWS's calls.
    let aws = Aws::administrator(&at);
    aws.json(&["ecr", "create-repository", "--repository-name", "birds/owl"]);
    let begun = aws.run(&["ecr", "initiate-layer-upload", "--repository-name", "birds/owl"]);
    let said = begun.said();
    assert!(said.contains("LimitExceededException") && said.contains(words), "{said}");
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

#[test]
fn what_awss_calls_delete_is_hidden_from_them_and_can_be_restored() {
    let registry = Registry::start();
    let (at, cli, docker) = with_docker(&registry);
    let aws = Aws::administrator(&at);
    let name = at.image("birds/owl:1");
    docker.push(&Image::tiny(), &name).must_succeed();
    let on = ["--repository-name", "birds/owl"];
    let ecr = |verb: &str, more: &[&str]| aws.run(&[&["ecr", verb], &on[..], more].concat());
    let described = || {
        let done = ecr("describe-images", &["--output", "json"]).must_succeed();
        let rows: Value = serde_json::from_str(&done.stdout).unwrap();
        rows["imageDetails"].as_array().unwrap().clone()
    };
    let digest = described()[0]["imageDigest"].as_str().unwrap().to_owned();
    let pushed_at = described()[0]["imagePushedAt"].clone();
    ecr("batch-delete-image", &["--image-ids", "imageTag=1"]).must_succeed();
    // Gone for everybody, by tag and by digest.
    assert_eq!(described(), Vec::<Value>::new());
    for id in ["imageTag=1".to_owned(), format!("imageDigest={digest}")] {
        let said = ecr("batch-get-image", &["--image-ids", &id, "--output", "json"]).must_succeed().stdout;
        assert!(said.contains("ImageNotFound"), "{said}");
        let said = ecr("batch-delete-image", &["--image-ids", &id, "--output", "json"]).must_succeed().stdout;
        assert!(said.contains("ImageNotFound"), "{said}");
    }
    assert!(docker.pull(&name).code != Some(0));
    assert_eq!(json(&cli, "cr trash-list").as_object().unwrap().len(), 1);
    // And back, as if nothing had been.
    says(&cli, "cr image-restore birds/owl:1", &["Successfully restored image"]);
    docker.pull(&name).must_succeed();
    assert_eq!((described().len(), &described()[0]["imagePushedAt"]), (1, &pushed_at));
    // What ECR puts comes out of the trash.
    docker.push(&Image::tiny(), &at.image("birds/owl:other")).must_succeed();
    let id = format!("imageDigest={digest}");
    let read = ecr("batch-get-image", &["--image-ids", &id, "--output", "json"]).must_succeed().stdout;
    let read: Value = serde_json::from_str(&read).unwrap();
    let manifest = read["images"][0]["imageManifest"].as_str().unwrap();
    ecr("batch-delete-image", &["--image-ids", &id]).must_succeed();
    ecr("put-image", &["--image-manifest", manifest, "--image-tag", "2"]).must_succeed();
    docker.pull(&at.image("birds/owl:2")).must_succeed();
    assert!(docker.pull(&name).code != Some(0), "only what was put");
    assert_eq!(json(&cli, "cr trash-list"), serde_json::json!({}));
    // A repository that is deleted with its images leaves them to be restored.
    ecr("delete-repository", &["--force"]).must_succeed();
    assert!(docker.pull(&at.image("birds/owl:2")).code != Some(0));
    says(&cli, "cr image-restore birds/owl:2", &["Successfully restored image"]);
    docker.pull(&at.image("birds/owl:2")).must_succeed();
}

#[test]
fn the_daily_run_of_a_retention_policy_deletes_what_its_analysis_says_and_what_it_deletes_can_be_restored() {
    let registry = Registry::start();
    let at = InProcess::before(&registry.url(), "");
    let http = || {
        let scopes = ["repository:birds/owl:pull,push,delete"];
        at.http().bearer(&at.administrator().token(&scopes))
    };
    let call = |method: &str, path: &str, body: &Value| {
        let headers = [("Account", ACCOUNT), ("Content-Type", "application/json")];
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        at.administrator().send(method, path, &headers, &body)
    };
    let policy = serde_json::json!({"namespace": "birds", "images_per_repo": 2, "retain_untagged": false});
    let push = |tag: &str| assert_eq!(http().push(&Image::tiny(), "birds/owl", tag).status, 201);
    ["1", "2"].into_iter().for_each(push);
    assert_eq!(
        call("POST", "/api/v1/retentions", &policy).json(),
        serde_json::json!({}),
        "nothing to do yet"
    );
    // One more, and one whose tag is taken by another.
    ["3", "4", "4"].into_iter().for_each(push);
    let held = || -> Vec<String> {
        let rows = call("POST", "/api/v1/images/digests", &serde_json::json!({"exclude_va": true})).json();
        let mut all: Vec<String> =
            rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    };
    let before = until("the untagged image", PATIENCE, || Some(held()).filter(|all| all.len() == 5));
    let foretold = call("POST", "/api/v1/retentions/analyze", &policy).json();
    let going: Vec<String> = foretold
        .as_object()
        .unwrap()
        .values()
        .flat_map(|list| {
            list.as_array()
                .unwrap()
                .iter()
                .map(|image| image.as_str().unwrap().split_once('@').unwrap().1.to_owned())
        })
        .collect();
    assert_eq!(going.len(), 3, "two beyond the newest two, and the untagged one: {foretold}");
    at.pass(Duration::from_secs(23 * 3600));
    assert_eq!(held(), before, "not yet");
    at.pass(Duration::from_secs(2 * 3600));
    let after = until("the daily run", PATIENCE, || Some(held()).filter(|all| all.len() == 2));
    let left: Vec<String> = before.iter().filter(|digest| !going.contains(digest)).cloned().collect();
    assert_eq!(after, left);
    let trash = call("GET", "/api/v1/trash", &Value::Null).json();
    assert_eq!(trash.as_object().unwrap().len(), 3, "{trash}");
}

#[test]
fn a_policy_on_a_resource_group_is_for_the_namespaces_in_it_and_no_others() {
    let registry = Registry::start();
    let (at, cli, _) = with_docker(&registry);
    says(&cli, "resource group-create beaks", &["Resource group beaks was created.", "Resource Group ID: "]);
    says(&cli, "resource groups", &["Default", "beaks", "ACTIVE"]);
    assert!(cli.run("cr namespace-add -g fins fish").code != Some(0), "there is no such group");
    says(&cli, "cr namespace-add -g beaks birds", &["in resource group 'beaks'"]);
    says(&cli, "cr namespace-add cats4", &["Successfully added namespace 'cats4'"]);
    says(&cli, "cr namespace-list -v", &["beaks", "Default"]);
    let robot = ServiceId::create(&cli, "keeper");
    let policy = "iam service-policy-create keeper --roles Reader,Writer,Manager --resource-group-name Beaks";
    says(&cli, policy, &["Service policy is successfully created", "Resource Group ID"]);
    let docker = Docker::start(&at.trust());
    docker.login(&at.host(), IAMAPIKEY, robot.key().unwrap()).must_succeed();
    let refused = |name: &str| {
        let said = docker.push(&Image::tiny(), &at.image(name));
        let words = "denied: You are not authorized to access the specified resource.";
        assert!(said.code != Some(0) && said.said().contains(words), "{name}: {}", said.said());
    };
    docker.push(&Image::tiny(), &at.image("birds/owl:1")).must_succeed();
    refused("cats4/tom:1");
    // What is not there is in no group, and does not come into being on the strength of one.
    refused("fish/cod:1");
    let own = Cli::new();
    own.login(&at, robot.key().unwrap()).must_succeed();
    assert_eq!(json(&own, "cr image-list").as_array().unwrap().len(), 1);
    assert_eq!(json(&own, "cr namespace-list"), serde_json::json!(["birds"]));
    // The registry itself is in no group: a Manager of one does not manage that.
    for line in
        ["cr private-only --status", "cr quota", "cr namespace-add dogs4", "resource group-create own"]
    {
        assert!(own.run(line).code != Some(0), "{line}");
    }
    let why = cli
        .run("explain --principal keeper --action container-registry.image.push --resource birds/owl")
        .said();
    assert!(why.to_lowercase().contains("allow"), "{why}");
    // The next request obeys.
    says(&cli, "cr namespace-assign -g beaks cats4", &["Successfully assigned"]);
    docker.push(&Image::tiny(), &at.image("cats4/tom:1")).must_succeed();
    assert!(cli.run("resource group-delete -f beaks").code != Some(0), "namespaces are in it");
}
