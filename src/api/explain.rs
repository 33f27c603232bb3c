//! `POST /api/native/explain` and `/api/native/who-can`: the wire shapes of a question and of its answer.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::page;
use crate::admit::network::Barrier;
use crate::control::explain::{
    Considered, Explanation, Line, Outcome, Question, Seen, Through, Told, What, Whom,
};
use crate::control::problem::Problem;
use crate::control::who_can::{Able, WhoCan};
use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::policy::asked::{Asked, Target};
use crate::policy::aws::document::Effect;
use crate::policy::engine::question::{Class, Kind};
use crate::policy::ibm::role::Role;
use crate::policy::resource::{Resource, Service};
use crate::registry::name::RepositoryName;
use crate::store::identity::Window;

/// The most condition keys of a question. Each is compared with those before it.
const CONTEXT_MAX: usize = 100;

/// How many principals one call looks at, unless it says.
const LIMIT: u32 = 100;

/// What is done: on a repository, a namespace, a registry, account management by a service, or what a CRN or ARN names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// An IAM id, a role's id, or an ARN; the caller, if absent. Only of `explain`.
    principal: Option<String>,
    /// An action in either cloud's name; without a service in front, one of the registry's; or `pull`, `push`, `delete`.
    action: String,
    /// `container-registry` unless the action says otherwise.
    service: Option<String>,
    /// The registry that the host stands for, if absent.
    region: Option<Region>,
    namespace: Option<String>,
    repository: Option<RepositoryName>,
    /// A CRN or ARN, in place of the four above.
    resource: Option<String>,
    /// Condition keys and their values, in place of those of this request.
    #[serde(default)]
    context: BTreeMap<String, OneOrMore>,
    /// How many principals to look at. Only of `who-can`.
    limit: Option<u32>,
    /// Where to go on. Only of `who-can`.
    start: Option<String>,
}

/// A key's value, or its values.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

pub(super) async fn explain(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: Body = call.body()?;
    if body.limit.is_some() || body.start.is_some() {
        return Err(Problem::Invalid("`limit` and `start` are of who-can: leave them out".to_owned()));
    }
    let whom = match body.principal.as_deref() {
        Some(arn) if arn.starts_with("arn:") => Whom::Arn(arn.to_owned()),
        Some(id) => Whom::Id(PrincipalId::parse(id).map_err(|wrong| Problem::Invalid(wrong.to_string()))?),
        None => Whom::Id(call.caller.principal().clone()),
    };
    let question = Question { whom, what: what(body, call)? };
    let done = call.desk.explain(&call.caller, question.clone()).await?;
    Ok(Answer::of(StatusCode::OK, done, |explanation| shape(&question, &explanation, &call.desk.account)))
}

pub(super) async fn who_can(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: Body = call.body()?;
    if body.principal.is_some() {
        return Err(Problem::Invalid("`principal` is of explain: leave it out".to_owned()));
    }
    let limit = body.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT).contains(&limit) {
        return Err(Problem::Invalid(format!("`limit` is not a number from 1 to {LIMIT}")));
    }
    let start = body.start.clone();
    let what = what(body, call)?;
    let list = format!("who-can {} {:?} {:?}", what.asked.name(), what.target, what.context);
    let window = Window { offset: page::offset(&list, start.as_deref(), "start")?, limit };
    let done = call.desk.who_can(&call.caller, &what, window).await?;
    Ok(Answer::of(StatusCode::OK, done, |found| {
        let next = page::next(window, found.examined, found.total).map(|at| page::token(&list, at));
        able(&what, &found, next, &call.desk.account)
    }))
}

fn what(body: Body, call: &Call<'_>) -> Result<What, Problem> {
    if body.context.len() > CONTEXT_MAX {
        return Err(Problem::Invalid(format!("`context` has too many keys: give at most {CONTEXT_MAX}")));
    }
    let wrong = || {
        let text = crate::ids::Malformed::new(&body.action, "").text;
        let known = "use one that `iam roles --output json` lists, one of AWS's such as ecr:PutImage, or pull, push, delete";
        Problem::Invalid(format!("there is no action `{text}`: {known}"))
    };
    let asked = Asked::parse(&body.action).ok_or_else(wrong)?;
    let target = target(&body, &asked, call)?;
    let values = |given: OneOrMore| match given {
        OneOrMore::More(values) => values,
        OneOrMore::One(value) => vec![value],
    };
    let context = body.context.into_iter().map(|(key, given)| (key, values(given))).collect();
    Ok(What { asked, target, context })
}

fn target(body: &Body, asked: &Asked, call: &Call<'_>) -> Result<Target, Problem> {
    if let Some(text) = &body.resource {
        let parts = [
            body.service.is_some(),
            body.region.is_some(),
            body.namespace.is_some(),
            body.repository.is_some(),
        ];
        if parts.contains(&true) {
            return Err(Problem::Invalid("`resource` says it all: leave the others out".to_owned()));
        }
        return Ok(Target::parse(text, &call.desk.account)?);
    }
    let service = match &body.service {
        Some(name) => {
            let wrong = || Problem::Invalid("`service` is none that policies can name".to_owned());
            Some(Service::parse(name).ok_or_else(wrong)?)
        }
        None => asked.service(),
    };
    let region = body.region.as_ref().unwrap_or(&call.request.region);
    let named = body.repository.is_some() || body.namespace.is_some() || body.region.is_some();
    match service {
        Some(Service::ContainerRegistry) => {}
        // What only AWS has is of no service of IBM's.
        None if named || asked.name().starts_with("ecr:") => {}
        None => {
            return Ok(Resource {
                service: None,
                region: None,
                namespace: None,
                repository: None,
                group: None,
            }
            .into());
        }
        Some(service) => return Ok(Resource::platform(service).into()),
    }
    match (&body.repository, &body.namespace) {
        (Some(name), None) => Ok(Resource::repository(region, name).into()),
        (Some(name), Some(namespace)) if name.namespace() == namespace => {
            Ok(Resource::repository(region, name).into())
        }
        (Some(_), Some(_)) => {
            Err(Problem::Invalid("`repository` is not in `namespace`: give one of them".to_owned()))
        }
        (None, Some(namespace)) => Ok(Resource::namespace(region, namespace).into()),
        (None, None) => Ok(Resource::registry(region).into()),
    }
}

fn shape(question: &Question, explanation: &Explanation, account: &AccountId) -> Value {
    let by_policy = explanation.deciders.first().filter(|_| explanation.class.is_allow());
    let by_policy = by_policy.map(|one| json!({"policy_id": one.reason.policy, "roles": one.reason.roles}));
    let sufficient: Vec<&str> = explanation.sufficient.iter().map(|role| Role::display_name(*role)).collect();
    json!({
        "principal": {"iam_id": explanation.principal, "name": explanation.name, "active": explanation.active},
        "action": question.what.asked.name(),
        "resource": resource(&question.what.target, account),
        "decision": if explanation.allowed { "allow" } else { "deny" },
        "network": {
            "refused_by": explanation.network.refused_by.as_ref().map(Barrier::label),
            "would_refuse": explanation.network.would_refuse.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        },
        "resource_group_id": explanation.resource_group,
        "policies_enforced": explanation.enforced,
        "because": by_policy,
        "class": class(explanation.class),
        "refused": explanation.refused,
        "decided_by": explanation.deciders.iter().map(decider).collect::<Vec<_>>(),
        "considered": explanation.considered.iter().map(considered).collect::<Vec<_>>(),
        "documents": explanation.documents.iter().map(document).collect::<Vec<_>>(),
        "hidden": explanation.hidden,
        "needed": (!explanation.allowed && !sufficient.is_empty()).then(|| json!({"any_role_of": sufficient})),
        "warnings": explanation.unknown_keys.iter().map(|key| unknown(key)).collect::<Vec<_>>(),
    })
}

fn able(what: &What, found: &WhoCan, next: Option<String>, account: &AccountId) -> Value {
    let one = |able: &Able| {
        json!({
            "iam_id": able.principal,
            "name": able.name,
            "type": match able.principal {
                PrincipalId::Profile(_) => "trusted_profile",
                PrincipalId::Role(_) => "role",
                PrincipalId::ServiceId(_) => "service_id",
                PrincipalId::User(_) => "user",
            },
            "class": class(able.class),
            "through": able.through.iter().map(decider).collect::<Vec<_>>(),
        })
    };
    json!({
        "action": what.asked.name(),
        "resource": resource(&what.target, account),
        "policies_enforced": found.enforced,
        "principals": found.able.iter().map(one).collect::<Vec<_>>(),
        "examined": found.examined,
        "total": found.total,
        "next": next,
        "warnings": crate::control::explain::unknown_keys(&what.context).iter().map(|key| unknown(key)).collect::<Vec<_>>(),
    })
}

fn unknown(key: &str) -> String {
    let key = crate::ids::Malformed::new(key, "").text;
    format!("no request here has a condition key `{key}`: check its name")
}

fn resource(target: &Target, account: &AccountId) -> Value {
    let resource = &target.resource;
    json!({
        "service": resource.service.map(Service::name),
        "region": resource.region,
        "namespace": resource.namespace,
        "repository": resource.repository,
        "arn": target.arn(account),
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

fn decider(through: &Through) -> Value {
    json!({
        "policy_id": through.reason.policy,
        "kind": place(through.reason.kind),
        "statement": through.reason.statement,
        "roles": through.reason.roles,
        "access_group_id": through.group.as_ref().map(|(id, _)| id),
        "access_group_name": through.group.as_ref().map(|(_, name)| name),
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

fn document(told: &Told) -> Value {
    json!({
        "kind": place(told.kind),
        "policy_id": told.policy,
        "access_group_id": told.group.as_ref().map(|(id, _)| id),
        "access_group_name": told.group.as_ref().map(|(_, name)| name),
        "statements": told.statements.iter().map(statement).collect::<Vec<_>>(),
    })
}

fn statement(line: &Line) -> Value {
    let effect = match line.effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    };
    let (result, condition, resources) = match &line.seen {
        Seen::Applies => ("applies", None, None),
        Seen::Condition { operator, key, wanted, found } => {
            let detail = json!({"operator": operator, "key": key, "wanted": wanted, "found": found});
            ("other_condition", Some(detail), None)
        }
        Seen::OtherAction => ("other_action", None, None),
        Seen::OtherPrincipal => ("other_principal", None, None),
        Seen::OtherResource { except, wanted } => {
            ("other_resource", None, Some(json!({"all_except": except, "wanted": wanted})))
        }
    };
    json!({
        "statement": line.name,
        "effect": effect,
        "result": result,
        "condition": condition,
        "resources": resources,
        "actions": line.actions,
    })
}
