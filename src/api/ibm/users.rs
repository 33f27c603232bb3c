//! `/v2/accounts/{account}/users` (ibm.md 3.9).

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::page;
use crate::control::problem::{Noun, Problem};
use crate::ids::tagged::UserId;
use crate::store::identity::User;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Users {
    Invite,
    List,
    Read,
    Remove,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InviteBody {
    users: Vec<InvitedBody>,
    #[serde(default)]
    iam_policy: Vec<Value>,
    #[serde(default)]
    access_groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvitedBody {
    email: String,
    #[serde(rename = "account_role")]
    _account_role: Option<String>,
}

pub(in super::super) async fn answer(which: Users, call: &Call<'_>) -> Result<Answer, Problem> {
    call.same_account("account in the path", Some(call.text("account")))?;
    match which {
        Users::Invite => invite(call).await,
        Users::List => list(call).await,
        Users::Read => {
            let done = call.desk.user(&call.caller, &id(call)?).await?;
            Ok(Answer::of(StatusCode::OK, done, |row| shape(call, &row)))
        }
        Users::Remove => {
            let done = call.desk.remove_user(&call.caller, &id(call)?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
    }
}

fn id(call: &Call<'_>) -> Result<UserId, Problem> {
    call.id("iam_id", Noun::User, UserId::parse)
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    const TOKEN: &str = "_start";
    let window = call.window("limit", 100, 100, TOKEN)?;
    let done = call.desk.users(&call.caller, window).await?;
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        json!({
            "total_results": listed.total,
            "limit": window.limit,
            "first_url": call.first_url(TOKEN),
            "next_url": page::next(window, listed.rows.len(), listed.total).map(|at| call.page_url(TOKEN, at)),
            "resources": listed.rows.iter().map(|row| shape(call, row)).collect::<Vec<_>>(),
        })
    }))
}

async fn invite(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: InviteBody = call.body()?;
    let [invited] = body.users.as_slice() else {
        return Err(Problem::Invalid("invite one user in one call".to_owned()));
    };
    if !body.iam_policy.is_empty() || !body.access_groups.is_empty() {
        let text = "invite the user first, then grant access with a policy or an access group";
        return Err(Problem::Invalid(text.to_owned()));
    }
    let done = call.desk.invite_user(&call.caller, &invited.email).await?;
    let id = done.value.id.clone();
    let made = Answer::of(
        StatusCode::ACCEPTED,
        done,
        |row| json!({"resources": [{"email": row.name, "id": row.id, "state": state(&row)}]}),
    );
    Ok(made.about(&id))
}

const fn state(row: &User) -> &'static str {
    if row.active { "ACTIVE" } else { "DISABLED_CLASSIC_INFRASTRUCTURE" }
}

fn shape(call: &Call<'_>, row: &User) -> Value {
    json!({
        "id": row.id,
        "iam_id": row.id,
        "realm": "IBMid",
        "user_id": row.name,
        "firstname": "",
        "lastname": "",
        "state": state(row),
        "email": row.name,
        "account_id": call.caller.account,
        "added_on": row.stamp.created_at.rfc3339(),
    })
}
