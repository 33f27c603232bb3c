//! From what people type of a question to the body that the server is asked with.

use serde_json::{Map, Value};

use crate::cli::args;
use crate::cli::cr::region;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::policy::asked::untagged;

/// What is done, on what, and under which circumstances.
pub(in crate::cli) async fn body(
    session: &mut Session,
    question: &args::Question<'_>,
) -> Result<Map<String, Value>, Failure> {
    let mut body = Map::new();
    body.insert("action".to_owned(), question.action.into());
    let mut told = values(question.context);
    match question.resource {
        Some(name) if name.starts_with("crn:") || name.starts_with("arn:") => {
            body.insert("resource".to_owned(), name.into());
        }
        Some(name) => {
            let registries = region::registries(session).await?;
            let (host, path) = split(name, |host| region::is_host(&registries, host));
            // A host in front decides; else the targeted region, where that can be told.
            let region = match host {
                Some(host) => Some(region::at_host(&registries, host)?.region.clone()),
                None => region::target(session, None).await.ok().map(|targeted| targeted.region),
            };
            let (path, tag, digest) = untagged(path);
            let path = path.trim_end_matches('/');
            body.extend(region.map(|region| ("region".to_owned(), region.into())));
            let field = if path.contains('/') { "repository" } else { "namespace" };
            body.insert(field.to_owned(), path.into());
            for (key, value) in [("registry:Tag", tag), ("registry:Digest", digest)] {
                let is_told = told.keys().any(|told| told.eq_ignore_ascii_case(key));
                told.extend(value.filter(|_| !is_told).map(|value| (key.to_owned(), value.into())));
            }
        }
        None => {}
    }
    if !told.is_empty() {
        body.insert("context".to_owned(), told.into());
    }
    Ok(body)
}

/// A key that is given once has a value, one that is given more often has a list of them.
fn values(context: &[(String, String)]) -> Map<String, Value> {
    let mut told = Map::new();
    for (key, value) in context {
        let known = told.keys().find(|known| known.eq_ignore_ascii_case(key)).cloned();
        let place = told.entry(known.unwrap_or_else(|| key.clone())).or_insert(Value::Null);
        *place = match place.take() {
            Value::Array(mut values) => {
                values.push(value.as_str().into());
                Value::Array(values)
            }
            Value::String(first) => vec![first, value.clone()].into(),
            _ => value.as_str().into(),
        };
    }
    told
}

/// Takes the registry's host, if there is one, from the front.
fn split(resource: &str, is_host: impl Fn(&str) -> bool) -> (Option<&str>, &str) {
    match resource.split_once('/') {
        Some((host, path)) if is_host(host) => (Some(host), path),
        Some(_) | None => (None, resource),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{split, values};

    #[test]
    fn a_host_in_front_is_told_from_a_namespace() {
        let host = |text: &str| text == "us.test:8443";
        assert_eq!(split("us.test:8443/birds/owl:1", host), (Some("us.test:8443"), "birds/owl:1"));
        assert_eq!(split("birds/owl", host), (None, "birds/owl"));
        assert_eq!(split("birds", host), (None, "birds"));
    }

    #[test]
    fn a_key_that_is_given_more_than_once_has_several_values() {
        let given =
            [("aws:TagKeys", "a"), ("registry:Tag", "v1"), ("aws:tagkeys", "b"), ("aws:TagKeys", "c")];
        let told = values(&given.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(Value::from(told), json!({"aws:TagKeys": ["a", "b", "c"], "registry:Tag": "v1"}));
    }
}
