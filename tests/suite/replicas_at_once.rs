//! What two replicas on one PostgreSQL do at the same moment: an immutable tag is written once. And how an installation comes to them.

use std::thread;

use crate::support::aws::Aws;
use crate::support::image::{Image, MANIFEST};
use crate::support::portcullis::Portcullis;
use crate::support::postgres::Postgres;
use crate::support::registry::Registry;
use crate::support::wait::{PATIENCE, until};

/// Another replica of `one`.
fn beside(one: &Portcullis, registry: &Registry, url: &str) -> Portcullis {
    let key = one.folder().join("master.key").display().to_string();
    Portcullis::set(&registry.url(), &[("STORE__URL", url), ("STORE__MASTER_KEY_FILE", &key)])
}

#[test]
fn two_replicas_that_push_an_immutable_tag_at_once_leave_one_image_and_refuse_the_other() {
    let Some(database) = Postgres::start() else { return };
    let registry = Registry::start();
    let url = database.url();
    let one = Portcullis::set(&registry.url(), &[("STORE__URL", &url)]);
    let two = beside(&one, &registry, &url);
    let immutable = ["ecr", "create-repository", "--image-tag-mutability", "IMMUTABLE"];
    Aws::administrator(&one).json(&[&immutable[..], &["--repository-name", "team-a/app"]].concat());
    let images = [Image::tiny(), Image::with_layers(&[1000])];
    for (at, image) in [&one, &two].into_iter().zip(&images) {
        for blob in image.blobs() {
            assert_eq!(at.administrator().push_blob("team-a/app", blob).status, 201);
        }
    }
    for n in 0..10 {
        let path = format!("/v2/team-a/app/manifests/v{n}");
        let put = |at: &Portcullis, image: &Image| {
            at.administrator().send("PUT", &path, &[("Content-Type", MANIFEST)], &image.manifest.bytes).status
        };
        let statuses = thread::scope(|scope| {
            let first = scope.spawn(|| put(&one, &images[0]));
            let second = scope.spawn(|| put(&two, &images[1]));
            [first.join().unwrap(), second.join().unwrap()]
        });
        let won: Vec<usize> = (0..2).filter(|at| statuses[*at] == 201).collect();
        assert_eq!(won.len(), 1, "exactly one wins: {statuses:?}");
        let there = one.administrator().send("GET", &path, &[("Accept", MANIFEST)], b"");
        assert_eq!(there.header("docker-content-digest"), Some(images[won[0]].manifest.digest.as_str()));
    }
}

#[test]
fn an_installation_moves_from_a_file_to_postgresql_by_copy_and_by_export() {
    let Some(database) = Postgres::start() else { return };
    let registry = Registry::start();
    let mut one = Portcullis::before(&registry.url());
    assert_eq!(one.administrator().push(&Image::tiny(), "team/thing", "1").status, 201);
    let administration = one.administration();
    administration.run("iam service-id-create mover --description x").must_succeed();
    let (folder, url) = (one.folder(), database.url());
    let from = format!("sqlite:{}", folder.join("portcullis.db").display());
    let copy = |to: &str| administration.run_with(&["store", "copy", "--from", &from, "--to", to]);
    until("the lead of the running server", PATIENCE, || {
        (one.metric("portcullis_leader") == 1.0).then_some(())
    });
    let busy = copy(&url);
    assert!(busy.code == Some(1) && busy.said().contains("stop every replica"), "{busy:?}");
    let (config, file) = (folder.join("portcullis.toml"), folder.join("store.export"));
    let export = ["store", "export", "--config", config.to_str().unwrap(), "--to", file.to_str().unwrap()];
    administration.run_with(&export).must_succeed();
    assert_ne!(administration.run_with(&export).code, Some(0), "nothing is overwritten");
    assert!(one.stop().success());
    let copied = copy(&url).must_succeed();
    assert!(copied.said().contains("principal"), "{copied:?}");
    assert!(copy(&url).said().contains("holds an account or changes already"));
    let two = beside(&one, &registry, &url);
    let listed = two.administration().run("iam service-ids").must_succeed();
    assert!(listed.stdout.contains("mover"), "{listed:?}");
    let pulled = two.administrator().send("GET", "/v2/team/thing/manifests/1", &[("Accept", MANIFEST)], b"");
    assert_eq!(pulled.status, 200);
}
