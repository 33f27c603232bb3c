//! Lifecycle policies.

use serde_json::{Value, json};

use super::page::{paging, token};
use super::repository::of;
use super::shape::{compact, time};
use super::{asker, wire};
use crate::api::aws::call::{AwsAnswer, AwsCall};
use crate::clock::UnixTime;
use crate::control::aws::AwsDone;
use crate::control::aws::ecr::image::{ImageId, TagStatus, cut};
use crate::control::aws::ecr::invalid;
use crate::control::aws::ecr::lifecycle::Previewed;
use crate::control::aws::problem::AwsProblem;
use crate::registry::name::RepositoryName;

pub(super) async fn put(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Lifecycle> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let text = said.rest.lifecycle_policy_text.as_deref();
    let text = text.ok_or_else(|| invalid("LifecyclePolicyText", "must not be null"))?;
    let done = call.desk.ecr_put_lifecycle(asker, &name, text).await?;
    Ok(AwsAnswer::json(done, |()| of(call, &name, json!({"lifecyclePolicyText": text}))))
}

pub(super) async fn read(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::NoMore> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    Ok(policy(call, &name, call.desk.ecr_lifecycle(asker, &name).await?))
}

pub(super) async fn delete(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::NoMore> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    Ok(policy(call, &name, call.desk.ecr_delete_lifecycle(asker, &name).await?))
}

fn policy(call: &AwsCall<'_>, name: &RepositoryName, done: AwsDone<(String, Option<UnixTime>)>) -> AwsAnswer {
    AwsAnswer::json(done, |(text, evaluated_at)| {
        // What was never carried out was carried out at the epoch: clients want a time.
        let at = evaluated_at.unwrap_or(UnixTime::from_millis(0));
        of(call, name, json!({"lifecyclePolicyText": text, "lastEvaluatedAt": time(at)}))
    })
}

pub(super) async fn start_preview(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Lifecycle> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let text = said.rest.lifecycle_policy_text.as_deref();
    let done = call.desk.ecr_start_preview(asker, &name, text).await?;
    Ok(AwsAnswer::json(done, |text| {
        of(call, &name, json!({"lifecyclePolicyText": text, "status": "IN_PROGRESS"}))
    }))
}

pub(super) async fn preview(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Listed> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let status = said.rest.status()?;
    let paging = paging(said.rest.next_token.as_deref(), said.rest.max_results, 100)?;
    let ids = said.rest.image_ids.map(|ids| ids.into_iter().map(ImageId::from).collect::<Vec<_>>());
    let done = call.desk.ecr_preview(asker, &name).await?;
    Ok(AwsAnswer::json(done, |preview| {
        let total = preview.going.len();
        let chosen = |one: &Previewed| {
            let tagged = !one.image.tags.is_empty();
            let fits = match status {
                TagStatus::Any => true,
                TagStatus::Tagged => tagged,
                TagStatus::Untagged => !tagged,
            };
            fits && ids.as_ref().is_none_or(|ids| ids.iter().any(|id| is(one, id)))
        };
        // The pages are in the order of what goes first.
        let key = |(at, _): &(usize, Previewed)| format!("{at:08}");
        let going = preview.going.into_iter().filter(chosen).enumerate().collect();
        let page = cut(going, &paging, key);
        let results: Value = page.items.iter().map(|(_, one)| result(one)).collect();
        let more = json!({
            "lifecyclePolicyText": preview.text,
            "status": "COMPLETE",
            "nextToken": page.next.as_deref().map(token),
            "previewResults": results,
            "summary": {"expiringImageTotalCount": total},
        });
        of(call, &name, more)
    }))
}

fn is(one: &Previewed, id: &ImageId) -> bool {
    id.digest.as_deref().is_none_or(|digest| digest == one.image.digest.as_str())
        && id.tag.as_ref().is_none_or(|tag| one.image.tags.contains(tag))
}

fn result(one: &Previewed) -> Value {
    let tags = &one.image.tags;
    compact(json!({
        "imageTags": (!tags.is_empty()).then_some(tags),
        "imageDigest": one.image.digest.as_str(),
        "imagePushedAt": time(one.image.pushed_at),
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": one.rule,
    }))
}
