//! Case 20: crash, reload and drain, as far as one server goes (F-06, F-08, F-10, F-12…F-15, K-13, K-15).
//!
//! Upstreams that die, two hundred transfers at once and draining under load are stories of their own, next to this one.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::people::{Json, Person, root, text};
use super::scene::{Scene, yes};
use super::wire::Wire;
use crate::support::certificate;
use crate::support::portcullis::ACCOUNT;
use crate::support::recorder::Recorder;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::Who;

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";

/// F-10, F-15: killed right after an answer, again and again
#[test]
fn what_was_acknowledged_survives_a_crash_and_what_was_revoked_stays_revoked() {
    let mut scene = Scene::recorded();
    let mut kept = Vec::new();
    for at in 0..5 {
        let person = Person::with(&scene.at, &format!("p{at}"), &["Reader"], "tenant-a");
        let gone = Person::with(&scene.at, &format!("g{at}"), &["Reader"], "tenant-a");
        assert_eq!(
            root(&scene.at).send("DELETE", &format!("/v1/apikeys/{}", gone.key_id), &[], b"").status,
            204
        );
        scene.at.kill();
        scene.at.restart();
        kept.push((person, gone));
        for (person, gone) in &kept {
            assert_eq!(person.http(&scene.at).get(TARGET).status, 200, "round {at}");
            assert_eq!(gone.http(&scene.at).get(TARGET).status, 401, "round {at}");
        }
    }
    // Every acknowledged change is in the audit log, too, each once and each a whole line.
    let text = std::fs::read_to_string(scene.at.folder().join("audit.jsonl")).unwrap();
    let records: Vec<Value> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (_, gone) in &kept {
        let deleted = |record: &&Value| {
            record["action"] == "iam-identity.serviceid-apikey.delete"
                && record["target"]["id"] == gone.key_id.as_str()
        };
        assert_eq!(records.iter().filter(deleted).count(), 1, "{}", gone.key_id);
    }
}

/// F-10: killed while changes are being written
#[test]
fn a_change_is_whole_or_not_there_after_a_crash() {
    let mut scene = Scene::recorded();
    let mut acknowledged = 0;
    for round in 0..4 {
        let http = root(&scene.at);
        let writer = std::thread::spawn(move || {
            let make = |at: usize| {
                let body = json!({"account_id": ACCOUNT, "name": format!("r{round}-{at}")}).to_string();
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    http.send(
                        "POST",
                        "/v1/serviceids",
                        &[("Content-Type", "application/json")],
                        body.as_bytes(),
                    )
                    .status
                }))
            };
            (0..200).map_while(|at| make(at).ok()).filter(|status| *status == 201).count()
        });
        let folder = scene.at.folder();
        let seen = format!("r{round}-");
        until("some writes", PATIENCE, || {
            let text = std::fs::read_to_string(folder.join("audit.jsonl")).unwrap();
            let made = text.lines().filter(|line| line.contains("serviceid.create")).count();
            (made > acknowledged + 5).then_some(())
        });
        scene.at.kill();
        acknowledged += writer.join().unwrap();
        scene.at.restart();
        let listed: Value = serde_json::from_slice(
            &root(&scene.at).get(&format!("/v1/serviceids?account_id={ACCOUNT}&pagesize=100")).body,
        )
        .unwrap();
        assert!(
            listed["serviceids"].as_array().unwrap().iter().any(|row| text(row, "name").starts_with(&seen))
        );
        let total = total(&scene);
        // One more per round may have been written and not acknowledged.
        assert!(
            (acknowledged..=acknowledged + round + 1).contains(&(total - 3)),
            "{acknowledged} acknowledged, {total} there"
        );
        acknowledged = total - 3;
    }
}

/// How many service IDs there are, all pages.
fn total(scene: &Scene<Recorder>) -> usize {
    let mut path = format!("/v1/serviceids?account_id={ACCOUNT}&pagesize=100");
    let mut count = 0;
    loop {
        let listed: Value = serde_json::from_slice(&root(&scene.at).get(&path).body).unwrap();
        count += listed["serviceids"].as_array().unwrap().len();
        let Some(next) = listed["next"].as_str() else { return count };
        path = format!("/v1/{}", next.split_once("/v1/").unwrap().1);
    }
}

/// F-08, K-15: what cannot be recorded does not happen, or is counted, as the operator says
#[test]
fn without_an_audit_log_nothing_happens_or_everything_is_counted() {
    for (mode, status) in [("refuse", 503), ("continue", 200)] {
        let mut scene = Scene::scripted(yes, "");
        scene.reconfigure("[audit]\n", &format!("[audit]\non_failure = \"{mode}\"\n"));
        // A disk that is full: the log is moved away, and a device in its place takes nothing.
        let log = scene.at.folder().join("audit.jsonl");
        std::fs::rename(&log, scene.at.folder().join("audit.old")).unwrap();
        symlink("/dev/full", &log).unwrap();
        scene.at.signal("HUP");
        let ask = || Wire::open(&scene.at).ask(scene.head("GET", TARGET, &scene.alice.basic()));
        let failing = || {
            scene
                .at
                .observer()
                .get("/metrics")
                .text()
                .lines()
                .any(|line| line == "portcullis_audit_healthy 0")
        };
        let mut meanwhile = None;
        if status == 503 {
            until("the refusal", PATIENCE, || (ask().status == 503).then_some(()));
            scene.heard();
            assert_eq!(ask().status, 503);
            assert_eq!(scene.heard(), [""; 0], "nothing was forwarded");
            let made = root(&scene.at).send_json(
                "POST",
                "/v1/serviceids",
                &json!({"account_id": ACCOUNT, "name": "unrecorded"}),
            );
            assert_eq!(made.status, 503, "{}", made.text());
        } else {
            until("the alarm", PATIENCE, || (ask().status == 200 && failing()).then_some(()));
            meanwhile = Some(ask());
        }
        // And it mends itself.
        std::fs::remove_file(&log).unwrap();
        std::fs::rename(scene.at.folder().join("audit.old"), &log).unwrap();
        scene.at.signal("HUP");
        until("its recovery", PATIENCE, || (ask().status == 200).then_some(()));
        let last = until("a record", PATIENCE, || Some(ask()).filter(|answer| answer.status == 200));
        for answer in meanwhile.iter().chain([&last]) {
            assert_eq!(answer.status, 200);
            assert_eq!(
                scene.audited(answer.request_id())["outcome"],
                "success",
                "what was let through is on record after all"
            );
        }
        assert!(!failing());
    }
}

/// F-12, F-13, K-13: a good reload is obeyed, a bad one is not, and nobody notices either
#[test]
fn a_reload_takes_what_is_good_and_keeps_what_it_had() {
    let scene = Scene::recorded();
    let folder = scene.at.folder();
    let mut live = Wire::open(&scene.at);
    let request = scene.head("GET", TARGET, &scene.alice.basic());
    assert_eq!(live.ask(&request).status, 200);
    let good =
        ["tls.crt", "tls.key"].map(|name| (folder.join(name), std::fs::read(folder.join(name)).unwrap()));
    let other = tempfile::tempdir().unwrap();
    let strange = certificate::make(other.path());
    let strange_key = std::fs::read(strange.key).unwrap();
    for (case, broken) in [
        ("another's key", vec![(folder.join("tls.key"), strange_key)]),
        ("no key", vec![(folder.join("tls.key"), b"".to_vec())]),
        ("half a certificate", vec![(folder.join("tls.crt"), good[0].1[..40].to_vec())]),
    ] {
        let before = scene.at.log().matches("certificates not reloaded").count();
        for (path, bytes) in broken {
            std::fs::write(path, bytes).unwrap();
        }
        scene.at.signal("HUP");
        until(case, PATIENCE, || {
            (scene.at.log().matches("certificates not reloaded").count() > before).then_some(())
        });
        assert_eq!(Wire::open(&scene.at).ask(&request).status, 200, "{case}: a new connection");
        assert_eq!(live.ask(&request).status, 200, "{case}: the old connection");
        for (path, bytes) in &good {
            std::fs::write(path, bytes).unwrap();
        }
    }
    scene.at.signal("HUP");
    // A new certificate of the same authority's making would do; one of another is what a client can tell apart.
    for name in ["tls.crt", "tls.key"] {
        std::fs::copy(other.path().join(name), folder.join(name)).unwrap();
    }
    scene.at.signal("HUP");
    until("the new certificate", PATIENCE, || {
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut wire = Wire::open(&scene.at);
            wire.send(&request);
            wire.answer("GET").is_none()
        }));
        told.unwrap_or(true).then_some(())
    });
    assert_eq!(live.ask(&request).status, 200, "who is connected stays connected");
}

/// F-14: told to stop, it finishes what it began and is gone; the next one takes over at once
#[test]
fn a_server_that_is_told_to_stop_ends_well() {
    for signal in ["TERM", "INT"] {
        let mut scene = Scene::recorded();
        let mut idle = Wire::open(&scene.at);
        let request = scene.head("GET", TARGET, &scene.alice.basic());
        assert_eq!(idle.ask(&request).status, 200);
        scene.at.signal(signal);
        assert!(idle.is_closed(), "an idle connection is closed");
        assert!(scene.at.stop().success(), "{signal}");
        scene.at.restart();
        assert_eq!(Wire::open(&scene.at).ask(scene.head("GET", TARGET, &scene.alice.basic())).status, 200);
    }
}
