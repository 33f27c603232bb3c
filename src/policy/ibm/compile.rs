//! Compiles an access policy into a grant, or says why it cannot be one.

use super::document::{AttributeDocument, Operator, PolicyDocument};
use super::role::Role;
use crate::ids::account::AccountId;
use crate::ids::tagged::PolicyId;
use crate::policy::action::ActionSet;
use crate::policy::model::{Grant, Service, Target};
use crate::policy::pattern::{Match, Pattern};

/// Why a document is no policy. The text is for the caller.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// Compiles `document` for `account`.
///
/// # Errors
/// [`Invalid`] for an unknown role, attribute, operator or service, for a repeated attribute, and for a resource that
/// does not name the account and a service (ibm.md: policies v1).
pub fn compile(id: &PolicyId, document: &PolicyDocument, account: &AccountId) -> Result<Grant, Invalid> {
    let mut roles = Vec::with_capacity(document.roles.len());
    for reference in &document.roles {
        let role = Role::parse(&reference.role_id);
        roles
            .push(role.ok_or_else(|| invalid("role", &reference.role_id, "use one that `iam roles` lists"))?);
    }
    if roles.is_empty() {
        return Err(Invalid("a policy grants at least one role".to_owned()));
    }
    let [resource] = document.resources.as_slice() else {
        return Err(Invalid("only one resource is allowed in a policy".to_owned()));
    };
    let target = target(&resource.attributes, account)?;
    let actions = roles.iter().fold(ActionSet::EMPTY, |set, role| set.union(role.actions()));
    let roles = roles.iter().map(|role| role.display_name().to_owned()).collect();
    Ok(Grant { policy: id.clone(), roles, actions, target })
}

fn target(attributes: &[AttributeDocument], account: &AccountId) -> Result<Target, Invalid> {
    let mut target = Target::default();
    let mut named_account = false;
    let mut seen: Vec<&str> = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        let (name, value) = (attribute.name.as_str(), attribute.value.as_str());
        if seen.contains(&name) {
            return Err(invalid("attribute", name, "name it once"));
        }
        seen.push(name);
        if value.is_empty() || value.len() > 1000 {
            return Err(invalid("value of", name, "give 1 to 1000 characters"));
        }
        match name {
            "accountId" if value == account.as_str() => named_account = true,
            "accountId" => {
                return Err(invalid("account", value, "name the account that you are logged in to"));
            }
            "region" => target.region = Some(matcher(attribute)),
            "resource" => target.resource = Some(matcher(attribute)),
            "resourceType" => target.resource_type = Some(matcher(attribute)),
            "serviceName" => target.service = Some(service(attribute)?),
            "serviceType" => target.service_type = Some(service_type(attribute)?),
            _ => return Err(invalid("attribute", name, "use region, resourceType, resource or serviceName")),
        }
    }
    match (named_account, target.service.is_some() || target.service_type.is_some()) {
        (true, true) => Ok(target),
        (false, _) => Err(Invalid("the resource must name `accountId`".to_owned())),
        (true, false) => Err(Invalid("the resource must name `serviceName` or `serviceType`".to_owned())),
    }
}

fn service(attribute: &AttributeDocument) -> Result<Service, Invalid> {
    let known = Service::parse(&attribute.value).filter(|_| literal(attribute));
    known.ok_or_else(|| invalid("service", &attribute.value, "use `container-registry` or an IAM service"))
}

fn service_type(attribute: &AttributeDocument) -> Result<Box<str>, Invalid> {
    let known = Service::ALL.iter().any(|service| service.kind() == attribute.value) && literal(attribute);
    if known {
        Ok(attribute.value.as_str().into())
    } else {
        Err(invalid("service type", &attribute.value, "use `service`"))
    }
}

fn literal(attribute: &AttributeDocument) -> bool {
    attribute.operator != Some(Operator::StringMatch)
}

fn matcher(attribute: &AttributeDocument) -> Match {
    match attribute.operator {
        None | Some(Operator::StringEquals) => Match::Equals(attribute.value.as_str().into()),
        Some(Operator::StringMatch) => Match::Like(Pattern::ibm(&attribute.value)),
    }
}

fn invalid(what: &str, text: &str, advice: &str) -> Invalid {
    let text = crate::ids::Malformed::new(text, "").text;
    Invalid(format!("{what} `{text}` is not supported here: {advice}"))
}

#[cfg(test)]
mod tests {
    use super::super::document::PolicyDocument;
    use super::compile;
    use crate::ids::account::AccountId;
    use crate::ids::region::Region;
    use crate::ids::tagged::PolicyId;
    use crate::policy::action::Action;
    use crate::policy::model::{Grant, Resource};

    fn policy(attributes: &str, role: &str) -> Result<Grant, super::Invalid> {
        let text = format!(
            r#"{{"roles":[{{"role_id":"crn:v1:bluemix:public:iam::::serviceRole:{role}"}}],
                "resources":[{{"attributes":[{{"name":"accountId","value":"123456789012"}}{attributes}]}}]}}"#
        );
        let document: PolicyDocument = serde_json::from_str(&text).unwrap();
        let id = PolicyId::parse("ba934ca1-36a4-4d6c-a649-af45a2fc184b").unwrap();
        compile(&id, &document, &AccountId::parse("123456789012").unwrap())
    }

    const REGISTRY: &str = r#",{"name":"serviceName","value":"container-registry"}"#;

    #[test]
    fn reader_on_a_namespace_covers_that_namespace_in_that_region_only() {
        let more = r#",{"name":"region","value":"us-south"},{"name":"resourceType","value":"namespace"},
            {"name":"resource","value":"my_namespace"}"#;
        let grant = policy(&format!("{REGISTRY}{more}"), "Reader").unwrap();
        let (south, east) = (Region::parse("us-south").unwrap(), Region::parse("us-east").unwrap());
        assert!(grant.target.covers(&Resource::namespace(&south, "my_namespace")));
        assert!(!grant.target.covers(&Resource::namespace(&south, "my_namespace2")));
        assert!(!grant.target.covers(&Resource::namespace(&east, "my_namespace")));
        assert!(!grant.target.covers(&Resource::registry(&south)), "settings are account-level");
        assert!(grant.actions.contains(Action::ImagePull) && !grant.actions.contains(Action::ImagePush));
    }

    #[test]
    fn a_capitalised_resource_type_grants_nothing() {
        let more = r#",{"name":"resourceType","value":"Namespace"}"#;
        let grant = policy(&format!("{REGISTRY}{more}"), "Reader").unwrap();
        assert!(!grant.target.covers(&Resource::namespace(&Region::parse("us-south").unwrap(), "x")));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(policy("", "Reader").is_err(), "no service");
        assert!(policy(REGISTRY, "Owner").is_err(), "unknown role");
        assert!(policy(&format!("{REGISTRY}{REGISTRY}"), "Reader").is_err(), "repeated attribute");
        assert!(policy(&format!(r#"{REGISTRY},{{"name":"color","value":"red"}}"#), "Reader").is_err());
        assert!(policy(r#",{"name":"serviceName","value":"kms"}"#, "Reader").is_err());
    }
}
