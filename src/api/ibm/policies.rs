//! `/v1/policies` (ibm.md 3.4).

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::page;
use super::roles::description;
use crate::control::Done;
use crate::control::policy::PolicyDraft;
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, PolicyId};
use crate::policy::ibm::document::{
    AttributeDocument, Operator, PolicyDocument, ResourceDocument, RoleReference,
};
use crate::policy::ibm::role::Role;
use crate::store::policy::{PolicyRecord, Subject};

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Policies {
    Create,
    Delete,
    List,
    Read,
    Replace,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyBody {
    r#type: String,
    #[serde(default)]
    description: String,
    subjects: Vec<SubjectBody>,
    roles: Vec<RoleBody>,
    resources: Vec<ResourceBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectBody {
    attributes: Vec<AttributeDocument>,
}

/// What a GET shows of a role is accepted back; only the id counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleBody {
    role_id: String,
    #[serde(rename = "display_name")]
    _display_name: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceBody {
    attributes: Vec<AttributeDocument>,
    #[serde(default)]
    tags: Vec<Value>,
}

pub(in super::super) async fn answer(which: Policies, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    match which {
        Policies::Create => {
            let done = desk.create_policy(caller, draft(call.body()?)?).await?;
            Ok(whole(call, StatusCode::CREATED, done))
        }
        Policies::Delete => {
            Ok(Answer::done(StatusCode::NO_CONTENT, desk.delete_policy(caller, &id(call)?).await?))
        }
        Policies::List => list(call).await,
        Policies::Read => Ok(whole(call, StatusCode::OK, desk.policy(caller, &id(call)?).await?)),
        Policies::Replace => {
            let (id, expected) = (id(call)?, call.if_match()?);
            let done = desk.replace_policy(caller, &id, &expected, draft(call.body()?)?).await?;
            Ok(whole(call, StatusCode::OK, done))
        }
    }
}

fn id(call: &Call<'_>) -> Result<PolicyId, Problem> {
    call.id("id", Noun::Policy, PolicyId::parse)
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let window = call.window("limit", 100, 50, "start")?;
    let principal = call.query.one("iam_id")?.map(PrincipalId::parse).transpose()?;
    let group = call.query.one("access_group_id")?.map(AccessGroupId::parse).transpose()?;
    let subject = match (principal, group) {
        (Some(_), Some(_)) => {
            let text = "`iam_id` and `access_group_id` exclude each other: give one";
            return Err(Problem::Invalid(text.to_owned()));
        }
        (Some(principal), None) => Some(Subject::Principal(principal)),
        (None, Some(group)) => Some(Subject::Group(group)),
        (None, None) => None,
    };
    let done = call.desk.policies(&call.caller, subject.as_ref(), window).await?;
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        let link = |offset| json!({"href": call.page_url("start", offset)});
        json!({
            "policies": listed.rows.iter().map(|row| shape(call, row)).collect::<Vec<_>>(),
            "limit": window.limit,
            "first": {"href": call.first_url("start")},
            "next": page::next(window, listed.rows.len(), listed.total).map(link),
            "previous": page::previous(window).map(link),
        })
    }))
}

fn draft(body: PolicyBody) -> Result<PolicyDraft, Problem> {
    if body.r#type != "access" {
        return Err(Problem::Invalid("only policies of type `access` are supported here".to_owned()));
    }
    if body.resources.iter().any(|resource| !resource.tags.is_empty()) {
        return Err(Problem::Invalid(
            "access management tags are not supported here: name attributes".to_owned(),
        ));
    }
    let resource = |body: ResourceBody| ResourceDocument { attributes: body.attributes };
    let document = PolicyDocument {
        roles: body.roles.into_iter().map(|role| RoleReference { role_id: role.role_id }).collect(),
        resources: body.resources.into_iter().map(resource).collect(),
    };
    Ok(PolicyDraft { subject: subject(&body.subjects)?, document, description: body.description })
}

/// Exactly one subject with exactly one attribute.
fn subject(subjects: &[SubjectBody]) -> Result<Subject, Problem> {
    let wrong = || {
        let text = "a policy has one subject, with one attribute that equals: `iam_id` or `access_group_id`";
        Problem::Invalid(text.to_owned())
    };
    let [SubjectBody { attributes }] = subjects else { return Err(wrong()) };
    let [attribute] = attributes.as_slice() else { return Err(wrong()) };
    if attribute.operator == Some(Operator::StringMatch) {
        return Err(wrong());
    }
    match attribute.name.as_str() {
        "access_group_id" => Ok(Subject::Group(AccessGroupId::parse(&attribute.value)?)),
        "iam_id" => Ok(Subject::Principal(PrincipalId::parse(&attribute.value)?)),
        _ => Err(wrong()),
    }
}

fn whole(call: &Call<'_>, status: StatusCode, done: Done<PolicyRecord>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| shape(call, &row)).tagged(tag).about(&id)
}

fn shape(call: &Call<'_>, row: &PolicyRecord) -> Value {
    let (name, value) = match &row.subject {
        Subject::Group(id) => ("access_group_id", id.to_string()),
        Subject::Principal(id) => ("iam_id", id.to_string()),
    };
    json!({
        "id": row.id,
        "type": "access",
        "description": row.description,
        "subjects": [{"attributes": [{"name": name, "value": value}]}],
        "roles": row.document.roles.iter().map(|role| role_shape(&role.role_id)).collect::<Vec<_>>(),
        "resources": row.document.resources,
        "href": call.url(&format!("/v1/policies/{}", row.id)),
        "created_at": row.stamp.created_at.rfc3339(),
        "created_by_id": row.created_by,
        "last_modified_at": row.stamp.modified_at.rfc3339(),
        "last_modified_by_id": row.modified_by,
        "state": "active",
    })
}

fn role_shape(id: &str) -> Value {
    let role = Role::parse(id);
    json!({
        "role_id": id,
        "display_name": role.map(Role::display_name),
        "description": role.map(description),
    })
}
