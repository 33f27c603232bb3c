//! `/v1/profiles`: trusted profiles, and in a file each, whom they trust: [`identities`], [`links`], [`rules`].

pub mod identities;
pub mod links;
pub mod rules;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::{Past, identity_crn, identity_list};
use crate::control::Done;
use crate::control::list::Choice;
use crate::control::problem::{Noun, Problem};
use crate::control::trusted_profile::ProfileDraft;
use crate::control::version::entity_tag;
use crate::credential::voucher::ComputeKind;
use crate::ids::tagged::ProfileId;
use crate::store::trusted_profile::{TrustedProfile, principal};

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Profiles {
    Create,
    Delete,
    List,
    Read,
    Update,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    account_id: String,
    name: String,
    description: Option<String>,
    email: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateBody {
    name: Option<String>,
    description: Option<String>,
    email: Option<String>,
}

pub(in super::super) async fn answer(which: Profiles, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    match which {
        Profiles::Create => {
            let CreateBody { account_id, name, description, email } = call.body()?;
            call.same_account("account_id", Some(&account_id))?;
            let draft = ProfileDraft { name: Some(name), description, email };
            Ok(whole(
                call,
                StatusCode::CREATED,
                desk.create_trusted_profile(caller, draft).await?,
                Past::default(),
            ))
        }
        Profiles::Delete => {
            let done = desk.delete_trusted_profile(caller, &id(call)?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Profiles::List => list(call).await,
        Profiles::Read => {
            let done = desk.trusted_profile(caller, &id(call)?).await?;
            let past = super::past(call, &principal(&done.value.id)).await?;
            Ok(whole(call, StatusCode::OK, done, past))
        }
        Profiles::Update => {
            let (id, expected) = (id(call)?, call.if_match()?);
            let UpdateBody { name, description, email } = call.body()?;
            let draft = ProfileDraft { name, description, email };
            let done = desk.update_trusted_profile(caller, &id, &expected, draft).await?;
            Ok(whole(call, StatusCode::OK, done, Past::default()))
        }
    }
}

fn id(call: &Call<'_>) -> Result<ProfileId, Problem> {
    call.id("id", Noun::Profile, ProfileId::parse)
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let window = call.window("pagesize", 100, 20, "pagetoken")?;
    let (name, refine) = (call.query.one("name")?, call.refine()?);
    let choice = Choice { name, refine: refine.as_ref(), sorted: call.order()?, window };
    let done = call.desk.trusted_profiles(&call.caller, choice).await?;
    let mut pasts = Vec::with_capacity(done.value.rows.len());
    for row in &done.value.rows {
        pasts.push(super::past(call, &principal(&row.id)).await?);
    }
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        let rows = listed.rows.iter().zip(pasts).map(|(row, past)| shape(call, row, past)).collect();
        identity_list(call, window, listed.total, "profiles", rows)
    }))
}

fn whole(call: &Call<'_>, status: StatusCode, done: Done<TrustedProfile>, past: Past) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| shape(call, &row, past)).tagged(tag).about(&id)
}

fn shape(call: &Call<'_>, row: &TrustedProfile, past: Past) -> Value {
    let account = &call.caller.account;
    json!({
        "id": row.id,
        "iam_id": principal(&row.id),
        "entity_tag": entity_tag(&row.id, &row.stamp),
        "crn": identity_crn(account, "profile", &row.id),
        "created_at": row.stamp.created_at.ibm(),
        "modified_at": row.stamp.modified_at.ibm(),
        "account_id": account,
        "name": row.name,
        "description": row.description,
        "email": (!row.email.is_empty()).then_some(&row.email),
        "history": past.history,
        "activity": past.activity,
    })
}

fn wrong(text: &str) -> Problem {
    Problem::Invalid(text.to_owned())
}

fn compute_kind(text: &str) -> Result<ComputeKind, Problem> {
    let unknown =
        || wrong("`cr_type` is none of `IKS_SA`, `ROKS_SA` and `VSI`: no other can prove itself here");
    ComputeKind::parse(text).ok_or_else(unknown)
}
