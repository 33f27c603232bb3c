//! `/v1/profiles/{id}/identities`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::answer::Answer;
use super::super::super::call::Call;
use super::{id, wrong};
use crate::control::Done;
use crate::control::problem::{Noun, Problem};
use crate::control::version::{Expected, entity_tag};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{ServiceId, UserId};
use crate::policy::ibm::trust::Identity;
use crate::store::trusted_profile::{ProfileIdentities, ProfileIdentity};

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Identities {
    Add,
    List,
    Read,
    Remove,
    Replace,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityBody {
    identifier: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default)]
    description: String,
    #[serde(rename = "iam_id")]
    _iam_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentitiesBody {
    #[serde(default)]
    identities: Vec<IdentityBody>,
}

pub(in super::super::super) async fn answer(which: Identities, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller, profile) = (call.desk, &call.caller, id(call)?);
    match which {
        Identities::Replace => {
            let expected = call.if_match()?;
            let body: IdentitiesBody = call.body()?;
            let list = body.identities.into_iter().map(|one| identity(call, one));
            let list = list.collect::<Result<Vec<_>, Problem>>()?;
            let done = desk.put_profile_identities(caller, &profile, &expected, |_| Ok(list)).await?;
            Ok(whole_identities(call, done))
        }
        Identities::Add => {
            let body: IdentityBody = call.body()?;
            if body.kind != call.text("type") {
                return Err(Problem::Invalid("`type` is another in the path than in the body".to_owned()));
            }
            let one = identity(call, body)?;
            let shown = identity_shape(call, &one);
            let add = |mut list: Vec<ProfileIdentity>| {
                list.retain(|old| old.identity != one.identity);
                list.push(one);
                Ok(list)
            };
            let done = desk.put_profile_identities(caller, &profile, &Expected::Any, add).await?;
            Ok(Answer::of(StatusCode::OK, done, |_| shown).about(&profile))
        }
        Identities::Remove => {
            let meant = named(call)?;
            let remove = |mut list: Vec<ProfileIdentity>| {
                let before = list.len();
                list.retain(|old| old.identity != meant);
                let missing = || Problem::NotFound(Noun::Principal, call.text("identifier").to_owned());
                if list.len() < before { Ok(list) } else { Err(missing()) }
            };
            let done = desk.put_profile_identities(caller, &profile, &Expected::Any, remove).await?;
            let done = Done { value: (), permit: done.permit };
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Identities::Read => {
            let (meant, done) = (named(call)?, desk.profile_identities(caller, &profile).await?);
            let missing = || Problem::NotFound(Noun::Principal, call.text("identifier").to_owned());
            let found = done.value.list.into_iter().find(|one| one.identity == meant);
            let done = Done { value: found.ok_or_else(missing)?, permit: done.permit };
            Ok(Answer::of(StatusCode::OK, done, |one| identity_shape(call, &one)))
        }
        Identities::List => Ok(whole_identities(call, desk.profile_identities(caller, &profile).await?)),
    }
}

fn identity(call: &Call<'_>, body: IdentityBody) -> Result<ProfileIdentity, Problem> {
    for account in &body.accounts {
        call.same_account("accounts", Some(account))?;
    }
    Ok(ProfileIdentity { identity: meant(&body.kind, &body.identifier)?, description: body.description })
}

fn named(call: &Call<'_>) -> Result<Identity, Problem> {
    meant(call.text("type"), call.text("identifier"))
}

/// Whom a type and an identifier mean; service IDs with or without `iam-` in front.
fn meant(kind: &str, identifier: &str) -> Result<Identity, Problem> {
    match kind {
        "crn" => Ok(Identity::Crn(identifier.to_owned())),
        "serviceid" => {
            let id = ServiceId::parse(identifier.strip_prefix("iam-").unwrap_or(identifier))?;
            Ok(Identity::Principal(PrincipalId::ServiceId(id)))
        }
        "user" => {
            let id = UserId::parse(identifier)?;
            Ok(Identity::Principal(PrincipalId::User(id)))
        }
        _ => Err(wrong("the type of an identity is none of `user`, `serviceid` and `crn`")),
    }
}

fn whole_identities(call: &Call<'_>, done: Done<ProfileIdentities>) -> Answer {
    let tag = entity_tag(&call.text("id"), &done.value.stamp);
    let shown = tag.clone();
    let answer = Answer::of(StatusCode::OK, done, |row| {
        let rows: Vec<_> = row.list.iter().map(|one| identity_shape(call, one)).collect();
        json!({"entity_tag": shown, "identities": rows})
    });
    answer.tagged(tag).about(&call.text("id"))
}

fn identity_shape(call: &Call<'_>, one: &ProfileIdentity) -> Value {
    let (iam_id, identifier, kind) = match &one.identity {
        Identity::Crn(crn) => (format!("crn-{crn}"), crn.clone(), "crn"),
        Identity::Principal(id) => {
            let kind = if matches!(id, PrincipalId::User(_)) { "user" } else { "serviceid" };
            (id.to_string(), id.identifier().to_owned(), kind)
        }
    };
    json!({
        "iam_id": iam_id,
        "identifier": identifier,
        "type": kind,
        "accounts": (kind == "user").then(|| json!([call.caller.account])),
        "description": one.description,
    })
}
