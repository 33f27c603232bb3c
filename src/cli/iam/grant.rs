//! From the flags of a policy command to the body of the API, and back to words. Pure.

use serde_json::{Map, Value, json};

use crate::cli::args::iam::access::{ApiVersion, Dialect, Grant};
use crate::cli::failure::Failure;
use crate::cli::wire::{GrantedRole, Role as CustomRole};
use crate::policy::ibm::role::Role;

/// The service that policies are about unless they say otherwise.
const REGISTRY: &str = "container-registry";
/// The type of the services that `--account-management` means.
const ACCOUNT_MANAGEMENT: &str = "platform_service";
/// Attributes, as the API and as people name them.
const TITLES: [(&str, &str); 6] = [
    ("region", "Region"),
    ("resource", "Resource"),
    ("resourceGroupId", "Resource Group ID"),
    ("resourceType", "Resource Type"),
    ("serviceName", "Service Name"),
    ("serviceType", "Service Type"),
];

/// The body of a policy without its subject.
pub(super) fn document(
    grant: &Grant,
    account: &str,
    custom: &[CustomRole],
) -> Result<Map<String, Value>, Failure> {
    check(grant)?;
    let mut document = match &grant.file {
        Some(file) => from_file(file, account, &Words::of(grant.dialect))?,
        None => from_flags(grant, account, custom)?,
    };
    if let Some(description) = &grant.description {
        document.insert("description".to_owned(), description.clone().into());
    }
    Ok(document)
}

/// Refuses what has no meaning here, before anything is asked of the server.
pub(super) fn check(grant: &Grant) -> Result<(), Failure> {
    if !grant.tags.is_empty() {
        return Err(Failure::usage(
            "There are no access tags here.",
            "Grant access by namespace: `--resource-type namespace --resource NAMESPACE`.",
        ));
    }
    if grant.service_instance.is_some() {
        return Err(Failure::usage(
            "There are no service instances here.",
            "Grant access by namespace: `--resource-type namespace --resource NAMESPACE`.",
        ));
    }
    Ok(())
}

/// Whether a role of the account's own making is named, as far as that can be told without asking for them.
pub(super) fn names_custom_roles(grant: &Grant) -> bool {
    grant.roles.iter().any(|name| Role::parse(name.trim()).is_none())
}

fn from_flags(grant: &Grant, account: &str, custom: &[CustomRole]) -> Result<Map<String, Value>, Failure> {
    let roles = grant.roles.iter().map(|name| role(name.trim(), custom)).collect::<Result<Vec<_>, _>>()?;
    let known = roles.iter().filter_map(|crn| Role::parse(crn));
    if let Some(other) = known.into_iter().find(|role| grant.account_management && !role.is_platform()) {
        let platform = Role::ALL.into_iter().filter(|role| role.is_platform()).map(Role::display_name);
        let platform: Vec<&str> = platform.collect();
        return Err(Failure::usage(
            format!("The role {} says nothing about account management.", other.display_name()),
            format!("Use one of {}.", platform.join(", ")),
        ));
    }
    let roles: Vec<Value> = roles.into_iter().map(|crn| json!({ "role_id": crn })).collect();
    let mut attributes = vec![json!({ "name": "accountId", "value": account })];
    let service = grant.service_name.as_deref().unwrap_or(REGISTRY);
    let further = grant.attributes.iter().map(|pair| split(pair)).collect::<Result<Vec<_>, _>>()?;
    let typed_elsewhere = further.iter().any(|(name, _)| *name == "serviceName" || *name == "serviceType");
    if grant.account_management {
        attributes.push(attribute("serviceType", ACCOUNT_MANAGEMENT));
    } else if grant.service_name.is_some() || !typed_elsewhere {
        attributes.push(attribute("serviceName", service));
    }
    let flags = [
        ("region", &grant.region),
        ("resourceGroupId", &grant.resource_group_id),
        ("resourceType", &grant.resource_type),
        ("resource", &grant.resource),
    ];
    attributes.extend(flags.into_iter().filter_map(|(name, value)| Some(attribute(name, value.as_deref()?))));
    attributes.extend(further.into_iter().map(|(name, value)| attribute(name, value)));
    let mut document = Map::new();
    document.insert("roles".to_owned(), roles.into());
    document.insert("resources".to_owned(), json!([{ "attributes": attributes }]));
    Ok(document)
}

/// What a version of the API calls the parts of a policy.
struct Words {
    kept: &'static [&'static str],
    roles: &'static str,
    resources: &'static str,
    key: &'static str,
    example: &'static str,
}

impl Words {
    const fn of(dialect: Dialect) -> Self {
        match dialect.api_version {
            Some(ApiVersion::V2) => Self {
                kept: &["control", "resource", "rule", "pattern", "description"],
                roles: "control",
                resources: "resource",
                key: "key",
                example: r#"{"control":{"grant":{"roles":[{"role_id":"crn:v1:bluemix:public:iam::::serviceRole:Reader"}]}},"resource":{"attributes":[{"key":"serviceName","operator":"stringEquals","value":"container-registry"}]}}"#,
            },
            Some(ApiVersion::V1) | None => Self {
                kept: &["roles", "resources", "description"],
                roles: "roles",
                resources: "resources",
                key: "name",
                example: r#"{"roles":[{"role_id":"crn:v1:bluemix:public:iam::::serviceRole:Reader"}],"resources":[{"attributes":[{"name":"serviceName","value":"container-registry"}]}]}"#,
            },
        }
    }
}

/// A file holds the roles and the resources; the account is filled in where it is missing.
fn from_file(file: &str, account: &str, words: &Words) -> Result<Map<String, Value>, Failure> {
    let path = file.strip_prefix('@').unwrap_or(file);
    let wrong = |why: &dyn std::fmt::Display| {
        let next = format!("Write it as {}.", words.example);
        Failure::new(format!("The policy in {path} cannot be used: {why}."), next)
    };
    let text = std::fs::read(path).map_err(|error| wrong(&error))?;
    let mut document: Map<String, Value> = serde_json::from_slice(&text).map_err(|error| wrong(&error))?;
    document.retain(|field, _| words.kept.contains(&field.as_str()));
    let missing = |what: &str| wrong(&format!("`{what}` is missing"));
    if document.get(words.roles).is_none() {
        return Err(missing(words.roles));
    }
    let resources = match document.get_mut(words.resources) {
        Some(Value::Array(resources)) => resources.iter_mut().collect(),
        Some(resource @ Value::Object(_)) => vec![resource],
        Some(_) | None => return Err(missing(words.resources)),
    };
    for resource in resources {
        let attributes = resource.get_mut("attributes").and_then(Value::as_array_mut);
        let attributes = attributes.ok_or_else(|| missing("attributes"))?;
        if !attributes.iter().any(|attribute| attribute.get(words.key) == Some(&"accountId".into())) {
            let operator = "stringEquals";
            attributes.insert(0, json!({ words.key: "accountId", "value": account, "operator": operator }));
        }
    }
    Ok(document)
}

/// The CRN of a role, by either of its names.
fn role(name: &str, custom: &[CustomRole]) -> Result<String, Failure> {
    if let Some(known) = Role::parse(name) {
        return Ok(known.crn().to_owned());
    }
    let called = |row: &&CustomRole| row.name == name || row.display_name.eq_ignore_ascii_case(name);
    let mut found = custom.iter().filter(called);
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row.crn.clone()),
        (Some(_), Some(_)) => Err(Failure::usage(
            format!("The role `{name}` is not the only one of that name."),
            "Name it by the name that it was made with: `portcullis iam roles --output json` shows it.",
        )),
        (None, _) => {
            let mut known: Vec<&str> = Role::ALL.into_iter().map(|role| role.display_name()).collect();
            known.extend(custom.iter().map(|row| row.display_name.as_str()));
            let next = format!("Use one of {}.", known.join(", "));
            Err(Failure::usage(format!("There is no role `{name}`."), next))
        }
    }
}

fn split(pair: &str) -> Result<(&str, &str), Failure> {
    let found = pair.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
    found.filter(|(name, value)| !name.is_empty() && !value.is_empty()).ok_or_else(|| {
        Failure::usage(format!("`{pair}` is no attribute."), "Write attributes as NAME=VALUE,NAME=VALUE.")
    })
}

/// A wildcard in a value makes it a pattern; no name of a registry's resources has one.
fn attribute(name: &str, value: &str) -> Value {
    let operator = if value.contains(['*', '?']) { "stringMatch" } else { "stringEquals" };
    json!({ "name": name, "value": value, "operator": operator })
}

/// What people call an attribute.
pub(super) fn title(name: &str) -> &str {
    TITLES.iter().find(|(known, _)| *known == name).map_or(name, |(_, title)| title)
}

/// What people call a role.
pub(super) fn role_name(role: &GrantedRole) -> &str {
    if role.display_name.is_empty() {
        return role.role_id.rsplit(':').next().unwrap_or_default();
    }
    &role.display_name
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::document;
    use crate::cli::args::iam::access::Grant;

    fn grant() -> Grant {
        Grant { roles: vec!["Reader".into(), " writer".into()], ..Grant::default() }
    }

    #[test]
    fn the_tutorials_flags_become_the_policy_that_the_api_expects() {
        let flags = Grant {
            roles: vec!["Reader".into()],
            service_name: Some("container-registry".into()),
            region: Some("us-south".into()),
            resource_type: Some("namespace".into()),
            resource: Some("my_namespace".into()),
            ..Grant::default()
        };
        assert_eq!(
            Value::Object(document(&flags, "123456789012", &[]).unwrap()),
            json!({
                "roles": [{"role_id": "crn:v1:bluemix:public:iam::::serviceRole:Reader"}],
                "resources": [{"attributes": [
                    {"name": "accountId", "value": "123456789012"},
                    {"name": "serviceName", "value": "container-registry", "operator": "stringEquals"},
                    {"name": "region", "value": "us-south", "operator": "stringEquals"},
                    {"name": "resourceType", "value": "namespace", "operator": "stringEquals"},
                    {"name": "resource", "value": "my_namespace", "operator": "stringEquals"},
                ]}],
            })
        );
    }

    #[test]
    fn a_wildcard_makes_a_pattern_and_attributes_add_up() {
        let flags =
            Grant { attributes: vec!["resourceType=namespace".into(), "resource=team-*".into()], ..grant() };
        let body = Value::Object(document(&flags, "1", &[]).unwrap());
        assert_eq!(body.pointer("/resources/0/attributes/3/operator"), Some(&json!("stringMatch")));
        assert_eq!(
            body.pointer("/roles/1/role_id"),
            Some(&json!("crn:v1:bluemix:public:iam::::serviceRole:Writer"))
        );
    }

    #[test]
    fn account_management_is_every_platform_service_and_takes_platform_roles() {
        let flags =
            |role: &str| Grant { roles: vec![role.into()], account_management: true, ..Grant::default() };
        let body = Value::Object(document(&flags("Viewer"), "1", &[]).unwrap());
        assert_eq!(
            body.pointer("/resources/0/attributes"),
            Some(&json!([
                {"name": "accountId", "value": "1"},
                {"name": "serviceType", "value": "platform_service", "operator": "stringEquals"},
            ]))
        );
        let refused = document(&flags("Reader"), "1", &[]).unwrap_err();
        assert!(refused.usage && refused.next.contains("Administrator, Editor, Operator, Viewer"));
    }

    #[test]
    fn what_has_no_meaning_here_is_wrong_usage() {
        for wrong in [
            Grant { service_instance: Some("1".into()), ..grant() },
            Grant { tags: vec!["env:dev".into()], ..grant() },
            Grant { roles: vec!["Owner".into()], ..grant() },
            Grant { attributes: vec!["region".into()], ..grant() },
        ] {
            assert!(document(&wrong, "1", &[]).unwrap_err().usage, "{wrong:?}");
        }
    }

    #[test]
    fn a_policy_file_gets_the_account_filled_in() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.json");
        std::fs::write(&path, r#"{"roles":[{"role_id":"x"}],"resources":[{"attributes":[{"name":"serviceName","value":"y"}]}]}"#).unwrap();
        let flags = Grant { file: Some(format!("@{}", path.display())), ..Grant::default() };
        let body = Value::Object(document(&flags, "123456789012", &[]).unwrap());
        assert_eq!(body.pointer("/resources/0/attributes/0/value"), Some(&json!("123456789012")));
        std::fs::write(&path, r#"{"roles":[]}"#).unwrap();
        assert!(document(&flags, "1", &[]).unwrap_err().what.contains("`resources` is missing"));
    }
}
