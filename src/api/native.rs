//! What IBM's APIs have no call for: who am I, why (not), and which registries are there.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::RegistrySite;
use super::answer::Answer;
use super::call::Call;
use crate::control::explain::{Considered, Explanation, Outcome, Question};
use crate::control::problem::Problem;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::policy::engine::question::{Class, Kind};
use crate::policy::ibm::role::Role;
use crate::policy::reason::Reason;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::registry::name::RepositoryName;

/// The most condition keys of a question. Each is compared with those before it.
const CONTEXT_MAX: usize = 100;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Native {
    Explain,
    Registries,
    Whoami,
}

/// The question: a repository, or a namespace, or a registry, or account management by a service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainBody {
    /// An IAM id; the caller, if absent.
    principal: Option<PrincipalId>,
    /// An action's name; without a service in front, one of the registry's; or `pull`, `push`, `delete`.
    action: String,
    /// `container-registry` unless the action says otherwise.
    service: Option<String>,
    /// The registry that the host stands for, if absent.
    region: Option<Region>,
    namespace: Option<String>,
    repository: Option<RepositoryName>,
    /// Condition keys and their values, in place of those of this request.
    #[serde(default)]
    context: BTreeMap<String, String>,
}

pub(super) async fn answer(
    which: Native,
    call: &Call<'_>,
    registries: &[RegistrySite],
) -> Result<Answer, Problem> {
    match which {
        Native::Explain => explain(call).await,
        Native::Registries => Ok(Answer::public(json!({
            "registries": registries.iter().map(site).collect::<Vec<_>>(),
        }))),
        Native::Whoami => whoami(call).await,
    }
}

fn site(site: &RegistrySite) -> Value {
    json!({
        "name": site.name,
        "region": site.region,
        "aliases": site.aliases,
        "private_name": site.private_name,
    })
}

async fn whoami(call: &Call<'_>) -> Result<Answer, Problem> {
    let done = call.desk.whoami(&call.caller).await?;
    let caller = &call.caller;
    Ok(Answer::of(StatusCode::OK, done, |account_name| {
        json!({
            "iam_id": caller.principal(),
            "name": caller.name(),
            "account_id": caller.account,
            "account_name": account_name,
            "apikey_id": caller.api_key,
            "access_groups": caller.bundle.groups,
            "address": caller.from.ip().to_string(),
            "endpoint": caller.endpoint.label(),
        })
    }))
}

async fn explain(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: ExplainBody = call.body()?;
    if body.context.len() > CONTEXT_MAX {
        return Err(Problem::Invalid(format!("`context` has too many keys: give at most {CONTEXT_MAX}")));
    }
    let action = action(&body.action)?;
    let resource = resource(&body, action, &call.request.region)?;
    let principal = body.principal.unwrap_or_else(|| call.caller.principal().clone());
    let context = body.context.into_iter().collect();
    let question = Question { principal, action, resource, context };
    let done = call.desk.explain(&call.caller, question.clone()).await?;
    Ok(Answer::of(StatusCode::OK, done, |explanation| shape(&question, &explanation)))
}

fn action(text: &str) -> Result<Action, Problem> {
    let spellings =
        [text.to_owned(), format!("container-registry.{text}"), format!("container-registry.image.{text}")];
    let wrong = || {
        let text = crate::ids::Malformed::new(text, "").text;
        Problem::Invalid(format!(
            "there is no action `{text}`: use one that `iam roles --output json` lists, or pull, push, delete"
        ))
    };
    spellings.iter().find_map(|name| Action::parse(name)).ok_or_else(wrong)
}

fn resource(body: &ExplainBody, action: Action, here: &Region) -> Result<Resource, Problem> {
    let implied =
        Service::ALL.into_iter().find(|service| action.name().starts_with(&format!("{}.", service.name())));
    let service = match &body.service {
        Some(name) => {
            let wrong = || Problem::Invalid("`service` is none that policies can name".to_owned());
            Service::parse(name).ok_or_else(wrong)?
        }
        None => implied.unwrap_or(Service::ContainerRegistry),
    };
    if service != Service::ContainerRegistry {
        return Ok(Resource::platform(service));
    }
    let region = body.region.as_ref().unwrap_or(here);
    match (&body.repository, &body.namespace) {
        (Some(name), None) => Ok(Resource::repository(region, name)),
        (Some(name), Some(namespace)) if name.namespace() == namespace => {
            Ok(Resource::repository(region, name))
        }
        (Some(_), Some(_)) => {
            Err(Problem::Invalid("`repository` is not in `namespace`: give one of them".to_owned()))
        }
        (None, Some(namespace)) => Ok(Resource::namespace(region, namespace)),
        (None, None) => Ok(Resource::registry(region)),
    }
}

fn shape(question: &Question, explanation: &Explanation) -> Value {
    let by_policy = explanation.deciders.first().filter(|_| explanation.class.is_allow());
    let by_policy = by_policy.map(|reason| json!({"policy_id": reason.policy, "roles": reason.roles}));
    let policy_free = explanation.enforced == Some(false);
    let allowed = explanation.active && (explanation.class.is_allow() || policy_free);
    let sufficient: Vec<&str> = explanation.sufficient.iter().map(|role| Role::display_name(*role)).collect();
    json!({
        "principal": {"iam_id": question.principal, "name": explanation.name, "active": explanation.active},
        "action": question.action.name(),
        "resource": {
            "service": question.resource.service.map(Service::name),
            "region": question.resource.region,
            "namespace": question.resource.namespace,
            "repository": question.resource.repository,
        },
        "decision": if allowed { "allow" } else { "deny" },
        "policies_enforced": explanation.enforced,
        "because": by_policy,
        "class": class(explanation.class),
        "decided_by": explanation.deciders.iter().map(decider).collect::<Vec<_>>(),
        "considered": explanation.considered.iter().map(considered).collect::<Vec<_>>(),
        "needed": (!explanation.class.is_allow()).then(|| json!({"any_role_of": sufficient})),
    })
}

/// The step of the decision that gave the answer.
fn class(class: Class) -> String {
    match class {
        Class::Allow(kind) => format!("allow: {}", place(kind)),
        Class::AllowAlways => "allow: everyone".to_owned(),
        Class::AllowRoot => "allow: root".to_owned(),
        Class::ExplicitDeny(kind) => format!("explicit deny: {}", place(kind)),
        Class::ImplicitDeny(kind) => format!("implicit deny: {}", place(kind)),
    }
}

/// Where a policy stands.
const fn place(kind: Kind) -> &'static str {
    match kind {
        Kind::Boundary => "permissions boundary",
        Kind::Group => "group policy",
        Kind::Ibm => "access policy",
        Kind::Identity => "identity policy",
        Kind::Repository => "repository policy",
        Kind::Session => "session policy",
        Kind::Trust => "trust policy",
    }
}

fn decider(reason: &Reason) -> Value {
    json!({
        "policy_id": reason.policy,
        "kind": place(reason.kind),
        "statement": reason.statement,
        "roles": reason.roles,
    })
}

fn considered(row: &Considered) -> Value {
    let (result, detail) = match &row.outcome {
        Outcome::Allows => ("allows", None),
        Outcome::LacksAction => ("lacks_action", None),
        Outcome::OtherTarget { attribute, wanted, found } => (
            "other_target",
            Some(json!({"attribute": attribute, "policy_has": wanted, "resource_has": found})),
        ),
        Outcome::OtherTime => ("other_time", None),
        Outcome::Unreadable => ("unreadable", None),
    };
    json!({
        "policy_id": row.policy,
        "access_group_id": row.group.as_ref().map(|(id, _)| id),
        "access_group_name": row.group.as_ref().map(|(_, name)| name),
        "roles": row.roles,
        "result": result,
        "mismatch": detail,
    })
}
