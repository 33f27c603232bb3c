//! A large directory: ten thousand service IDs with fifty thousand policies. Every list comes in pages, memory does not grow with what is
//! there, and the command line asks for what it needs instead of for everything.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::time::Instant;

use crate::support::http::Http;
use crate::support::portcullis::{ACCOUNT, Cli, Portcullis};
use crate::support::recorder::Recorder;
use crate::support::robot::Robot;

const SERVICE_IDS: usize = 10_000;
const POLICIES: usize = 50_000;

/// Those of the administrator besides.
const ADMINISTRATORS: usize = 2;

/// What a server may grow by when somebody has looked through all of it, in bytes. What goals are judged by is kept of every policy.
const GROWTH: usize = 96 << 20;

/// How many requests a command may make that is about one service ID: its login, a look-up by name, and what it is for.
const REQUESTS: f64 = 6.0;

/// Copies of the row of `model`, and five policies for each, which differ by the namespace that they are about.
fn fill(database: &Path, model: &Robot) {
    let statements = [
        format!(
            "with recursive number(n) as (select 1 union all select n + 1 from number where n < {})
             insert into principal (id, kind, name, folded, description, active, locked, created_at, modified_at, version)
             select printf('iam-ServiceId-00000000-0000-4000-8000-%012x', n), kind, printf('robot-%05d', n), folded, description,
                 active, locked, created_at + n, modified_at, version
             from number join principal where id = '{}'",
            SERVICE_IDS - 1,
            model.iam_id
        ),
        format!(
            "with recursive number(n) as (select 0 union all select n + 1 from number where n < {})
             insert into policy (id, principal_id, document, description, created_by, modified_by, created_at, modified_at, version)
             select printf('00000000-0000-4000-8000-%012x', n),
                 printf('iam-ServiceId-00000000-0000-4000-8000-%012x', n / 5 + 1),
                 replace(document, 'a-namespace', printf('space-%05d', n)), description, created_by, modified_by, created_at + n,
                 modified_at, version
             from number join policy where principal_id = '{}' and document like '%a-namespace%'",
            POLICIES - 6,
            model.iam_id
        ),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(database).connect().await.unwrap();
        for statement in statements {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
    });
}

/// Every row of a list, page by page as its answers say.
fn walk(administrator: &Http, path: &str, rows: &str, page: usize) -> usize {
    let mut ids: HashSet<String> = HashSet::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let answer = administrator.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let answer = answer.json();
        let found = answer[rows].as_array().unwrap();
        assert!(!found.is_empty() && found.len() <= page, "{path}: {} rows", found.len());
        for row in found {
            assert!(ids.insert(row["id"].as_str().unwrap().to_owned()), "{path}: {row} was there before");
        }
        next = following(&answer, path.split('?').next().unwrap());
    }
    ids.len()
}

fn following(answer: &Value, path: &str) -> Option<String> {
    let link = answer["next"].as_str().or_else(|| answer["next"]["href"].as_str())?;
    Some(format!("{path}?{}", link.split_once('?').unwrap().1))
}

/// A server with all of them.
fn filled() -> Portcullis {
    let upstream = Recorder::silent();
    let mut at = Portcullis::before(&format!("http://{}", upstream.address()));
    let model = Robot::with_role(&at.administrator(), "the-model", "Reader", "a-namespace");
    for number in 0..4 {
        model.grant(&at.administrator(), "Writer", &format!("b-namespace-{number}"));
    }
    at.kill();
    fill(&at.folder().join("portcullis.db"), &model);
    at.restart();
    at
}

/// How many requests a command makes, which must succeed.
fn requests_of(at: &Portcullis, cli: &Cli, command: &str) -> (f64, String) {
    let made = || at.metric_sum("portcullis_requests_total");
    let before = made();
    let begun = Instant::now();
    let said = cli.run(command).must_succeed().said();
    let requests = made() - before;
    println!("{command}: {requests} requests, {:?}", begun.elapsed());
    (requests, said)
}

#[test]
fn fifty_thousand_policies_are_listed_in_pages_and_one_service_id_is_found_at_once() {
    let at = filled();
    let administrator = at.administrator();
    let cli = at.administration();
    let before = at.memory("VmRSS");
    for (path, rows, page, all) in [
        ("/v1/serviceids?pagesize=100", "serviceids", 100, SERVICE_IDS),
        ("/v1/policies?limit=100", "policies", 100, POLICIES + ADMINISTRATORS),
    ] {
        let begun = Instant::now();
        assert_eq!(walk(&administrator, &format!("{path}&account_id={ACCOUNT}"), rows, page), all, "{path}");
        println!("{path}: {:?}", begun.elapsed());
    }
    for command in [
        "iam service-id robot-07777",
        "iam service-policies robot-07777",
        "iam service-api-keys robot-07777",
        "iam service-policy-create robot-07777 --roles Reader --service-name container-registry -f",
    ] {
        let (requests, said) = requests_of(&at, &cli, command);
        assert!(requests <= REQUESTS, "{command}: {requests} requests: {said}");
    }
    let (requests, said) = requests_of(&at, &cli, "iam service-ids");
    assert_eq!(said.lines().filter(|line| line.starts_with("ServiceId-")).count(), SERVICE_IDS);
    assert!(requests <= (SERVICE_IDS / 100 + 1) as f64, "{requests} requests");
    let grown = at.memory("VmRSS").saturating_sub(before);
    println!("grown by {} KiB", grown >> 10);
    assert!(grown < GROWTH, "grown by {grown} bytes");
}
