//! Container Registry's own API, version 1.1, at `/api/v1`.
//!
//! Which registry is meant is said by the host that the client used; which account, by the header `Account`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use crate::control::image::{Image, ImageFilter};
use crate::control::namespace::Added;
use crate::control::problem::{Noun, Problem};
use crate::control::registry::AuthChange;
use crate::ids::resource_group::ResourceGroupId;
use crate::policy::table::Action;
use crate::registry::name::Namespace;
use crate::store::registry::NamespaceRecord;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Registry {
    AddNamespace,
    AssignNamespace,
    Auth,
    Images,
    Messages,
    NamespaceDetails,
    Namespaces,
    Plan,
    RemoveNamespace,
    SetAuth,
    SetPlan,
    SetSettings,
    Settings,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthBody {
    iam_authz: Option<bool>,
    private_only: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanBody {
    plan: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsBody {
    platform_metrics: Option<bool>,
}

/// The only plan: what is used costs nothing, and is limited by quotas alone.
const PLAN: &str = "Standard";

/// The header that names a resource group.
const RESOURCE_GROUP: &str = "x-auth-resource-group";

pub(in super::super) async fn answer(which: Registry, call: &Call<'_>) -> Result<Answer, Problem> {
    if which == Registry::Messages {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    }
    same_account(call)?;
    let (desk, caller, region) = (call.desk, &call.caller, &call.request.region);
    match which {
        Registry::AddNamespace => add_namespace(call).await,
        Registry::AssignNamespace => assign_namespace(call).await,
        Registry::Auth => {
            let done = desk.registry_settings(caller, region, Action::AuthGet).await?;
            Ok(Answer::of(
                StatusCode::OK,
                done,
                |settings| json!({"iam_authz": settings.policies_enforced, "private_only": settings.private_only}),
            ))
        }
        Registry::Images => images(call).await,
        Registry::Messages => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        Registry::NamespaceDetails => {
            let done = desk.namespaces(caller, region).await?;
            let (groups, default) = (desk.namespace_groups(region).await?, desk.default_group().id);
            Ok(Answer::of(StatusCode::OK, done, |rows| {
                rows.iter().map(|row| details(call, row, &groups, &default)).collect()
            }))
        }
        Registry::Namespaces => {
            let done = desk.namespaces(caller, region).await?;
            Ok(Answer::of(StatusCode::OK, done, |rows| rows.iter().map(|row| json!(row.name)).collect()))
        }
        Registry::Plan => {
            Ok(Answer::of(StatusCode::OK, desk.plan(caller, region).await?, |()| json!({"plan": PLAN})))
        }
        Registry::SetPlan => set_plan(call).await,
        Registry::SetSettings => {
            let SettingsBody { platform_metrics } = call.body()?;
            let done = desk.set_platform_metrics(caller, region, platform_metrics).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Registry::RemoveNamespace => {
            let name = call.id("name", Noun::Namespace, Namespace::parse)?;
            Ok(Answer::done(StatusCode::NO_CONTENT, desk.remove_namespace(caller, region, &name).await?))
        }
        Registry::SetAuth => {
            let body: AuthBody = call.body()?;
            let change = AuthChange { policies_enforced: body.iam_authz, private_only: body.private_only };
            Ok(Answer::done(StatusCode::NO_CONTENT, desk.set_auth(caller, region, change).await?))
        }
        Registry::Settings => {
            let done = desk.registry_settings(caller, region, Action::SettingsGet).await?;
            Ok(Answer::of(
                StatusCode::OK,
                done,
                |settings| json!({"platform_metrics": settings.platform_metrics}),
            ))
        }
    }
}

/// Refuses a call that does not name the caller's account.
pub(super) fn same_account(call: &Call<'_>) -> Result<(), Problem> {
    match call.header("account")? {
        Some(account) if account == call.caller.account.as_str() => Ok(()),
        Some(_) | None => Err(Problem::OtherAccount),
    }
}

async fn add_namespace(call: &Call<'_>) -> Result<Answer, Problem> {
    let name = Namespace::creatable(call.text("name"))?;
    let group = call.header(RESOURCE_GROUP)?;
    let done = call.desk.add_namespace(&call.caller, &call.request.region, name.clone(), group).await?;
    let status = match done.value {
        Added::Now => StatusCode::CREATED,
        Added::Before => StatusCode::OK,
    };
    Ok(Answer::of(status, done, |_| json!({"namespace": name})))
}

async fn set_plan(call: &Call<'_>) -> Result<Answer, Problem> {
    let PlanBody { plan } = call.body()?;
    if plan.as_deref().is_some_and(|plan| !plan.eq_ignore_ascii_case(PLAN)) {
        return Err(Problem::Invalid(format!("there is no other plan than {PLAN}")));
    }
    Ok(Answer::done(StatusCode::OK, call.desk.set_plan(&call.caller, &call.request.region).await?))
}

async fn assign_namespace(call: &Call<'_>) -> Result<Answer, Problem> {
    let name = call.id("name", Noun::Namespace, Namespace::parse)?;
    let group = call.header(RESOURCE_GROUP)?;
    let done = call.desk.assign_namespace(&call.caller, &call.request.region, &name, group).await?;
    Ok(Answer::of(StatusCode::OK, done, |()| json!({"namespace": name})))
}

async fn images(call: &Call<'_>) -> Result<Answer, Problem> {
    // Everything here is the account's own.
    if call.query.one("includePrivate")? == Some("false") {
        return Ok(Answer::public(json!([])));
    }
    // Clients may write repositories with the registry's host in front.
    let host = format!("{}/", call.request.authority);
    let bare = |name: &str| name.strip_prefix(&host).unwrap_or(name).to_owned();
    let filter = ImageFilter {
        namespaces: call.query.all("namespace").filter(|n| !n.is_empty()).map(str::to_owned).collect(),
        repositories: call.query.all("repository").filter(|n| !n.is_empty()).map(bare).collect(),
    };
    let region = &call.request.region;
    let done = call.desk.images(&call.caller, region, &filter).await?;
    if call.query.one("vulnerabilities")? == Some("false") {
        return Ok(Answer::of(StatusCode::OK, done, |images| {
            images.iter().map(|row| image(call, row)).collect()
        }));
    }
    let tallies = call.desk.tallies(&call.caller, region, &done.value).await?;
    let mut shown = Vec::with_capacity(done.value.len());
    for (row, tally) in done.value.iter().zip(tallies) {
        let mut one = image(call, row);
        if let (Some(members), Some(tally)) = (one.as_object_mut(), tally) {
            let issues = tally.issues();
            members.insert("Vulnerable".to_owned(), json!(if issues > 0 { "true" } else { "false" }));
            members.insert("VulnerabilityCount".to_owned(), json!(tally.vulnerabilities));
            members.insert("ConfigurationIssueCount".to_owned(), json!(tally.checks));
            members.insert("IssueCount".to_owned(), json!(issues));
            members.insert("ExemptIssueCount".to_owned(), json!(tally.exempt()));
        }
        shown.push(one);
    }
    Ok(Answer::of(StatusCode::OK, done, |_| Value::Array(shown)))
}

/// What can be known of an image without scanning it.
fn image(call: &Call<'_>, row: &Image) -> Value {
    let name = format!("{}/{}", call.request.authority, row.repository);
    let tags: Vec<&str> = row.tags.iter().map(|tag| tag.as_str()).collect();
    let labels: Map<String, Value> =
        row.labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let mut by_digest = Map::new();
    by_digest.insert(row.digest.to_string(), json!(tags));
    json!({
        "Id": row.digest,
        "ParentId": "",
        "DigestTags": by_digest,
        "RepoTags": tags.iter().map(|tag| format!("{name}:{tag}")).collect::<Vec<_>>(),
        "RepoDigests": [format!("{name}@{}", row.digest)],
        "Created": row.created.map(crate::clock::UnixTime::seconds),
        "Size": row.size,
        "VirtualSize": row.size,
        "Labels": labels,
        "ManifestType": row.manifest_type,
    })
}

fn details(
    call: &Call<'_>,
    row: &NamespaceRecord,
    groups: &[(Namespace, ResourceGroupId)],
    default: &ResourceGroupId,
) -> Value {
    let group = groups.iter().find(|(of, _)| *of == row.name).map_or(default, |(_, group)| group);
    let account = &call.caller.account;
    let created = row.created_at.rfc3339();
    json!({
        "name": row.name,
        "account": account,
        "crn": format!(
            "crn:v1:bluemix:public:container-registry:{}:a/{account}::namespace:{}",
            row.region, row.name
        ),
        "resource_group": group,
        "created_date": created,
        "resource_created_date": created,
        "updated_date": created,
    })
}
