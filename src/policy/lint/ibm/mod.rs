//! What is odd about an IBM access policy, of either version of the API. It decides nothing.

mod tree;

use super::{Finding, Problem, finding};
use crate::policy::aws::json::{self, Node, Position};
use crate::policy::ibm::access::AccessPolicy;
use crate::policy::ibm::role::Role;
use tree::{items, member, text};

/// The attributes that resources have here.
const ATTRIBUTES: [&str; 6] =
    ["accountId", "region", "resource", "resourceType", "serviceName", "serviceType"];
/// The services that there are.
const SERVICES: [&str; 4] = ["container-registry", "iam-groups", "iam-identity", "user-management"];
/// The parts of the time that rules can ask about, and how their operators begin.
const CLOCKS: [(&str, &str); 4] = [
    ("current_date", "date"),
    ("current_date_time", "dateTime"),
    ("current_time", "time"),
    ("day_of_week", "dayOfWeek"),
];
/// The longest text that is read, in bytes.
const BYTES_MAX: usize = 131_072;

/// A text that is no access policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotPolicy {
    /// Where.
    pub position: Position,
    /// Why, with what to do.
    pub advice: String,
}

/// Looks at an access policy, as the API takes it or as `--file` does, which fills in subject, type and account.
///
/// # Errors
/// [`NotPolicy`].
pub fn lint(written: &str) -> Result<Vec<Finding>, NotPolicy> {
    // The reader knows no letter beyond U+00FF; none of them means anything in what is looked at.
    let narrow: String = written.chars().map(|c| if c > '\u{ff}' { '\u{ff}' } else { c }).collect();
    let root = json::read(&narrow, BYTES_MAX)
        .map_err(|fault| NotPolicy { position: fault.at, advice: fault.to_string() })?;
    let whole = member(&root, "type").is_some();
    understood(written, whole)
        .map_err(|why| NotPolicy { position: root.at, advice: format!("this is no access policy: {why}") })?;
    let mut found = Vec::new();
    roles(&root, &mut found);
    resources(&root, whole, &mut found);
    if let Some(rule) = member(&root, "rule") {
        demand(rule, &mut found);
    }
    found.sort_by_key(|finding| (finding.position, finding.problem));
    Ok(found)
}

fn understood(written: &str, whole: bool) -> Result<(), String> {
    let mut value: serde_json::Value = serde_json::from_str(written).map_err(|error| error.to_string())?;
    let Some(object) = value.as_object_mut() else { return Err("it is no object".to_owned()) };
    if !whole {
        object.insert("type".to_owned(), "access".into());
    }
    AccessPolicy::read(&value).map(|_| ()).map_err(|error| error.to_string())
}

fn never(at: Position, advice: impl Into<String>) -> Finding {
    finding(Problem::NeverMatches, at, advice)
}

fn roles(root: &Node<'_>, found: &mut Vec<Finding>) {
    let granted = member(root, "control").and_then(|control| member(control, "grant"));
    let listed = member(root, "roles").or_else(|| granted.and_then(|grant| member(grant, "roles")));
    let ids: Vec<&Node<'_>> = items(listed).filter_map(|role| member(role, "role_id")).collect();
    if ids.is_empty() {
        found.push(never(root.at, "the policy grants no role: name one"));
    }
    let known: Vec<Option<Role>> = ids.iter().map(|id| text(id).and_then(Role::parse)).collect();
    for (at, (id, role)) in ids.iter().zip(&known).enumerate() {
        let Some(role) = role else {
            let name = text(id).unwrap_or_default();
            found.push(never(id.at, format!("`{name}` is no role here: `iam roles` lists them")));
            continue;
        };
        let others = known.iter().enumerate().filter_map(|(other, role)| Some((other, (*role)?)));
        let mut covering = others
            .filter(|(other, larger)| includes(*larger, *role) || (other < &at && larger == role))
            .map(|(_, larger)| larger);
        if let Some(larger) = covering.next() {
            let advice = format!("the role {} says all of it: drop this one", larger.display_name());
            found.push(finding(Problem::Shadowed, id.at, advice));
        }
    }
}

/// Whether a role has everything that another one has.
const fn includes(larger: Role, smaller: Role) -> bool {
    match larger {
        Role::Administrator => matches!(smaller, Role::Editor | Role::Operator | Role::Viewer),
        Role::Editor => matches!(smaller, Role::Operator | Role::Viewer),
        Role::Manager => matches!(smaller, Role::Reader | Role::Writer),
        Role::Operator
        | Role::Reader
        | Role::ServiceConfigurationReader
        | Role::ServiceIdCreator
        | Role::UserApiKeyCreator
        | Role::Viewer
        | Role::Writer => false,
    }
}

fn resources(root: &Node<'_>, whole: bool, found: &mut Vec<Finding>) {
    let listed: Vec<&Node<'_>> = items(member(root, "resources")).chain(member(root, "resource")).collect();
    for further in listed.iter().skip(1) {
        found.push(never(further.at, "a policy has one resource: write another policy for this one"));
    }
    let Some(resource) = listed.first() else {
        found.push(never(root.at, "the policy has no resource: name at least `serviceName`"));
        return;
    };
    if let Some(tag) = items(member(resource, "tags")).next() {
        found.push(never(tag.at, "nothing here has tags: name attributes"));
    }
    let attributes: Vec<&Node<'_>> = items(member(resource, "attributes")).collect();
    let mut seen: Vec<&str> = Vec::new();
    for attribute in attributes {
        let Some(name) = member(attribute, "name").or_else(|| member(attribute, "key")) else { continue };
        let called = text(name).unwrap_or_default();
        if seen.contains(&called) {
            found.push(never(name.at, format!("`{called}` is named twice: name it once")));
        }
        seen.push(called);
        if ATTRIBUTES.contains(&called) {
            compared(called, attribute, found);
        } else {
            let advice = format!("nothing here has `{called}`: use {}", ATTRIBUTES.join(", "));
            found.push(never(name.at, advice));
        }
    }
    if whole && !seen.contains(&"accountId") {
        found.push(never(resource.at, "the resource does not name `accountId`: name the account"));
    }
    if !seen.contains(&"serviceName") && !seen.contains(&"serviceType") {
        let advice = "this is about every service: name `serviceName`";
        found.push(finding(Problem::OverBroad, resource.at, advice));
    }
}

/// How one attribute is compared, and with what.
fn compared(name: &str, attribute: &Node<'_>, found: &mut Vec<Finding>) {
    let (operator, value) = (member(attribute, "operator"), member(attribute, "value"));
    let literal = match operator.and_then(text).unwrap_or("stringEquals") {
        "stringEquals" | "stringEqualsAnyOf" => true,
        "stringExists" | "stringMatch" | "stringMatchAnyOf" => false,
        other => {
            let at = operator.map_or(attribute.at, |operator| operator.at);
            found.push(never(at, format!("`{other}` compares nothing: use stringEquals or stringMatch")));
            return;
        }
    };
    let many = items(value).collect::<Vec<_>>();
    let values = if many.is_empty() { value.into_iter().collect() } else { many };
    for value in values.into_iter().filter(|_| literal) {
        let Some(wanted) = text(value) else { continue };
        if wanted.contains(['*', '?']) {
            let advice = "stringEquals takes `*` and `?` literally: use stringMatch";
            found.push(finding(Problem::Literal, value.at, advice));
        } else if name == "resourceType" && wanted != "namespace" {
            let advice = format!("no resource is a `{wanted}`: write `namespace`, in lower case");
            found.push(never(value.at, advice));
        } else if name == "serviceName" && !SERVICES.contains(&wanted) {
            let advice = format!("there is no service `{wanted}` here: use {}", SERVICES.join(", "));
            found.push(never(value.at, advice));
        } else if name == "serviceType" && !["platform_service", "service"].contains(&wanted) {
            found.push(never(value.at, "a service is of type `service` or `platform_service`"));
        }
    }
}

/// A rule, or a condition of one.
fn demand(rule: &Node<'_>, found: &mut Vec<Finding>) {
    let operator = member(rule, "operator").and_then(text).unwrap_or_default();
    if let Some(conditions) = member(rule, "conditions") {
        if !["and", "or"].contains(&operator) || items(Some(conditions)).next().is_none() {
            found.push(never(rule.at, "a rule joins one condition or more with `and` or `or`"));
        }
        items(Some(conditions)).for_each(|one| demand(one, found));
        return;
    }
    let Some(key) = member(rule, "key") else { return };
    let name = text(key).unwrap_or_default();
    let inner = name.strip_prefix("{{").and_then(|name| name.strip_suffix("}}")).unwrap_or_default();
    let clock = inner.strip_prefix("environment.attributes.");
    let clock = clock.and_then(|name| CLOCKS.iter().find(|(known, _)| *known == name));
    match (inner.strip_prefix("resource.attributes."), clock) {
        (Some(name), _) if ATTRIBUTES.contains(&name) => compared(name, rule, found),
        (_, Some((_, begins))) if operator.starts_with(begins) => {}
        (_, Some((_, begins))) => {
            found.push(never(key.at, format!("`{operator}` compares no time of this kind: use {begins}…")));
        }
        (_, None) => found.push(never(key.at, format!("`{name}` is nothing that a condition can ask about"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Problem;
    use super::lint;

    fn v1(roles: &str, attributes: &str) -> String {
        format!("{{\"roles\":[{roles}],\n\"resources\":[{{\"attributes\":[\n{attributes}]}}]}}")
    }

    fn role(name: &str) -> String {
        format!(r#"{{"role_id":"crn:v1:bluemix:public:iam::::serviceRole:{name}"}}"#)
    }

    fn found(text: &str) -> Vec<(Problem, u32, u32)> {
        let findings = lint(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        findings.iter().map(|one| (one.problem, one.position.line, one.position.column)).collect()
    }

    const REGISTRY: &str = r#"{"name":"serviceName","value":"container-registry"}"#;

    #[test]
    fn ordinary_policies_of_both_versions_are_in_order() {
        assert_eq!(found(&v1(&role("Reader"), REGISTRY)), []);
        let described = r#"{"name":"resource","value":"鳥*","operator":"stringMatch"}"#;
        assert_eq!(found(&v1(&role("Writer"), &format!("{REGISTRY},{described}"))), []);
        let v2 = r#"{"type":"access","control":{"grant":{"roles":[{"role_id":"Viewer"}]}},
            "subject":{"attributes":[{"key":"iam_id","operator":"stringEquals","value":"iam-ServiceId-1"}]},
            "resource":{"attributes":[{"key":"accountId","operator":"stringEquals","value":"123456789012"},
              {"key":"serviceType","operator":"stringEquals","value":"platform_service"}]},
            "rule":{"operator":"and","conditions":[
              {"key":"{{environment.attributes.day_of_week}}","operator":"dayOfWeekAnyOf","value":["1+00:00"]},
              {"key":"{{environment.attributes.current_time}}","operator":"timeLessThan","value":"17:00:00+00:00"}]}}"#;
        assert_eq!(found(v2), []);
        assert_eq!(found(&v2.replace("dayOfWeekAnyOf", "timeLessThan")), [(Problem::NeverMatches, 6, 22)]);
        assert_eq!(found(&v2.replace("current_time", "moon")), [(Problem::NeverMatches, 7, 22)]);
        assert_eq!(found(&v2.replace("\"and\"", "\"xor\"")), [(Problem::NeverMatches, 5, 20)]);
        assert_eq!(found(&v2.replace("accountId", "region")), [(Problem::NeverMatches, 3, 24)]);
    }

    #[test]
    fn what_matches_nothing_or_too_much_is_found_where_it_stands() {
        let reader = role("Reader");
        let with = |more: &str| found(&v1(&reader, &format!("{REGISTRY},\n{more}")));
        let never = [(Problem::NeverMatches, 4, 32)];
        assert_eq!(with(r#"{"name":"resourceType","value":"Namespace"}"#), never);
        assert_eq!(with(r#"{"name":"colour","value":"red"}"#), [(Problem::NeverMatches, 4, 9)]);
        assert_eq!(with(REGISTRY), [(Problem::NeverMatches, 4, 9)]);
        let operator = r#"{"name":"resource","operator":"like","value":"a"}"#;
        assert_eq!(with(operator), [(Problem::NeverMatches, 4, 31)]);
        assert_eq!(with(r#"{"name":"resource","value":"team-*"}"#), [(Problem::Literal, 4, 28)]);
        assert_eq!(
            found(&v1(&reader, r#"{"name":"serviceName","value":"kms"}"#)),
            [(Problem::NeverMatches, 3, 31)]
        );
        assert_eq!(
            found(&v1(&reader, r#"{"name":"region","value":"us-south"}"#)),
            [(Problem::OverBroad, 2, 14)]
        );
        assert_eq!(found(&v1("", REGISTRY)), [(Problem::NeverMatches, 1, 1)]);
        assert_eq!(found(&v1(&role("Owner"), REGISTRY)), [(Problem::NeverMatches, 1, 22)]);
    }

    #[test]
    fn roles_that_another_one_includes_are_found() {
        let both = |one: &str, other: &str| v1(&format!("{},{}", role(one), role(other)), REGISTRY);
        assert_eq!(found(&both("Reader", "Writer")), [], "Writer is no superset of Reader");
        assert_eq!(found(&both("Reader", "Manager")), [(Problem::Shadowed, 1, 22)]);
        assert_eq!(found(&both("Reader", "Reader")).len(), 1);
    }

    #[test]
    fn what_is_no_policy_is_refused_with_its_place() {
        assert_eq!(lint("{\n  \"roles\": [}").unwrap_err().position.line, 2);
        for text in ["[]", r#"{"type":"authorization"}"#, r#"{"roles":7}"#] {
            assert!(lint(text).unwrap_err().advice.contains("no access policy"), "{text}");
        }
    }
}
