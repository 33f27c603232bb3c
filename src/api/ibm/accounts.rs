//! `/v1/accounts/{account}/settings/identity`, and the settings of a user.
//!
//! Settings that nothing here could obey (what asks for a second factor, or counts sessions) are shown as not set, and cannot
//! be set.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::history;
use crate::control::Done;
use crate::control::network::Insistence;
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::credential::settings::SettingsChange;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::UserId;
use crate::network::allow_list::AllowList;
use crate::store::network::{AccountSettings, ListHolder};

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Accounts {
    Effective,
    Settings,
    Update,
    UpdateUser,
    UserSettings,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserSettingsBody {
    language: Option<String>,
    notification_language: Option<String>,
    allowed_ip_addresses: Option<String>,
    self_manage: Option<bool>,
}

pub(in super::super) async fn answer(which: Accounts, call: &Call<'_>) -> Result<Answer, Problem> {
    call.same_account("account in the path", Some(call.text("account")))?;
    match which {
        Accounts::Settings => {
            let done = call.desk.account_settings(&call.caller).await?;
            let past = history(call, &done.value.account).await?;
            Ok(whole(done, past))
        }
        Accounts::Update => update(call).await,
        Accounts::UpdateUser => update_user(call).await,
        Accounts::UserSettings => {
            let done = call.desk.allow_list(&call.caller, &holder(call)?).await?;
            Ok(Answer::of(StatusCode::OK, done, |list| settings_shape(list.as_ref())))
        }
        Accounts::Effective => {
            let done = call.desk.account_settings(&call.caller).await?;
            Ok(Answer::of(StatusCode::OK, done, |row| {
                let account = shape(&row);
                let mut effective = account.clone();
                if let Some(members) = effective.as_object_mut() {
                    members.retain(|name, _| name != "account_id" && name != "entity_tag");
                }
                json!({
                    "account_id": row.account,
                    "effective": effective,
                    "account": account,
                    "assigned_templates": [],
                })
            }))
        }
    }
}

/// The settings of a user.
pub(super) fn settings_shape(list: Option<&AllowList>) -> Value {
    json!({
        "language": "en-us",
        "notification_language": "en-us",
        "allowed_ip_addresses": list.map(ToString::to_string).unwrap_or_default(),
        "self_manage": false,
    })
}

/// Whether the caller insists on a change that locks it out.
pub(in super::super) fn insistence(call: &Call<'_>) -> Result<Insistence, Problem> {
    Ok(if call.query.flag("force")? { Insistence::Forced } else { Insistence::Careful })
}

async fn update(call: &Call<'_>) -> Result<Answer, Problem> {
    let (expected, insistence) = (call.if_match()?, insistence(call)?);
    let change: SettingsChange = call.body()?;
    let done = call.desk.update_account_settings(&call.caller, &expected, change, insistence).await?;
    Ok(whole(done, None))
}

fn whole(done: Done<AccountSettings>, past: Option<Value>) -> Answer {
    let tag = entity_tag(&done.value.account, &done.value.stamp);
    let id = done.value.account.clone();
    Answer::of(StatusCode::OK, done, |row| {
        let mut shown = shape(&row);
        if let (Some(past), Some(members)) = (past, shown.as_object_mut()) {
            members.insert("history".to_owned(), past);
        }
        shown
    })
    .tagged(tag)
    .about(&id)
}

fn shape(row: &AccountSettings) -> Value {
    let own = json!({
        "account_id": row.account,
        "entity_tag": entity_tag(&row.account, &row.stamp),
        "allowed_ip_addresses": row.allow_list.as_ref().map(ToString::to_string).unwrap_or_default(),
        "private_only": row.private_only,
    });
    // A struct is always an object.
    let identity = serde_json::to_value(&row.identity).unwrap_or_default();
    let members = [own, identity].into_iter().filter_map(|part| match part {
        Value::Object(members) => Some(members),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => None,
    });
    members.flatten().collect::<Map<_, _>>().into()
}

fn holder(call: &Call<'_>) -> Result<ListHolder, Problem> {
    Ok(ListHolder::Principal(PrincipalId::User(call.id("iam_id", Noun::User, UserId::parse)?)))
}

async fn update_user(call: &Call<'_>) -> Result<Answer, Problem> {
    let (holder, insistence) = (holder(call)?, insistence(call)?);
    let body: UserSettingsBody = call.body()?;
    let english = |text: &Option<String>| text.as_deref().is_none_or(|text| text == "en-us");
    if !english(&body.language) || !english(&body.notification_language) || body.self_manage == Some(true) {
        let text = "`language` is en-us and `self_manage` is false here: leave them out";
        return Err(Problem::Invalid(text.to_owned()));
    }
    let Some(text) = body.allowed_ip_addresses else {
        return Err(Problem::Invalid(
            "`allowed_ip_addresses` is missing; empty, it is taken away".to_owned(),
        ));
    };
    let done = call.desk.set_allow_list(&call.caller, &holder, &text, insistence).await?;
    Ok(Answer::done(StatusCode::NO_CONTENT, Done { value: (), permit: done.permit }))
}
