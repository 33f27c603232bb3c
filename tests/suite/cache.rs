//! What is remembered of the upstream: that it is asked once, that nobody gets what is not theirs, and that nothing is old.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::support::aws::Aws;
use crate::support::client::Client;
use crate::support::http::{Http, Response};
use crate::support::image::{Image, MANIFEST, sha256};
use crate::support::portcullis::Portcullis;
use crate::support::recorder::{Recorder, answer};
use crate::support::registry::Registry;
use crate::support::road::{Block, Road};
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{Administrator, Nobody, Stranger, Who};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What is remembered here is as good as for ever: what is seen at once is seen for another reason than time.
const LONG: [(&str, &str); 2] = [("CACHE__TAG_STALENESS", "1m"), ("CACHE__CONTENT_STALENESS", "1h")];

/// A registry behind Portcullis, and every question that reached it about images.
struct Watched {
    registry: Registry,
    road: Road,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Watched {
    fn start() -> Self {
        Self::blocking(|_| Block::Nowhere)
    }

    fn blocking(rule: impl Fn(&str) -> Block + Send + Sync + 'static) -> Self {
        let registry = Registry::start();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&seen);
        let road = Road::to(&registry.address(), move |line| {
            // How it is, is asked now and then.
            if !line.contains(" /v2/ ") {
                log.lock().unwrap().push(line.trim_end_matches(" HTTP/1.1").to_owned());
            }
            rule(line)
        });
        Self { registry, road, seen }
    }

    fn before(&self, variables: &[(&str, &str)]) -> Portcullis {
        Portcullis::set(&self.road.url(), variables)
    }

    /// The registry itself, without Portcullis.
    fn direct(&self) -> Http {
        Http::plain(self.registry.address().parse().unwrap())
    }

    /// What has been asked since the last time.
    fn questions(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn read(http: &Http, method: &str, path: &str) -> Response {
    http.send(method, path, &[("Accept", &format!("{MANIFEST}, {INDEX}"))], b"")
}

fn get(http: &Http, path: &str) -> Response {
    read(http, "GET", path)
}

#[test]
fn a_second_pull_by_any_client_asks_the_upstream_for_nothing() {
    let upstream = Watched::start();
    let at = upstream.before(&LONG);
    let ada = Administrator::of(&at);
    let (skopeo, podman, docker) = (ada.skopeo(&at), ada.podman(&at), ada.docker(&at));
    let image = Image::with_layers(&[3000, 70_000]);
    let name = at.image("team/app:1");
    skopeo.push(&image, &name).must_succeed();
    skopeo.pull(&name).must_succeed();
    let cold = upstream.questions();
    assert!(cold.iter().any(|line| line.starts_with("GET /v2/team/app/manifests/")), "{cold:?}");
    for (who, client) in [("skopeo", &skopeo as &dyn Client), ("podman", &podman), ("docker", &docker)] {
        client.pull(&name).must_succeed();
        assert_eq!(client.id_of(&name), image.id(), "{who}");
        assert_eq!(upstream.questions(), [""; 0], "{who}");
    }
}

#[test]
fn a_hundred_cold_clients_cost_the_upstream_one_question_for_each_object() {
    let kept = cold_clients(100, &LONG);
    assert!(kept > 350_000 && kept < 500_000, "{kept}");
}

#[test]
fn five_hundred_cold_clients_of_layers_that_go_to_the_disk_cost_as_few() {
    let folder = tempfile::tempdir().unwrap();
    let layers = folder.path().join("layers");
    let disk = [("CACHE__DISK", layers.to_str().unwrap()), ("CACHE__MAX_BLOB_BYTES", "10000")];
    let kept = cold_clients(500, &[LONG[0], LONG[1], disk[0], disk[1]]);
    assert!(kept < 50_000, "{kept}");
    let on_disk: Vec<u64> =
        layers.read_dir().unwrap().map(|file| file.unwrap().metadata().unwrap().len()).collect();
    assert!(on_disk.len() == 2 && on_disk.iter().sum::<u64>() > 350_000, "{on_disk:?}");
}

/// So many clients pull one image at once, which nobody has asked for before: what is kept in memory of it then.
fn cold_clients(clients: usize, variables: &[(&str, &str)]) -> usize {
    let upstream = Watched::start();
    let at = upstream.before(variables);
    let image = Image::with_layers(&[100, 50_000, 300_000]);
    let direct = upstream.direct();
    assert_eq!(direct.push(&image, "team/app", "single").status, 201);
    let entry =
        json!({"mediaType": MANIFEST, "digest": image.manifest.digest, "size": image.manifest.bytes.len()});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).to_string();
    let put = direct.send("PUT", "/v2/team/app/manifests/1", &[("Content-Type", INDEX)], index.as_bytes());
    assert_eq!(put.status, 201);
    upstream.questions();
    let robot = Robot::with_role(&at.administrator(), "robot", "Reader", "team");
    let (http, nobody, start) = (robot.at(&at), at.http(), Barrier::new(clients));
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                start.wait();
                let token = http.token(&["repository:team/app:pull"]);
                let client = nobody.clone().bearer(&token);
                let manifests = "/v2/team/app/manifests";
                let head = read(&client, "HEAD", &format!("{manifests}/1"));
                let digest = head.header("docker-content-digest").unwrap().to_owned();
                assert_eq!(digest, sha256(index.as_bytes()));
                assert_eq!(get(&client, &format!("{manifests}/{digest}")).text(), index);
                let manifest = get(&client, &format!("{manifests}/{}", image.manifest.digest));
                assert_eq!(manifest.body, image.manifest.bytes);
                for blob in image.blobs() {
                    let got = client.get(&format!("/v2/team/app/blobs/{}", blob.digest));
                    assert_eq!((got.status, sha256(&got.body)), (200, blob.digest.clone()));
                }
            });
        }
    });
    let mut times = BTreeMap::<String, usize>::new();
    for line in upstream.questions() {
        *times.entry(line).or_default() += 1;
    }
    let expected = 2 + image.blobs().count();
    assert!(times.len() == expected && times.values().all(|count| *count == 1), "{times:#?}");
    let happened = |event: &str| {
        at.metric(&format!("portcullis_cache_events_total{{cache=\"content\",event=\"{event}\"}}")) as usize
    };
    let total = clients * (3 + image.blobs().count());
    assert_eq!(happened("miss"), expected);
    assert_eq!(happened("hit") + happened("coalesced"), total - expected);
    at.metric("portcullis_content_cache_bytes") as usize
}

#[test]
fn what_is_remembered_is_for_those_alone_who_may_have_it_now() {
    let upstream = Watched::start();
    let at = upstream.before(&LONG);
    let administrator = at.administrator();
    let image = Image::tiny();
    assert_eq!(upstream.direct().push(&image, "team/app", "1").status, 201);
    let (keeps, loses) = (Robot::create(&administrator, "keeps"), Robot::create(&administrator, "loses"));
    keeps.grant(&administrator, "Reader", "team");
    let policy = loses.grant(&administrator, "Reader", "team");
    let elsewhere = Robot::with_role(&administrator, "elsewhere", "Manager", "other");
    let digest = &image.manifest.digest;
    let paths = [
        "/v2/team/app/manifests/1".to_owned(),
        format!("/v2/team/app/manifests/{digest}"),
        format!("/v2/team/app/blobs/{}", image.config.digest),
    ];
    for path in &paths {
        for robot in [&keeps, &loses] {
            assert_eq!(get(&robot.at(&at), path).status, 200, "{path}");
        }
    }
    upstream.questions();
    assert_eq!(administrator.call("DELETE", &format!("/v1/policies/{policy}"), &Value::Null).status, 204);
    for path in &paths {
        let condition = [("Accept", MANIFEST), ("If-None-Match", "*")];
        for (who, http, status) in [
            ("who lost the right", loses.at(&at), 403),
            ("who never had it", elsewhere.at(&at), 403),
            ("a stranger", Stranger.http(&at), 401),
            ("nobody", Nobody.http(&at), 401),
        ] {
            assert_eq!(get(&http, path).status, status, "{who}: {path}");
            assert_eq!(read(&http, "HEAD", path).status, 401, "{who}: {path}");
            // Not even whether it is there.
            assert_eq!(http.send("GET", path, &condition, b"").status, status, "{who}: {path}");
        }
        assert_eq!(get(&keeps.at(&at), path).status, 200, "{path}");
        assert_eq!(keeps.at(&at).send("GET", path, &condition, b"").status, 304, "{path}");
    }
    assert_eq!(upstream.questions(), [""; 0]);
    // What is in one repository is not in another, whoever asks.
    let there = paths.map(|path| path.replace("/team/app/", "/other/app/"));
    for path in &there {
        assert_eq!(get(&elsewhere.at(&at), path).status, 404, "{path}");
    }
    assert_eq!(upstream.questions().len(), there.len());
    let mount = format!("/v2/other/app/blobs/uploads/?mount={}&from=team/app", image.config.digest);
    let (blob, both) = (&there[2], at.administrator());
    assert_eq!(get(&both, blob).status, 404);
    assert_eq!(both.send("POST", &mount, &[], b"").status, 201);
    assert_eq!(get(&elsewhere.at(&at), blob).body, image.config.bytes);
}

#[test]
fn what_changes_through_us_is_seen_at_once_whichever_way_it_goes() {
    let upstream = Watched::start();
    let mut variables = LONG.to_vec();
    variables.push(("TRASH__DAYS", "30"));
    let at = upstream.before(&variables);
    let (http, cli) = (at.administrator(), at.administration());
    let (one, two) = (Image::tiny(), Image::tiny());
    for (image, tag) in [(&one, "1"), (&two, "2")] {
        assert_eq!(http.push(image, "team/app", tag).status, 201);
    }
    let tag = |tag: &str| {
        let seen = get(&http, &format!("/v2/team/app/manifests/{tag}"));
        let head = read(&http, "HEAD", &format!("/v2/team/app/manifests/{tag}"));
        assert_eq!(seen.status == 200, head.status == 200, "{tag}: GET {} HEAD {}", seen.status, head.status);
        (seen.status == 200).then(|| sha256(&seen.body))
    };
    let there = |image: &Image| tag(&image.manifest.digest).is_some();
    let is = |image: &Image| Some(image.manifest.digest.clone());
    assert_eq!((tag("1"), tag("2"), tag("3")), (is(&one), is(&two), None));
    // Pushed, by docker's way and by ECR's.
    let put = |tag: &str, image: &Image| {
        let path = format!("/v2/team/app/manifests/{tag}");
        assert_eq!(http.send("PUT", &path, &[("Content-Type", MANIFEST)], &image.manifest.bytes).status, 201);
    };
    put("1", &two);
    put("3", &one);
    assert_eq!((tag("1"), tag("3")), (is(&two), is(&one)));
    put("1", &one);
    assert_eq!(tag("1"), is(&one));
    cli.run("cr image-tag team/app:2 team/app:3").must_succeed();
    assert_eq!(tag("3"), is(&two));
    let aws = Aws::administrator(&at);
    aws_put(&aws, &one, "3");
    assert_eq!(tag("3"), is(&one));
    // A tag taken off, an image deleted and restored, the trash, and a retention policy.
    cli.run("cr image-untag team/app:3").must_succeed();
    assert_eq!((tag("3"), tag("1")), (None, is(&one)));
    cli.run("cr image-rm team/app:1").must_succeed();
    assert!((tag("1"), there(&one)) == (None, false), "it is in the trash");
    cli.run("cr image-restore team/app:1").must_succeed();
    assert!((tag("1"), there(&one)) == (is(&one), true), "it is back");
    let path = format!("/v2/team/app/manifests/{}", two.manifest.digest);
    assert_eq!(http.send("DELETE", &path, &[], b"").status, 202);
    assert!((tag("2"), there(&two)) == (None, false), "it is deleted");
    put("2", &two);
    assert_eq!(tag("2"), is(&two));
    cli.run("cr retention-run --images 1 --force team").must_succeed();
    assert_eq!([tag("1"), tag("2")].iter().flatten().count(), 1, "one image is left");
}

fn aws_put(aws: &Aws, image: &Image, tag: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.json");
    std::fs::write(&file, &image.manifest.bytes).unwrap();
    let manifest = format!("file://{}", file.display());
    let line = [
        "ecr",
        "put-image",
        "--repository-name",
        "team/app",
        "--image-tag",
        tag,
        "--image-manifest",
        &manifest,
    ];
    aws.run(&line).must_succeed();
}

#[test]
fn what_is_deleted_without_a_trash_is_gone_at_once() {
    let upstream = Watched::start();
    let mut variables = LONG.to_vec();
    variables.push(("TRASH__DAYS", "0"));
    let at = upstream.before(&variables);
    let http = at.administrator();
    let image = Image::tiny();
    assert_eq!(http.push(&image, "team/app", "1").status, 201);
    let manifest = format!("/v2/team/app/manifests/{}", image.manifest.digest);
    let blob = format!("/v2/team/app/blobs/{}", image.config.digest);
    for path in ["/v2/team/app/manifests/1", &manifest, &blob] {
        assert_eq!(get(&http, path).status, 200, "{path}");
    }
    assert_eq!(http.send("DELETE", &blob, &[], b"").status, 202);
    assert_eq!((get(&http, &blob).status, read(&http, "HEAD", &blob).status), (404, 404));
    assert_eq!(http.send("DELETE", &manifest, &[], b"").status, 202);
    for path in ["/v2/team/app/manifests/1", &manifest] {
        assert_eq!((get(&http, path).status, read(&http, "HEAD", path).status), (404, 404), "{path}");
    }
}

#[test]
fn what_changes_behind_our_back_is_seen_within_its_time() {
    let upstream = Watched::start();
    let bounds = [("CACHE__TAG_STALENESS", "500ms"), ("CACHE__CONTENT_STALENESS", "1s")];
    let at = upstream.before(&bounds);
    let (http, direct) = (at.administrator(), upstream.direct());
    let (one, two) = (Image::tiny(), Image::tiny());
    for image in [&two, &one] {
        assert_eq!(direct.push(image, "team/app", "1").status, 201);
    }
    let now = || get(&http, "/v2/team/app/manifests/1");
    assert_eq!(sha256(&now().body), one.manifest.digest);
    assert_eq!(direct.push(&two, "team/app", "1").status, 201);
    until("the tag that was moved", PATIENCE, || (sha256(&now().body) == two.manifest.digest).then_some(()));
    let path = format!("/v2/team/app/manifests/{}", two.manifest.digest);
    assert_eq!(direct.send("DELETE", &path, &[], b"").status, 202);
    until("the end of the manifest", PATIENCE, || (get(&http, &path).status == 404).then_some(()));
    until("the end of the tag", PATIENCE, || (now().status == 404).then_some(()));
}

#[test]
fn a_push_that_fails_for_what_is_gone_makes_us_look_again() {
    let upstream = Watched::start();
    let at = upstream.before(&LONG);
    let (http, direct) = (at.administrator(), upstream.direct());
    let image = Image::tiny();
    assert_eq!(http.push(&image, "team/app", "1").status, 201);
    let blob = format!("/v2/team/app/blobs/{}", image.config.digest);
    assert_eq!(http.get(&blob).status, 200);
    assert_eq!(direct.send("DELETE", &blob, &[], b"").status, 202);
    assert_eq!(read(&http, "HEAD", &blob).status, 200, "it is believed");
    let put = || {
        let path = "/v2/team/app/manifests/2";
        http.send("PUT", path, &[("Content-Type", MANIFEST)], &image.manifest.bytes).status
    };
    assert_eq!(put(), 400);
    assert_eq!(read(&http, "HEAD", &blob).status, 404, "it is not believed any more");
    assert_eq!(http.push(&image, "team/app", "2").status, 201);
    assert_eq!((http.get(&blob).status, put()), (200, 201));
}

#[test]
fn an_upstream_that_dies_in_the_middle_leaves_nothing_behind() {
    let image = Image::with_layers(&[200_000]);
    let layer = image.layers[0].digest.clone();
    let held = layer.clone();
    let upstream = Watched::blocking(move |line| {
        if line.starts_with("GET") && line.contains(&held) { Block::Answer(90_000) } else { Block::Nowhere }
    });
    let at = upstream.before(&LONG);
    assert_eq!(upstream.direct().push(&image, "team/app", "1").status, 201);
    let (http, path) = (at.administrator(), format!("/v2/team/app/blobs/{layer}"));
    let failed = thread::scope(|scope| {
        let pull = scope.spawn(|| http.try_send("GET", &path, &[], b""));
        upstream.road.await_held(1);
        upstream.road.cut();
        pull.join().unwrap()
    });
    assert!(failed.is_none_or(|failed| failed.status == 502), "a cut blob passes for a whole one");
    let got = http.get(&path);
    assert_eq!((got.status, sha256(&got.body)), (200, layer));
}

#[test]
fn what_the_upstream_serves_under_a_wrong_digest_is_served_to_nobody() {
    let (asked, served) = (sha256(b"what was asked for"), "what was not asked for");
    let upstream = Recorder::start(move |_| answer("200 OK", &[("Content-Type", MANIFEST)], served));
    let at = Portcullis::set(&format!("http://{}", upstream.address()), &LONG);
    let http = at.administrator();
    for kind in ["blobs", "manifests"] {
        let path = format!("/v2/team/app/{kind}/{asked}");
        for time in 1..=2 {
            let got = get(&http, &path);
            assert!(got.status == 502 && !got.text().contains(served), "{}", got.text());
            let questions = upstream.seen().iter().filter(|request| request.contains(&path)).count();
            assert_eq!(questions, time, "{kind}");
        }
    }
    assert_eq!(at.metric("portcullis_content_cache_bytes") as u64, 0);
}

#[test]
fn with_the_switch_off_nothing_is_remembered() {
    let upstream = Watched::start();
    let at = upstream.before(&[("CACHE__CONTENT", "false")]);
    let image = Image::tiny();
    assert_eq!(upstream.direct().push(&image, "team/app", "1").status, 201);
    upstream.questions();
    for time in 1..=2 {
        assert_eq!(get(&at.administrator(), "/v2/team/app/manifests/1").status, 200);
        assert_eq!(at.administrator().get(&format!("/v2/team/app/blobs/{}", image.id())).status, 200);
        assert_eq!(upstream.questions().len(), 2, "{time}");
    }
    assert_eq!(at.metric("portcullis_content_cache_bytes") as u64, 0);
}

#[test]
fn what_comes_from_memory_is_on_record_like_everything_else() {
    let upstream = Watched::start();
    let at = upstream.before(&LONG);
    let image = Image::tiny();
    assert_eq!(upstream.direct().push(&image, "team/app", "1").status, 201);
    let http = at.administrator();
    let digest = &image.manifest.digest;
    let of_reads = |at: &Portcullis| -> Vec<Value> {
        let events = at.audit().into_iter();
        events.filter(|event| event.to_string().contains("_read\"")).collect()
    };
    let sent = at.metric("portcullis_request_body_bytes_total{direction=\"sent\"}");
    let path = format!("/v2/team/app/manifests/{digest}");
    let cold = get(&http, &path);
    let warm = get(&http, &path);
    assert_eq!((cold.status, &cold.body), (warm.status, &warm.body));
    for name in ["content-type", "docker-content-digest", "etag", "cache-control", "content-length"] {
        assert!(cold.header(name).is_some() && cold.header(name) == warm.header(name), "{name}");
    }
    assert_ne!(cold.header("x-request-id"), warm.header("x-request-id"));
    let mut events = until("two events", PATIENCE, || Some(of_reads(&at)).filter(|events| events.len() == 2));
    for event in &mut events {
        assert!(event.to_string().contains(digest.as_str()), "{event}");
        let all = event.as_object_mut().unwrap();
        all.retain(|key, _| !["time", "seq", "request_id", "duration_ms", "client"].contains(&key.as_str()));
    }
    assert_eq!(keys(&events[0]), keys(&events[1]), "{events:#?}");
    assert_eq!(events[0]["decision"], events[1]["decision"]);
    let more = at.metric("portcullis_request_body_bytes_total{direction=\"sent\"}") - sent;
    assert!(more as usize >= 2 * image.manifest.bytes.len(), "{more}");
    assert_eq!(upstream.questions().iter().filter(|line| line.contains(digest.as_str())).count(), 1);
}

fn keys(event: &Value) -> Vec<&String> {
    event.as_object().unwrap().keys().collect()
}
