//! Log, metrics and audit of the same events, side by side.

use std::path::Path;
use std::sync::Arc;

use super::Recorder;
use crate::clock::SystemClock;
use crate::record::audit::{AuditLog, Destination, OnFailure};
use crate::record::event::samples::{every_what, finished, pull};
use crate::record::event::{Verdict, What};
use crate::record::log::tests::Captured;
use crate::record::log::{Format, Level};
use crate::secret::Secret;

fn recorder(path: &Path) -> Recorder {
    let destination = Destination::File(path.to_owned());
    Recorder::new(AuditLog::open(destination, OnFailure::Refuse, Arc::new(SystemClock)).unwrap()).unwrap()
}

fn audited(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn log_metrics_and_audit_tell_the_same_story() {
    let (dir, captured) = (tempfile::tempdir().unwrap(), Captured::default());
    let path = dir.path().join("audit.log");
    let recorder = recorder(&path);
    captured.during(Level::Info, Format::Json, || {
        let mut denied = pull().saying("no policy grants image.pull");
        (denied.decision, denied.status) = (Verdict::Denied, 403);
        recorder.finish(&denied, begin(&recorder));
    });
    assert!(recorder.audit().close().await);

    let line: serde_json::Value = serde_json::from_str(captured.text().trim()).unwrap();
    let event = audited(&path).pop().unwrap();
    let scrape = recorder.metrics().render();
    assert_eq!(line["fields"]["request_id"], event["requestId"]);
    assert_eq!(line["fields"]["decision"], event["decision"]);
    assert_eq!(line["fields"]["reason"], event["reason"]["reasonForFailure"]);
    let series = r#"portcullis_requests_total{decision="denied",operation="manifest_read",status="4xx"} 1"#;
    assert!(scrape.contains(series), "{scrape}");
    assert!(scrape.contains(r#"portcullis_audit_events_total{outcome="written"} 1"#), "{scrape}");
    assert!(scrape.contains("portcullis_audit_healthy 1"));
}

#[tokio::test]
async fn probes_are_counted_but_not_audited() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let recorder = recorder(&path);
    recorder.finish(&finished(What::Probe), begin(&recorder));
    assert!(recorder.audit().close().await);
    let only: Vec<_> = audited(&path).iter().map(|event| event["action"].clone()).collect();
    assert_eq!(only, ["portcullis.audit.start"]);
    assert!(recorder.metrics().render().contains(r#"operation="probe""#));
}

/// K-01: whatever is said about a secret, its text is nowhere.
#[tokio::test]
async fn a_secret_appears_in_none_of_them() {
    let (dir, captured) = (tempfile::tempdir().unwrap(), Captured::default());
    let path = dir.path().join("audit.log");
    let recorder = recorder(&path);
    let canary = "canary-7f1e";
    let secret = Secret::from(canary);
    for format in [Format::Json, Format::Text] {
        captured.during(Level::Trace, format, || {
            for what in every_what() {
                let event = finished(what).saying(format!("could not check {secret:?}"));
                recorder.finish(&event, begin(&recorder));
            }
        });
    }
    assert!(recorder.audit().close().await);
    let audit = std::fs::read_to_string(&path).unwrap();
    let sinks = [captured.text(), audit, recorder.metrics().render()];
    assert!(sinks.iter().all(|text| !text.is_empty() && !text.contains(canary)));
    assert!(sinks[..2].iter().all(|text| text.contains("could not check")));
}

/// K-03: a client's text can forge neither a line nor a terminal's colours, in either format.
#[test]
fn hostile_text_stays_within_its_line() {
    let recorder =
        Recorder::new(AuditLog::open(Destination::None, OnFailure::Refuse, Arc::new(SystemClock)).unwrap());
    let recorder = recorder.unwrap();
    for format in [Format::Json, Format::Text] {
        let captured = Captured::default();
        captured.during(Level::Info, format, || {
            let mut event = pull().saying("a\r\nINFO forged\u{1b}[31m");
            event.request_id = "id\nforged".to_owned();
            recorder.finish(&event, begin(&recorder));
        });
        let text = captured.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.trim_end().chars().any(char::is_control), "{text}");
    }
}

fn begin(recorder: &Recorder) -> crate::record::audit::Slot {
    futures_util::FutureExt::now_or_never(recorder.begin()).expect("the log is not behind").unwrap()
}
