//! What users, groups and roles hold: attached policies, inline policies and boundaries.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input, shape};
use crate::control::aws::iam::attachment::Attached;
use crate::control::aws::iam::page::Paged;
use crate::policy::aws::kind::Owner;

pub(super) async fn attach(call: &AwsCall<'_>, kind: Owner) -> Answered {
    let (named, arn) = (input::named(&call.form, kind)?, input::policy_arn(&call.form, "PolicyArn")?);
    Ok(AwsAnswer::done(call.desk.attach_policy(&call.caller, &named, &arn).await?))
}

pub(super) async fn detach(call: &AwsCall<'_>, kind: Owner) -> Answered {
    let (named, arn) = (input::named(&call.form, kind)?, input::policy_arn(&call.form, "PolicyArn")?);
    Ok(AwsAnswer::done(call.desk.detach_policy(&call.caller, &named, &arn).await?))
}

pub(super) async fn list_attached(call: &AwsCall<'_>, kind: Owner) -> Answered {
    let (named, prefix) = (input::named(&call.form, kind)?, input::prefix(&call.form)?);
    let page = input::page(&call.form)?;
    let done = call.desk.attached_policies(&call.caller, &named, &prefix, &page).await?;
    let one = |xml: &mut Xml, attached: Attached| shape::attached(xml, &attached);
    Ok(AwsAnswer::xml(done, |xml, paged| shape::page(xml, "AttachedPolicies", paged, one)))
}

pub(super) async fn put_inline(call: &AwsCall<'_>, kind: Owner) -> Answered {
    let named = input::named(&call.form, kind)?;
    let name = input::name_of(&call.form, "PolicyName", 128)?;
    let document = input::document(&call.form, "PolicyDocument")?;
    Ok(AwsAnswer::done(call.desk.put_inline(&call.caller, &named, &name, &document).await?))
}

pub(super) async fn inline(call: &AwsCall<'_>, kind: Owner) -> Answered {
    let named = input::named(&call.form, kind)?;
    let name = input::name_of(&call.form, "PolicyName", 128)?;
    let done = call.desk.inline(&call.caller, &named, &name).await?;
    let of = match kind {
        Owner::Group => "GroupName",
        Owner::Role => "RoleName",
        Owner::User => "UserName",
    };
    Ok(AwsAnswer::xml(done, |xml, policy| {
        xml.text(of, named.name.as_str()).text("PolicyName", policy.name.as_str());
        xml.document("PolicyDocument", policy.document.as_str());
    }))
}

pub(super) async fn delete_inline(call: &AwsCall<'_>, kind: Owner) -> Answered {
    let named = input::named(&call.form, kind)?;
    let name = input::name_of(&call.form, "PolicyName", 128)?;
    Ok(AwsAnswer::done(call.desk.delete_inline(&call.caller, &named, &name).await?))
}

pub(super) async fn list_inline(call: &AwsCall<'_>, kind: Owner) -> Answered {
    let (named, page) = (input::named(&call.form, kind)?, input::page(&call.form)?);
    let done = call.desk.inlines(&call.caller, &named, &page).await?;
    Ok(AwsAnswer::xml(done, |xml, paged| {
        let Paged { items, next } = paged;
        xml.texts("PolicyNames", items).text("IsTruncated", next.is_some());
        xml.optional("Marker", next.as_deref().map(input::marker));
    }))
}

pub(super) async fn put_boundary(call: &AwsCall<'_>, kind: Owner) -> Answered {
    let named = input::named(&call.form, kind)?;
    let arn = input::policy_arn(&call.form, "PermissionsBoundary")?;
    Ok(AwsAnswer::done(call.desk.put_boundary(&call.caller, &named, &arn).await?))
}

pub(super) async fn delete_boundary(call: &AwsCall<'_>, kind: Owner) -> Answered {
    let named = input::named(&call.form, kind)?;
    Ok(AwsAnswer::done(call.desk.delete_boundary(&call.caller, &named).await?))
}
