//! Shapes that several answers share.

use super::input::marker;
use crate::api::aws::xml::Xml;
use crate::control::aws::iam::attachment::Attached;
use crate::control::aws::iam::entity::{Person, group_arn, group_name, role_arn};
use crate::control::aws::iam::managed::PolicyShown;
use crate::control::aws::iam::page::Paged;
use crate::control::aws::iam::version::VersionShown;
use crate::ids::account::AccountId;
use crate::store::aws::attachment::AttachedPolicy;
use crate::store::aws::group::AwsGroup;
use crate::store::aws::holder::PolicyRef;
use crate::store::aws::role::Role;
use crate::store::aws::tag::Tag;

/// One page of a list, and where the next begins.
pub(super) fn page<T>(xml: &mut Xml, name: &str, paged: Paged<T>, inner: impl FnMut(&mut Xml, T)) {
    let Paged { items, next } = paged;
    xml.list(name, items, inner).text("IsTruncated", next.is_some());
    xml.optional("Marker", next.as_deref().map(marker));
}

/// Tags, if there are any.
pub(super) fn tags(xml: &mut Xml, tags: &[Tag]) {
    if !tags.is_empty() {
        all_tags(xml, tags);
    }
}

/// Tags.
pub(super) fn all_tags(xml: &mut Xml, tags: &[Tag]) {
    xml.list("Tags", tags, |xml, tag| {
        xml.text("Key", tag.key()).text("Value", tag.value());
    });
}

/// The members of a user.
pub(super) fn person(xml: &mut Xml, account: &AccountId, person: &Person) {
    xml.text("Path", &person.path).text("UserName", &person.name).text("UserId", person.unique_id());
    xml.text("Arn", person.arn(account)).time("CreateDate", person.created_at);
}

/// The members of a group.
pub(super) fn group(xml: &mut Xml, account: &AccountId, row: &AwsGroup) {
    xml.text("Path", row.path.as_str()).text("GroupName", group_name(row));
    xml.text("GroupId", row.unique_id()).text("Arn", group_arn(account, row));
    xml.time("CreateDate", row.group.stamp.created_at);
}

/// The members of a role that every answer has.
pub(super) fn role(xml: &mut Xml, account: &AccountId, row: &Role) {
    xml.text("Path", row.path.as_str()).text("RoleName", row.name.as_str()).text("RoleId", &row.id);
    xml.text("Arn", role_arn(account, row)).time("CreateDate", row.stamp.created_at);
    xml.document("AssumeRolePolicyDocument", row.trust.as_str());
}

/// What of a role only its own answers have.
pub(super) fn role_more(xml: &mut Xml, row: &Role) {
    if !row.description.is_empty() {
        xml.text("Description", &row.description);
    }
    xml.text("MaxSessionDuration", row.max_session);
}

/// When a role was last used.
pub(super) fn role_used(xml: &mut Xml, row: &Role) {
    xml.element("RoleLastUsed", |xml| {
        if let Some((at, region)) = &row.last_used {
            xml.time("LastUsedDate", *at).text("Region", region);
        }
    });
}

/// A boundary, if there is one.
pub(super) fn boundary(xml: &mut Xml, account: &AccountId, boundary: Option<&AttachedPolicy>) {
    if let Some(policy) = boundary {
        let arn = match &policy.policy {
            PolicyRef::Aws(arn) => arn.to_string(),
            PolicyRef::Customer(_) => {
                crate::control::aws::iam::entity::policy_arn(account, &policy.path, &policy.name)
            }
        };
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy").text("PermissionsBoundaryArn", arn);
        });
    }
}

/// A policy that is attached.
pub(super) fn attached(xml: &mut Xml, one: &Attached) {
    xml.text("PolicyName", &one.name).text("PolicyArn", &one.arn);
}

/// The members of a managed policy that every answer has.
pub(super) fn policy(xml: &mut Xml, shown: &PolicyShown) {
    xml.text("PolicyName", &shown.name).text("PolicyId", &shown.id).text("Arn", &shown.arn);
    xml.text("Path", &shown.path).text("DefaultVersionId", &shown.version);
    xml.text("AttachmentCount", shown.attachments);
    xml.text("PermissionsBoundaryUsageCount", shown.boundaries).text("IsAttachable", true);
    xml.time("CreateDate", shown.created_at).time("UpdateDate", shown.updated_at);
}

/// The description of a managed policy; lists leave it out.
pub(super) fn policy_more(xml: &mut Xml, shown: &PolicyShown) {
    if !shown.description.is_empty() {
        xml.text("Description", &shown.description);
    }
    tags(xml, &shown.tags);
}

/// A version, with its document where it is shown.
pub(super) fn version(xml: &mut Xml, shown: &VersionShown, with_document: bool) {
    if with_document {
        xml.document("Document", &shown.document);
    }
    xml.text("VersionId", &shown.id).text("IsDefaultVersion", shown.is_default);
    xml.time("CreateDate", shown.created_at);
}
