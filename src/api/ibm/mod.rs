//! IBM Cloud's wire shapes: IAM identity, policies, access groups, users and Container Registry.

pub mod accounts;
pub mod api_keys;
pub mod attachments;
pub mod cbr;
pub mod exemptions;
pub mod governance;
pub mod group_rules;
pub mod groups;
pub mod images;
pub mod notifications;
pub mod occurrences;
pub mod policies;
pub mod policies_v2;
pub mod profiles;
pub mod quotas;
pub mod registry;
pub mod reports;
pub mod resource_groups;
pub mod retentions;
pub mod roles;
pub mod service_ids;
pub mod trash;
pub mod users;

use serde_json::{Value, json};

use super::call::Call;
use super::page;
use crate::control::problem::Problem;
use crate::ids::account::AccountId;
use crate::store::identity::Window;
use crate::store::profile::HistoryRecord;

/// A CRN of the identity service.
fn identity_crn(account: &AccountId, kind: &str, id: &dyn std::fmt::Display) -> String {
    format!("crn:v1:bluemix:public:iam-identity::a/{account}::{kind}:{id}")
}

/// A list as the identity service shows it, with its rows under `name`.
fn identity_list(call: &Call<'_>, window: Window, total: u32, name: &str, rows: Vec<Value>) -> Value {
    const TOKEN: &str = "pagetoken";
    let next = page::next(window, rows.len(), total).map(|offset| call.page_url(TOKEN, offset));
    let previous = page::previous(window).map(|offset| call.page_url(TOKEN, offset));
    json!({
        "offset": window.offset,
        "limit": window.limit,
        "first": call.first_url(TOKEN),
        "previous": previous,
        "next": next,
        name: rows,
    })
}

/// What is shown of a thing's past, as far as the caller asks for it.
#[derive(Default)]
struct Past {
    /// What was done with it.
    history: Option<Value>,
    /// When it was used.
    activity: Option<Value>,
}

/// Reads the past of a thing.
async fn past(call: &Call<'_>, entity: &(dyn std::fmt::Display + Sync)) -> Result<Past, Problem> {
    Ok(Past { history: history(call, entity).await?, activity: activity(call, entity).await? })
}

/// When it was last authenticated, and how often.
async fn activity(
    call: &Call<'_>,
    entity: &(dyn std::fmt::Display + Sync),
) -> Result<Option<Value>, Problem> {
    if !call.query.flag("include_activity")? {
        return Ok(None);
    }
    let seen = call.desk.activity(entity).await?;
    let count = seen.map_or(0, |seen| seen.count);
    Ok(Some(json!({"last_authn": seen.map(|seen| seen.last.ibm()), "authn_count": count})))
}

/// What was done with a thing, if the caller asks for that.
async fn history(call: &Call<'_>, entity: &(dyn std::fmt::Display + Sync)) -> Result<Option<Value>, Problem> {
    if !call.query.flag("include_history")? {
        return Ok(None);
    }
    let one = |record: HistoryRecord| {
        json!({
            "timestamp": record.at.ibm(),
            "iam_id": record.by,
            "iam_id_account": call.caller.account,
            "action": record.action,
            "params": record.params,
            "message": record.message,
        })
    };
    let records = call.desk.history(entity).await?;
    Ok(Some(records.into_iter().map(one).collect::<Vec<_>>().into()))
}
