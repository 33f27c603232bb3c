//! What notes and occurrences may say.

use serde_json::{Value, json};

use super::note::Note;
use super::occurrence::Occurrence;
use super::{InsightName, Level};

const ACCOUNT: &str = "123456789012";

pub(super) fn note() -> Value {
    json!({
        "kind": "FINDING", "id": "old-base", "short_description": "An old base image", "long_description": "It is old.",
        "reported_by": {"id": "us", "title": "Our scanner"}, "finding": {"severity": "HIGH", "next_steps": [{"title": "rebuild"}]},
    })
}

fn occurrence() -> Value {
    json!({
        "kind": "FINDING", "id": "one", "note_name": format!("{ACCOUNT}/providers/scanner/notes/old-base"),
        "finding": {"certainty": "HIGH"}, "context": {"resource_name": "birds/owl"}, "reference_data": {"any": [1]},
    })
}

fn noted(document: Value) -> Result<InsightName, String> {
    serde_json::from_value::<Note>(document).map_err(|error| error.to_string())?.check()
}

fn occurs(document: Value) -> Result<(InsightName, (InsightName, InsightName)), String> {
    serde_json::from_value::<Occurrence>(document).map_err(|error| error.to_string())?.check(ACCOUNT)
}

/// The document with this in place of that member.
fn with(mut document: Value, member: &str, value: Value) -> Value {
    document[member] = value;
    document
}

#[test]
fn the_kind_decides_what_else_is_said() {
    assert_eq!(noted(note()).unwrap().as_str(), "old-base");
    let mut kpi = with(note(), "kind", json!("KPI"));
    for (document, told) in [
        (with(note(), "kpi", json!({"aggregation_type": "SUM"})), "`kpi` is not allowed for kind FINDING"),
        (kpi.clone(), "`finding` is not allowed"),
        (with(note(), "kind", json!("NONSENSE")), "NONSENSE"),
        (with(note(), "severity", json!("HIGH")), "severity"),
        (with(note(), "id", json!("a/b")), "`id`"),
        (with(note(), "id", json!("..")), "`id`"),
        (with(note(), "id", json!("x".repeat(129))), "`id`"),
        (with(note(), "long_description", json!("x".repeat(9000))), "8192 bytes"),
        (with(note(), "related_url", json!(vec![json!({"label": "a", "url": "b"}); 33])), "32"),
    ] {
        let wrong = noted(document).unwrap_err();
        assert!(wrong.contains(told), "{told}: {wrong}");
    }
    kpi.as_object_mut().unwrap().remove("finding");
    assert!(noted(kpi.clone()).unwrap_err().contains("`kpi` is missing"));
    noted(with(kpi, "kpi", json!({"aggregation_type": "SUM"}))).unwrap();
    // What only the server tells may come back to it, and is not kept.
    let read: Note = serde_json::from_value(with(note(), "create_time", json!("2001"))).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), note());
}

#[test]
fn an_occurrence_is_of_a_note_of_the_account_that_is_not_the_servers_own() {
    let (id, (provider, of)) = occurs(occurrence()).unwrap();
    assert_eq!((id.as_str(), provider.as_str(), of.as_str()), ("one", "scanner", "old-base"));
    for name in [
        "210987654321/providers/scanner/notes/old-base",
        "123456789012/providers/security-advisor/notes/va-image_with_vulnerabilities",
        "123456789012/providers/VA/notes/x",
        "123456789012/providers/a/notes/b/notes/c",
        "providers/scanner/notes/old-base",
        "",
    ] {
        assert!(occurs(with(occurrence(), "note_name", json!(name))).is_err(), "{name}");
    }
    for (member, value) in [
        ("kind", json!("CARD")),
        ("kpi", json!({"value": 1})),
        ("finding", Value::Null),
        ("context", json!({"resource": "x"})),
        ("reference_data", json!([1])),
        ("nonsense", json!(1)),
    ] {
        assert!(occurs(with(occurrence(), member, value)).is_err(), "{member}");
    }
}

#[test]
fn how_bad_it_is_says_the_occurrence_or_else_its_note() {
    let note: Note = serde_json::from_value(note()).unwrap();
    let of = |document: Value| serde_json::from_value::<Occurrence>(document).unwrap();
    assert_eq!(of(occurrence()).severity(&note), Some(Level::High));
    let worse = with(occurrence(), "finding", json!({"severity": "CRITICAL"}));
    assert_eq!(of(worse).severity(&note), Some(Level::Critical));
    assert_eq!(of(occurrence()).place(), "birds/owl");
    assert_eq!(of(with(occurrence(), "context", json!({}))).place(), "one");
}
