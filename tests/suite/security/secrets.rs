//! Case 19: a secret is shown once, to whom it belongs, and is nowhere else (K-01…K-06, K-16).

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::people::{bearer, new_key, text};
use super::scene::{Scene, yes};
use super::wire::Wire;
use crate::support::portcullis::Portcullis;
use crate::support::process::{bare, run};
use crate::support::recorder::answer;
use crate::support::who::{IAMAPIKEY, Stranger, Who};

/// An upstream that hands out upload state, and tells everything it was told.
fn talkative(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request).into_owned();
    match text.split(' ').next().unwrap_or_default() {
        "POST" => answer(
            "202 Accepted",
            &[("Location", "/v2/tenant-a/app/blobs/uploads/u?_state=canary-upload-state-0123456789")],
            "",
        ),
        "PATCH" => answer("500 Internal Server Error", &[], &text),
        "PUT" => answer("403 Forbidden", &[], &text),
        _ => yes(request),
    }
}

/// Everything that the session was told or told others, by what it is.
fn session(scene: &Scene<crate::support::recorder::Recorder>) -> (BTreeMap<String, String>, Vec<String>) {
    let mut secrets = BTreeMap::new();
    let mut answers = Vec::new();
    let alice = &scene.alice;
    let key = alice.key().unwrap();
    let given = alice.identity(&scene.at);
    let mut know = |name: &str, value: &str| secrets.insert(name.to_owned(), value.to_owned());
    know("alice's key", key);
    know("bob's key", scene.bob.key().unwrap());
    know("the administrator's key", scene.at.admin_key());
    know("a wrong key", Stranger.key().unwrap());
    know("a Basic header", &data_encoding::BASE64.encode(format!("{IAMAPIKEY}:{key}").as_bytes()));
    know("an IAM token", &text(&given, "access_token"));
    know("a refresh token", &text(&given, "refresh_token"));
    know("a registry token", &alice.token(&scene.at, &["repository:tenant-a/app:pull,push"]));
    know("a fresh key", &text(&new_key(&scene.at, &alice.iam_id, None), "apikey"));
    know("the upload state", "canary-upload-state-0123456789");
    let begun = Wire::open(&scene.at).ask(scene.with_body(
        "POST",
        "/v2/tenant-a/app/blobs/uploads/",
        &alice.basic(),
        "",
    ));
    let location = begun.header("location").unwrap().to_owned();
    know("the lease", location.split("lease=").nth(1).unwrap());
    let path = format!("/v2/{}", location.split_once("/v2/").unwrap().1);
    let path = path.as_str();
    let registry = bearer(&secrets["a registry token"]);
    let (access, refresh) = (bearer(&secrets["an IAM token"]), bearer(&secrets["a refresh token"]));
    let wrong = super::people::basic(Stranger.key().unwrap());
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let digest = format!("sha256:{}", "a".repeat(64));
    for request in [
        scene.head("GET", "/v2/tenant-a/app/manifests/v1", &registry),
        scene.head("GET", "/v2/tenant-b/secret/manifests/v1", &registry),
        scene.head("GET", "/v2/tenant-a/app/manifests/v1", &access),
        scene.head("GET", "/v2/tenant-a/app/manifests/v1", &refresh),
        scene.head("GET", "/v2/tenant-a/app/manifests/v1", &wrong),
        scene.head("GET", "/v1/apikeys", &access),
        scene.head("GET", "/v1/apikeys", &registry),
        scene.with_body("PATCH", path, &alice.basic(), "x"),
        scene.with_body("PUT", &format!("{path}&digest={digest}"), &alice.basic(), ""),
        scene.with_body("PATCH", path, &scene.bob.basic(), "x"),
        scene.head("GET", &format!("/oauth/token?service=registry&password={key}"), ""),
        scene.with_body(
            "POST",
            "/oauth/token",
            form,
            &format!("grant_type=password&username=x&password={key}"),
        ),
        scene.with_body("POST", "/identity/token", form, &format!("grant_type=x&apikey={key}")),
        scene.with_body(
            "POST",
            "/identity/token",
            form,
            &format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={key}x"),
        ),
        scene.head("GET", "/v1/apikeys/details", &format!("{}IAM-Apikey: {key}\r\n", scene.root())),
        scene.head("GET", "/v1/apikeys", &scene.root()),
        scene.head("GET", "/v1/apikeys", &format!("Authorization: Bearer {key}\r\n")),
        scene.head("GET", "/v1/apikeys", &format!("Authorization: {key}\r\n")),
        scene.head("GET", &format!("/v2/tenant-a/app/manifests/v1?access_token={key}"), ""),
        scene.head("BAD\u{7f}", "/v2/", &alice.basic()),
        scene.with_body(
            "POST",
            "/v1/apikeys",
            &format!("{}Content-Type: application/json\r\n", scene.root()),
            &format!("{{\"name\":\"{key}"),
        ),
    ] {
        let said = Wire::open(&scene.at).ask(request);
        answers.push(format!("{said:?}\n{}", said.text()));
    }
    (secrets, answers)
}

/// K-01, K-02, K-04, K-05, A-37
#[test]
fn no_secret_is_in_any_log_answer_metric_or_file() {
    let scene = Scene::scripted(talkative, "[log]\nlevel = \"trace\"\n");
    let (secrets, answers) = session(&scene);
    let metrics = scene.at.observer().get("/metrics").text();
    let mut places = vec![
        ("the answers".to_owned(), answers.concat().into_bytes()),
        ("the metrics".to_owned(), metrics.into_bytes()),
    ];
    let last = Wire::open(&scene.at).ask(scene.head("GET", "/v2/", &scene.alice.basic()));
    scene.audited(last.request_id());
    places.push(("the log".to_owned(), scene.at.log().into_bytes()));
    places.push(("what the upstream heard".to_owned(), scene.heard().concat().into_bytes()));
    places.extend(files(&scene.at));
    assert!(places.iter().any(|(name, _)| name.ends_with("-wal")), "the write-ahead log was looked at");
    for (name, secret) in &secrets {
        assert!(secret.len() > 20, "{name} would be found by chance");
        for (place, bytes) in &places {
            // The state is the upstream's own; only there may it turn up again.
            if name == "the upload state" && place == "what the upstream heard" {
                continue;
            }
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} is in {place}");
        }
    }
    // The search finds what is there.
    let (_, audit) = places.iter().find(|(name, _)| name.ends_with("audit.jsonl")).unwrap();
    assert!(String::from_utf8_lossy(audit).contains(&scene.alice.key_id));
}

/// Every file of the installation but those whose purpose is to hold a secret that no request knows.
fn files(at: &Portcullis) -> Vec<(String, Vec<u8>)> {
    let names = std::fs::read_dir(at.folder()).unwrap().map(|entry| entry.unwrap().path());
    names
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect()
}

/// K-06
#[test]
fn what_the_server_writes_only_its_owner_may_read() {
    let scene = Scene::recorded();
    for name in ["portcullis.db", "portcullis.db-wal", "portcullis.db-shm", "audit.jsonl", "master.key"] {
        assert_eq!(mode(&scene.at.folder().join(name)), 0o600, "{name}");
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode()
        & 0o777
}

/// K-06: whatever the umask was
#[test]
fn a_generous_umask_changes_nothing() {
    let scene = Scene::recorded();
    let settings = std::fs::read_to_string(scene.at.folder().join("portcullis.toml")).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let file = fresh.path().join("portcullis.toml");
    let place = fresh.path().join("data").display().to_string();
    // The certificate stays where it is; everything that is made goes to a new place.
    let settings: String = settings
        .lines()
        .map(|line| {
            if line.starts_with("tls") {
                format!("{line}\n")
            } else {
                format!("{}\n", line.replace(&scene.at.folder().display().to_string(), &place))
            }
        })
        .collect();
    std::fs::write(&file, settings).unwrap();
    let init = format!("umask 0; exec {} init --config {}", env!("CARGO_BIN_EXE_portcullis"), file.display());
    run(bare("sh").args(["-c", &init]), "").must_succeed();
    for name in ["portcullis.db", "master.key"] {
        assert_eq!(mode(&fresh.path().join("data").join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&fresh.path().join("data")), 0o700);
}

/// K-06, K-07: a secret that others could have read is not used
#[test]
fn a_key_that_others_may_read_is_not_used() {
    for name in ["master.key", "portcullis.db", "tls.key"] {
        let mut scene = Scene::recorded();
        scene.at.kill();
        let path = scene.at.folder().join(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let mut serve = bare(env!("CARGO_BIN_EXE_portcullis"));
        let finished =
            run(serve.args(["serve", "--config"]).arg(scene.at.folder().join("portcullis.toml")), "");
        assert_eq!(finished.code, Some(1), "{name}: {finished:?}");
        assert!(
            finished.said().contains(name) && finished.said().contains("chmod"),
            "{name}: {}",
            finished.said()
        );
    }
}

/// K-16: neither in the arguments nor in the environment that the process shows
#[test]
fn the_master_key_is_in_no_place_that_a_process_list_shows() {
    let scene = Scene::recorded();
    let master = std::fs::read_to_string(scene.at.folder().join("master.key")).unwrap();
    let listed = run(bare("ps").args(["axeww", "-o", "args"]), "").stdout;
    assert!(!listed.contains(master.trim()));
}
