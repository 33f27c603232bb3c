//! What an operator changes while Portcullis serves: the settings file, by SIGHUP, and renewed certificates, by replacing
//! their files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::certificate;
use crate::support::portcullis::Portcullis;
use crate::support::recorder::Recorder;
use crate::support::wait::{PATIENCE, until};

fn start(settings: &str) -> Portcullis {
    let upstream = Recorder::silent();
    Portcullis::with(&format!("http://{}", upstream.address()), &[], settings)
}

fn file(at: &Portcullis) -> PathBuf {
    at.folder().join("portcullis.toml")
}

fn edit(at: &Portcullis, change: impl FnOnce(String) -> String) {
    fs::write(file(at), change(fs::read_to_string(file(at)).unwrap())).unwrap();
}

/// Sends SIGHUP, and waits until so many reloads have ended that way.
fn reload(at: &Portcullis, outcome: &str, count: usize) {
    at.signal("HUP");
    let line = format!("portcullis_config_reloads_total{{outcome=\"{outcome}\"}} {count}");
    until(&line, PATIENCE, || at.observer().get("/metrics").text().contains(&line).then_some(()));
}

fn await_log(at: &Portcullis, text: &str) {
    until(text, PATIENCE, || at.log().contains(text).then_some(()));
}

/// Whether the server shows a certificate of this authority.
fn shows(at: &Portcullis, ca: &Path) -> bool {
    let request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    !at.http_believing(ca).raw(request).is_empty()
}

#[test]
fn a_reload_changes_the_level_of_the_log_and_names_what_needs_a_restart() {
    let at = start("[log]\nlevel = \"error\"\n");
    at.http().get("/v2/quiet/a/tags/list");
    edit(&at, |text| text.replace("level = \"error\"", "level = \"info\"") + "[token]\nlifetime = \"2m\"\n");
    reload(&at, "ok", 1);
    at.http().get("/v2/loud/a/tags/list");
    await_log(&at, "loud/a");
    assert!(!at.log().contains("quiet/a"), "{}", at.log());

    edit(&at, |text| text.replace("create_on_push", "# create_on_push").replace("us-south", "us-east"));
    reload(&at, "ok", 2);
    for key in ["token", "registry[0]"] {
        await_log(&at, &format!("{key} changed in the file: restart to put that in force"));
    }
    assert!(!at.log().contains("store changed"), "{}", at.log());
}

#[test]
fn a_broken_file_keeps_the_old_settings_and_says_so() {
    let at = start("[log]\nlevel = \"info\"\n");
    for (number, broken) in ["colour = 1\n[account]\nid = \"12\"\n", "[account\n", ""].iter().enumerate() {
        fs::write(file(&at), broken).unwrap();
        reload(&at, "failed", number + 1);
    }
    fs::remove_file(file(&at)).unwrap();
    reload(&at, "failed", 4);
    let path = file(&at).display().to_string();
    for expected in [
        format!("{path}:1:1: colour: is not a known key"),
        format!("{path}:3:6: account.id: `12` is not an account id"),
        format!("{path}: cannot be read"),
        "the old settings stay in force".to_owned(),
    ] {
        await_log(&at, &expected);
    }
    assert_eq!(at.http().get("/livez").status, 200);
    assert!(!at.observer().get("/metrics").text().contains("reloads_total{outcome=\"ok\"} 1"));
}

#[test]
fn certificates_at_a_new_place_are_shown_after_a_reload_unless_one_cannot_be_used() {
    let at = start("");
    let other = tempfile::tempdir().unwrap();
    let new = certificate::make(other.path());
    let (ca, here) = (at.folder().join("ca.crt"), at.folder().display().to_string());
    edit(&at, |text| text.replace(&format!("{here}/tls."), &format!("{}/tls.", other.path().display())));
    fs::write(&new.chain, "no certificate").unwrap();
    reload(&at, "failed", 1);
    await_log(&at, "holds no usable certificate");
    assert!(shows(&at, &ca) && !shows(&at, &new.ca));

    let new = certificate::make(other.path());
    reload(&at, "ok", 1);
    assert!(shows(&at, &new.ca) && !shows(&at, &ca));
}

#[test]
fn renewed_certificates_are_noticed_without_a_signal() {
    let at = start("");
    let old = at.folder().join("old.crt");
    fs::copy(at.folder().join("ca.crt"), &old).unwrap();
    assert!(shows(&at, &old));
    let new = certificate::make(&at.folder());
    until("the renewed certificate", PATIENCE, || shows(&at, &new.ca).then_some(()));
    assert!(!shows(&at, &old));
}
