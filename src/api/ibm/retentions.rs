//! Retention policies in Container Registry's API.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::{Answer, present};
use super::super::call::Call;
use super::images::full;
use super::registry::same_account;
use crate::control::problem::{Noun, Problem};
use crate::control::retention::{Leaving, Retention};
use crate::control::stocktaking::ImageName;
use crate::registry::name::Namespace;
use crate::registry::reference::Reference;
use crate::store::retention::RetentionPolicy;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Retentions {
    Analyze,
    List,
    Read,
    Set,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    namespace: String,
    #[serde(default)]
    images_per_repo: Option<i64>,
    #[serde(default)]
    retain_untagged: bool,
    #[serde(default)]
    deletion_threshold_days: Option<u32>,
}

pub(in super::super) async fn answer(which: Retentions, call: &Call<'_>) -> Result<Answer, Problem> {
    same_account(call)?;
    let (desk, caller, region) = (call.desk, &call.caller, &call.request.region);
    match which {
        Retentions::Analyze => {
            let done = desk.analyze_retention(caller, region, &wanted(call)?).await?;
            Ok(Answer::of(StatusCode::OK, done, |going| leaving(call, &going)))
        }
        Retentions::List => {
            let done = desk.retentions(caller, region).await?;
            let one = |row: &RetentionPolicy| (row.namespace.to_string(), policy(row));
            Ok(Answer::of(StatusCode::OK, done, |rows| {
                Value::Object(rows.iter().map(one).collect::<Map<_, _>>())
            }))
        }
        Retentions::Read => {
            let name = call.id("namespace", Noun::Namespace, Namespace::parse)?;
            Ok(Answer::of(StatusCode::OK, desk.retention(caller, region, &name).await?, |row| policy(&row)))
        }
        Retentions::Set => {
            let done = desk.set_retention(caller, region, &wanted(call)?).await?;
            Ok(Answer::of(StatusCode::OK, done, |gone| leaving(call, &gone)))
        }
    }
}

fn wanted(call: &Call<'_>) -> Result<Retention, Problem> {
    let body: Body = call.body()?;
    let images = match body.images_per_repo {
        None | Some(-1) => None,
        Some(number) => {
            let number = u32::try_from(number).ok().filter(|number| *number > 0);
            let wrong = || {
                Problem::Invalid("`images_per_repo` is neither -1 for all nor a number of images".to_owned())
            };
            Some(number.ok_or_else(wrong)?)
        }
    };
    if body.deletion_threshold_days == Some(0) {
        return Err(Problem::Invalid("`deletion_threshold_days` is 1 or more".to_owned()));
    }
    Ok(Retention {
        namespace: Namespace::parse(&body.namespace)?,
        images,
        retain_untagged: body.retain_untagged,
        threshold_days: body.deletion_threshold_days,
    })
}

fn policy(row: &RetentionPolicy) -> Value {
    present(json!({
        "namespace": row.namespace,
        "images_per_repo": row.images.map_or(-1, i64::from),
        "retain_untagged": row.retain_untagged,
        "deletion_threshold_days": row.threshold_days,
    }))
}

/// The images, by repository.
fn leaving(call: &Call<'_>, going: &Leaving) -> Value {
    let one = |(name, digests): &(crate::registry::name::RepositoryName, Vec<_>)| {
        let image = |digest: &crate::registry::reference::Digest| {
            full(call, &ImageName { repository: name.clone(), reference: Reference::Digest(digest.clone()) })
        };
        let images: Vec<String> = digests.iter().map(image).collect();
        (format!("{}/{name}", call.request.authority), json!(images))
    };
    Value::Object(going.iter().map(one).collect::<Map<_, _>>())
}
