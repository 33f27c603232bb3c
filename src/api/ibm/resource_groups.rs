//! `/v2/resource_groups`: the resource manager's API, as far as there are resource groups here.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use crate::control::problem::{Noun, Problem};
use crate::control::resource_group::DEFAULT_GROUP;
use crate::ids::resource_group::ResourceGroupId;
use crate::store::resource_group::ResourceGroup;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum ResourceGroups {
    Create,
    Delete,
    List,
    Read,
    Update,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGroup {
    name: String,
    account_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    state: Option<String>,
}

/// The only state.
const ACTIVE: &str = "ACTIVE";

pub(in super::super) async fn answer(which: ResourceGroups, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    let id = || call.id("id", Noun::ResourceGroup, ResourceGroupId::parse);
    match which {
        ResourceGroups::Create => {
            let body: NewGroup = call.body()?;
            call.same_account("account_id", body.account_id.as_deref())?;
            let done = desk.create_resource_group(caller, &body.name).await?;
            Ok(Answer::of(StatusCode::CREATED, done, |row| json!({"id": row.id, "crn": crn(call, &row)})))
        }
        ResourceGroups::Delete => {
            Ok(Answer::done(StatusCode::NO_CONTENT, desk.delete_resource_group(caller, &id()?).await?))
        }
        ResourceGroups::List => list(call).await,
        ResourceGroups::Read => {
            let done = desk.resource_group(caller, &id()?).await?;
            Ok(Answer::of(StatusCode::OK, done, |row| shape(call, &row)))
        }
        ResourceGroups::Update => {
            let Change { name, state } = call.body()?;
            if state.is_some_and(|state| state != ACTIVE) {
                return Err(Problem::Invalid(format!(
                    "`state` can only be {ACTIVE}: delete the group instead"
                )));
            }
            let done = match name {
                Some(name) => desk.rename_resource_group(caller, &id()?, &name).await?,
                None => desk.resource_group(caller, &id()?).await?,
            };
            Ok(Answer::of(StatusCode::OK, done, |row| shape(call, &row)))
        }
    }
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    call.same_account("account_id", call.query.one("account_id")?)?;
    let name = call.query.one("name")?.map(str::to_lowercase);
    let default = match call.query.one("default")? {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::Invalid("`default` is true or false".to_owned())),
    };
    let done = call.desk.groups_of_resources(&call.caller).await?;
    Ok(Answer::of(StatusCode::OK, done, |rows| {
        let wanted = |row: &&ResourceGroup| {
            name.as_ref().is_none_or(|name| row.name.to_lowercase() == *name)
                && default.is_none_or(|default| (row.name == DEFAULT_GROUP) == default)
        };
        json!({"resources": rows.iter().filter(wanted).map(|row| shape(call, row)).collect::<Vec<_>>()})
    }))
}

fn crn(call: &Call<'_>, row: &ResourceGroup) -> String {
    format!("crn:v1:bluemix:public:resource-controller::a/{}::resource-group:{}", call.caller.account, row.id)
}

fn shape(call: &Call<'_>, row: &ResourceGroup) -> Value {
    json!({
        "id": row.id,
        "crn": crn(call, row),
        "account_id": call.caller.account,
        "name": row.name,
        "state": ACTIVE,
        "default": row.name == DEFAULT_GROUP,
        "resource_linkages": [],
        "created_at": row.created_at.rfc3339(),
        "updated_at": row.modified_at.rfc3339(),
    })
}
