//! The suite's own tools, tried without Portcullis: if these fail, no story can be believed.

use std::net::TcpStream;

use crate::support::client::{Client, Docker, Podman, Skopeo, Trust};
use crate::support::http::Http;
use crate::support::image::Image;
use crate::support::recorder::{Recorder, answer};
use crate::support::registry::Registry;

#[test]
fn docker_podman_and_skopeo_round_trip_an_image_through_a_bare_registry() {
    let registry = Registry::start();
    let docker = Docker::start(&Trust::Plain);
    let podman = Podman::new(&Trust::Plain);
    let skopeo = Skopeo::new(&Trust::Plain);
    let clients: [(&str, &dyn Client); 3] = [("docker", &docker), ("podman", &podman), ("skopeo", &skopeo)];

    for (pusher, client) in clients {
        let image = Image::with_layers(&[1_000, 200_000]);
        let name = format!("{}/from/{pusher}:1", registry.address());
        client.push(&image, &name).must_succeed();
        for (_, client) in clients {
            client.pull(&name).must_succeed();
            assert_eq!(client.id_of(&name), image.id());
        }
    }
    for (_, client) in clients {
        let missing = format!("{}/from/nobody:1", registry.address());
        client.pull(&missing).must_fail_saying(&["manifest unknown", "not found"]);
    }
}

#[test]
fn a_registry_keeps_its_port_and_its_images_over_a_stop_and_a_kill() {
    let mut registry = Registry::start();
    let address = registry.address();
    let http = Http::plain(address.parse().unwrap());
    let image = Image::tiny();
    assert_eq!(http.push(&image, "a/b", "1").status, 201);

    registry.stop();
    assert!(TcpStream::connect(&address).is_err(), "it should be gone");
    registry.restart();
    assert_eq!(registry.address(), address);
    registry.kill();
    assert!(TcpStream::connect(&address).is_err(), "it should be gone");
    registry.restart();

    let accept = [("Accept", crate::support::image::MANIFEST)];
    let found = http.send("GET", "/v2/a/b/manifests/1", &accept, b"");
    assert_eq!(found.body, image.manifest.bytes);
    assert_eq!(found.header("docker-content-digest"), Some(image.manifest.digest.as_str()));
}

#[test]
fn deletes_are_switched_on() {
    let registry = Registry::start();
    let http = Http::plain(registry.address().parse().unwrap());
    let image = Image::tiny();
    http.push(&image, "a/b", "1");
    let place = format!("/v2/a/b/manifests/{}", image.manifest.digest);
    assert_eq!(http.send("DELETE", &place, &[], b"").status, 202);
    assert_eq!(http.send("HEAD", &place, &[], b"").status, 404);
}

#[test]
fn a_recorder_answers_from_its_script_and_shows_what_it_saw() {
    let recorder = Recorder::start(|request| {
        let status = if request.starts_with(b"PUT") { "201 Created" } else { "404 Not Found" };
        answer(status, &[("X-Script", "yes")], "said")
    });
    assert!(recorder.seen().is_empty());
    let http = Http::plain(recorder.address()).bearer("abc");
    let response = http.send("PUT", "/x?y=1", &[("X-Odd", "1")], b"body");
    assert_eq!((response.status, response.text().as_str()), (201, "said"));
    assert_eq!(response.header("x-script"), Some("yes"));
    assert_eq!(http.get("/z").status, 404);

    let seen = recorder.seen();
    assert_eq!(seen.len(), 2);
    assert!(
        seen[0].starts_with("PUT /x?y=1 HTTP/1.1\r\n") && seen[0].ends_with("\r\n\r\nbody"),
        "{}",
        seen[0]
    );
    assert!(seen[0].contains("X-Odd: 1\r\n") && seen[1].contains("Authorization: Bearer abc\r\n"));
}
