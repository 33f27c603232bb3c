//! The trash in Container Registry's API.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::images::{full, named};
use super::registry::same_account;
use crate::control::problem::Problem;
use crate::control::stocktaking::ImageName;
use crate::registry::reference::Reference;
use crate::store::trash::TrashedImage;

/// A day, in milliseconds.
const DAY: i64 = 24 * 3600 * 1000;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Trash {
    List,
    Restore,
    RestoreTags,
}

pub(in super::super) async fn answer(which: Trash, call: &Call<'_>) -> Result<Answer, Problem> {
    same_account(call)?;
    let (desk, caller, region) = (call.desk, &call.caller, &call.request.region);
    match which {
        Trash::List => {
            let done = desk.deleted_images(caller, region, call.query.one("namespace")?).await?;
            let now = desk.clock.now().millis();
            let one = |row: &TrashedImage| {
                let reference = Reference::Digest(row.digest.clone());
                let image = ImageName { repository: row.repository.clone(), reference };
                let left = (row.expires_at.millis() - now).max(0);
                let days = (left + DAY - 1) / DAY;
                (full(call, &image), json!({"daysUntilExpiry": days, "tags": row.tags}))
            };
            Ok(Answer::of(StatusCode::OK, done, |rows| {
                Value::Object(rows.iter().map(one).collect::<Map<_, _>>())
            }))
        }
        Trash::Restore => {
            let image = named(call, call.text("image"))?;
            Ok(Answer::of(StatusCode::OK, desk.restore_image(caller, region, &image).await?, |()| json!({})))
        }
        Trash::RestoreTags => {
            let image = named(call, call.text("image"))?;
            let done = desk.restore_tags(caller, region, &image).await?;
            Ok(Answer::of(
                StatusCode::OK,
                done,
                |restored| json!({"successful": restored.tags, "unsuccessful": restored.taken}),
            ))
        }
    }
}
