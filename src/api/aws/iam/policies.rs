//! Managed policies, and who has them.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input, shape};
use crate::control::aws::iam::granting::Granting;
use crate::control::aws::iam::held::Held;
use crate::control::aws::iam::managed::PolicyShown;
use crate::control::aws::iam::page::Paged;
use crate::control::aws::iam::policy::{HolderShown, NewPolicy, Scope, Wanted};
use crate::policy::aws::kind::Owner;
use crate::store::aws::managed_policy::Usage;

const USAGES: &[(&str, Usage)] =
    &[("PermissionsPolicy", Usage::Permissions), ("PermissionsBoundary", Usage::Boundary)];

pub(super) async fn create(call: &AwsCall<'_>) -> Answered {
    let new = NewPolicy {
        name: input::name_of(&call.form, "PolicyName", 128)?,
        path: input::path(&call.form)?,
        description: input::description(&call.form)?.unwrap_or_default(),
        document: input::document(&call.form, "PolicyDocument")?,
        tags: input::tags(&call.form)?,
    };
    let done = call.desk.create_aws_policy(&call.caller, new).await?;
    Ok(AwsAnswer::xml(done, |xml, shown| {
        xml.element("Policy", |xml| {
            shape::policy(xml, &shown);
            shape::tags(xml, &shown.tags);
        });
    }))
}

pub(super) async fn get(call: &AwsCall<'_>) -> Answered {
    let arn = input::policy_arn(&call.form, "PolicyArn")?;
    let done = call.desk.aws_policy(&call.caller, &arn).await?;
    Ok(AwsAnswer::xml(done, |xml, shown| {
        xml.element("Policy", |xml| {
            shape::policy(xml, &shown);
            shape::policy_more(xml, &shown);
        });
    }))
}

pub(super) async fn list(call: &AwsCall<'_>) -> Answered {
    let scopes = [("All", Scope::All), ("AWS", Scope::Aws), ("Local", Scope::Local)];
    let wanted = Wanted {
        scope: input::choice(&call.form, "Scope", &scopes)?.unwrap_or_default(),
        only_attached: call.form.flag("OnlyAttached")?.unwrap_or_default(),
        prefix: input::prefix(&call.form)?,
        usage: input::choice(&call.form, "PolicyUsageFilter", USAGES)?,
    };
    let page = input::page(&call.form)?;
    let done = call.desk.aws_policies(&call.caller, &wanted, &page).await?;
    let one = |xml: &mut Xml, shown: PolicyShown| shape::policy(xml, &shown);
    Ok(AwsAnswer::xml(done, |xml, paged| shape::page(xml, "Policies", paged, one)))
}

pub(super) async fn delete(call: &AwsCall<'_>) -> Answered {
    let arn = input::policy_arn(&call.form, "PolicyArn")?;
    Ok(AwsAnswer::done(call.desk.delete_aws_policy(&call.caller, &arn).await?))
}

pub(super) async fn entities(call: &AwsCall<'_>) -> Answered {
    let arn = input::policy_arn(&call.form, "PolicyArn")?;
    let kinds = [
        ("User", Some(Some(Owner::User))),
        ("Role", Some(Some(Owner::Role))),
        ("Group", Some(Some(Owner::Group))),
        ("LocalManagedPolicy", Some(None)),
        ("AWSManagedPolicy", Some(None)),
    ];
    let kind = input::choice(&call.form, "EntityFilter", &kinds)?.flatten();
    let usage = input::choice(&call.form, "PolicyUsageFilter", USAGES)?;
    let (prefix, page) = (input::prefix(&call.form)?, input::page(&call.form)?);
    // No policy holds a policy.
    let done =
        call.desk.entities_for_policy(&call.caller, &arn, (kind.flatten(), &prefix, usage), &page).await?;
    let nothing = kind == Some(None);
    Ok(AwsAnswer::xml(done, |xml, paged| {
        let Paged { items, next } = paged;
        for (name, wanted) in
            [("PolicyGroups", Owner::Group), ("PolicyUsers", Owner::User), ("PolicyRoles", Owner::Role)]
        {
            let of = items.iter().filter(|one| one.kind == wanted && !nothing);
            xml.list(name, of, holder);
        }
        let next = next.filter(|_| !nothing);
        xml.text("IsTruncated", next.is_some()).optional("Marker", next.as_deref().map(input::marker));
    }))
}

fn holder(xml: &mut Xml, shown: &HolderShown) {
    let word = capital(shown.kind);
    xml.text(&format!("{word}Name"), &shown.name).text(&format!("{word}Id"), &shown.id);
}

const fn capital(kind: Owner) -> &'static str {
    match kind {
        Owner::Group => "Group",
        Owner::Role => "Role",
        Owner::User => "User",
    }
}

pub(super) async fn granting(call: &AwsCall<'_>) -> Answered {
    let arn = input::arn(&call.form, "Arn")?;
    let services: Vec<String> = call.form.list("ServiceNamespaces").into_iter().map(str::to_owned).collect();
    for service in &services {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if service.is_empty() || service.len() > 64 || !service.bytes().all(fits) {
            let pattern = "satisfy regular expression pattern: [\\w-]*";
            return Err(input::broken("ServiceNamespaces", Some(service), pattern));
        }
    }
    if services.is_empty() || services.len() > 200 {
        return Err(input::broken("ServiceNamespaces", None, "have length between 1 and 200"));
    }
    let done = call.desk.policies_granting(&call.caller, &arn, &services).await?;
    Ok(AwsAnswer::xml(done, |xml, list| {
        xml.list("PoliciesGrantingServiceAccess", list, |xml, Granting { service, policies }| {
            xml.text("ServiceNamespace", service).list("Policies", policies, held);
        });
        xml.text("IsTruncated", false);
    }))
}

fn held(xml: &mut Xml, held: Held) {
    let kind = if held.arn.is_some() { "MANAGED" } else { "INLINE" };
    xml.text("PolicyName", &held.name).text("PolicyType", kind);
    xml.optional("PolicyArn", held.arn.as_ref());
    if held.arn.is_none() {
        xml.text("EntityType", capital(held.owner).to_uppercase()).text("EntityName", &held.holder);
    }
}
