//! Repositories, their settings, policies and tags.

use serde_json::{Value, json};

use super::page::{paging, token};
use super::shape::{compact, filters, repository};
use super::{asker, wire};
use crate::api::aws::call::{AwsAnswer, AwsCall};
use crate::control::aws::AwsDone;
use crate::control::aws::ecr::repository::NewRepository;
use crate::control::aws::ecr::{invalid, not_offered, repository_name, tag};
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::registry::name::RepositoryName;
use crate::store::aws::repository::Mutability;

pub(super) async fn describe(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Described = call.json()?;
    let asker = asker(call, said.registry_id.as_deref());
    let named = said.repository_names.filter(|names| !names.is_empty());
    if let Some(names) = named {
        if names.len() > 100 || said.next_token.is_some() || said.max_results.is_some() {
            return Err(invalid("repositoryNames", "at most 100, and without nextToken and maxResults"));
        }
        let names = names.iter().map(|name| repository_name(name)).collect::<Result<Vec<_>, _>>()?;
        let done = call.desk.ecr_named_repositories(asker, &names).await?;
        let list = |rows: Vec<_>| rows.iter().map(|row| repository(call, row)).collect::<Value>();
        return Ok(AwsAnswer::json(done, |rows| json!({"repositories": list(rows)})));
    }
    let paging = paging(said.next_token.as_deref(), said.max_results, 1_000)?;
    let done = call.desk.ecr_repositories(asker, &paging).await?;
    Ok(AwsAnswer::json(done, |page| {
        let rows: Value = page.items.iter().map(|row| repository(call, row)).collect();
        compact(json!({"repositories": rows, "nextToken": page.next.as_deref().map(token)}))
    }))
}

pub(super) async fn create(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Created> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let new = said.rest;
    if new.encryption_configuration.is_some_and(|encryption| encryption.encryption_type != "AES256") {
        return Err(not_offered("encryption with keys of a key management service"));
    }
    let given = new.tags.unwrap_or_default();
    let new = NewRepository {
        name,
        mutability: mutability(new.image_tag_mutability.as_deref().unwrap_or("MUTABLE"))?,
        exclusions: exclusions(new.image_tag_mutability_exclusion_filters)?,
        scan_on_push: new.image_scanning_configuration.unwrap_or_default().scan_on_push,
        tags: tags(&given)?,
    };
    let done = call.desk.ecr_create_repository(asker, new).await?;
    Ok(AwsAnswer::json(done, |row| json!({"repository": repository(call, &row)})))
}

pub(super) async fn delete(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Forced> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_delete_repository(asker, &name, said.rest.force).await?;
    Ok(AwsAnswer::json(done, |row| json!({"repository": repository(call, &row)})))
}

pub(super) async fn put_mutability(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Mutability> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let set = mutability(&said.rest.image_tag_mutability)?;
    let except = exclusions(said.rest.image_tag_mutability_exclusion_filters)?;
    let done = call.desk.ecr_put_mutability(asker, &name, set, &except).await?;
    Ok(AwsAnswer::json(done, |()| {
        let shown = (!except.is_empty()).then(|| filters(&except));
        let more = json!({
            "imageTagMutability": set.as_str(),
            "imageTagMutabilityExclusionFilters": shown,
        });
        of(call, &name, more)
    }))
}

pub(super) async fn put_scanning(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::PutScanning> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let scan = said.rest.image_scanning_configuration.scan_on_push;
    let done = call.desk.ecr_put_scan_on_push(asker, &name, scan).await?;
    let more = json!({"imageScanningConfiguration": {"scanOnPush": scan}});
    Ok(AwsAnswer::json(done, |()| of(call, &name, more)))
}

pub(super) async fn scanning(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Names = call.json()?;
    if !(1..=25).contains(&said.repository_names.len()) {
        return Err(invalid("repositoryNames", "must have 1 to 25 members"));
    }
    let names = said.repository_names.iter().map(|name| repository_name(name));
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let done = call.desk.ecr_scanned_repositories(asker(call, None), &names).await?;
    Ok(AwsAnswer::json(done, |(found, missing)| {
        let one = |row: &crate::store::aws::repository::Repository| {
            json!({
                "repositoryArn": row.arn(call.desk.account.clone()).to_string(),
                "repositoryName": row.name.as_str(),
                "scanOnPush": row.scan_on_push,
                "scanFrequency": if row.scan_on_push { "SCAN_ON_PUSH" } else { "MANUAL" },
                "appliedScanFilters": [],
            })
        };
        let absent = |name: &RepositoryName| {
            json!({
                "repositoryName": name.as_str(),
                "failureCode": "REPOSITORY_NOT_FOUND",
                "failureReason": "The repository does not exist",
            })
        };
        json!({
            "scanningConfigurations": found.iter().map(one).collect::<Value>(),
            "failures": missing.iter().map(absent).collect::<Value>(),
        })
    }))
}

pub(super) async fn set_policy(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Policy> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_set_repository_policy(asker, &name, &said.rest.policy_text, said.rest.force);
    Ok(policy(call, &name, done.await?))
}

pub(super) async fn repository_policy(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::NoMore> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    Ok(policy(call, &name, call.desk.ecr_repository_policy(asker, &name).await?))
}

pub(super) async fn delete_policy(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::NoMore> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    Ok(policy(call, &name, call.desk.ecr_delete_repository_policy(asker, &name).await?))
}

fn policy(call: &AwsCall<'_>, name: &RepositoryName, done: AwsDone<String>) -> AwsAnswer {
    AwsAnswer::json(done, |text| of(call, name, json!({"policyText": text})))
}

pub(super) async fn list_tags(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Resource = call.json()?;
    let done = call.desk.ecr_tags(asker(call, None), &said.resource_arn).await?;
    Ok(AwsAnswer::json(done, |tags| {
        let tags: Value = tags.iter().map(|tag| json!({"Key": tag.key(), "Value": tag.value()})).collect();
        json!({"tags": tags})
    }))
}

pub(super) async fn tag_resource(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Tagged = call.json()?;
    let tags = tags(&said.tags)?;
    Ok(AwsAnswer::done(call.desk.ecr_tag(asker(call, None), &said.resource_arn, &tags).await?))
}

pub(super) async fn untag_resource(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Untagged = call.json()?;
    let done = call.desk.ecr_untag(asker(call, None), &said.resource_arn, &said.tag_keys).await?;
    Ok(AwsAnswer::done(done))
}

/// What is said of a repository besides its name.
pub(super) fn of(call: &AwsCall<'_>, name: &RepositoryName, more: Value) -> Value {
    let mut said = json!({"registryId": call.desk.account.as_str(), "repositoryName": name.as_str()});
    if let (Value::Object(all), Value::Object(more)) = (&mut said, more) {
        all.extend(more);
    }
    compact(said)
}

fn mutability(text: &str) -> Result<Mutability, AwsProblem> {
    text.parse().map_err(|_| {
        let rule = "Member must satisfy enum value set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]";
        invalid("imageTagMutability", rule)
    })
}

fn exclusions(given: Option<Vec<wire::Filter>>) -> Result<Vec<String>, AwsProblem> {
    let one = |filter: wire::Filter| match filter.filter_type.as_str() {
        "WILDCARD" => Ok(filter.filter),
        _ => Err(invalid("imageTagMutabilityExclusionFilters", "filterType must be WILDCARD")),
    };
    given.unwrap_or_default().into_iter().map(one).collect()
}

fn tags(given: &[wire::Tag]) -> Result<Vec<crate::store::aws::tag::Tag>, AwsProblem> {
    if given.iter().any(|tag| tag.value.is_none()) {
        return Err(AwsProblem::said(AwsCode::InvalidTagParameterException, "A tag needs a value."));
    }
    tag::tags(given.iter().map(|tag| (tag.key.as_str(), tag.value.as_deref().unwrap_or_default())))
}
