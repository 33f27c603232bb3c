//! `/api/native/jobs` and `/api/native/signing-keys`: what replicas have in common.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use crate::control::job::State;
use crate::control::problem::Problem;
use crate::store::job::{JobRecord, Leader};

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Fleet {
    Jobs,
    RotateKey,
}

pub(super) async fn answer(which: Fleet, call: &Call<'_>) -> Result<Answer, Problem> {
    match which {
        Fleet::Jobs => {
            let done = call.desk.jobs(&call.caller).await?;
            Ok(Answer::of(StatusCode::OK, done, |(leader, rows)| {
                let shown = |row: &JobRecord| job(row, leader.as_ref());
                json!({
                    "leader": leader.as_ref().map(|one| json!({"replica": one.replica, "since": one.since.rfc3339()})),
                    "jobs": rows.iter().map(shown).collect::<Vec<_>>(),
                })
            }))
        }
        Fleet::RotateKey => {
            let done = call.desk.rotate_signing_key_for(&call.caller).await?;
            let target = done.value.kid.clone();
            let answer = Answer::of(StatusCode::CREATED, done, |made| {
                let (signs, until) = (made.signs_from.rfc3339(), made.others_good_until.rfc3339());
                json!({"kid": made.kid, "signs_from": signs, "others_good_until": until})
            });
            Ok(answer.about(&target))
        }
    }
}

fn job(row: &JobRecord, leader: Option<&Leader>) -> Value {
    json!({
        "name": row.name,
        "state": State::of(row, leader).label(),
        "replica": row.replica,
        "began_at": row.began_at.rfc3339(),
        "ended_at": row.ended_at.map(|at| at.rfc3339()),
        "succeeded_at": row.succeeded_at.map(|at| at.rfc3339()),
        "next_at": row.next_at.map(|at| at.rfc3339()),
        "outcome": row.outcome,
        "progress": row.progress,
    })
}
