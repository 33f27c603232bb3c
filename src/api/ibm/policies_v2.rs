//! `/v2/policies`: the same policies, with rules and in other words.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::policies::{
    Policies, RoleBody, State, displayed_role, id, is_displayed, listed, named, subject_named,
};
use crate::control::Done;
use crate::control::policy::{PolicyDraft, Version};
use crate::control::problem::Problem;
use crate::control::version::entity_tag;
use crate::policy::ibm::document::{
    AttributeDocument, AttributeValue, Operator, PolicyDocument, ResourceDocument, RoleReference,
    RuleDocument,
};
use crate::store::policy::PolicyRecord;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyBody {
    r#type: String,
    #[serde(default)]
    description: String,
    control: ControlBody,
    subject: SubjectBody,
    resource: ResourceBody,
    pattern: Option<String>,
    rule: Option<RuleDocument>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlBody {
    grant: GrantBody,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantBody {
    roles: Vec<RoleBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectBody {
    attributes: Vec<AttributeBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceBody {
    attributes: Vec<AttributeBody>,
    #[serde(default)]
    tags: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttributeBody {
    key: String,
    operator: Operator,
    value: AttributeValue,
}

/// What each call says beside what v1 says.
pub(in super::super) async fn answer(which: Policies, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    match which {
        Policies::Create => {
            let done = desk.create_policy(caller, draft(call.body()?)?).await?;
            Ok(whole(call, StatusCode::CREATED, done))
        }
        Policies::Replace => {
            let (id, expected) = (id(call)?, call.if_match()?);
            let done = desk.replace_policy(caller, &id, &expected, Version::V2, draft(call.body()?)?).await?;
            Ok(whole(call, StatusCode::OK, done))
        }
        Policies::Delete => {
            Ok(Answer::done(StatusCode::NO_CONTENT, desk.delete_policy(caller, &id(call)?).await?))
        }
        Policies::List => {
            let displayed = is_displayed(call)?;
            listed(call, if displayed { displayed_shape } else { shape }).await
        }
        // v2 has no call for it: its policies are restored by v1's.
        Policies::Restore | Policies::Read => {
            let displayed = is_displayed(call)?;
            let done = desk.policy(caller, &id(call)?).await?;
            let tag = entity_tag(&done.value.id, &done.value.stamp);
            let about = done.value.id.clone();
            let shape = if displayed { displayed_shape } else { shape };
            let body = |row: PolicyRecord| shape(call, &row, State::Active);
            Ok(Answer::of(StatusCode::OK, done, body).tagged(tag).about(&about))
        }
    }
}

fn draft(body: PolicyBody) -> Result<PolicyDraft, Problem> {
    if body.r#type != "access" {
        return Err(Problem::Invalid("only policies of type `access` are supported here".to_owned()));
    }
    if !body.resource.tags.is_empty() {
        return Err(Problem::Invalid(
            "access management tags are not supported here: name attributes".to_owned(),
        ));
    }
    let wrong = || {
        let text = "a policy has one subject, with one attribute that equals: `iam_id` or `access_group_id`";
        Problem::Invalid(text.to_owned())
    };
    let [AttributeBody { key, operator, value }] = body.subject.attributes.as_slice() else {
        return Err(wrong());
    };
    let subject = named(key, Some(*operator), value)?.ok_or_else(wrong)?;
    let attribute = |one: AttributeBody| AttributeDocument {
        name: one.key,
        value: one.value,
        operator: Some(one.operator),
    };
    let attributes = body.resource.attributes.into_iter().map(attribute).collect();
    let document = PolicyDocument {
        roles: body.control.grant.roles.into_iter().map(|role| RoleReference::named(role.role_id)).collect(),
        resources: vec![ResourceDocument { attributes }],
        pattern: body.pattern,
        rule: body.rule,
    };
    Ok(PolicyDraft { subject, document, description: body.description })
}

fn whole(call: &Call<'_>, status: StatusCode, done: Done<PolicyRecord>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| shape(call, &row, State::Active)).tagged(tag).about(&id)
}

fn shape(call: &Call<'_>, row: &PolicyRecord, state: State) -> Value {
    let role = |role: &RoleReference| json!({"role_id": role.role_id});
    written(call, row, state, row.document.roles.iter().map(role).collect())
}

fn displayed_shape(call: &Call<'_>, row: &PolicyRecord, state: State) -> Value {
    written(call, row, state, row.document.roles.iter().map(displayed_role).collect())
}

fn written(call: &Call<'_>, row: &PolicyRecord, state: State, roles: Vec<Value>) -> Value {
    let (key, value) = subject_named(&row.subject);
    let attribute = |one: &AttributeDocument| {
        let operator = one.operator.unwrap_or(Operator::StringEquals);
        json!({"key": one.name, "operator": operator.name(), "value": one.value})
    };
    let attributes = row.document.resources.iter().flat_map(|resource| &resource.attributes);
    json!({
        "id": row.id,
        "type": "access",
        "description": row.description,
        "subject": {"attributes": [{"key": key, "operator": "stringEquals", "value": value}]},
        "resource": {"attributes": attributes.map(attribute).collect::<Vec<_>>()},
        "control": {"grant": {"roles": roles}},
        "pattern": row.document.pattern,
        "rule": row.document.rule,
        "href": call.url(&format!("/v2/policies/{}", row.id)),
        "created_at": row.stamp.created_at.rfc3339(),
        "created_by_id": row.created_by,
        "last_modified_at": row.stamp.modified_at.rfc3339(),
        "last_modified_by_id": row.modified_by,
        "state": state.name(),
    })
}
