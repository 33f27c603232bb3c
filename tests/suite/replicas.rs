//! Two replicas on one PostgreSQL: what one is told, the other obeys; and what both do when the database is killed.

use std::time::Duration;

use tokio::time::Instant;

use crate::support::http::{Http, Response};
use crate::support::image::{Image, MANIFEST};
use crate::support::portcullis::Portcullis;
use crate::support::postgres::Postgres;
use crate::support::registry::Registry;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{ServiceId, Who};

/// What is pulled.
const PATH: &str = "/v2/team/thing/manifests/1";

/// Two replicas before one registry; they share the database and the master key, and nothing else.
fn replicas(registry: &Registry, database: &Postgres) -> (Portcullis, Portcullis) {
    let upstream = format!("http://{}", registry.address());
    let url = database.url();
    let shared = [("STORE__URL", url.as_str()), ("STORE__MAX_STALENESS", "3s")];
    let one = Portcullis::set(&upstream, &shared);
    let key = one.folder().join("master.key");
    let of_one = ("STORE__MASTER_KEY_FILE", key.to_str().unwrap());
    let two = Portcullis::set(&upstream, &[shared[0], shared[1], of_one]);
    assert_eq!(one.administrator().push(&Image::tiny(), "team/thing", "1").status, 201);
    (one, two)
}

fn as_robot(at: &Portcullis, robot: &ServiceId) -> Http {
    at.http().basic("iamapikey", robot.key().unwrap())
}

/// Pulls the manifest; what came of it.
fn pull(who: &Http) -> Response {
    who.send("GET", PATH, &[("Accept", MANIFEST)], b"")
}

#[test]
fn what_is_granted_and_revoked_at_one_replica_is_obeyed_by_the_other_within_a_second() {
    let Some(database) = Postgres::start() else { return };
    let registry = Registry::start();
    let (one, two) = replicas(&registry, &database);
    let administration = one.administration();
    let robot = ServiceId::create(&administration, "robot");
    let there = as_robot(&two, &robot);
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..5 {
        let policy = robot.grant(&administration, "Reader", "team");
        until("the right", PATIENCE, || (pull(&there).status == 200).then_some(()));
        let delete = format!("iam service-policy-delete robot {policy} --force");
        administration.run(&delete).must_succeed();
        let told = Instant::now();
        until("the refusal", PATIENCE, || (pull(&there).status != 200).then_some(()));
        took.push(told.elapsed());
        assert_ne!(pull(&there).status, 200, "refused for good");
    }
    took.sort();
    println!("the other replica refused after {took:?}");
    assert!(took[2] < Duration::from_secs(1), "{took:?}");
}

#[test]
fn when_the_database_is_killed_nobody_gets_more_and_both_replicas_recover_by_themselves() {
    let Some(mut database) = Postgres::start() else { return };
    let registry = Registry::start();
    let (one, two) = replicas(&registry, &database);
    let administration = one.administration();
    let robot = ServiceId::with_roles(&administration, "robot", "Reader", "team");
    let stranger = ServiceId::create(&administration, "stranger");
    let at = [&one, &two].map(|at| (at, as_robot(at, &robot), as_robot(at, &stranger)));
    for (_, robot, stranger) in &at {
        until("the right", PATIENCE, || (pull(robot).status == 200).then_some(()));
        assert_ne!(pull(stranger).status, 200);
    }
    database.kill();
    for (at, robot, stranger) in &at {
        let gone = until("the end of what is known", PATIENCE, || {
            assert_ne!(pull(stranger).status, 200, "nobody gets more");
            let answer = pull(robot);
            assert!([200, 503].contains(&answer.status), "{}: {}", answer.status, answer.text());
            (answer.status == 503).then_some(answer)
        });
        assert!(!gone.text().contains("postgres"), "the log says why, not the answer: {}", gone.text());
        assert_eq!(at.observer().get("/readyz").status, 503);
    }
    let made = administration.run("iam service-id-create other --description x");
    assert_eq!(made.code, Some(1), "{made:?}");
    let killed = Instant::now();
    database.restart();
    for (_, robot, stranger) in &at {
        until("the right again", PATIENCE, || {
            assert_ne!(pull(stranger).status, 200, "nobody gets more");
            (pull(robot).status == 200).then_some(())
        });
    }
    println!("served again {:?} after the database was started", killed.elapsed());
    administration.run("iam service-id-create other --description x").must_succeed();
}

/// What `portcullis jobs` says at that replica.
fn jobs(at: &Portcullis) -> serde_json::Value {
    let told = at.administrator().get("/api/native/jobs");
    assert_eq!(told.status, 200, "{}", told.text());
    told.json()
}

fn leader(at: &Portcullis) -> Option<String> {
    jobs(at)["leader"]["replica"].as_str().map(str::to_owned)
}

#[test]
fn one_replica_does_the_work_on_a_clock_and_when_it_is_killed_the_other_takes_over() {
    let Some(database) = Postgres::start() else { return };
    let registry = Registry::start();
    let (mut one, two) = replicas(&registry, &database);
    let leads = |at: &Portcullis| at.metric("portcullis_leader");
    until("the lead of the first", PATIENCE, || (leads(&one) == 1.0 && leads(&two) == 0.0).then_some(()));
    let first = leader(&two).unwrap();
    assert_eq!(leader(&one), Some(first.clone()), "both say the same");
    let of_first = |job: &serde_json::Value| {
        assert_eq!(job["replica"], first.as_str(), "{job}");
        job["state"] == "ok"
    };
    let all = ["alerts", "compliance", "key-rotation", "lifecycle", "reports", "retention", "trash"];
    until("a run of every job", PATIENCE, || {
        let said = jobs(&two);
        let well = said["jobs"].as_array().unwrap().iter().filter(|job| of_first(job));
        let names: Vec<&str> = well.map(|job| job["name"].as_str().unwrap()).collect();
        all.iter().all(|name| names.contains(name)).then_some(())
    });
    let table = two.administration().run("jobs").must_succeed().stdout;
    assert!(table.contains(&format!("{first} leads since")) && table.contains("key-rotation"), "{table}");
    let succeeded = "portcullis_job_last_success_timestamp_seconds{job=\"lifecycle\"}";
    until("the metrics of the second", PATIENCE, || (two.metric(succeeded) > 0.0).then_some(()));
    one.kill();
    let killed = Instant::now();
    until("the lead of the second", PATIENCE, || {
        leader(&two).filter(|now| *now != first && leads(&two) == 1.0)
    });
    println!("the other replica leads {:?} after the first was killed", killed.elapsed());
    until("a run of the second", PATIENCE, || {
        let said = jobs(&two);
        let mut all = said["jobs"].as_array().unwrap().iter();
        all.any(|job| job["name"] == "lifecycle" && job["replica"] != first.as_str()).then_some(())
    });
}

#[test]
fn what_one_replica_signs_is_good_on_the_other_at_once_also_after_the_keys_are_rotated() {
    let Some(database) = Postgres::start() else { return };
    let registry = Registry::start();
    let (one, two) = replicas(&registry, &database);
    let key_of = |token: &str| -> String {
        let head =
            data_encoding::BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap();
        let head: serde_json::Value = serde_json::from_slice(&head).unwrap();
        head["kid"].as_str().unwrap().to_owned()
    };
    // One that was given lately is given again for the same scopes.
    let minted = |at: &Portcullis, n: u32| {
        at.administrator().token(&["repository:team/thing:pull", &format!("repository:team/t{n}:pull")])
    };
    let pulls = |at: &Portcullis, token: &str| pull(&at.http().bearer(token)).status;
    let before = minted(&one, 0);
    assert_eq!(pulls(&two, &before), 200);
    let said = one.administration().run("keys rotate").must_succeed().stdout;
    let fresh = crate::support::portcullis::field(&said, "Key ID").unwrap().to_owned();
    assert_ne!(key_of(&before), fresh);
    let mut tries = 0;
    let after = until("a token that the new key has signed", PATIENCE, || {
        tries += 1;
        let token = minted(&one, tries);
        assert_eq!(pulls(&two, &token), 200, "good on the other at once");
        (key_of(&token) == fresh).then_some(token)
    });
    for at in [&one, &two] {
        assert_eq!((pulls(at, &before), pulls(at, &after)), (200, 200));
    }
}
