//! Versions of managed policies.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input, shape};
use crate::control::aws::iam::version::VersionShown;

pub(super) async fn create(call: &AwsCall<'_>) -> Answered {
    let arn = input::policy_arn(&call.form, "PolicyArn")?;
    let document = input::document(&call.form, "PolicyDocument")?;
    let in_force = call.form.flag("SetAsDefault")?.unwrap_or_default();
    let done = call.desk.create_policy_version(&call.caller, &arn, &document, in_force).await?;
    Ok(AwsAnswer::xml(done, |xml, shown| {
        xml.element("PolicyVersion", |xml| shape::version(xml, &shown, false));
    }))
}

pub(super) async fn get(call: &AwsCall<'_>) -> Answered {
    let (arn, version) = (input::policy_arn(&call.form, "PolicyArn")?, input::version(&call.form)?);
    let done = call.desk.policy_version(&call.caller, &arn, version).await?;
    Ok(AwsAnswer::xml(done, |xml, shown| {
        xml.element("PolicyVersion", |xml| shape::version(xml, &shown, true));
    }))
}

pub(super) async fn list(call: &AwsCall<'_>) -> Answered {
    let (arn, page) = (input::policy_arn(&call.form, "PolicyArn")?, input::page(&call.form)?);
    let done = call.desk.policy_versions(&call.caller, &arn, &page).await?;
    let one = |xml: &mut Xml, shown: VersionShown| shape::version(xml, &shown, false);
    Ok(AwsAnswer::xml(done, |xml, paged| shape::page(xml, "Versions", paged, one)))
}

pub(super) async fn set_default(call: &AwsCall<'_>) -> Answered {
    let (arn, version) = (input::policy_arn(&call.form, "PolicyArn")?, input::version(&call.form)?);
    Ok(AwsAnswer::done(call.desk.set_default_version(&call.caller, &arn, version).await?))
}

pub(super) async fn delete(call: &AwsCall<'_>) -> Answered {
    let (arn, version) = (input::policy_arn(&call.form, "PolicyArn")?, input::version(&call.form)?);
    Ok(AwsAnswer::done(call.desk.delete_policy_version(&call.caller, &arn, version).await?))
}
