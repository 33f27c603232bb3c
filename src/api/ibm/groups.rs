//! `/v2/groups` (ibm.md 3.8).

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use crate::control::Done;
use crate::control::group::GroupChange;
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::AccessGroupId;
use crate::store::group::{AccessGroup, Membership};
use crate::store::identity::Window;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Groups {
    AddMembers,
    Create,
    Delete,
    IsMember,
    List,
    Members,
    Read,
    RemoveMember,
    Update,
}

/// How many members one call can add.
const MEMBERS_MAX: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    name: String,
    #[serde(default)]
    description: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateBody {
    name: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MembersBody {
    members: Vec<MemberBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberBody {
    iam_id: PrincipalId,
    r#type: String,
}

pub(in super::super) async fn answer(which: Groups, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    match which {
        Groups::AddMembers => add_members(call).await,
        Groups::Create => {
            let body: CreateBody = call.body()?;
            let done = desk.create_group(caller, &body.name, &body.description).await?;
            Ok(whole(call, StatusCode::CREATED, done))
        }
        Groups::Delete => {
            let done = desk.delete_group(caller, &id(call)?, call.query.flag("force")?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Groups::IsMember => {
            let done = desk.is_member(caller, &id(call)?, &member(call)?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Groups::List => list(call).await,
        Groups::Members => members(call).await,
        Groups::Read => Ok(whole(call, StatusCode::OK, desk.group(caller, &id(call)?).await?)),
        Groups::RemoveMember => {
            let done = desk.remove_member(caller, &id(call)?, &member(call)?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Groups::Update => {
            let (id, expected, body) = (id(call)?, call.if_match()?, call.body::<UpdateBody>()?);
            let change = GroupChange { name: body.name, description: body.description };
            Ok(whole(call, StatusCode::OK, desk.update_group(caller, &id, &expected, change).await?))
        }
    }
}

fn id(call: &Call<'_>) -> Result<AccessGroupId, Problem> {
    call.id("id", Noun::Group, AccessGroupId::parse)
}

fn member(call: &Call<'_>) -> Result<PrincipalId, Problem> {
    call.id("iam_id", Noun::Member, PrincipalId::parse)
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let window = window(call)?;
    let member = call.query.one("iam_id")?.map(PrincipalId::parse).transpose()?;
    let done = call.desk.groups(&call.caller, member.as_ref(), window).await?;
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        let rows = listed.rows.iter().map(|row| shape(call, row)).collect();
        page(call, window, listed.total, "groups", rows)
    }))
}

async fn members(call: &Call<'_>) -> Result<Answer, Problem> {
    let window = window(call)?;
    let done = call.desk.members(&call.caller, &id(call)?, window).await?;
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        let rows = listed.rows.iter().map(member_shape).collect();
        page(call, window, listed.total, "members", rows)
    }))
}

async fn add_members(call: &Call<'_>) -> Result<Answer, Problem> {
    let (id, body) = (id(call)?, call.body::<MembersBody>()?);
    if !(1..=MEMBERS_MAX).contains(&body.members.len()) {
        return Err(Problem::Invalid(format!("give 1 to {MEMBERS_MAX} members in one call")));
    }
    if let Some(odd) = body.members.iter().find(|member| member.r#type != kind(&member.iam_id)) {
        let text = format!("{} is of type `{}`: say so in `type`", odd.iam_id, kind(&odd.iam_id));
        return Err(Problem::Invalid(text));
    }
    let members = body.members.into_iter().map(|member| member.iam_id).collect();
    let done = call.desk.add_members(&call.caller, &id, members).await?;
    Ok(Answer::of(StatusCode::MULTI_STATUS, done, |outcomes| {
        let shapes = outcomes.iter().map(|(membership, outcome)| outcome_shape(call, membership, outcome));
        json!({"members": shapes.collect::<Vec<_>>()})
    }))
}

/// Groups page by plain offsets.
fn window(call: &Call<'_>) -> Result<Window, Problem> {
    let limit = call.query.number("limit", 1..=100, 50)?;
    Ok(Window { limit, offset: call.query.number("offset", 0..=1_000_000, 0)? })
}

fn page(call: &Call<'_>, window: Window, total: u32, name: &str, rows: Vec<Value>) -> Value {
    let Window { offset, limit } = window;
    let path = &call.request.path;
    let href = |offset: u32| json!({"href": call.url(&format!("{path}?limit={limit}&offset={offset}"))});
    let end = offset.saturating_add(limit);
    json!({
        "limit": limit,
        "offset": offset,
        "total_count": total,
        "first": href(0),
        "next": (end < total).then(|| href(end)),
        "previous": (offset > 0).then(|| href(offset.saturating_sub(limit))),
        "last": href(total.saturating_sub(1) / limit.max(1) * limit),
        name: rows,
    })
}

const fn kind(member: &PrincipalId) -> &'static str {
    match member {
        PrincipalId::Role(_) => "profile",
        PrincipalId::ServiceId(_) => "service",
        PrincipalId::User(_) => "user",
    }
}

fn whole(call: &Call<'_>, status: StatusCode, done: Done<AccessGroup>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| shape(call, &row)).tagged(tag).about(&id)
}

fn shape(call: &Call<'_>, row: &AccessGroup) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "account_id": call.caller.account,
        "created_at": row.stamp.created_at.rfc3339(),
        "last_modified_at": row.stamp.modified_at.rfc3339(),
        "href": call.url(&format!("/v2/groups/{}", row.id)),
        "is_federated": false,
    })
}

fn member_shape(row: &Membership) -> Value {
    json!({
        "iam_id": row.member,
        "type": kind(&row.member),
        "created_at": row.added_at.rfc3339(),
        "created_by_id": row.added_by,
    })
}

fn outcome_shape(call: &Call<'_>, row: &Membership, outcome: &Result<(), Problem>) -> Value {
    let (status, error) = match outcome {
        Ok(()) => (StatusCode::OK, None),
        Err(problem) => {
            let (status, code, message) = super::super::envelope::in_list(call.request, problem);
            (status, Some(json!([{"code": code, "message": message}])))
        }
    };
    let added = outcome.is_ok();
    json!({
        "iam_id": row.member,
        "type": kind(&row.member),
        "created_at": added.then(|| row.added_at.rfc3339()),
        "created_by_id": added.then_some(&row.added_by),
        "status_code": status.as_u16(),
        "trace": call.request.request_id,
        "errors": error,
    })
}
