//! Ways through a JSON text that keep the positions. They judge nothing.

use crate::policy::aws::json::{Node, Value};

/// The value of a key.
pub(super) fn member<'n, 'a>(node: &'n Node<'a>, key: &str) -> Option<&'n Node<'a>> {
    match &node.value {
        Value::Object(members) => members.iter().find(|member| member.key == key).map(|member| &member.value),
        Value::Bool(_) | Value::List(_) | Value::Null | Value::Number(_) | Value::Text(_) => None,
    }
}

/// The members of a list; none if it is no list.
pub(super) fn items<'n, 'a: 'n>(node: Option<&'n Node<'a>>) -> impl Iterator<Item = &'n Node<'a>> {
    let list: &[Node<'a>] = match node.map(|node| &node.value) {
        Some(Value::List(list)) => list,
        Some(Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) | Value::Text(_)) | None => {
            &[]
        }
    };
    list.iter()
}

/// The text.
pub(super) fn text<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Text(text) => Some(text),
        Value::Bool(_) | Value::List(_) | Value::Null | Value::Number(_) | Value::Object(_) => None,
    }
}
