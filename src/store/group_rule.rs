//! Dynamic rules of access groups: who is in one because of what an identity provider says of them.

use async_trait::async_trait;

use super::StoreError;
use super::group::AccessGroup;
use super::identity::Stamp;
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, ClaimRuleId};
use crate::policy::ibm::claim::ClaimCondition;

/// A rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimRuleRecord {
    /// The id.
    pub id: ClaimRuleId,
    /// The group that it is of.
    pub group: AccessGroupId,
    /// Any text.
    pub name: String,
    /// The identity provider.
    pub realm: String,
    /// For how many hours a login counts.
    pub expiration: u8,
    /// All of these must hold.
    pub conditions: Vec<ClaimCondition>,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: PrincipalId,
    /// When.
    pub stamp: Stamp,
}

/// A membership that a rule gives for a while.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claimed {
    /// The rule.
    pub rule: ClaimRuleId,
    /// Its group.
    pub group: AccessGroupId,
    /// Until when.
    pub ends_at: UnixTime,
}

/// Reading and changing rules. Memberships that a rule has given end with it, and when it is changed.
#[async_trait]
pub trait ClaimRules {
    /// One rule of a group.
    async fn claim_rule(
        &self,
        group: &AccessGroupId,
        id: &ClaimRuleId,
    ) -> Result<Option<ClaimRuleRecord>, StoreError>;
    /// The rules of a group, oldest first. There are few.
    async fn claim_rules(&self, group: &AccessGroupId) -> Result<Vec<ClaimRuleRecord>, StoreError>;
    /// The rules about an identity provider, oldest first.
    async fn claim_rules_about(&self, realm: &str) -> Result<Vec<ClaimRuleRecord>, StoreError>;
    /// Who is in a group by its rules at that time, each once and until the last of them ends, by id.
    async fn claimed_members(
        &self,
        group: &AccessGroupId,
        at: UnixTime,
    ) -> Result<Vec<(PrincipalId, Claimed)>, StoreError>;
    /// The groups that somebody is in by rules at that time, oldest first.
    async fn claimed_groups(
        &self,
        member: &PrincipalId,
        at: UnixTime,
    ) -> Result<Vec<AccessGroup>, StoreError>;
    /// Puts these in place of all memberships that rules about that identity provider have given, each by the version of its rule
    /// that it was found by: a rule that has changed since gives none. Touches the member and, where it came or left, the groups.
    async fn put_claimed(
        &self,
        member: &PrincipalId,
        realm: &str,
        claimed: &[(Claimed, i64)],
    ) -> Result<(), StoreError>;
    /// Adds a rule; `NotFound` if there is no such group.
    async fn insert_claim_rule(&self, row: &ClaimRuleRecord) -> Result<(), StoreError>;
    /// Replaces a rule whose stored version is one less.
    async fn update_claim_rule(&self, row: &ClaimRuleRecord) -> Result<(), StoreError>;
    /// Removes a rule.
    async fn delete_claim_rule(&self, group: &AccessGroupId, id: &ClaimRuleId) -> Result<(), StoreError>;
}
