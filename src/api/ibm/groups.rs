//! `/v2/groups`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use crate::control::Done;
use crate::control::group::{By, GroupChange, Member};
use crate::control::list::{Order, Search, SortKey};
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
    ChangeSettings,
    Create,
    Delete,
    IsMember,
    JoinGroups,
    LeaveGroups,
    List,
    Members,
    Read,
    RemoveMember,
    RemoveMembers,
    Settings,
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
struct LeaversBody {
    members: Vec<PrincipalId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinBody {
    r#type: String,
    groups: Vec<AccessGroupId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsBody {
    public_access_enabled: Option<bool>,
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
        Groups::ChangeSettings => {
            let body: SettingsBody = call.body()?;
            let done = desk.account_settings_to_change(caller).await?;
            if body.public_access_enabled == Some(true) {
                let text = "no access group can be public: a registry has no access without credentials";
                return Err(Problem::Invalid(text.to_owned()));
            }
            Ok(Answer::of(StatusCode::OK, done, |()| settings(call)))
        }
        Groups::JoinGroups => join(call).await,
        Groups::LeaveGroups => leave(call).await,
        Groups::RemoveMembers => remove_members(call).await,
        Groups::Settings => {
            let done = desk.account_settings(caller).await?;
            Ok(Answer::of(StatusCode::OK, done, |_| settings(call)))
        }
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
        Groups::Read => {
            let done = desk.group(caller, &id(call)?).await?;
            let federated = desk.is_federated(&done.value.id).await?;
            let with_crn = call.query.flag("show_crn")?;
            call.query.flag("show_federated")?;
            let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
            let body = |row: AccessGroup| shape(call, &row, federated, with_crn);
            Ok(Answer::of(StatusCode::OK, done, body).tagged(tag).about(&id))
        }
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
    let search = Search { text: call.query.one("search")?.map(str::to_owned), order: sorted(call)? };
    let by = by(call)?;
    let with_crn = call.query.flag("show_crn")?;
    let done = call.desk.groups(&call.caller, (member.as_ref(), by), &search, window).await?;
    let mut federated = Vec::with_capacity(done.value.rows.len());
    for row in &done.value.rows {
        federated.push(call.query.flag("show_federated")? && call.desk.is_federated(&row.id).await?);
    }
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        let rows = listed.rows.iter().zip(federated);
        let rows = rows.map(|(row, federated)| shape(call, row, federated, with_crn)).collect();
        page(call, window, listed.total, "groups", rows)
    }))
}

/// `name`, `-name` and the like.
fn sorted(call: &Call<'_>) -> Result<Option<Order>, Problem> {
    let Some(text) = call.query.one("sort")? else { return Ok(None) };
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |rest| (rest, true));
    let by = match name {
        "created_at" => SortKey::CreatedAt,
        "description" => SortKey::Description,
        "last_modified_at" => SortKey::ModifiedAt,
        "name" => SortKey::Name,
        _ => {
            let text = "`sort` is none of `name`, `description`, `created_at` and `last_modified_at`";
            return Err(Problem::Invalid(text.to_owned()));
        }
    };
    Ok(Some(Order { by, descending }))
}

/// `membership_type`: by name unless given.
fn by(call: &Call<'_>) -> Result<By, Problem> {
    match call.query.one("membership_type")? {
        None | Some("static") => Ok(By::Name),
        Some("all") => Ok(By::Any),
        Some("dynamic") => Ok(By::Rule),
        Some(_) => {
            Err(Problem::Invalid("`membership_type` is none of `static`, `dynamic` and `all`".to_owned()))
        }
    }
}

async fn members(call: &Call<'_>) -> Result<Answer, Problem> {
    let window = window(call)?;
    let wanted = call.query.one("type")?;
    let verbose = call.query.flag("verbose")?;
    let fits = |one: &PrincipalId| wanted.is_none_or(|wanted| wanted == kind(one));
    let done = call.desk.members(&call.caller, &id(call)?, (fits, by(call)?), window).await?;
    let mut names = Vec::with_capacity(done.value.rows.len());
    for row in &done.value.rows {
        names.push(if verbose { Some(call.desk.name_of(&row.membership.member).await?) } else { None });
    }
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        let rows = listed.rows.iter().zip(names).map(|(row, name)| member_shape(row, name)).collect();
        page(call, window, listed.total, "members", rows)
    }))
}

async fn remove_members(call: &Call<'_>) -> Result<Answer, Problem> {
    let (id, body) = (id(call)?, call.body::<LeaversBody>()?);
    if !(1..=MEMBERS_MAX).contains(&body.members.len()) {
        return Err(Problem::Invalid(format!("give 1 to {MEMBERS_MAX} members in one call")));
    }
    let done = call.desk.remove_members(&call.caller, &id, body.members).await?;
    Ok(Answer::of(StatusCode::MULTI_STATUS, done, |outcomes| {
        let one = |(member, outcome): &(PrincipalId, Result<(), Problem>)| {
            outcome_of(call, ("iam_id", member), StatusCode::NO_CONTENT, outcome)
        };
        json!({"access_group_id": id, "members": outcomes.iter().map(one).collect::<Vec<_>>()})
    }))
}

async fn join(call: &Call<'_>) -> Result<Answer, Problem> {
    let (member, body) = (member(call)?, call.body::<JoinBody>()?);
    if body.r#type != kind(&member) || !(1..=MEMBERS_MAX).contains(&body.groups.len()) {
        let text = format!(
            "{member} is of type `{}`, and joins 1 to {MEMBERS_MAX} groups in one call",
            kind(&member)
        );
        return Err(Problem::Invalid(text));
    }
    let done = call.desk.join_groups(&call.caller, &member, body.groups).await?;
    Ok(of_groups(call, &member, StatusCode::OK, done))
}

async fn leave(call: &Call<'_>) -> Result<Answer, Problem> {
    let member = member(call)?;
    let done = call.desk.leave_groups(&call.caller, &member).await?;
    Ok(of_groups(call, &member, StatusCode::NO_CONTENT, done))
}

/// What came of a change of one member in several groups.
fn of_groups(
    call: &Call<'_>,
    member: &PrincipalId,
    fine: StatusCode,
    done: Done<Vec<(AccessGroupId, Result<(), Problem>)>>,
) -> Answer {
    let body = |outcomes: Vec<(AccessGroupId, Result<(), Problem>)>| {
        let one = |(group, outcome): &(AccessGroupId, Result<(), Problem>)| {
            outcome_of(call, ("access_group_id", group), fine, outcome)
        };
        json!({"iam_id": member, "groups": outcomes.iter().map(one).collect::<Vec<_>>()})
    };
    Answer::of(StatusCode::MULTI_STATUS, done, body).about(member)
}

fn outcome_of(
    call: &Call<'_>,
    (name, id): (&str, &dyn std::fmt::Display),
    fine: StatusCode,
    outcome: &Result<(), Problem>,
) -> Value {
    let (status, error) = match outcome {
        Ok(()) => (fine, None),
        Err(problem) => {
            let (status, code, message) = super::super::envelope::in_list(call.request, problem);
            (status, Some(json!([{"code": code, "message": message}])))
        }
    };
    json!({
        name: id.to_string(),
        "status_code": status.as_u16(),
        "trace": call.request.request_id,
        "errors": error,
    })
}

fn settings(call: &Call<'_>) -> Value {
    json!({"account_id": call.caller.account, "public_access_enabled": false})
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
        PrincipalId::Profile(_) | PrincipalId::Role(_) => "profile",
        PrincipalId::ServiceId(_) => "service",
        PrincipalId::User(_) => "user",
    }
}

fn whole(call: &Call<'_>, status: StatusCode, done: Done<AccessGroup>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| shape(call, &row, false, false)).tagged(tag).about(&id)
}

fn shape(call: &Call<'_>, row: &AccessGroup, federated: bool, with_crn: bool) -> Value {
    let account = &call.caller.account;
    let crn = || format!("crn:v1:bluemix:public:iam-groups::a/{account}::access-group:{}", row.id);
    json!({
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "account_id": call.caller.account,
        "created_at": row.stamp.created_at.rfc3339(),
        "last_modified_at": row.stamp.modified_at.rfc3339(),
        "href": call.url(&format!("/v2/groups/{}", row.id)),
        "is_federated": federated,
        "crn": with_crn.then(crn),
    })
}

fn member_shape(Member { membership: row, by }: &Member, name: Option<String>) -> Value {
    json!({
        "name": name,
        "membership_type": if *by == By::Rule { "dynamic" } else { "static" },
        "iam_id": row.member,
        "type": kind(&row.member),
        "created_at": row.added_at.rfc3339(),
        "created_by_id": row.added_by,
    })
}

fn outcome_shape(call: &Call<'_>, row: &Membership, outcome: &Result<(), Problem>) -> Value {
    let mut shown = outcome_of(call, ("iam_id", &row.member), StatusCode::OK, outcome);
    if let Some(members) = shown.as_object_mut() {
        members.insert("type".to_owned(), kind(&row.member).into());
        if outcome.is_ok() {
            members.insert("created_at".to_owned(), row.added_at.rfc3339().into());
            members.insert("created_by_id".to_owned(), row.added_by.to_string().into());
        }
    }
    shown
}
