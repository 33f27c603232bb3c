//! From the flags of a policy command to the body of the API, and back to words. Pure.

use serde_json::{Map, Value, json};

use crate::cli::args::iam::access::Grant;
use crate::cli::failure::Failure;
use crate::cli::wire::GrantedRole;
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
pub(super) fn document(grant: &Grant, account: &str) -> Result<Map<String, Value>, Failure> {
    if grant.service_instance.is_some() {
        return Err(Failure::usage(
            "There are no service instances here.",
            "Grant access by namespace: `--resource-type namespace --resource NAMESPACE`.",
        ));
    }
    let mut document = match &grant.file {
        Some(file) => from_file(file, account)?,
        None => from_flags(grant, account)?,
    };
    if let Some(description) = &grant.description {
        document.insert("description".to_owned(), description.clone().into());
    }
    Ok(document)
}

fn from_flags(grant: &Grant, account: &str) -> Result<Map<String, Value>, Failure> {
    let roles = grant.roles.iter().map(|name| role(name.trim())).collect::<Result<Vec<_>, _>>()?;
    if let Some(other) = roles.iter().find(|role| grant.account_management && !role.is_platform()) {
        let platform = Role::ALL.into_iter().filter(|role| role.is_platform()).map(Role::display_name);
        let platform: Vec<&str> = platform.collect();
        return Err(Failure::usage(
            format!("The role {} says nothing about account management.", other.display_name()),
            format!("Use one of {}.", platform.join(", ")),
        ));
    }
    let roles: Vec<Value> = roles.into_iter().map(|role| json!({ "role_id": role.crn() })).collect();
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

/// A file holds `roles` and `resources`; the account is filled in where it is missing.
fn from_file(file: &str, account: &str) -> Result<Map<String, Value>, Failure> {
    let path = file.strip_prefix('@').unwrap_or(file);
    let wrong = |why: &dyn std::fmt::Display| {
        let next = r#"Write it as {"roles":[{"role_id":"crn:v1:bluemix:public:iam::::serviceRole:Reader"}],"resources":[{"attributes":[{"name":"serviceName","value":"container-registry"}]}]}."#;
        Failure::new(format!("The policy in {path} cannot be used: {why}."), next)
    };
    let text = std::fs::read(path).map_err(|error| wrong(&error))?;
    let mut document: Map<String, Value> = serde_json::from_slice(&text).map_err(|error| wrong(&error))?;
    document.retain(|field, _| ["roles", "resources", "description"].contains(&field.as_str()));
    if document.get("roles").is_none() {
        return Err(wrong(&"`roles` is missing"));
    }
    let resources = document.get_mut("resources").and_then(Value::as_array_mut);
    for resource in resources.ok_or_else(|| wrong(&"`resources` is missing"))? {
        let attributes = resource.get_mut("attributes").and_then(Value::as_array_mut);
        let attributes = attributes.ok_or_else(|| wrong(&"`attributes` is missing"))?;
        if !attributes.iter().any(|attribute| attribute.get("name") == Some(&"accountId".into())) {
            attributes.insert(0, json!({ "name": "accountId", "value": account }));
        }
    }
    Ok(document)
}

fn role(name: &str) -> Result<Role, Failure> {
    Role::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.into_iter().map(Role::display_name).collect();
        Failure::usage(format!("There is no role `{name}`."), format!("Use one of {}.", known.join(", ")))
    })
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
            Value::Object(document(&flags, "123456789012").unwrap()),
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
        let body = Value::Object(document(&flags, "1").unwrap());
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
        let body = Value::Object(document(&flags("Viewer"), "1").unwrap());
        assert_eq!(
            body.pointer("/resources/0/attributes"),
            Some(&json!([
                {"name": "accountId", "value": "1"},
                {"name": "serviceType", "value": "platform_service", "operator": "stringEquals"},
            ]))
        );
        let refused = document(&flags("Reader"), "1").unwrap_err();
        assert!(refused.usage && refused.next.contains("Administrator, Editor, Operator, Viewer"));
    }

    #[test]
    fn what_has_no_meaning_here_is_wrong_usage() {
        for wrong in [
            Grant { service_instance: Some("1".into()), ..grant() },
            Grant { roles: vec!["Owner".into()], ..grant() },
            Grant { attributes: vec!["region".into()], ..grant() },
        ] {
            assert!(document(&wrong, "1").unwrap_err().usage, "{wrong:?}");
        }
    }

    #[test]
    fn a_policy_file_gets_the_account_filled_in() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.json");
        std::fs::write(&path, r#"{"roles":[{"role_id":"x"}],"resources":[{"attributes":[{"name":"serviceName","value":"y"}]}]}"#).unwrap();
        let flags = Grant { file: Some(format!("@{}", path.display())), ..Grant::default() };
        let body = Value::Object(document(&flags, "123456789012").unwrap());
        assert_eq!(body.pointer("/resources/0/attributes/0/value"), Some(&json!("123456789012")));
        std::fs::write(&path, r#"{"roles":[]}"#).unwrap();
        assert!(document(&flags, "1").unwrap_err().what.contains("`resources` is missing"));
    }
}
