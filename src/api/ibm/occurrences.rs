//! This server's own findings among those of Security Insights: what is reported of images, as notes and occurrences.
//!
//! They are made of the reports at that instant. Nobody writes any.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::images::full;
use crate::clock::UnixTime;
use crate::control::findings::ImageReport;
use crate::control::problem::{Noun, Problem};
use crate::findings::alert::message::{PROVIDER, occurrence_id};
use crate::findings::assess::assess;
use crate::findings::severity::Severity;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Occurrences {
    List,
    Note,
    NoteOf,
    Notes,
    OfNote,
    Read,
}

/// The notes: what occurs, and what is said of it.
const NOTES: [(&str, &str); 2] = [
    ("va-image_with_vulnerabilities", "Vulnerability found in image"),
    ("va-image_with_config_issues", "Configuration issue found in image"),
];

pub(in super::super) async fn answer(which: Occurrences, call: &Call<'_>) -> Result<Answer, Problem> {
    match which {
        Occurrences::Note => Ok(Answer::public(note(call, known(call.text("note"))?))),
        Occurrences::Notes => {
            let notes: Vec<Value> = NOTES.into_iter().map(|one| note(call, one)).collect();
            Ok(Answer::public(json!({"notes": notes})))
        }
        Occurrences::NoteOf => {
            let id = call.text("occurrence");
            let of =
                |(note, _): &(&str, &str)| id.strip_prefix(note).is_some_and(|rest| rest.starts_with('.'));
            let found = NOTES.into_iter().find(of);
            let found = found.ok_or_else(|| Problem::NotFound(Noun::Finding, id.to_owned()))?;
            Ok(Answer::public(note(call, found)))
        }
        Occurrences::OfNote => listed(call, Some(known(call.text("note"))?.0)).await,
        Occurrences::List => listed(call, None).await,
        Occurrences::Read => {
            let id = call.text("occurrence").to_owned();
            let mut done = all(call, None).await?;
            done.value.retain(|one| one.get("id").and_then(Value::as_str) == Some(&id));
            match done.value.is_empty() {
                true => Err(Problem::NotFound(Noun::Finding, id)),
                false => Ok(Answer::of(StatusCode::OK, done, |mut list| list.swap_remove(0))),
            }
        }
    }
}

fn known(id: &str) -> Result<(&'static str, &'static str), Problem> {
    let found = NOTES.into_iter().find(|(known, _)| *known == id);
    found.ok_or_else(|| Problem::NotFound(Noun::Finding, id.to_owned()))
}

async fn listed(call: &Call<'_>, note: Option<&'static str>) -> Result<Answer, Problem> {
    let done = all(call, note).await?;
    Ok(Answer::of(StatusCode::OK, done, |list| json!({"occurrences": list})))
}

/// The occurrences in images that the caller may see.
async fn all(
    call: &Call<'_>,
    note: Option<&'static str>,
) -> Result<crate::control::Done<Vec<Value>>, Problem> {
    let now = call.desk.clock.now();
    let mut list = Vec::new();
    let each = |report: ImageReport| {
        let found = NOTES.into_iter().filter(|(id, _)| note.is_none_or(|note| note == *id));
        list.extend(found.filter_map(|(id, _)| occurrence(call, id, &report, now)));
    };
    let (caller, region) = (&call.caller, &call.request.region);
    let done = call.desk.reports(caller, region, None, false, each).await?;
    Ok(crate::control::Done { value: list, permit: done.permit })
}

fn note_name(call: &Call<'_>, id: &str) -> String {
    format!("{}/providers/{PROVIDER}/notes/{id}", call.caller.account)
}

fn note(call: &Call<'_>, (id, text): (&str, &str)) -> Value {
    json!({
        "kind": "FINDING",
        "id": id,
        "name": note_name(call, id),
        "short_description": text,
        "long_description": text,
        "provider_id": PROVIDER,
        "reported_by": {"id": "va", "title": "Vulnerability Advisor"},
        "finding": {"severity": "MEDIUM", "next_steps": [{"title": "Build the image with packages that are mended"}]},
    })
}

/// What of the note occurs in an image; nothing if all of it is exempt.
fn occurrence(call: &Call<'_>, id: &str, report: &ImageReport, now: UnixTime) -> Option<Value> {
    let seen = assess(&report.findings, &report.exemptions, now);
    let tally = seen.tally();
    let open =
        seen.vulnerabilities.iter().filter(|one| one.exempt != crate::findings::assess::Exempt::Exempt);
    let (count, worst) = match id {
        "va-image_with_vulnerabilities" => (tally.vulnerabilities, open.map(|one| one.severity).max()),
        _ => {
            let checks = seen.checks.iter().filter(|one| !one.exempt);
            (tally.checks, checks.map(|one| one.finding.severity).max())
        }
    };
    let severity = match worst? {
        Severity::Unknown | Severity::Negligible | Severity::Low => Severity::Low,
        other @ (Severity::Medium | Severity::High | Severity::Critical) => other,
    };
    let (image, at) = (full(call, &report.image), report.scanned_at.unwrap_or(now));
    Some(json!({
        "kind": "FINDING",
        "id": occurrence_id(id, &report.image.repository, &report.digest),
        "note_name": note_name(call, id),
        "provider_id": PROVIDER,
        "provider_name": format!("{}/providers/{PROVIDER}", call.caller.account),
        "create_time": at.rfc3339(),
        "create_timestamp": at.millis(),
        "update_time": at.rfc3339(),
        "update_timestamp": at.millis(),
        "remediation": format!("{count} issues: see `portcullis cr va {image}`"),
        "resource_url": image,
        "context": {
            "region": call.request.region,
            "resource_name": image,
            "resource_type": "container-image",
            "resource_id": report.digest,
            "service_name": "Container Registry",
        },
        "finding": {
            "severity": severity.label(),
            "certainty": "HIGH",
            "next_steps": [{"title": "Build the image with packages that are mended"}],
        },
        "author": {"account_id": call.caller.account, "id": PROVIDER, "kind": "service"},
    }))
}
