//! `/v1/serviceids`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::api_keys::InnerKeyBody;
use super::{Past, identity_crn, identity_list};
use crate::control::Done;
use crate::control::list::Choice;
use crate::control::problem::{Noun, Problem};
use crate::control::service_id::{NewServiceId, ServiceIdChange};
use crate::control::version::entity_tag;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ServiceId;
use crate::store::identity::ServiceIdentity;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum ServiceIds {
    Create,
    Delete,
    List,
    Lock,
    Read,
    Unlock,
    Update,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    account_id: String,
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    unique_instance_crns: Vec<String>,
    apikey: Option<InnerKeyBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateBody {
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    unique_instance_crns: Vec<String>,
}

pub(in super::super) async fn answer(which: ServiceIds, call: &Call<'_>) -> Result<Answer, Problem> {
    match which {
        ServiceIds::Create => create(call).await,
        ServiceIds::List => list(call).await,
        ServiceIds::Delete => {
            let done = call.desk.delete_service_id(&call.caller, &id(call)?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        ServiceIds::Lock => lock(call, true).await,
        ServiceIds::Read => {
            let done = call.desk.service_id(&call.caller, &id(call)?).await?;
            let past = past(call, &done.value).await?;
            Ok(whole(call, StatusCode::OK, done, past))
        }
        ServiceIds::Unlock => lock(call, false).await,
        ServiceIds::Update => update(call).await,
    }
}

fn id(call: &Call<'_>) -> Result<ServiceId, Problem> {
    call.id("id", Noun::ServiceId, ServiceId::parse)
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let window = call.window("pagesize", 100, 20, "pagetoken")?;
    let name = call.query.one("name")?;
    let refine = call.refine()?;
    let choice = Choice { name, refine: refine.as_ref(), sorted: call.order()?, window };
    let done = call.desk.service_ids(&call.caller, choice).await?;
    let mut pasts = Vec::with_capacity(done.value.rows.len());
    for row in &done.value.rows {
        pasts.push(past(call, row).await?);
    }
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        let rows = listed.rows.iter().zip(pasts).map(|(row, past)| shape(call, row, past)).collect();
        identity_list(call, window, listed.total, "serviceids", rows)
    }))
}

async fn create(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: CreateBody = call.body()?;
    call.same_account("account_id", Some(&body.account_id))?;
    no_instances(&body.unique_instance_crns)?;
    let locked = call.header_flag("entity-lock")?;
    let new = NewServiceId { name: body.name, description: body.description, locked };
    let Some(inner) = body.apikey else {
        let done = call.desk.create_service_id(&call.caller, new).await?;
        return Ok(whole(call, StatusCode::CREATED, done, Past::default()));
    };
    // One that is locked from the start would refuse its own key.
    let new = NewServiceId { locked: false, ..new };
    let key = inner.unowned()?;
    let done = call.desk.create_service_id(&call.caller, new).await?;
    let id = done.value.id.clone();
    let made = call.desk.create_api_key(&call.caller, key.of(PrincipalId::ServiceId(id.clone()))).await;
    let made = match made {
        Ok(made) => made,
        Err(problem) => {
            // Whoever asked for both gets both or nothing.
            call.desk.delete_service_id(&call.caller, &id).await?;
            return Err(problem);
        }
    };
    if locked {
        call.desk.lock_service_id(&call.caller, &id, true).await?;
    }
    let now = call.desk.service_id(&call.caller, &id).await?;
    let tag = entity_tag(&now.value.id, &now.value.stamp);
    let answer = Answer::of(StatusCode::CREATED, done, |_| {
        let mut shown = shape(call, &now.value, Past::default());
        if let Some(members) = shown.as_object_mut() {
            let (row, key) = &made.value;
            members
                .insert("apikey".to_owned(), super::api_keys::shape(call, row, Some(key), Past::default()));
        }
        shown
    });
    Ok(answer.tagged(tag).about(&id))
}

/// What is shown of its past.
async fn past(call: &Call<'_>, row: &ServiceIdentity) -> Result<Past, Problem> {
    super::past(call, &PrincipalId::ServiceId(row.id.clone())).await
}

async fn update(call: &Call<'_>) -> Result<Answer, Problem> {
    let (id, expected, body) = (id(call)?, call.if_match()?, call.body::<UpdateBody>()?);
    no_instances(&body.unique_instance_crns)?;
    let change = ServiceIdChange { name: body.name, description: body.description };
    let done = call.desk.update_service_id(&call.caller, &id, &expected, change).await?;
    Ok(whole(call, StatusCode::OK, done, Past::default()))
}

async fn lock(call: &Call<'_>, on: bool) -> Result<Answer, Problem> {
    let done = call.desk.lock_service_id(&call.caller, &id(call)?, on).await?;
    Ok(Answer::done(StatusCode::NO_CONTENT, done))
}

fn no_instances(crns: &[String]) -> Result<(), Problem> {
    match crns {
        [] => Ok(()),
        _ => Err(Problem::Invalid("`unique_instance_crns` is not supported here: leave it out".to_owned())),
    }
}

fn whole(call: &Call<'_>, status: StatusCode, done: Done<ServiceIdentity>, past: Past) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| shape(call, &row, past)).tagged(tag).about(&id)
}

fn shape(call: &Call<'_>, row: &ServiceIdentity, past: Past) -> Value {
    let account = &call.caller.account;
    json!({
        "id": row.id,
        "iam_id": format!("iam-{}", row.id),
        "entity_tag": entity_tag(&row.id, &row.stamp),
        "crn": identity_crn(account, "serviceid", &row.id),
        "locked": row.locked,
        "created_at": row.stamp.created_at.ibm(),
        "modified_at": row.stamp.modified_at.ibm(),
        "account_id": account,
        "name": row.name,
        "description": row.description,
        "unique_instance_crns": [],
        "history": past.history,
        "activity": past.activity,
    })
}
