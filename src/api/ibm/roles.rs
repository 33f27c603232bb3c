//! `/v2/roles`: those that are the same for everyone, and those that the account has made.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use crate::control::Done;
use crate::control::custom_role::{CustomRoleChange, NewCustomRole};
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::ids::tagged::CustomRoleId;
use crate::policy::ibm::role::Role;
use crate::policy::resource::Service;
use crate::policy::table::Action;
use crate::store::custom_role::CustomRoleRecord;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Roles {
    Create,
    Delete,
    List,
    Read,
    Replace,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    name: String,
    display_name: String,
    actions: Vec<String>,
    account_id: String,
    service_name: String,
    #[serde(default)]
    description: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplaceBody {
    display_name: String,
    actions: Vec<String>,
    description: Option<String>,
}

pub(in super::super) async fn answer(which: Roles, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    match which {
        Roles::Create => {
            let body: CreateBody = call.body()?;
            call.same_account("account_id", Some(&body.account_id))?;
            let new = NewCustomRole {
                name: body.name,
                display_name: body.display_name,
                description: body.description,
                service_name: body.service_name,
                actions: body.actions,
            };
            Ok(whole(call, StatusCode::CREATED, desk.create_custom_role(caller, new).await?))
        }
        Roles::Delete => {
            let done = desk.delete_custom_role(caller, &id(call)?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Roles::List => list(call).await,
        Roles::Read => Ok(whole(call, StatusCode::OK, desk.custom_role(caller, &id(call)?).await?)),
        Roles::Replace => {
            let (id, expected, body) = (id(call)?, call.if_match()?, call.body::<ReplaceBody>()?);
            let change = CustomRoleChange {
                display_name: body.display_name,
                description: body.description,
                actions: body.actions,
            };
            let done = desk.replace_custom_role(caller, &id, &expected, change).await?;
            Ok(whole(call, StatusCode::OK, done))
        }
    }
}

fn id(call: &Call<'_>) -> Result<CustomRoleId, Problem> {
    call.id("id", Noun::Role, CustomRoleId::parse)
}

/// The roles, and what each allows. Those of IBM are the same for everyone, and no secret.
async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let service = call.query.one("service_name")?;
    let registry = Service::ContainerRegistry.name();
    let of = |platform: bool| -> Vec<Value> {
        let fits = |role: &Role| {
            let owner = role.service().unwrap_or(registry);
            role.is_platform() == platform && (platform || service.is_none_or(|name| name == owner))
        };
        Role::ALL.into_iter().filter(fits).map(shape).collect()
    };
    let done = call.desk.custom_roles(&call.caller, service).await?;
    Ok(Answer::of(StatusCode::OK, done, |custom| {
        json!({
            "custom_roles": custom.iter().map(|row| custom_shape(call, row)).collect::<Vec<_>>(),
            "service_roles": of(false),
            "system_roles": of(true),
        })
    }))
}

fn whole(call: &Call<'_>, status: StatusCode, done: Done<CustomRoleRecord>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| custom_shape(call, &row)).tagged(tag).about(&id)
}

fn custom_shape(call: &Call<'_>, row: &CustomRoleRecord) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "display_name": row.role.display_name,
        "description": row.description,
        "crn": row.role.crn,
        "actions": row.role.actions.iter().map(|action| action.name()).collect::<Vec<_>>(),
        "account_id": call.caller.account,
        "service_name": row.service_name,
        "created_at": row.stamp.created_at.rfc3339(),
        "created_by_id": row.created_by,
        "last_modified_at": row.stamp.modified_at.rfc3339(),
        "last_modified_by_id": row.modified_by,
        "href": call.url(&format!("/v2/roles/{}", row.id)),
    })
}

fn shape(role: Role) -> Value {
    json!({
        "crn": role.crn(),
        "display_name": role.display_name(),
        "description": description(role),
        "actions": role.actions().map(Action::name).collect::<Vec<_>>(),
    })
}

/// What a role is for, in a sentence.
pub(super) const fn description(role: Role) -> &'static str {
    match role {
        Role::Administrator => "Can do everything with identities, and grant access to others.",
        Role::Editor => "Can change identities, but not who may do what.",
        Role::Manager => "Can do everything in the registry, and change its settings and namespaces.",
        Role::Operator => "Can see identities and use them.",
        Role::Reader => "Can pull, list and inspect images.",
        Role::ServiceIdCreator => "Can make service IDs, also where the account restricts that.",
        Role::UserApiKeyCreator => "Can make API keys of their own, also where the account restricts that.",
        Role::ServiceConfigurationReader => "Can read what a configuration scanner needs.",
        Role::Viewer => "Can see identities.",
        Role::Writer => "Can pull, push and delete images.",
    }
}
