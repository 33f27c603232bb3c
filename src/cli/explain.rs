//! `explain`: whether somebody may do something, and which policies say so. The server decides; this lays it out.

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::args;
use super::cr::region;
use super::display::{self, tame};
use super::failure::Failure;
use super::http::Request;
use super::lookup;
use super::session::Session;
use super::terminal::Io;
use super::wire;

/// The answer of `POST /api/native/explain`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Explanation {
    principal: Who,
    action: String,
    resource: Resource,
    decision: String,
    network: Network,
    policies_enforced: Option<bool>,
    because: Option<Because>,
    class: String,
    decided_by: Vec<Decider>,
    considered: Vec<Considered>,
    needed: Option<Needed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Network {
    refused_by: Option<String>,
    would_refuse: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Who {
    iam_id: String,
    name: String,
    active: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resource {
    service: Option<String>,
    region: Option<String>,
    namespace: Option<String>,
    repository: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Because {
    policy_id: String,
    roles: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Decider {
    policy_id: String,
    kind: String,
    statement: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Considered {
    policy_id: String,
    access_group_id: Option<String>,
    access_group_name: Option<String>,
    roles: Vec<String>,
    result: String,
    mismatch: Option<Mismatch>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mismatch {
    attribute: String,
    policy_has: Option<String>,
    resource_has: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Needed {
    any_role_of: Vec<String>,
}

/// Asks the server and shows its answer as a tree.
pub(super) async fn run(io: &mut Io, explain: args::Explain) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let mut question = Map::new();
    if let Some(principal) = &explain.principal {
        let principal = lookup::principal(&mut session, principal).await?;
        question.insert("principal".to_owned(), principal.iam_id.into());
    }
    question.insert("action".to_owned(), explain.action.into());
    if let Some(resource) = &explain.resource {
        let registries = region::registries(&mut session).await?;
        let (host, path) = split(resource, |host| region::is_host(&registries, host));
        // A host in front decides; else the targeted region, where that can be told.
        let region = match host {
            Some(host) => Some(region::at_host(&registries, host)?.region.clone()),
            None => region::target(&mut session, None).await.ok().map(|targeted| targeted.region),
        };
        question.extend(region.map(|region| ("region".to_owned(), region.into())));
        let field = if path.contains('/') { "repository" } else { "namespace" };
        question.insert(field.to_owned(), path.into());
    }
    if !explain.context.is_empty() {
        let context: Map<String, Value> =
            explain.context.into_iter().map(|(key, value)| (key, value.into())).collect();
        question.insert("context".to_owned(), context.into());
    }
    let request = Request::new(Method::POST, "/api/native/explain").json(&Value::Object(question));
    let answer = session.call(request).await?.json()?;
    if explain.display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let explanation = wire::row(&answer)?;
    io.line(if explain.display.quiet { head(&explanation) } else { outline(&explanation) });
    Ok(())
}

/// Takes the registry's host, if there is one, from the front, and tag or digest from the end.
fn split(resource: &str, is_host: impl Fn(&str) -> bool) -> (Option<&str>, &str) {
    let (host, path) = match resource.split_once('/') {
        Some((host, path)) if is_host(host) => (Some(host), path),
        Some(_) | None => (None, resource),
    };
    let path = path.split_once('@').map_or(path, |(name, _)| name);
    let path = path.rsplit_once(':').map_or(path, |(name, _)| name);
    (host, path.trim_end_matches('/'))
}

fn head(answer: &Explanation) -> String {
    let may = if answer.decision == "allow" { "may" } else { "may not" };
    let name =
        if answer.principal.name.is_empty() { &answer.principal.iam_id } else { &answer.principal.name };
    tame(&format!("{name} {may} do {} on {}", answer.action, place(&answer.resource)))
}

fn outline(answer: &Explanation) -> String {
    let mut lines = vec![];
    if answer.principal.active == Some(false) {
        lines.push("the user is disabled, and may do nothing".to_owned());
    }
    let refused = answer.network.refused_by.as_ref();
    lines.extend(refused.map(|by| format!("it may not come from there, whatever policies say: {by}")));
    let reported = answer.network.would_refuse.iter();
    lines.extend(reported.map(|id| format!("cbr:{id} would refuse it, and only reports")));
    if answer.policies_enforced == Some(false) {
        lines.push(
            "policies are not enforced in this registry: everyone in the account has access".to_owned(),
        );
    }
    lines.extend(answer.decided_by.iter().filter_map(|one| statement(one, &answer.decision)));
    if let Some(kind) = answer.class.strip_prefix("implicit deny: ").filter(|kind| !kind.is_empty()) {
        lines.extend((kind != "identity policy").then(|| format!("the {kind} does not allow it")));
    }
    let decisive = answer.because.as_ref().map(|because| because.policy_id.as_str());
    let (first, others): (Vec<&Considered>, Vec<&Considered>) =
        answer.considered.iter().partition(|row| Some(row.policy_id.as_str()) == decisive);
    let because = answer.because.as_ref().filter(|because| !because.roles.is_empty());
    lines.extend(because.map(|because| {
        let group = first.first().map(|row| of_group(row)).unwrap_or_default();
        format!("because of policy {} ({}){group}", because.policy_id, because.roles.join(", "))
    }));
    lines.extend(others.into_iter().map(considered));
    if answer.considered.is_empty() {
        lines.push("no policy that you may see is for it, or for a group that it is in".to_owned());
    }
    let needed = answer.needed.as_ref().filter(|needed| !needed.any_role_of.is_empty());
    lines.extend(
        needed.map(|needed| format!("any of these roles would be enough: {}", needed.any_role_of.join(", "))),
    );
    let last = lines.len().saturating_sub(1);
    let branch =
        |(at, line): (usize, &String)| format!("{} {}", if at == last { "└─" } else { "├─" }, tame(line));
    let branches: Vec<String> = lines.iter().enumerate().map(branch).collect();
    format!("{}\n{}", head(answer), branches.join("\n"))
}

/// A statement of an AWS document that decided.
fn statement(one: &Decider, decision: &str) -> Option<String> {
    let name = one.statement.as_ref()?;
    let does = if decision == "allow" { "allows" } else { "denies" };
    Some(format!("statement {name} of {} {} {does} it", one.kind, one.policy_id))
}

fn place(resource: &Resource) -> String {
    let region = resource.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
    match (&resource.repository, &resource.namespace, &resource.service) {
        (Some(repository), _, _) => format!("repository {repository}{region}"),
        (None, Some(namespace), _) => format!("namespace {namespace}{region}"),
        (None, None, Some(service)) if region.is_empty() => format!("the service {service}"),
        (None, None, _) => format!("the registry{region}"),
    }
}

fn considered(row: &Considered) -> String {
    let roles = if row.roles.is_empty() { String::new() } else { format!(" ({})", row.roles.join(", ")) };
    let why = match (row.result.as_str(), &row.mismatch) {
        ("allows", _) => "allows it too".to_owned(),
        ("lacks_action", _) => "is for this resource, but its roles lack the action".to_owned(),
        ("other_time", _) => "is for another time".to_owned(),
        ("unreadable", _) => "cannot be read, and grants nothing".to_owned(),
        (_, Some(mismatch)) => {
            let wanted = mismatch.policy_has.as_deref().unwrap_or("something else");
            let found = mismatch.resource_has.as_ref();
            let found = found.map_or_else(|| "has none".to_owned(), |found| format!("is {found}"));
            format!("is for another {}: {wanted}, and this {found}", mismatch.attribute)
        }
        (other, None) => other.to_owned(),
    };
    format!("policy {}{roles}{} {why}", row.policy_id, of_group(row))
}

/// The group that a policy is for, by its name where that is known.
fn of_group(row: &Considered) -> String {
    let name = row.access_group_name.as_ref().filter(|name| !name.is_empty());
    let group = name.or(row.access_group_id.as_ref());
    group.map(|group| format!(" of access group {group}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{outline, split};
    use crate::cli::wire;

    #[test]
    fn a_denial_says_what_was_looked_at_and_what_would_be_enough() {
        let answer = wire::row(&json!({
            "principal": {"iam_id": "iam-ServiceId-1", "name": "ci", "active": true},
            "action": "container-registry.image.push",
            "resource": {"service": "container-registry", "region": "us-south", "namespace": "birds", "repository": "birds/owl"},
            "decision": "deny", "policies_enforced": true,
            "considered": [
                {"policy_id": "p1", "roles": ["Reader"], "result": "lacks_action"},
                {"policy_id": "p2", "access_group_id": "AccessGroupId-2", "roles": ["Writer"], "result": "other_target",
                 "mismatch": {"attribute": "resource", "policy_has": "cats", "resource_has": "birds"}},
                {"policy_id": "p3", "access_group_id": "AccessGroupId-3", "access_group_name": "robots", "roles": ["Reader"],
                 "result": "other_target", "mismatch": {"attribute": "resourceType", "policy_has": "namespace"}}],
            "needed": {"any_role_of": ["Manager", "Writer"]},
        }));
        assert_eq!(
            outline(&answer.unwrap()),
            "ci may not do container-registry.image.push on repository birds/owl in us-south\n\
             ├─ policy p1 (Reader) is for this resource, but its roles lack the action\n\
             ├─ policy p2 (Writer) of access group AccessGroupId-2 is for another resource: cats, and this is birds\n\
             ├─ policy p3 (Reader) of access group robots is for another resourceType: namespace, and this has none\n\
             └─ any of these roles would be enough: Manager, Writer"
        );
    }

    #[test]
    fn an_allowance_names_the_policy_that_decided() {
        let answer = wire::row(&json!({
            "principal": {"iam_id": "i", "name": "ci"}, "action": "a", "resource": {"region": "us-south", "namespace": "birds"},
            "decision": "allow", "because": {"policy_id": "p1", "roles": ["Reader"]},
            "considered": [{"policy_id": "p1", "access_group_name": "robots", "roles": ["Reader"], "result": "allows"}],
        }));
        assert_eq!(
            outline(&answer.unwrap()),
            "ci may do a on namespace birds in us-south\n└─ because of policy p1 (Reader) of access group robots"
        );
    }

    #[test]
    fn an_image_name_is_taken_apart_as_docker_does() {
        let host = |text: &str| text == "us.test:8443";
        assert_eq!(split("us.test:8443/birds/owl:1", host), (Some("us.test:8443"), "birds/owl"));
        assert_eq!(split("birds/owl@sha256:00", host), (None, "birds/owl"));
        assert_eq!(split("birds", host), (None, "birds"));
        assert_eq!(split("birds/", host), (None, "birds"));
    }
}
