//! What the API of access policies accepts, as a policy that can be compiled; or why it does not.

use super::access::{AccessPolicy, Attribute, Rule, Subject};
use super::document::{AttributeDocument, Joint, Operator, PolicyDocument, RuleDocument};
use super::role::Role;
use crate::ids::account::AccountId;
use crate::ids::resource_group::ResourceGroupId;
use crate::ids::tagged::PolicyId;
use crate::policy::engine::attribute::is_understood;
use crate::policy::engine::compiled::{CompiledPolicy, compile_ibm};
use crate::policy::resource::Service;

/// Why a document is no policy. The text is for the caller.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// Reads `document` as a policy of `account`.
///
/// # Errors
/// [`Invalid`] for an unknown role, attribute, operator or service, for a repeated attribute, and for a resource that
/// does not name the account and a service.
pub fn check(document: &PolicyDocument, account: &AccountId) -> Result<AccessPolicy, Invalid> {
    let mut roles = Vec::with_capacity(document.roles.len());
    for reference in &document.roles {
        let own = reference.custom.as_ref().map(|role| role.crn.clone());
        let known = own.or_else(|| Role::parse(&reference.role_id).map(Role::crn));
        let known =
            known.ok_or_else(|| invalid("role", &reference.role_id, "use one that `iam roles` lists"))?;
        roles.push(known);
    }
    if roles.is_empty() {
        return Err(Invalid("a policy grants at least one role".to_owned()));
    }
    let [resource] = document.resources.as_slice() else {
        return Err(Invalid("only one resource is allowed in a policy".to_owned()));
    };
    check_attributes(&resource.attributes, account)?;
    let attribute = |one: &AttributeDocument| Attribute {
        key: one.name.clone(),
        operator: one.operator.unwrap_or(Operator::StringEquals).name().to_owned(),
        values: one.value.texts(),
    };
    let rule = document.rule.as_ref().map(|rule| check_rule(rule, NESTED_MAX)).transpose()?;
    if document.pattern.as_deref().is_some_and(|pattern| !PATTERNS.contains(&pattern)) {
        return Err(Invalid(format!("`pattern` is none of {}", PATTERNS.join(", "))));
    }
    Ok(AccessPolicy {
        subject: Subject::default(),
        roles,
        custom: document.roles.iter().filter_map(|reference| reference.custom.clone()).collect(),
        attributes: resource.attributes.iter().map(attribute).collect(),
        tagged: false,
        rule,
    })
}

/// What v2 knows as the pattern of a rule.
const PATTERNS: [&str; 4] = [
    "time-based-conditions:once",
    "time-based-conditions:weekly:all-day",
    "time-based-conditions:weekly:custom-hours",
    "attribute-based-condition:resource:literal-and-wildcard",
];

/// How deep joined conditions can stand in each other.
const NESTED_MAX: u8 = 2;

/// How many conditions can be joined, and how many values one can have.
const MANY: usize = 10;

/// Reads a rule: one that nobody understands would hold for nothing, and whoever wrote it would not know.
fn check_rule(rule: &RuleDocument, depth: u8) -> Result<Rule, Invalid> {
    match rule {
        RuleDocument::Joined(joined) => {
            if depth == 0 || !(1..=MANY).contains(&joined.conditions.len()) {
                let text = format!("a rule joins 1 to {MANY} conditions, {NESTED_MAX} levels deep at most");
                return Err(Invalid(text));
            }
            let conditions = joined.conditions.iter().map(|one| check_rule(one, depth - 1));
            let conditions = conditions.collect::<Result<_, _>>()?;
            Ok(match joined.operator {
                Joint::And => Rule::All(conditions),
                Joint::Or => Rule::Any(conditions),
            })
        }
        RuleDocument::One(one) => {
            let (key, operator, values) = (one.key.clone(), one.operator.clone(), one.value.texts());
            let condition = Attribute { key, operator, values };
            if condition.values.len() > MANY || !is_understood(&condition) {
                let advice = "check the key, the operator and the value against each other";
                return Err(invalid("condition on", &one.key, advice));
            }
            Ok(Rule::Condition(condition))
        }
    }
}

/// Compiles what was checked.
#[must_use]
pub fn compile(id: &PolicyId, policy: &AccessPolicy) -> CompiledPolicy {
    let own = |crn: &str| policy.custom.iter().find(|role| role.crn == crn);
    let actions = |crn: &str| match Role::parse(crn) {
        Some(role) => Some(role.actions().map(|action| action.id()).collect()),
        None => own(crn).map(|role| role.actions.iter().map(|action| action.id()).collect()),
    };
    compile_ibm(id.as_str(), policy, actions)
}

fn check_attributes(attributes: &[AttributeDocument], account: &AccountId) -> Result<(), Invalid> {
    let (mut named_account, mut named_service) = (false, false);
    let mut seen: Vec<&str> = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        let name = attribute.name.as_str();
        let operator = attribute.operator.unwrap_or(Operator::StringEquals);
        // Empty where it is no text, and then no name of anything.
        let value = attribute.value.text().unwrap_or_default();
        if seen.contains(&name) {
            return Err(invalid("attribute", name, "name it once"));
        }
        seen.push(name);
        check_value(attribute, operator)?;
        let literal = operator == Operator::StringEquals;
        match name {
            "accountId" if literal && value == account.as_str() => named_account = true,
            "accountId" => {
                return Err(invalid("account", value, "name the account that you are logged in to"));
            }
            "region" | "resource" | "resourceType" => {}
            // Whatever is in the group: of every service that has resource groups, and there is one.
            "resourceGroupId" if literal && ResourceGroupId::parse(value).is_ok() => named_service = true,
            "resourceGroupId" => {
                return Err(invalid("resource group", value, "give the id that `resource groups` shows"));
            }
            "serviceName" if literal && Service::parse(value).is_some() => named_service = true,
            "serviceName" => {
                return Err(invalid("service", value, "use `container-registry` or an IAM service"));
            }
            "serviceType" if literal && Service::ALL.iter().any(|service| service.kind() == value) => {
                named_service = true;
            }
            "serviceType" => return Err(invalid("service type", value, "use `service`")),
            _ => {
                return Err(invalid(
                    "attribute",
                    name,
                    "use region, resourceType, resource, resourceGroupId or serviceName",
                ));
            }
        }
    }
    match (named_account, named_service) {
        (true, true) => Ok(()),
        (false, _) => Err(Invalid("the resource must name `accountId`".to_owned())),
        (true, false) => Err(Invalid(
            "the resource must name `serviceName`, `serviceType` or `resourceGroupId`".to_owned(),
        )),
    }
}

fn check_value(attribute: &AttributeDocument, operator: Operator) -> Result<(), Invalid> {
    let (name, texts) = (attribute.name.as_str(), attribute.value.texts());
    let fits = |text: &String| (1..=1000).contains(&text.len());
    if !(1..=MANY).contains(&texts.len()) || !texts.iter().all(fits) {
        return Err(invalid("value of", name, "give 1 to 1000 characters, or up to 10 such texts"));
    }
    match operator.takes(&attribute.value) {
        true => Ok(()),
        false => {
            Err(invalid("value of", name, "give a text, for `AnyOf` a list, for `stringExists` a boolean"))
        }
    }
}

fn invalid(what: &str, text: &str, advice: &str) -> Invalid {
    let text = crate::ids::Malformed::new(text, "").text;
    Invalid(format!("{what} `{text}` is not supported here: {advice}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::document::PolicyDocument;
    use super::{Invalid, check, compile};
    use crate::ids::account::AccountId;
    use crate::ids::region::Region;
    use crate::ids::tagged::PolicyId;
    use crate::policy::engine::bundle::{Bundle, Policies};
    use crate::policy::engine::context::Context;
    use crate::policy::engine::decide::decide;
    use crate::policy::engine::principal::Caller;
    use crate::policy::engine::question::{IbmWords, Question};
    use crate::policy::resource::Resource;
    use crate::policy::table::Action;

    fn account() -> AccountId {
        AccountId::parse("123456789012").unwrap()
    }

    fn policy(attributes: &str, role: &str) -> Result<Bundle, Invalid> {
        let text = format!(
            r#"{{"roles":[{{"role_id":"crn:v1:bluemix:public:iam::::serviceRole:{role}"}}],
                "resources":[{{"attributes":[{{"name":"accountId","value":"123456789012"}}{attributes}]}}]}}"#
        );
        let document: PolicyDocument = serde_json::from_str(&text).unwrap();
        let id = PolicyId::parse("ba934ca1-36a4-4d6c-a649-af45a2fc184b").unwrap();
        let ibm = vec![Arc::new(compile(&id, &check(&document, &account())?))];
        let caller = Caller::User {
            account: account(),
            arn: "arn:aws:iam::123456789012:user/a".into(),
            id: "a".into(),
        };
        Ok(Bundle::new(caller, Policies { ibm, ..Policies::default() }))
    }

    fn allows(bundle: &Bundle, action: Action, resource: &Resource) -> bool {
        let account = account();
        let attributes = resource.attributes(&account);
        let question = Question {
            aws: &[],
            ibm: Some(IbmWords { action: action.id(), attributes: attributes.as_slice() }),
            resource: crate::policy::engine::resource::Resource::NOTHING,
            resource_account: account.as_str(),
            attached: None,
            now: 0,
        };
        decide(bundle, &question, &Context::default()).is_allow()
    }

    const REGISTRY: &str = r#",{"name":"serviceName","value":"container-registry"}"#;

    #[test]
    fn reader_on_a_namespace_covers_that_namespace_in_that_region_only() {
        let more = r#",{"name":"region","value":"us-south"},{"name":"resourceType","value":"namespace"},
            {"name":"resource","value":"my_namespace"}"#;
        let grant = policy(&format!("{REGISTRY}{more}"), "Reader").unwrap();
        let (south, east) = (Region::parse("us-south").unwrap(), Region::parse("us-east").unwrap());
        let pull = |resource: &Resource| allows(&grant, Action::ImagePull, resource);
        assert!(pull(&Resource::namespace(&south, "my_namespace")));
        assert!(!pull(&Resource::namespace(&south, "my_namespace2")));
        assert!(!pull(&Resource::namespace(&east, "my_namespace")));
        assert!(!pull(&Resource::registry(&south)), "settings are account-level");
        assert!(!allows(&grant, Action::ImagePush, &Resource::namespace(&south, "my_namespace")));
    }

    #[test]
    fn a_capitalised_resource_type_grants_nothing() {
        let more = r#",{"name":"resourceType","value":"Namespace"}"#;
        let grant = policy(&format!("{REGISTRY}{more}"), "Reader").unwrap();
        let namespace = Resource::namespace(&Region::parse("us-south").unwrap(), "x");
        assert!(!allows(&grant, Action::ImagePull, &namespace));
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
