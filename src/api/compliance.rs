//! `/api/native/compliance`: profiles, reports, scans, results of rules, history, deliveries. What IBM has no call for.

use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use crate::compliance::goal::Profile;
use crate::control::Done;
use crate::control::problem::Problem;
use crate::ids::tagged::NotificationChannelId;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Compliance {
    Deliveries,
    History,
    Profiles,
    Report,
    Results,
    Scan,
}

/// Which profile; the first, if none is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScanBody {
    profile: Option<String>,
}

pub(super) async fn answer(which: Compliance, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    let profile = call.query.one("profile")?;
    match which {
        Compliance::Deliveries => {
            let limit = call.query.number("limit", 1..=1000, 50)?;
            let parse = |text| NotificationChannelId::parse(text).map_err(Problem::from);
            let channel = call.query.one("channel")?.map(parse).transpose()?;
            let done = desk.deliveries(caller, channel.as_ref(), limit).await?;
            let told =
                |rows: Vec<_>| rows.iter().map(super::ibm::notifications::delivery).collect::<Vec<_>>();
            Ok(Answer::of(StatusCode::OK, done, |rows| json!({"deliveries": told(rows)})))
        }
        Compliance::History => {
            let limit = call.query.number("limit", 1..=1000, 50)?;
            let done = desk.compliance_history(caller, profile, limit).await?;
            let told = |drift: &crate::compliance::drift::Drift| {
                let mut row = json!(drift);
                if let Some(row) = row.as_object_mut() {
                    row.insert("at".to_owned(), json!(drift.at.rfc3339()));
                    row.insert("sentence".to_owned(), json!(drift.sentence()));
                }
                row
            };
            Ok(Answer::of(StatusCode::OK, done, |(scans, drifts)| {
                let scan = |row: &crate::store::compliance::ScanRow| {
                    let (at, summary) = (row.at.rfc3339(), row.summary);
                    json!({"profile": row.profile, "at": at, "reason": row.reason, "summary": summary})
                };
                json!({
                    "scans": scans.iter().map(scan).collect::<Vec<_>>(),
                    "drift": drifts.iter().map(told).collect::<Vec<_>>(),
                })
            }))
        }
        Compliance::Profiles => {
            let done = desk.compliance_profiles(caller).await?;
            Ok(Answer::of(
                StatusCode::OK,
                done,
                |rows| json!({"profiles": rows.iter().map(shown).collect::<Vec<_>>()}),
            ))
        }
        Compliance::Report => whole(desk.compliance_report(caller, profile).await?),
        Compliance::Results => {
            let done = desk.compliance_results(caller).await?;
            let Done { value, permit } = done;
            whole(Done { value: json!({"results": value}), permit })
        }
        Compliance::Scan => {
            let body = if call.request.body.is_empty() { ScanBody::default() } else { call.body()? };
            whole(desk.compliance_scan_for(caller, body.profile.as_deref().or(profile)).await?)
        }
    }
}

/// A document with all its members, also those that are null.
fn whole<T: Serialize>(done: Done<T>) -> Result<Answer, Problem> {
    let text = serde_json::to_vec(&done.value).map_err(|error| {
        crate::admit::fault::Fault::Internal(format!("a report cannot be written: {error}"))
    })?;
    Ok(Answer::verbatim(StatusCode::OK, done, |_| Bytes::from(text)))
}

fn shown(profile: &Profile) -> Value {
    let goal = |goal: &crate::compliance::goal::Goal| {
        json!({
            "id": goal.id,
            "description": goal.description,
            "parameter": goal.parameter,
            "severity": goal.severity,
        })
    };
    json!({
        "id": profile.id,
        "name": profile.name,
        "description": profile.description,
        "goals": profile.goals.iter().map(goal).collect::<Vec<_>>(),
    })
}
