//! `/v1/apikeys`. The key itself is in the answer to its creation, and nowhere else.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::{Past, identity_crn, identity_list};
use crate::clock::UnixTime;
use crate::control::Done;
use crate::control::api_key::{ApiKeyChange, ApiKeyFilter, NewApiKey, Switch};
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::credential::api_key::ApiKey;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::secret::Secret;
use crate::store::identity::ApiKeyRecord;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum ApiKeys {
    Create,
    Delete,
    Details,
    Disable,
    Enable,
    List,
    Lock,
    Read,
    Unlock,
    Update,
}

/// What IBM does with a key that is found in public. Keys are not searched for here, so nothing is done; the choice is
/// accepted, because IBM's clients always send it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WhenLeaked {
    Delete,
    Disable,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    name: String,
    iam_id: PrincipalId,
    #[serde(default)]
    description: String,
    account_id: Option<String>,
    apikey: Option<Secret<String>>,
    #[serde(default)]
    store_value: bool,
    #[serde(default)]
    support_sessions: bool,
    #[serde(rename = "action_when_leaked")]
    _action_when_leaked: Option<WhenLeaked>,
    expires_at: Option<String>,
}

/// A key that is asked for together with its owner.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InnerKeyBody {
    name: String,
    #[serde(default)]
    description: String,
    apikey: Option<Secret<String>>,
    #[serde(default)]
    store_value: bool,
    #[serde(rename = "action_when_leaked")]
    _action_when_leaked: Option<WhenLeaked>,
    expires_at: Option<String>,
}

/// The same, read, while its owner is not there yet.
pub(super) struct Unowned {
    name: String,
    description: String,
    value: Option<Secret<String>>,
    expires_at: Option<UnixTime>,
}

impl InnerKeyBody {
    pub(super) fn unowned(self) -> Result<Unowned, Problem> {
        unsupported("store_value", self.store_value)?;
        let expires_at = self.expires_at.as_deref().and_then(expiry).transpose()?;
        Ok(Unowned { name: self.name, description: self.description, value: self.apikey, expires_at })
    }
}

impl Unowned {
    pub(super) fn of(self, owner: PrincipalId) -> NewApiKey {
        NewApiKey {
            owner,
            name: self.name,
            description: self.description,
            locked: false,
            disabled: false,
            expires_at: self.expires_at,
            value: self.value,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateBody {
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    support_sessions: bool,
    #[serde(rename = "action_when_leaked")]
    _action_when_leaked: Option<WhenLeaked>,
    expires_at: Option<String>,
}

pub(in super::super) async fn answer(which: ApiKeys, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    match which {
        ApiKeys::Create => create(call).await,
        ApiKeys::Delete => {
            Ok(Answer::done(StatusCode::NO_CONTENT, desk.delete_api_key(caller, &id(call)?).await?))
        }
        ApiKeys::Details => {
            let value = call.header("iam-apikey")?.and_then(ApiKey::presented);
            read(call, desk.api_key_by_value(caller, value.as_ref()).await?).await
        }
        ApiKeys::Disable => switch(call, Switch::Disabled, true).await,
        ApiKeys::Enable => switch(call, Switch::Disabled, false).await,
        ApiKeys::List => list(call).await,
        ApiKeys::Lock => switch(call, Switch::Locked, true).await,
        ApiKeys::Read => read(call, desk.api_key(caller, &id(call)?).await?).await,
        ApiKeys::Unlock => switch(call, Switch::Locked, false).await,
        ApiKeys::Update => update(call).await,
    }
}

fn id(call: &Call<'_>) -> Result<ApiKeyId, Problem> {
    call.id("id", Noun::ApiKey, ApiKeyId::parse)
}

async fn switch(call: &Call<'_>, switch: Switch, on: bool) -> Result<Answer, Problem> {
    let done = call.desk.switch_api_key(&call.caller, &id(call)?, switch, on).await?;
    Ok(Answer::done(StatusCode::NO_CONTENT, done))
}

/// Without `iam_id`, and unless the `scope` is the account, these are the caller's own keys.
async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let window = call.window("pagesize", 100, 20, "pagetoken")?;
    let named = call.query.one("iam_id")?.map(PrincipalId::parse).transpose()?;
    let owner = match (named, call.query.one("scope")?) {
        (Some(owner), None | Some("entity" | "account")) => Some(owner),
        (None, None | Some("entity")) => Some(call.caller.principal().clone()),
        (None, Some("account")) => None,
        (_, Some(_)) => return Err(Problem::Invalid("`scope` is neither `entity` nor `account`".to_owned())),
    };
    let of_users = match call.query.one("type")? {
        None => None,
        Some("user") => Some(true),
        Some("serviceid") => Some(false),
        Some(_) => return Err(Problem::Invalid("`type` is neither `user` nor `serviceid`".to_owned())),
    };
    let filter = ApiKeyFilter { owner, of_users, refine: call.refine()? };
    let done = call.desk.api_keys(&call.caller, filter, call.order()?, window).await?;
    let mut pasts = Vec::with_capacity(done.value.rows.len());
    for row in &done.value.rows {
        pasts.push(super::past(call, &row.id).await?);
    }
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        let rows = listed.rows.iter().zip(pasts).map(|(row, past)| shape(call, row, None, past)).collect();
        identity_list(call, window, listed.total, "apikeys", rows)
    }))
}

async fn create(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: CreateBody = call.body()?;
    call.same_account("account_id", body.account_id.as_deref())?;
    unsupported("store_value", body.store_value)?;
    unsupported("support_sessions", body.support_sessions)?;
    let new = NewApiKey {
        owner: body.iam_id,
        name: body.name,
        description: body.description,
        locked: call.header_flag("entity-lock")?,
        disabled: call.header_flag("entity-disable")?,
        expires_at: body.expires_at.as_deref().and_then(expiry).transpose()?,
        value: body.apikey,
    };
    let done = call.desk.create_api_key(&call.caller, new).await?;
    let (id, tag) = (done.value.0.id.clone(), entity_tag(&done.value.0.id, &done.value.0.stamp));
    let made =
        Answer::of(StatusCode::CREATED, done, |(row, key)| shape(call, &row, Some(&key), Past::default()));
    Ok(made.tagged(tag).about(&id))
}

async fn update(call: &Call<'_>) -> Result<Answer, Problem> {
    let (id, expected, body) = (id(call)?, call.if_match()?, call.body::<UpdateBody>()?);
    unsupported("support_sessions", body.support_sessions)?;
    let expires_at = body.expires_at.map(|text| expiry(&text).transpose()).transpose()?;
    let change = ApiKeyChange { name: body.name, description: body.description, expires_at };
    Ok(whole(call, call.desk.update_api_key(&call.caller, &id, &expected, change).await?, Past::default()))
}

/// An empty text means "never".
fn expiry(text: &str) -> Option<Result<UnixTime, Problem>> {
    (!text.is_empty()).then(|| UnixTime::parse(text).map_err(Problem::from))
}

fn unsupported(field: &str, wanted: bool) -> Result<(), Problem> {
    match wanted {
        true => Err(Problem::Invalid(format!("`{field}` is not supported here: leave it out"))),
        false => Ok(()),
    }
}

async fn read(call: &Call<'_>, done: Done<ApiKeyRecord>) -> Result<Answer, Problem> {
    let past = super::past(call, &done.value.id).await?;
    Ok(whole(call, done, past))
}

fn whole(call: &Call<'_>, done: Done<ApiKeyRecord>, past: Past) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(StatusCode::OK, done, |row| shape(call, &row, None, past)).tagged(tag).about(&id)
}

pub(super) fn shape(call: &Call<'_>, row: &ApiKeyRecord, key: Option<&ApiKey>, past: Past) -> Value {
    let account = &call.caller.account;
    json!({
        "id": row.id,
        "entity_tag": entity_tag(&row.id, &row.stamp),
        "crn": identity_crn(account, "apikey", &row.id),
        "locked": row.locked,
        "disabled": row.disabled,
        "created_at": row.stamp.created_at.ibm(),
        "created_by": row.created_by,
        "modified_at": row.stamp.modified_at.ibm(),
        "expires_at": row.expires_at.map(UnixTime::ibm),
        "name": row.name,
        "description": row.description,
        "iam_id": row.owner,
        "account_id": account,
        "apikey": key.map(ApiKey::reveal),
        "support_sessions": false,
        "history": past.history,
        "activity": past.activity,
    })
}
