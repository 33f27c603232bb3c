//! A hundred thousand images with a million findings: what is asked of all of them takes seconds, and memory does not grow with them.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::time::Instant;

use super::gate::{gate, says};
use super::reports::{pusher, with_an_image};
use crate::support::portcullis::Portcullis;
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};

const IMAGES: usize = 100_000;

/// How many findings each image has that was scanned.
const FINDINGS: usize = 10;

/// Every so many images, one was never scanned.
const UNSCANNED_EVERY: usize = 10;

/// What the server may grow by, in bytes: far less than the findings take.
const GROWTH: usize = 96 << 20;

/// How many pulls are timed.
const PULLS: usize = 200;

/// How much slower they may be among so many: were one to look at all of them, it would be thousands of times.
const SLOWER: u32 = 5;

/// What is asked of it takes no longer, in a build without optimisation and on a busy machine.
const PATIENT: Duration = Duration::from_secs(60);

/// Copies of the only report, for images that have a tag each.
fn fill(database: &Path) {
    let numbers = format!(
        "with recursive number(n) as (select 1 union all select n + 1 from number where n < {IMAGES}), \
         one(repository, digest, n) as (select printf('many/r-%03d', n / 1000), printf('sha256:%064x', n), n from number) "
    );
    let report = "region, {repository}, {digest}, channel, format, tool, os_name, os_version, is_scan, made_at, received_at, findings, \
                  dismissed, unknown, negligible, low, medium, high, critical";
    let (columns, values) = (
        report.replace("{repository}", "repository").replace("{digest}", "digest"),
        report.replace("{repository}", "one.repository").replace("{digest}", "one.digest"),
    );
    let scanned = format!("n % {UNSCANNED_EVERY} > 0");
    let statements = [
        format!("{numbers} insert into census_tag select 'us-south', repository, 'v1-' || n, digest, 0 from one"),
        format!("{numbers} insert into census_manifest select 'us-south', repository, digest, 'image' from one"),
        "insert into census values ('us-south', 0)".to_owned(),
        format!(
            "{numbers} insert into report ({columns}) select {values} from one \
             join (select * from report where repository = 'prod/owl') where {scanned}"
        ),
        "insert into report_image select region, repository, digest, id from report where repository like 'many/%'"
            .to_owned(),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(database).connect().await.unwrap();
        for statement in statements {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
    });
}

/// How long a pull takes that the gate lets through for what is known of the image: the lower quartile, because a busy machine
/// only ever makes some of them slow.
fn pull(at: &Portcullis) -> Duration {
    let http = pusher(at);
    let accept = [("Accept", "application/vnd.oci.image.manifest.v1+json")];
    let one = |_| {
        let begun = Instant::now();
        let answer = http.send("GET", "/v2/prod/owl/manifests/v1", &accept, b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
        begun.elapsed()
    };
    let mut took: Vec<Duration> = (0..PULLS).map(one).collect();
    took.sort_unstable();
    took[PULLS / 4]
}

/// A server with all of them, and how long a pull took without.
fn filled(registry: &Registry) -> (Portcullis, Duration) {
    let (mut at, cli, _) = with_an_image(registry, "");
    let one = |n: usize| {
        json!({"VulnerabilityID": format!("CVE-2026-{n:04}"), "PkgName": "openssl", "InstalledVersion": "3.0.2",
        "FixedVersion": "3.0.3", "Severity": "HIGH", "Title": "what is wrong with it, in a sentence of the usual length"})
    };
    let found: Vec<Value> = (0..FINDINGS).map(one).collect();
    let report = json!({"SchemaVersion": 2, "ArtifactName": "x", "Results": [{"Target": "x", "Vulnerabilities": found}]});
    let file = at.folder().join("report.json");
    std::fs::write(&file, report.to_string()).unwrap();
    says(&cli, &format!("cr va-upload prod/owl:v1 {}", file.display()), &["10 findings"]);
    let scanner = Robot::with_role(&at.administrator(), "scanner", "Reader", "prod");
    gate(&at, "prod/owl", &scanner, "StringEquals registry:VulnerabilitySeverity", json!("CRITICAL"));
    let alone = pull(&at);
    at.kill();
    fill(&at.folder().join("portcullis.db"));
    at.restart();
    (at, alone)
}

#[test]
fn a_million_findings_are_reported_on_in_seconds_and_in_little_memory() {
    let registry = Registry::start();
    let (at, alone) = filled(&registry);
    let cli = at.administration();
    let before = at.memory("VmRSS");
    let begun = Instant::now();
    let report = cli.run("compliance report --profile auditor --output json").must_succeed();
    let took = begun.elapsed();
    println!("the report: {took:?}");
    assert!(took < PATIENT, "{took:?}");
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let goal = |id: &str| {
        let goals = report["goals"].as_array().unwrap();
        goals.iter().find(|goal| goal["id"] == id).unwrap()["resources"].as_array().unwrap().clone()
    };
    let more = |id: &str| goal(id).last().unwrap()["resource"].as_str().unwrap().to_owned();
    // The one that was pushed came to the server before that was killed, and may have been noted or not.
    let unscanned = IMAGES / UNSCANNED_EVERY - 100;
    assert_eq!(more("portcullis-image-scans"), format!("{unscanned} more"));
    assert!(
        [IMAGES - 100, IMAGES - 99]
            .map(|n| format!("{n} more"))
            .contains(&more("portcullis-image-signatures"))
    );
    // So are the numbers for metrics, from an index.
    let high = (IMAGES - IMAGES / UNSCANNED_EVERY + 1) * FINDINGS;
    until("the count", PATIENCE, || {
        let line = "portcullis_findings{registry=\"us.registry.test\",severity=\"high\"}";
        let page = at.observer().get("/metrics").text();
        page.lines().any(|one| one.starts_with(line) && one.ends_with(&format!(" {high}"))).then_some(())
    });
    // What is about one image costs what one image costs.
    let begun = Instant::now();
    says(&cli, "cr va prod/owl:v1", &["FAIL"]);
    println!("one image: {:?}", begun.elapsed());
    // And so does a pull.
    let among = pull(&at);
    println!("a pull: {alone:?} alone, {among:?} among {IMAGES} images");
    assert!(among < alone * SLOWER + Duration::from_millis(5), "{alone:?} alone, {among:?} among so many");
    let grown = at.memory("VmRSS").saturating_sub(before);
    println!("grown by {} KiB", grown >> 10);
    assert!(grown < GROWTH, "grown by {grown} bytes");
}
