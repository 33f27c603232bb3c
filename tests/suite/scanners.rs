//! What scanners and slow attackers find: sslyze looks at TLS, h2spec at HTTP/2, slowhttptest holds on to connections.
//!
//! Where a tool is missing, its story says so and is skipped; with `CI=true` it fails. h2spec alone may be missing, as not every machine
//! has a Go that builds it: what it looks at is also sent frame by frame in `security::frames` and `security::slow`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::support::portcullis::Portcullis;
use crate::support::process::{bare, is_installed, run};
use crate::support::recorder::Recorder;

/// How long anybody else may wait for an answer meanwhile, on a machine that runs other tests too.
const AVAILABLE: Duration = Duration::from_secs(8);

/// How an attack ends whose connections are all cut before its time is over.
const CUT: &str = "No open connections left";

/// What rustls offers, under the names that scanners use.
const SUITES: [&str; 9] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

fn start(settings: &str) -> Portcullis {
    let upstream = Recorder::silent();
    Portcullis::with(&format!("http://{}", upstream.address()), &[], settings)
}

/// Whether a tool is there. Without it there is nothing to see, which somebody must notice.
fn have(tool: &str, is_there: bool) -> bool {
    let missing =
        format!("{tool} is not installed, so nothing was scanned: run `make deps`, which says why it cannot");
    assert!(is_there || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{missing}");
    if !is_there {
        println!("skipped: {missing}");
    }
    is_there
}

/// How often h2spec looks. Some of its cases send a whole request and then a frame that is not allowed any more. An answer that is already on
/// its way by then is a right answer, which h2spec takes for a wrong one: a case is good that was good once.
const LOOKS: usize = 8;

/// What h2spec finds fault with in one look at all of its cases.
fn h2spec_faults(h2spec: &Path, port: &str) -> BTreeSet<String> {
    let mut command = bare(h2spec);
    command.args(
        "--tls --insecure --strict --host localhost --path /livez --timeout 5 --port".split_whitespace(),
    );
    let said = run(command.arg(port), "").said();
    assert!(said.contains(" 0 skipped, ") && !said.contains("0 tests"), "{said}");
    // Progress is overwritten by a carriage return, and the summary repeats every fault on a line of its own.
    let faults: BTreeSet<String> =
        said.lines().filter_map(|line| line.trim().strip_prefix("× ")).map(str::to_owned).collect();
    assert_eq!(faults.is_empty(), said.contains(" 0 skipped, 0 failed"), "{said}");
    faults
}

#[test]
fn h2spec_finds_nothing_in_http2_that_is_not_as_it_should_be() {
    let h2spec = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/h2spec/h2spec");
    if !h2spec.exists() {
        return println!("skipped: h2spec is not built, which `make deps` does where there is Go");
    }
    let at = start("");
    let port = at.public().port().to_string();
    let mut faults = h2spec_faults(&h2spec, &port);
    for _ in 1..LOOKS {
        if !faults.is_empty() {
            let again = h2spec_faults(&h2spec, &port);
            faults.retain(|fault| again.contains(fault));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(at.http().get("/livez").status, 200);
}

#[test]
fn a_scanner_finds_nothing_old_weak_or_broken_in_tls() {
    let sslyze = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/scanners/bin/sslyze");
    if !have("sslyze", sslyze.exists()) {
        return;
    }
    let at = start("");
    let looks = "--sslv2 --sslv3 --tlsv1 --tlsv1_1 --tlsv1_2 --tlsv1_3 --compression --heartbleed --openssl_ccs \
        --reneg --robot --early_data --fallback --ems --mozilla_config=disable --quiet";
    let report = at.folder().join("sslyze.json");
    let mut command = bare(sslyze);
    command.args(looks.split_whitespace()).arg("--json_out").arg(&report).arg(at.host());
    run(command.env("HOME", at.folder()), "").must_succeed();
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let found = |look: &str, what: &str| {
        let look = &report["server_scan_results"][0]["scan_result"][look];
        assert_eq!(look["status"], "COMPLETED", "{what}: {look}");
        look["result"][what].clone()
    };
    let suites = |version: &str| -> Vec<String> {
        let accepted = found(&format!("{version}_cipher_suites"), "accepted_cipher_suites");
        let names = accepted.as_array().unwrap().iter().map(|suite| suite["cipher_suite"]["name"].as_str());
        names.map(|name| name.unwrap().to_owned()).collect()
    };
    for version in ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"] {
        assert_eq!(suites(version), [""; 0], "{version}");
    }
    for version in ["tls_1_2", "tls_1_3"] {
        let accepted = suites(version);
        assert!(!accepted.is_empty(), "{version}");
        assert!(accepted.iter().all(|suite| SUITES.contains(&suite.as_str())), "{version}: {accepted:?}");
    }
    for (look, what, expected) in [
        ("tls_compression", "supports_compression", false),
        ("heartbleed", "is_vulnerable_to_heartbleed", false),
        ("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", false),
        ("session_renegotiation", "is_vulnerable_to_client_renegotiation_dos", false),
        ("session_renegotiation", "supports_secure_renegotiation", true),
        ("tls_1_3_early_data", "supports_early_data", false),
        ("tls_extended_master_secret", "supports_ems_extension", true),
    ] {
        assert_eq!(found(look, what), expected, "{look}.{what}");
    }
    assert_eq!(found("robot", "robot_result"), "NOT_VULNERABLE_RSA_NOT_SUPPORTED");
}

/// Lets slowhttptest hold on to connections, and asks like anybody else until it gives up.
fn others_are_served_during(case: &str, arguments: &str, end: &str) {
    if !have("slowhttptest", is_installed("slowhttptest")) {
        return;
    }
    let at = start("[limits]\nheader_timeout = \"3s\"\nbody_idle_timeout = \"3s\"\nidle_timeout = \"3s\"\n");
    let line = format!("{arguments} -c 200 -r 200 -l 8 -p 3 -u https://{}/v2/", at.host());
    let attack = thread::spawn(move || run(bare("slowhttptest").args(line.split_whitespace()), ""));
    let mut asked = 0;
    while !attack.is_finished() {
        let begun = Instant::now();
        assert_eq!(at.http().get("/v2/").status, 401, "{case}");
        assert!(begun.elapsed() < AVAILABLE, "{case}: somebody else waited {:?}", begun.elapsed());
        asked += 1;
    }
    let said = attack.join().unwrap().said();
    let statuses: Vec<&str> = said.lines().filter(|line| line.contains("service available:")).collect();
    assert!(!statuses.is_empty() && statuses.iter().all(|line| line.contains("YES")), "{case}: {said}");
    assert!(said.contains(end), "{case}: should have ended with `{end}`: {said}");
    assert!(asked > 5, "{case}: others asked only {asked} times");
    println!("{case}: {asked} others were answered meanwhile");
}

/// D-06
#[test]
fn slow_heads_keep_nobody_else_waiting() {
    others_are_served_during("slow heads", "-H -i 1", CUT);
}

/// D-07
#[test]
fn slow_bodies_keep_nobody_else_waiting() {
    others_are_served_during("slow bodies", "-B -i 1 -s 8192 -t PUT", CUT);
}

/// D-09
#[test]
fn slow_readers_keep_nobody_else_waiting() {
    // The kernel takes the whole answer, so it is the attacker who has not read yet that it was cut.
    others_are_served_during("slow readers", "-X -w 1 -y 2 -n 1 -z 1 -k 3", "Hit test time limit");
}
