//! The audit log under bad conditions: full disks, pipes that nobody reads, kills.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::event::AuditEvent;
use super::{AuditLog, CAPACITY, Destination, OnFailure};
use crate::clock::{SystemClock, UnixTime};
use crate::record::event::Finished;
use crate::record::event::samples::pull;
use crate::record::metrics::Metrics;

fn open(path: &Path, on_failure: OnFailure) -> AuditLog {
    AuditLog::open(Destination::File(path.to_owned()), on_failure, Arc::new(SystemClock)).unwrap()
}

fn numbered(number: usize) -> Box<Finished> {
    let mut event = pull();
    event.request_id = format!("req-{number}");
    event
}

/// The request ids in the log; every line must be whole.
fn ids(text: &str) -> Vec<String> {
    let parse = |line: &str| -> serde_json::Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let id = |line: &str| parse(line)["requestId"].as_str().map(str::to_owned);
    text.lines().filter_map(id).collect()
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Waits for something that another thread is about to do.
async fn until(mut done: impl FnMut() -> bool) {
    let wait = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it never happened");
}

#[tokio::test]
async fn every_event_becomes_one_line_in_order_and_the_file_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(&path, OnFailure::Refuse);
    for number in 0..1000 {
        log.try_reserve().unwrap().write(&AuditEvent::of(&numbered(number)));
    }
    assert!(log.close().await);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"eventTime\"") && text.contains("portcullis.audit.start"));
    assert_eq!(ids(&text), (0..1000).map(|number| format!("req-{number}")).collect::<Vec<_>>());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_missing_directory_keeps_the_log_from_opening() {
    let destination = Destination::File("/nonexistent/dir/audit.log".into());
    assert!(AuditLog::open(destination, OnFailure::Refuse, Arc::new(SystemClock)).is_err());
}

#[tokio::test]
async fn without_a_destination_everything_passes() {
    let log = AuditLog::open(Destination::None, OnFailure::Refuse, Arc::new(SystemClock)).unwrap();
    assert!(log.try_reserve().unwrap().write_durably(&AuditEvent::of(&numbered(1))).await.is_ok());
    assert!(log.is_healthy() && log.close().await);
}

#[test]
fn a_full_disk_refuses_from_the_first_request_on() {
    let log = open(Path::new("/dev/full"), OnFailure::Refuse);
    assert!(!log.is_healthy());
    let error = log.try_reserve().unwrap_err().to_string();
    assert!(error.contains("No space left"), "{error}");
}

#[test]
fn a_full_disk_may_be_outlived_by_choice_and_what_is_lost_is_counted() {
    let log = open(Path::new("/dev/full"), OnFailure::Continue);
    (0..CAPACITY + 10)
        .for_each(|number| log.try_reserve().unwrap().write(&AuditEvent::of(&numbered(number))));
    let metrics = Metrics::new().unwrap();
    log.show_in(&metrics).unwrap();
    let scrape = metrics.render();
    assert!(scrape.contains(r#"portcullis_audit_events_total{outcome="dropped"} 10"#), "{scrape}");
    assert!(scrape.contains("portcullis_audit_healthy 0"));
}

/// Requests are held open by anybody, without credentials and almost for free; that must not fill the log.
#[test]
fn requests_under_way_fill_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("audit.log"), OnFailure::Refuse);
    let slots: Vec<_> = (0..CAPACITY * 2).map(|_| log.try_reserve()).collect();
    assert!(slots.iter().all(Result::is_ok) && log.try_reserve().is_ok());
}

/// F-09: a pipe without a reader stalls nothing, and the log recovers by itself when a reader comes.
#[tokio::test]
async fn a_pipe_without_a_reader_refuses_until_somebody_reads() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.pipe");
    make_pipe(&path);
    let log = open(&path, OnFailure::Refuse);
    assert!(log.try_reserve().is_err());

    let reading = path.clone();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        std::fs::File::open(reading).unwrap().read_to_string(&mut text).map(|_| text)
    });
    until(|| {
        log.reopen();
        log.is_healthy()
    })
    .await;
    assert!(log.try_reserve().unwrap().write_durably(&AuditEvent::of(&numbered(1))).await.is_ok());
    assert!(log.close().await);
    let text = reader.join().unwrap().unwrap();
    assert!(text.contains("portcullis.audit.start"), "{text}");
    assert_eq!(ids(&text), ["req-1"]);
}

/// F-09: a reader that stops reading fills the pipe; afterwards every line has come through whole and once.
#[tokio::test]
async fn a_reader_that_pauses_gets_every_line_whole_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.pipe");
    make_pipe(&path);
    let opening = path.clone();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let reader = std::thread::spawn(move || {
        let mut pipe = std::fs::File::open(opening).unwrap();
        let mut text = String::new();
        wait.recv().unwrap();
        pipe.read_to_string(&mut text).map(|_| text)
    });
    let log = open(&path, OnFailure::Refuse);
    until(|| log.is_healthy()).await;
    let mut sent = 0;
    // A pipe holds 64 KiB; far fewer events than there are places fill it.
    while let Ok(slot) = log.try_reserve() {
        slot.write(&AuditEvent::of(&numbered(sent)));
        sent += 1;
        tokio::task::yield_now().await;
    }
    assert!(!log.is_healthy() || sent >= CAPACITY);
    go.send(()).unwrap();
    until(|| log.is_healthy()).await;
    assert!(log.close().await);
    drop(log);
    let text = reader.join().unwrap().unwrap();
    assert_eq!(ids(&text), (0..sent).map(|number| format!("req-{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_rotated_file_is_left_alone_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("audit.log"), dir.path().join("audit.log.1"));
    let log = open(&path, OnFailure::Refuse);
    assert!(log.try_reserve().unwrap().write_durably(&AuditEvent::of(&numbered(1))).await.is_ok());
    std::fs::rename(&path, &old).unwrap();
    log.reopen();
    assert!(log.try_reserve().unwrap().write_durably(&AuditEvent::of(&numbered(2))).await.is_ok());
    assert!(log.close().await);
    assert_eq!(ids(&std::fs::read_to_string(old).unwrap()), ["req-1"]);
    assert_eq!(ids(&std::fs::read_to_string(path).unwrap()), ["req-2"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_reopened_stays_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let sub = dir.path().join("sub");
    std::fs::create_dir(&sub).unwrap();
    let log = open(&sub.join("audit.log"), OnFailure::Refuse);
    let moved = dir.path().join("moved");
    std::fs::rename(&sub, &moved).unwrap();
    log.reopen();
    assert!(log.try_reserve().unwrap().write_durably(&AuditEvent::of(&numbered(1))).await.is_ok());
    assert!(log.close().await);
    assert_eq!(ids(&std::fs::read_to_string(moved.join("audit.log")).unwrap()), ["req-1"]);
}

#[tokio::test]
async fn a_line_torn_by_a_crash_is_ended_before_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    std::fs::write(&path, "{\"eventTime\":\"20").unwrap();
    assert!(open(&path, OnFailure::Refuse).close().await);
    let text = std::fs::read_to_string(&path).unwrap();
    let (torn, rest) = text.split_once('\n').unwrap();
    assert_eq!(torn, "{\"eventTime\":\"20");
    assert!(serde_json::from_str::<serde_json::Value>(rest.trim()).is_ok(), "{rest}");
}

#[tokio::test]
async fn nothing_is_taken_after_the_log_was_closed() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("audit.log"), OnFailure::Refuse);
    let late = log.try_reserve().unwrap();
    assert!(log.close().await);
    assert!(late.write_durably(&AuditEvent::of(&numbered(1))).await.is_err());
}

/// What was acknowledged is in the file, whenever the process is killed.
#[test]
fn acknowledged_events_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "record::audit::tests::child_acknowledges_events_until_it_is_killed"])
        .args(["--nocapture"])
        .env("AUDIT_TEST_PATH", &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let acknowledged: Vec<String> = lines.filter(|line| line.starts_with("req-")).take(50).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(acknowledged.len(), 50);
    let text = std::fs::read_to_string(&path).unwrap();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _torn)| whole);
    let written = ids(whole);
    assert!(acknowledged.iter().all(|id| written.contains(id)), "{acknowledged:?}\n{written:?}");
}

#[test]
fn child_acknowledges_events_until_it_is_killed() {
    let Some(path) = std::env::var_os("AUDIT_TEST_PATH") else { return };
    let log = open(Path::new(&path), OnFailure::Refuse);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        for number in 0.. {
            log.try_reserve().unwrap().write_durably(&AuditEvent::of(&numbered(number))).await.unwrap();
            println!("\nreq-{number}");
        }
    });
}

#[test]
fn a_notice_is_an_event_without_a_request() {
    let notice =
        AuditEvent::notice("portcullis.audit.gap", UnixTime::from_seconds(0), "3 events are missing");
    let line = serde_json::to_string(&notice).unwrap();
    assert!(ids(&line).is_empty() && line.contains("3 events are missing"));
}
