//! AWS documents: which statements speak of an action on a resource.

use super::condition::{holds, texts};
use super::wildcard::{Context, fits, fits_resource, marks, plain_marks};
use serde_json::Value;

/// What a statement is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// `ecr:PutImage`, or an IBM action's name for an operation that AWS has no name for.
    pub(crate) action: &'a str,
    /// The ARN, or `*`.
    pub(crate) resource: &'a str,
    /// The condition keys.
    pub(crate) context: &'a Context,
}

/// The document's statements, in order.
pub(crate) fn statements(document: &Value) -> Vec<&Value> {
    match &document["Statement"] {
        Value::Array(many) => many.iter().collect(),
        one => vec![one],
    }
}

/// Whether the statement denies.
pub(crate) fn denies(statement: &Value) -> bool {
    statement["Effect"] == "Deny"
}

/// Whether action, resource and condition fit. Only a document that is `attached` to the resource may name
/// none.
pub(crate) fn speaks_of(document: &Value, statement: &Value, attached: bool, ask: Ask) -> bool {
    let variables = document["Version"] == "2012-10-17";
    names_action(statement, ask.action)
        && names_resource(statement, variables, attached, ask)
        && holds(statement.get("Condition"), variables, ask.context)
}

fn names_action(statement: &Value, action: &str) -> bool {
    let listed = |list: &Value| texts(list).iter().any(|pattern| action_fits(pattern, action));
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(list), _) => listed(list),
        (None, Some(list)) => !listed(list),
        (None, None) => false,
    }
}

/// The service is compared as a word, the name with wildcards, both in any case. `*:*` is AWS's other spelling of `*`.
fn action_fits(pattern: &str, action: &str) -> bool {
    if matches!(pattern, "*" | "*:*") {
        return true;
    }
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    match (pattern.split_once(':'), action.split_once(':')) {
        (Some((vendor, names)), Some((service, name))) => {
            vendor == service && fits(&plain_marks(names), name)
        }
        _ => false,
    }
}

fn names_resource(statement: &Value, variables: bool, attached: bool, ask: Ask) -> bool {
    // One answer for each value; `None` where a variable stands for nothing.
    let each = |list: &Value| -> Vec<Option<bool>> {
        let pattern =
            |text: &String| if variables { marks(text, ask.context) } else { Some(plain_marks(text)) };
        texts(list).iter().map(|text| Some(fits_resource(&pattern(text)?, ask.resource))).collect()
    };
    match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(list), _) => each(list).contains(&Some(true)),
        (None, Some(list)) => each(list).iter().all(|fit| *fit == Some(false)),
        (None, None) => attached,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn actions_fit_in_any_case_and_never_across_services() {
        let cases = [
            ("*", "ecr:PutImage", true),
            ("*", "container-registry.quota.set", true),
            ("ECR:put*", "ecr:PutImage", true),
            ("ecr:*Layer*", "ecr:UploadLayerPart", true),
            ("*:*", "container-registry.quota.set", true),
            ("ec?:PutImage", "ecr:PutImage", false),
            ("*:PutImage", "ecr:PutImage", false),
            ("ecr:Put Image", "ecr:PutImage", false),
            ("ecr:*", "container-registry.quota.set", false),
        ];
        for (pattern, action, expected) in cases {
            assert_eq!(action_fits(pattern, action), expected, "{pattern} {action}");
        }
    }

    #[test]
    fn resources_and_what_they_exclude_follow_the_version() {
        let context = Context::new();
        let speaks = |statement: Value, version: &str, attached: bool, resource: &str| {
            let ask = Ask { action: "ecr:PutImage", resource, context: &context };
            let mut statement = statement;
            statement["Action"] = json!("*");
            speaks_of(&json!({"Version": version}), &statement, attached, ask)
        };
        let (new, old, arn) = ("2012-10-17", "2008-10-17", "arn:aws:ecr:r:1:repository/a");
        assert!(speaks(json!({"Resource": ["arn:aws:ecr:r:1:repository/b", arn]}), new, false, arn));
        assert!(speaks(json!({"Resource": "*"}), new, false, "*"));
        assert!(!speaks(json!({"Resource": "arn:aws:ecr:*"}), new, false, "*"));
        assert!(speaks(json!({"NotResource": "arn:aws:ecr:*"}), new, false, "*"));
        assert!(!speaks(json!({"NotResource": ["arn:aws:s3:*", arn]}), new, false, arn));
        assert!(!speaks(json!({"NotResource": ["arn:aws:s3:::${none}"]}), new, false, arn));
        assert!(speaks(json!({"NotResource": ["arn:aws:s3:::${none}"]}), old, false, arn));
        assert!(speaks(json!({}), new, true, arn) && !speaks(json!({}), new, false, arn));
    }
}
