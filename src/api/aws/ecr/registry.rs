//! The registry as a whole, and what it does not have.

use serde_json::{Value, json};

use super::{asker, wire};
use crate::api::aws::call::{AwsAnswer, AwsCall};
use crate::control::aws::ecr::registry::Absent;
use crate::control::aws::ecr::{self, invalid};
use crate::control::aws::problem::AwsProblem;

pub(super) async fn describe(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let done = call.desk.ecr_registry(asker(call, None)).await?;
    Ok(AwsAnswer::json(done, |()| of(call, json!({"replicationConfiguration": {"rules": []}}))))
}

pub(super) async fn put_policy(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::RegistryPolicy = call.json()?;
    let done = call.desk.ecr_put_registry_policy(asker(call, None), &said.policy_text).await?;
    Ok(AwsAnswer::json(done, |text| of(call, json!({"policyText": text}))))
}

pub(super) async fn policy(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let done = call.desk.ecr_registry_policy(asker(call, None)).await?;
    Ok(AwsAnswer::json(done, |text| of(call, json!({"policyText": text}))))
}

pub(super) async fn delete_policy(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let done = call.desk.ecr_delete_registry_policy(asker(call, None)).await?;
    Ok(AwsAnswer::json(done, |text| of(call, json!({"policyText": text}))))
}

pub(super) async fn account_setting(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Setting = call.json()?;
    let done = call.desk.ecr_account_setting(asker(call, None), &said.name).await?;
    Ok(AwsAnswer::json(done, |value| json!({"name": said.name, "value": value})))
}

pub(super) async fn put_account_setting(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Setting = call.json()?;
    let value = said.value.ok_or_else(|| invalid("value", "must not be null"))?;
    let done = call.desk.ecr_put_account_setting(asker(call, None), &said.name, &value).await?;
    Ok(AwsAnswer::json(done, |()| json!({"name": said.name, "value": value})))
}

/// Replication may be switched off, which it is.
pub(super) async fn put_replication(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Replication = call.json()?;
    let done = call.desk.ecr_nothing(asker(call, None), "ecr:PutReplicationConfiguration").await?;
    if !said.replication_configuration.rules.is_empty() {
        return Err(ecr::not_offered("replication"));
    }
    Ok(AwsAnswer::json(done, |()| json!({"replicationConfiguration": {"rules": []}})))
}

pub(super) async fn scanning(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let done = call.desk.ecr_nothing(asker(call, None), "ecr:GetRegistryScanningConfiguration").await?;
    let basic = json!({"scanType": "BASIC", "rules": []});
    Ok(AwsAnswer::json(done, |()| of(call, json!({"scanningConfiguration": basic}))))
}

/// What scans the whole registry may be switched off, which it is.
pub(super) async fn put_scanning(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::RegistryScanning = call.json()?;
    let done = call.desk.ecr_nothing(asker(call, None), "ecr:PutRegistryScanningConfiguration").await?;
    let basic = said.scan_type.as_deref().is_none_or(|kind| kind == "BASIC");
    if !basic || said.rules.is_some_and(|rules| !rules.is_empty()) {
        return Err(ecr::not_offered("scanning by rules of the registry"));
    }
    let basic = json!({"scanType": "BASIC", "rules": []});
    Ok(AwsAnswer::json(done, |()| json!({"registryScanningConfiguration": basic})))
}

/// A list without members, unless some are named, which are not there.
pub(super) async fn empty(
    call: &AwsCall<'_>,
    name: &'static str,
    list: &'static str,
    missing: Absent,
) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Prefixes = call.json()?;
    if said.ecr_repository_prefixes.is_some_and(|prefixes| !prefixes.is_empty()) {
        return absent(call, name, missing).await;
    }
    let done = call.desk.ecr_nothing(asker(call, None), name).await?;
    Ok(AwsAnswer::json(done, |()| json!({list: []})))
}

/// Something that cannot be made here.
pub(super) async fn not_offered(
    call: &AwsCall<'_>,
    name: &'static str,
    what: &'static str,
) -> Result<AwsAnswer, AwsProblem> {
    absent(call, name, Absent::NotOffered(what)).await
}

/// Something that is not there.
pub(super) async fn absent(
    call: &AwsCall<'_>,
    name: &'static str,
    absent: Absent,
) -> Result<AwsAnswer, AwsProblem> {
    Ok(AwsAnswer::done(call.desk.ecr_absent(asker(call, None), name, absent).await?))
}

fn of(call: &AwsCall<'_>, more: Value) -> Value {
    let mut said = json!({"registryId": call.desk.account.as_str()});
    if let (Value::Object(all), Value::Object(more)) = (&mut said, more) {
        all.extend(more);
    }
    said
}
