//! docker, podman and skopeo in the middle of pulls and pushes, when the upstream dies or Portcullis is told to stop.

use std::net::TcpStream;
use std::thread;

use serde_json::Value;

use crate::support::client::{Client, Docker, Podman, Skopeo};
use crate::support::http::Http;
use crate::support::image::{DOCKERS_MANIFEST, Image, MANIFEST, sha256};
use crate::support::portcullis::Portcullis;
use crate::support::process::Finished;
use crate::support::registry::Registry;
use crate::support::road::{Block, Road};
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{ServiceId, Who};

/// Far enough into a layer to be past every head, and far from its end.
const MIDDLE: usize = 300_000;
/// An image with one layer that takes a while.
fn large() -> Image {
    Image::with_layers(&[3 << 20])
}

/// One of each kind, logged in.
struct Clients {
    docker: Docker,
    podman: Podman,
    skopeo: Skopeo,
}

impl Clients {
    fn of(at: &Portcullis, name: &str) -> Self {
        let robot = ServiceId::with_roles(&at.administration(), name, "Reader,Writer", "team");
        Self { docker: robot.docker(at), podman: robot.podman(at), skopeo: robot.skopeo(at) }
    }

    fn all(&self) -> [(&'static str, &dyn Client); 3] {
        [("docker", &self.docker), ("podman", &self.podman), ("skopeo", &self.skopeo)]
    }
}

/// What one client does: it pulls `team/there-NAME:1` or pushes `team/new-NAME:1`.
struct Errand<'a> {
    client: &'a dyn Client,
    image: Image,
    reference: String,
    pushes: bool,
}

impl<'a> Errand<'a> {
    /// An image that is in the registry already.
    fn pull(at: &Portcullis, registry: &Http, image: Image, (name, client): (&str, &'a dyn Client)) -> Self {
        let repository = format!("team/there-{name}");
        assert_eq!(registry.push(&image, &repository, "1").status, 201);
        Self { client, image, reference: at.image(&format!("{repository}:1")), pushes: false }
    }

    /// An image that the client has.
    fn push(at: &Portcullis, (name, client): (&str, &'a dyn Client)) -> Self {
        let image = large();
        let reference = at.image(&format!("team/new-{name}:1"));
        client.load(&image, &reference);
        Self { client, image, reference, pushes: true }
    }

    fn run(&self) -> Finished {
        if self.pushes {
            self.client.push_loaded(&self.image, &self.reference)
        } else {
            self.client.pull(&self.reference)
        }
    }

    /// Whoever says that all went well is right: what was pulled is the image, what was pushed is in the registry.
    fn is_done(&self, registry: &Http) {
        if !self.pushes {
            assert_eq!(self.client.id_of(&self.reference), self.image.id(), "{}", self.reference);
            return;
        }
        let path = self.reference.split_once('/').unwrap().1.trim_end_matches(":1");
        let accept = [("Accept", MANIFEST), ("Accept", DOCKERS_MANIFEST)];
        let manifest = registry.send("GET", &format!("/v2/{path}/manifests/1"), &accept, b"");
        assert_eq!(manifest.status, 200, "{}: {}", self.reference, manifest.text());
        let manifest = manifest.json();
        let layers = manifest["layers"].as_array().unwrap().iter();
        for blob in layers.chain([&manifest["config"]]) {
            let digest = blob["digest"].as_str().unwrap();
            assert_eq!(sha256(&registry.get(&format!("/v2/{path}/blobs/{digest}")).body), digest);
        }
        assert_eq!(manifest["config"]["digest"], self.image.id(), "{}", self.reference);
    }
}

/// In the middle of the layer that is pulled, and of the one that is pushed.
fn in_the_middle_of_layers(line: &str) -> Block {
    if line.starts_with("PATCH /v2/team/new-") {
        Block::Request(MIDDLE)
    } else if line.starts_with("GET /v2/team/there-") && line.contains("/blobs/") {
        Block::Answer(MIDDLE)
    } else {
        Block::Nowhere
    }
}

#[test]
fn clients_whose_upstream_dies_finish_or_say_that_they_failed_and_do_it_when_it_is_back() {
    let mut registry = Registry::start();
    let direct = Http::plain(registry.address().parse().unwrap());
    let road = Road::to(&registry.address(), in_the_middle_of_layers);
    let at = Portcullis::before(&road.url());
    let clients = Clients::of(&at, "robot");
    let errands: Vec<Errand<'_>> = (clients.all().into_iter())
        .flat_map(|client| [Errand::pull(&at, &direct, large(), client), Errand::push(&at, client)])
        .collect();
    thread::scope(|scope| {
        let running: Vec<_> = errands.iter().map(|errand| scope.spawn(|| errand.run())).collect();
        road.await_held(errands.len());
        registry.kill();
        road.cut();
        let cut = || at.metric("portcullis_upstream_errors_total{kind=\"broken\"}");
        until("the end of every transfer", PATIENCE, || (cut() >= 6.0).then_some(()));
        registry.restart();
        for (errand, running) in errands.iter().zip(running) {
            let finished = running.join().unwrap();
            if finished.code != Some(0) {
                assert!(finished.code.is_some() && !finished.said().is_empty(), "{finished:?}");
                errand.run().must_succeed();
            }
            errand.is_done(&direct);
        }
    });
    let is_cut_pull = |event: &Value| event["operation"] == "blob_read" && event["decision"] == "faulted";
    let pull = at.await_audit("the record of a pull that was cut", is_cut_pull);
    assert!(pull["reason"]["reasonForFailure"].as_str().unwrap().contains("upstream"), "{pull}");
    // Clients who have nothing yet, get what was pushed meanwhile.
    let other = Clients::of(&at, "other");
    for (errand, (_, client)) in errands.iter().filter(|errand| errand.pushes).zip(other.all()) {
        client.pull(&errand.reference).must_succeed();
        assert_eq!(client.id_of(&errand.reference), errand.image.id());
    }
}

/// Where the exchange under way is the last one: at a push's manifest, and at the blobs that a pull takes last.
fn at_the_last_exchange(last: Vec<String>) -> impl Fn(&str) -> Block + Send + Sync + 'static {
    move |line| {
        if line.starts_with("PUT /v2/team/new-") && line.contains("/manifests/") {
            Block::Request(0)
        } else if line.starts_with("GET ") && last.iter().any(|digest| line.contains(digest)) {
            Block::Answer(100)
        } else {
            Block::Nowhere
        }
    }
}

/// Whoever has asked for the last thing that it needs gets it. A client that would ask for more finds nobody: its
/// transfer under way ends well, and then it says that the connection was refused.
#[test]
fn a_server_told_to_stop_lets_every_client_finish_what_it_has_begun() {
    let registry = Registry::start();
    let direct = Http::plain(registry.address().parse().unwrap());
    // docker and podman take the layers last, skopeo the config; the last of these still needs its config.
    let there = [large(), large(), large(), large()];
    let layer = |image: &Image| image.layers[0].digest.clone();
    let (last_layer, more_to_do) = (layer(&there[3]), there[3].id().to_owned());
    let last = vec![layer(&there[0]), layer(&there[1]), there[2].id().to_owned(), last_layer.clone()];
    let road = Road::to(&registry.address(), at_the_last_exchange(last));
    let mut at = Portcullis::before(&road.url());
    let clients = Clients::of(&at, "robot");
    let mut there = there.into_iter();
    let errands: Vec<Errand<'_>> = (clients.all().into_iter())
        .flat_map(|client| {
            [Errand::pull(&at, &direct, there.next().unwrap(), client), Errand::push(&at, client)]
        })
        .collect();
    let unfinished = Errand::pull(&at, &direct, there.next().unwrap(), ("more", &clients.skopeo));
    thread::scope(|scope| {
        let running: Vec<_> = errands.iter().map(|errand| scope.spawn(|| errand.run())).collect();
        let to_fail = scope.spawn(|| unfinished.run());
        road.await_held(errands.len() + 1);
        let read = "portcullis_requests_total{decision=\"allowed\",operation=\"blob_read\",status=\"2xx\"}";
        // The configs of docker and podman, and skopeo's layer.
        until("the blobs before the last", PATIENCE, || (at.metric(read) >= 3.0).then_some(()));
        at.signal("TERM");
        at.await_log("draining");
        until("the end of listening", PATIENCE, || TcpStream::connect(at.public()).is_err().then_some(()));
        road.open();
        for (errand, running) in errands.iter().zip(running) {
            running.join().unwrap().must_succeed();
            errand.is_done(&direct);
        }
        to_fail.join().unwrap().must_fail_saying(&["connection refused"]);
    });
    assert_eq!(at.await_end().code(), Some(0));
    assert!(!at.log().contains("were cut"), "a connection was cut");
    let events = at.audit();
    let cut: Vec<_> = (events.iter())
        .filter(|event| event["decision"] != "allowed" && event["operation"] == "blob_read")
        .collect();
    assert!(cut.is_empty(), "{cut:?}");
    assert!(
        events.iter().any(|event| event.to_string().contains(&last_layer)),
        "the layer under way ended well"
    );
    assert!(!events.iter().any(|event| event.to_string().contains(&more_to_do)), "nothing new was begun");
}
