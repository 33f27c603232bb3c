//! Policies in the words of v2 of the API, from and to those of v1, which everything else here is written in. Pure.

use serde_json::{Map, Value, json};

use crate::cli::wire::{Attribute, Attributes, GrantedRole, Policy};

/// The body of v2 that says what this one of v1 says. What is v2's already stays as it is.
pub(super) fn body(mut v1: Map<String, Value>, subject: (&str, &str)) -> Map<String, Value> {
    let roles = v1.remove("roles");
    let resources = v1.remove("resources");
    let mut v2 = v1;
    v2.insert("type".to_owned(), "access".into());
    let (key, value) = subject;
    let named = json!({"attributes": [{"key": key, "operator": "stringEquals", "value": value}]});
    v2.insert("subject".to_owned(), named);
    if let Some(roles) = roles {
        v2.insert("control".to_owned(), json!({"grant": {"roles": roles}}));
    }
    let attributes = resources.as_ref().and_then(|resources| resources.pointer("/0/attributes"));
    if let Some(attributes) = attributes.and_then(Value::as_array) {
        let attributes: Vec<Value> = attributes.iter().map(attribute).collect();
        v2.insert("resource".to_owned(), json!({"attributes": attributes}));
    }
    v2
}

fn attribute(v1: &Value) -> Value {
    let field = |name: &str| v1.get(name).cloned();
    let operator = field("operator").unwrap_or_else(|| "stringEquals".into());
    json!({"key": field("name"), "operator": operator, "value": field("value")})
}

/// What a policy of v2 says, in the shape that is shown.
pub(super) fn policy(found: &Value) -> Policy {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let attributes = |place: &str| {
        let rows = found.pointer(place).and_then(Value::as_array).cloned().unwrap_or_default();
        let of = |row: &Value| Attribute { name: text(row.get("key")), value: text(row.get("value")) };
        vec![Attributes { attributes: rows.iter().map(of).collect() }]
    };
    let roles = found.pointer("/control/grant/roles").and_then(Value::as_array).cloned().unwrap_or_default();
    let role = |row: &Value| GrantedRole {
        role_id: text(row.get("role_id")),
        display_name: text(row.get("display_name")),
    };
    Policy {
        id: text(found.get("id")),
        description: text(found.get("description")),
        subjects: attributes("/subject/attributes"),
        roles: roles.iter().map(role).collect(),
        resources: attributes("/resource/attributes"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{body, policy};

    #[test]
    fn what_v1_says_is_said_in_v2() {
        let v1 = json!({"roles": [{"role_id": "crn:r"}], "description": "why", "resources": [{"attributes": [
            {"name": "accountId", "value": "1"}, {"name": "resource", "value": "a*", "operator": "stringMatch"}]}]});
        let Value::Object(v1) = v1 else { panic!("an object") };
        let v2 = Value::Object(body(v1, ("iam_id", "IBMid-1")));
        assert_eq!(
            v2,
            json!({"type": "access", "description": "why", "control": {"grant": {"roles": [{"role_id": "crn:r"}]}},
                "subject": {"attributes": [{"key": "iam_id", "operator": "stringEquals", "value": "IBMid-1"}]},
                "resource": {"attributes": [{"key": "accountId", "operator": "stringEquals", "value": "1"},
                    {"key": "resource", "operator": "stringMatch", "value": "a*"}]}})
        );
        let shown = policy(&v2);
        assert_eq!(shown.subjects[0].attributes[0].value, "IBMid-1");
        assert_eq!((shown.roles[0].role_id.as_str(), shown.resources[0].attributes.len()), ("crn:r", 2));
    }
}
