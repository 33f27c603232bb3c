//! `/v2/roles` (ibm.md 3.7).

use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use crate::control::problem::Problem;
use crate::policy::ibm::role::Role;
use crate::policy::resource::Service;
use crate::policy::table::Action;

/// The roles, and what each allows. They are the same for everyone, and no secret.
pub(in super::super) fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let service = call.query.one("service_name")?;
    let with_service_roles = service.is_none_or(|name| name == Service::ContainerRegistry.name());
    let of = |platform: bool| -> Vec<Value> {
        Role::ALL.into_iter().filter(|role| role.is_platform() == platform).map(shape).collect()
    };
    Ok(Answer::public(json!({
        "custom_roles": [],
        "service_roles": if with_service_roles { of(false) } else { Vec::new() },
        "system_roles": of(true),
    })))
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
        Role::ServiceConfigurationReader => "Can read what a configuration scanner needs.",
        Role::Viewer => "Can see identities.",
        Role::Writer => "Can pull, push and delete images.",
    }
}
