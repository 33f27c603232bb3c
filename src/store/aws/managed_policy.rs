//! Customer managed policies and their versions.

use async_trait::async_trait;

use super::AwsError;
use super::tag::Tag;
use super::text::DocumentText;
use crate::clock::UnixTime;
use crate::ids::Malformed;
use crate::ids::aws::ManagedPolicyId;
use crate::policy::aws::arn::{Name, Path};
use crate::store::StoreError;
use crate::store::identity::{Listed, Window};

/// The number of a version, written `v1`, `v2` …
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct VersionNumber(u32);

impl VersionNumber {
    /// The first version of a policy.
    pub const FIRST: Self = Self(1);

    /// Parses `v` and a number from 1 without leading zeros.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let digits = text.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| matches!(c, '1'..='9')));
        let number = digits.and_then(|digits| digits.parse().ok());
        number.map(Self).ok_or_else(|| Malformed::new(text, "a version such as `v1`"))
    }

    pub(in crate::store) const fn stored(number: u32) -> Self {
        Self(number)
    }

    pub(in crate::store) const fn number(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// A policy, without its documents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManagedPolicy {
    /// `ANPA…`
    pub id: ManagedPolicyId,
    /// The name; unique, case-insensitively.
    pub name: Name,
    /// Where it is filed.
    pub path: Path,
    /// Any text.
    pub description: String,
    /// Which version is in force.
    pub default_version: VersionNumber,
    /// How many users, groups and roles hold it.
    pub attachments: u32,
    /// How many users and roles have it as their boundary.
    pub boundaries: u32,
    /// When it was made.
    pub created_at: UnixTime,
    /// When a version was last made or put in force.
    pub updated_at: UnixTime,
}

/// One version of a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyVersion {
    /// Its number.
    pub number: VersionNumber,
    /// The document.
    pub document: DocumentText,
    /// Whether it is the one in force.
    pub is_default: bool,
    /// When it was made.
    pub created_at: UnixTime,
}

/// How a policy is used.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Usage {
    /// As a permissions boundary.
    Boundary,
    /// Attached, to grant or deny.
    Permissions,
}

/// Reading and changing customer managed policies. A change of what is in force touches `PolicyInForce`, everything else
/// `ManagedPolicy` only.
#[async_trait]
pub trait ManagedPolicies {
    /// One policy.
    async fn managed_policy(&self, id: &ManagedPolicyId) -> Result<Option<ManagedPolicy>, StoreError>;
    /// The policy of that name, in any case. The path is for the caller to compare.
    async fn managed_policy_named(&self, name: &Name) -> Result<Option<ManagedPolicy>, StoreError>;
    /// Policies whose path begins so, oldest first; only those that are used so, if given.
    async fn managed_policies(
        &self,
        path_prefix: &str,
        used: Option<Usage>,
        window: Window,
    ) -> Result<Listed<ManagedPolicy>, StoreError>;
    /// Adds a policy with its tags and `v1`, which is in force; `Conflict` if the name is taken. Only id, name, path,
    /// description and the time of making are read from `row`.
    async fn insert_managed_policy(
        &self,
        row: &ManagedPolicy,
        document: &DocumentText,
        tags: &[Tag],
    ) -> Result<(), AwsError>;
    /// Removes a policy that nobody holds and that has one version.
    async fn delete_managed_policy(&self, id: &ManagedPolicyId) -> Result<(), AwsError>;
    /// Versions, the youngest first.
    async fn policy_versions(
        &self,
        id: &ManagedPolicyId,
        window: Window,
    ) -> Result<Listed<PolicyVersion>, StoreError>;
    /// One version.
    async fn policy_version(
        &self,
        id: &ManagedPolicyId,
        number: VersionNumber,
    ) -> Result<Option<PolicyVersion>, StoreError>;
    /// Adds a version with the next number, at once in force if `in_force`.
    async fn insert_policy_version(
        &self,
        id: &ManagedPolicyId,
        document: &DocumentText,
        in_force: bool,
        now: UnixTime,
    ) -> Result<VersionNumber, AwsError>;
    /// Puts a version in force.
    async fn put_in_force(
        &self,
        id: &ManagedPolicyId,
        number: VersionNumber,
        now: UnixTime,
    ) -> Result<(), StoreError>;
    /// Removes a version that is not in force.
    async fn delete_policy_version(
        &self,
        id: &ManagedPolicyId,
        number: VersionNumber,
    ) -> Result<(), AwsError>;
}

#[cfg(test)]
mod tests {
    use super::VersionNumber;

    #[test]
    fn versions_have_one_spelling() {
        assert_eq!(VersionNumber::parse("v12").unwrap().to_string(), "v12");
        for wrong in ["", "v", "1", "v0", "v01", "V1", "v+1", "v1.0", "v99999999999"] {
            assert!(VersionNumber::parse(wrong).is_err(), "{wrong}");
        }
    }
}
