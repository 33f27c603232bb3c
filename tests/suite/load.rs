//! Two hundred transfers at once, and not one byte wrong.

use std::sync::Barrier;
use std::thread;

use serde_json::Value;

use crate::support::client::Client;
use crate::support::http::Http;
use crate::support::http2::Http2;
use crate::support::image::{Blob, DOCKERS_MANIFEST, Image, MANIFEST, random_bytes, sha256};
use crate::support::portcullis::Portcullis;
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::who::{ServiceId, Who};

/// From one byte to 32 MiB, around the sizes of buffers and frames.
const SIZES: [usize; 25] = [
    1,
    2,
    100,
    1_000,
    4_095,
    4_096,
    10_000,
    16_383,
    16_384,
    16_385,
    50_000,
    65_535,
    65_536,
    65_537,
    100_000,
    131_072,
    262_143,
    300_000,
    500_000,
    1 << 20,
    (1 << 20) + 1,
    2 << 20,
    3 << 20,
    8 << 20,
    32 << 20,
];

fn one_of_each_size() -> Vec<Blob> {
    SIZES.map(|size| Blob::of(random_bytes(size))).into()
}

fn store(http: &Http, name: &str, blob: &Blob) {
    let place = http.begin_upload(name);
    let octets = [("Content-Type", "application/octet-stream")];
    let stored = http.send("PUT", &format!("{place}&digest={}", blob.digest), &octets, &blob.bytes);
    assert_eq!(stored.status, 201, "{}", stored.text());
}

fn read(http: &Http, name: &str, blob: &Blob) {
    let read = http.get(&format!("/v2/{name}/blobs/{}", blob.digest));
    assert_eq!((read.status, sha256(&read.body)), (200, blob.digest.clone()), "{} bytes", blob.bytes.len());
}

/// docker, podman twice and skopeo twice: docker's daemon is its own crowd.
struct RealClients([Box<dyn Client>; 5]);

/// One client, one image, one way: five pull and five push.
struct Errand<'a> {
    client: &'a dyn Client,
    image: Image,
    repository: String,
    reference: String,
    pushes: bool,
}

impl RealClients {
    fn of(at: &Portcullis) -> Self {
        let robot = ServiceId::with_roles(&at.administration(), "crowd", "Reader,Writer", "crowd");
        Self([
            Box::new(robot.docker(at)),
            Box::new(robot.podman(at)),
            Box::new(robot.podman(at)),
            Box::new(robot.skopeo(at)),
            Box::new(robot.skopeo(at)),
        ])
    }

    fn errands(&self, at: &Portcullis, administrator: &Http) -> Vec<Errand<'_>> {
        let both = self.0.iter().enumerate().flat_map(|(number, client)| {
            [false, true].map(|pushes| {
                let repository = format!("crowd/{}-{number}", if pushes { "new" } else { "there" });
                let reference = at.image(&format!("{repository}:1"));
                let image = Image::with_layers(&[1, 70_000, (number + 1) * 500_000]);
                Errand { client: &**client, image, repository, reference, pushes }
            })
        });
        let all: Vec<_> = both.collect();
        for errand in &all {
            if errand.pushes {
                errand.client.load(&errand.image, &errand.reference);
            } else {
                assert_eq!(administrator.push(&errand.image, &errand.repository, "1").status, 201);
            }
        }
        all
    }
}

impl Errand<'_> {
    fn run(&self) {
        if self.pushes {
            self.client.push_loaded(&self.image, &self.reference).must_succeed();
        } else {
            self.client.pull(&self.reference).must_succeed();
            assert_eq!(self.client.id_of(&self.reference), self.image.id());
        }
    }

    /// What lies in the registry: some clients pack the layers before they push them.
    fn is_whole(&self, registry: &Http) {
        let accept = [("Accept", MANIFEST), ("Accept", DOCKERS_MANIFEST)];
        let manifest = registry.send("GET", &format!("/v2/{}/manifests/1", self.repository), &accept, b"");
        let manifest = manifest.json();
        assert_eq!(manifest["config"]["digest"], self.image.id(), "{}", self.repository);
        for layer in manifest["layers"].as_array().unwrap() {
            let digest = layer["digest"].as_str().unwrap();
            let layer = registry.get(&format!("/v2/{}/blobs/{digest}", self.repository));
            assert_eq!(sha256(&layer.body), digest, "{}", self.repository);
        }
    }
}

#[test]
fn two_hundred_pulls_and_pushes_of_mixed_sizes_at_once_are_whole() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let administrator = at.administrator();
    let robot = Robot::with_role(&administrator, "robot", "Writer", "team");
    robot.grant(&administrator, "Reader", "team");
    let token = robot.at(&at).token(&["repository:team/app:pull,push"]);
    let http = at.http().bearer(&token);
    let there = one_of_each_size();
    there.iter().for_each(|blob| store(&administrator, "team/app", blob));
    // Four times 25 each way: two of them over HTTP/1.1, two over HTTP/2.
    let pushed: Vec<Vec<Blob>> = (0..4).map(|_| one_of_each_size()).collect();
    let real = RealClients::of(&at);
    let errands = real.errands(&at, &administrator);
    let start = Barrier::new(2 * 2 * SIZES.len() + errands.len() + 1);
    thread::scope(|scope| {
        for errand in &errands {
            scope.spawn(|| {
                start.wait();
                errand.run();
            });
        }
        for round in &pushed[..2] {
            for (pushed, pulled) in round.iter().zip(&there) {
                scope.spawn(|| {
                    start.wait();
                    store(&http, "team/app", pushed);
                });
                scope.spawn(|| {
                    start.wait();
                    read(&http, "team/app", pulled);
                });
            }
        }
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            let connections = [Http2::like(&http).await, Http2::like(&http).await];
            start.wait();
            for (round, connection) in pushed[2..].iter().zip(&connections) {
                for (pushed, pulled) in round.iter().zip(&there) {
                    let (client, blob) = (connection.clone(), pushed.clone());
                    tasks.spawn(async move { client.store("team/app", &blob).await });
                    let (client, digest) = (connection.clone(), pulled.digest.clone());
                    tasks.spawn(async move {
                        assert_eq!(sha256(&client.blob("team/app", &digest).await), digest);
                    });
                }
            }
            while let Some(done) = tasks.join_next().await {
                done.unwrap();
            }
        });
    });
    let direct = Http::plain(registry.address().parse().unwrap());
    for blob in pushed.iter().flatten() {
        read(&direct, "team/app", blob);
    }
    errands.iter().for_each(|errand| errand.is_whole(&direct));
    let events = at.audit();
    let transfers = |operation: &str| {
        let ours = |event: &&Value| {
            let target = event["target"]["name"].as_str().unwrap_or_default();
            event["operation"] == operation && target.starts_with("us.registry.test/team/app")
        };
        events.iter().filter(ours).filter(|event| event["outcome"] == "success").count()
    };
    assert_eq!((transfers("blob_read"), transfers("upload_finish")), (100, 125));
    assert_eq!(at.metric("portcullis_upstream_errors_total{kind=\"broken\"}"), 0.0);
}

#[test]
fn clients_in_parallel_push_and_pull_whole_images() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let robot = ServiceId::with_roles(&at.administration(), "robot", "Reader,Writer", "team");
    thread::scope(|scope| {
        for number in 0..8 {
            let (at, robot) = (&at, &robot);
            scope.spawn(move || {
                let skopeo = robot.skopeo(at);
                let image = Image::with_layers(&[1, 5_000, 70_000, 1_500_000, number * 300_000]);
                let own = at.image(&format!("team/app-{number}:1"));
                let shared = at.image(&format!("team/shared:{number}"));
                for reference in [own, shared] {
                    skopeo.push(&image, &reference).must_succeed();
                    skopeo.pull(&reference).must_succeed();
                    assert_eq!(skopeo.id_of(&reference), image.id());
                }
            });
        }
    });
    let tags = robot.http(&at).get("/v2/team/shared/tags/list").json();
    assert_eq!(tags["tags"].as_array().unwrap().len(), 8);
}
