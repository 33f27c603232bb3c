//! `/v1/policies`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::page;
use super::roles::description;
use crate::control::Done;
use crate::control::policy::{PolicyDraft, PolicyKey, PolicyOrder, Version};
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, PolicyId};
use crate::policy::ibm::document::{
    AttributeDocument, AttributeValue, Operator, PolicyDocument, ResourceDocument, RoleReference,
};
use crate::policy::ibm::role::Role;
use crate::policy::table::Action;
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
    Restore,
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
struct StateBody {
    state: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectBody {
    attributes: Vec<AttributeDocument>,
}

/// What a GET shows of a role is accepted back; only the id counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleBody {
    pub(super) role_id: String,
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
        Policies::Restore => {
            let (id, expected, body) = (id(call)?, call.if_match()?, call.body::<StateBody>()?);
            if body.state != "active" {
                return Err(Problem::Invalid(
                    "`state` can only become `active`: delete it otherwise".to_owned(),
                ));
            }
            Ok(whole(call, StatusCode::OK, desk.restore_policy(caller, &id, &expected).await?))
        }
        Policies::Read => {
            let displayed = is_displayed(call)?;
            let done = desk.policy(caller, &id(call)?).await?;
            Ok(shown(call, StatusCode::OK, done, if displayed { displayed_shape } else { shape }))
        }
        Policies::Replace => {
            let (id, expected) = (id(call)?, call.if_match()?);
            let done = desk.replace_policy(caller, &id, &expected, Version::V1, draft(call.body()?)?).await?;
            Ok(whole(call, StatusCode::OK, done))
        }
    }
}

pub(super) fn id(call: &Call<'_>) -> Result<PolicyId, Problem> {
    call.id("id", Noun::Policy, PolicyId::parse)
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let displayed = is_displayed(call)?;
    listed(call, if displayed { displayed_shape } else { shape }).await
}

/// Whether roles are to be shown with their actions. When a policy last permitted something is not counted here, so it is
/// not shown.
pub(super) fn is_displayed(call: &Call<'_>) -> Result<bool, Problem> {
    match call.query.one("format")? {
        None | Some("include_last_permit") => Ok(false),
        Some("display") => Ok(true),
        Some(_) => {
            Err(Problem::Invalid("`format` is neither `include_last_permit` nor `display`".to_owned()))
        }
    }
}

/// A list, whose rows look like `shape`.
pub(super) async fn listed(
    call: &Call<'_>,
    shape: fn(&Call<'_>, &PolicyRecord, State) -> Value,
) -> Result<Answer, Problem> {
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
    let state = match call.query.one("state")? {
        None | Some("active") => State::Active,
        Some("deleted") => State::Deleted,
        Some(_) => return Err(Problem::Invalid("`state` is neither `active` nor `deleted`".to_owned())),
    };
    let (filter, sorted) = (Filter::read(call)?, sorted(call)?);
    let wanted = |row: &PolicyRecord| filter.wants(row);
    let (desk, caller, subject) = (call.desk, &call.caller, subject.as_ref());
    let done = match state {
        State::Active => desk.policies(caller, subject, wanted, (sorted, window)).await?,
        State::Deleted => desk.deleted_policies(caller, subject, wanted, (sorted, window)).await?,
    };
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        json!({
            "policies": listed.rows.iter().map(|row| shape(call, row, state)).collect::<Vec<_>>(),
            "limit": window.limit,
            "first": {"href": call.first_url("start")},
            "previous": listed.previous.map(|offset| linked(call, offset)),
            "next": listed.next.map(|offset| linked(call, offset)),
        })
    }))
}

/// A link to the page that begins there.
fn linked(call: &Call<'_>, offset: u32) -> Value {
    json!({"href": call.page_url("start", offset), "start": page::token_of(call, "start", offset)})
}

/// `sort`: a field, with a hyphen before it for the greatest first.
fn sorted(call: &Call<'_>) -> Result<Option<PolicyOrder>, Problem> {
    let Some(text) = call.query.one("sort")? else { return Ok(None) };
    let (descending, field) = text.strip_prefix('-').map_or((false, text), |field| (true, field));
    let by = match field {
        "created_at" => PolicyKey::CreatedAt,
        "created_by_id" => PolicyKey::CreatedBy,
        "id" | "href" => PolicyKey::Id,
        "last_modified_at" => PolicyKey::ModifiedAt,
        "last_modified_by_id" => PolicyKey::ModifiedBy,
        "type" | "state" => PolicyKey::Same,
        _ => {
            let text = "`sort` is none of `id`, `type`, `href`, `created_at`, `created_by_id`, `last_modified_at`, \
                        `last_modified_by_id` and `state`, or one of them after a hyphen";
            return Err(Problem::Invalid(text.to_owned()));
        }
    };
    Ok(Some(PolicyOrder { by, descending }))
}

/// Whether a policy is in force.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Active,
    Deleted,
}

impl State {
    /// As the API writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }
}

/// Which policies a list shows.
struct Filter<'q> {
    access: bool,
    service_name: Option<&'q str>,
    service_type: Option<&'q str>,
    nothing: bool,
}

impl<'q> Filter<'q> {
    fn read(call: &'q Call<'_>) -> Result<Self, Problem> {
        let access = match call.query.one("type")? {
            None | Some("access") => true,
            Some("authorization") => false,
            Some(_) => {
                return Err(Problem::Invalid("`type` is neither `access` nor `authorization`".to_owned()));
            }
        };
        // No policy has tags or belongs to a group of services.
        let mut absent = ["tag_name", "tag_value", "service_group_id"].into_iter();
        let nothing =
            absent.try_fold(false, |any, name| Ok::<_, Problem>(any | call.query.one(name)?.is_some()))?;
        let (service_name, service_type) = (call.query.one("service_name")?, call.query.one("service_type")?);
        Ok(Self { access, service_name, service_type, nothing })
    }

    fn wants(&self, row: &PolicyRecord) -> bool {
        let has = |name: &str, wanted: Option<&str>| {
            let same = |one: &AttributeDocument| one.name == name && one.value.text() == wanted;
            wanted.is_none()
                || row.document.resources.iter().any(|resource| resource.attributes.iter().any(same))
        };
        self.access
            && !self.nothing
            && has("serviceName", self.service_name)
            && has("serviceType", self.service_type)
    }
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
        roles: body.roles.into_iter().map(|role| RoleReference::named(role.role_id)).collect(),
        resources: body.resources.into_iter().map(resource).collect(),
        pattern: None,
        rule: None,
    };
    if !document.is_v1() {
        let text = "v1 compares texts by `stringEquals` and `stringMatch`: use /v2/policies for the others";
        return Err(Problem::Invalid(text.to_owned()));
    }
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
    named(&attribute.name, attribute.operator, &attribute.value)?.ok_or_else(wrong)
}

/// The subject that an attribute names, if it is one that equals.
pub(super) fn named(
    name: &str,
    operator: Option<Operator>,
    value: &AttributeValue,
) -> Result<Option<Subject>, Problem> {
    let equals = operator.is_none_or(|operator| operator == Operator::StringEquals);
    let Some(value) = value.text().filter(|_| equals) else { return Ok(None) };
    Ok(match name {
        "access_group_id" => Some(Subject::Group(AccessGroupId::parse(value)?)),
        "iam_id" => Some(Subject::Principal(PrincipalId::parse(value)?)),
        _ => None,
    })
}

fn whole(call: &Call<'_>, status: StatusCode, done: Done<PolicyRecord>) -> Answer {
    shown(call, status, done, shape)
}

fn shown(
    call: &Call<'_>,
    status: StatusCode,
    done: Done<PolicyRecord>,
    shape: fn(&Call<'_>, &PolicyRecord, State) -> Value,
) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| shape(call, &row, State::Active)).tagged(tag).about(&id)
}

/// A policy that v1 has no words for is shown so that nobody takes it for less, or writes it back as that.
fn placeholder(call: &Call<'_>, row: &PolicyRecord, state: State) -> Value {
    const UNSUPPORTED: &str = "unsupported version";
    json!({
        "id": row.id,
        "type": "access",
        "description": "**This is a unsupported policy version placeholder, to view the full content, please call GET with provided href**",
        "subjects": [{"attributes": [{"name": "iam_id", "value": UNSUPPORTED}]}],
        "roles": [{"role_id": "crn:v1:bluemix:public:iam::::role:UnsupportedVersion", "display_name": "Unsupported Version"}],
        "resources": [{"attributes": [{"name": "accountId", "value": call.caller.account}]}],
        "href": call.url(&format!("/v2/policies/{}", row.id)),
        "created_at": row.stamp.created_at.rfc3339(),
        "created_by_id": row.created_by,
        "last_modified_at": row.stamp.modified_at.rfc3339(),
        "last_modified_by_id": row.modified_by,
        "state": state.name(),
    })
}

/// The attribute that names the subject.
pub(super) fn subject_named(subject: &Subject) -> (&'static str, String) {
    match subject {
        Subject::Group(id) => ("access_group_id", id.to_string()),
        Subject::Principal(id) => ("iam_id", id.to_string()),
    }
}

fn shape(call: &Call<'_>, row: &PolicyRecord, state: State) -> Value {
    written(call, row, state, role_shape)
}

fn displayed_shape(call: &Call<'_>, row: &PolicyRecord, state: State) -> Value {
    written(call, row, state, displayed_role)
}

fn written(
    call: &Call<'_>,
    row: &PolicyRecord,
    state: State,
    role_shape: fn(&RoleReference) -> Value,
) -> Value {
    if !row.document.is_v1() {
        return placeholder(call, row, state);
    }
    let (name, value) = subject_named(&row.subject);
    json!({
        "id": row.id,
        "type": "access",
        "description": row.description,
        "subjects": [{"attributes": [{"name": name, "value": value}]}],
        "roles": row.document.roles.iter().map(role_shape).collect::<Vec<_>>(),
        "resources": row.document.resources,
        "href": call.url(&format!("/v1/policies/{}", row.id)),
        "created_at": row.stamp.created_at.rfc3339(),
        "created_by_id": row.created_by,
        "last_modified_at": row.stamp.modified_at.rfc3339(),
        "last_modified_by_id": row.modified_by,
        "state": state.name(),
    })
}

/// A role that a policy grants.
pub(super) fn role_shape(reference: &RoleReference) -> Value {
    let role = Role::parse(&reference.role_id);
    let own = reference.custom.as_ref().map(|own| own.display_name.as_str());
    json!({
        "role_id": reference.role_id,
        "display_name": role.map(Role::display_name).or(own),
        "description": role.map(description),
    })
}

/// The same with what it allows.
pub(super) fn displayed_role(reference: &RoleReference) -> Value {
    let own = reference.custom.as_ref().map(|role| role.actions.clone());
    let actions = own.or_else(|| Some(Role::parse(&reference.role_id)?.actions().collect()));
    let action =
        |action: &Action| json!({"id": action.name(), "display_name": action.name(), "description": ""});
    let actions: Vec<Value> = actions.unwrap_or_default().iter().map(action).collect();
    let mut shown = role_shape(reference);
    if let Some(members) = shown.as_object_mut() {
        members.insert("actions".to_owned(), actions.into());
    }
    shown
}
