//! `/v1/accounts/{account}/settings/identity` (ibm.md 3.4), and the settings of a user.
//!
//! Settings that nothing here obeys are shown as not set, and cannot be set.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use crate::control::Done;
use crate::control::network::{AccountChange, Insistence};
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
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

/// What is always so.
const FIXED: [(&str, &str); 9] = [
    ("restrict_create_service_id", "NOT_SET"),
    ("restrict_create_platform_apikey", "NOT_SET"),
    ("mfa", "NONE"),
    ("session_expiration_in_seconds", "NOT_SET"),
    ("session_invalidation_in_seconds", "NOT_SET"),
    ("max_sessions_per_identity", "NOT_SET"),
    ("system_access_token_expiration_in_seconds", "NOT_SET"),
    ("system_refresh_token_expiration_in_seconds", "NOT_SET"),
    ("restrict_user_list_visibility", "NOT_RESTRICTED"),
];

pub(in super::super) async fn answer(which: Accounts, call: &Call<'_>) -> Result<Answer, Problem> {
    call.same_account("account in the path", Some(call.text("account")))?;
    match which {
        Accounts::Settings => Ok(whole(call.desk.account_settings(&call.caller).await?)),
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
    let body: Map<String, Value> = call.body()?;
    let mut change = AccountChange::default();
    for (name, value) in body {
        match (name.as_str(), value) {
            ("allowed_ip_addresses", Value::String(text)) => change.allowed_ip_addresses = Some(text),
            ("private_only", Value::Bool(on)) => change.private_only = Some(on),
            (name, Value::String(text)) if FIXED.contains(&(name, text.as_str())) => {}
            (name, _) => {
                let name = crate::ids::Malformed::new(name, "").text;
                return Err(Problem::Invalid(format!("`{name}` cannot be set to that here: leave it out")));
            }
        }
    }
    let done = call.desk.update_account_settings(&call.caller, &expected, change, insistence).await?;
    Ok(whole(done))
}

fn whole(done: Done<AccountSettings>) -> Answer {
    let tag = entity_tag(&done.value.account, &done.value.stamp);
    let id = done.value.account.clone();
    Answer::of(StatusCode::OK, done, |row| shape(&row)).tagged(tag).about(&id)
}

fn shape(row: &AccountSettings) -> Value {
    let fixed = FIXED.into_iter().map(|(name, value)| (name.to_owned(), json!(value)));
    let own = [
        ("account_id", json!(row.account)),
        ("entity_tag", json!(entity_tag(&row.account, &row.stamp))),
        ("allowed_ip_addresses", json!(row.allow_list.as_ref().map(ToString::to_string).unwrap_or_default())),
        ("private_only", json!(row.private_only)),
        ("user_mfa", json!([])),
        ("restrict_user_domains", json!([])),
    ];
    fixed.chain(own.map(|(name, value)| (name.to_owned(), value))).collect::<Map<_, _>>().into()
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
