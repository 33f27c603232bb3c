//! Configuration rules, verdicts with their history, and what verdicts are made from that nothing else keeps.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::identity::Stamp;
use super::rule_attachment::RuleAttachment;
use crate::clock::UnixTime;
use crate::compliance::drift::{Deed, Drift};
use crate::compliance::facts::Transfer;
use crate::compliance::report::Summary;
use crate::compliance::rule::document::RuleDocument;
use crate::compliance::verdict::Verdict;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::ComplianceRuleId;
use crate::record::activity::Notice;

/// A configuration rule.
#[derive(Clone, Debug, PartialEq)]
pub struct ComplianceRule {
    /// Its id.
    pub id: ComplianceRuleId,
    /// What it says; one that could not be obeyed is never stored.
    pub document: RuleDocument,
    /// Where it is attached, oldest first. They are changed by themselves: writing a rule leaves them as they are.
    pub attachments: Vec<RuleAttachment>,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: PrincipalId,
    /// When.
    pub stamp: Stamp,
}

/// What a scan of one profile came to, and why it was made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ScanRow {
    /// The profile, or `rules`.
    pub profile: String,
    /// When.
    pub at: UnixTime,
    /// `change`, `request` or `schedule`.
    pub reason: String,
    /// How many came out how.
    pub summary: Summary,
}

/// What a scan writes down, all of it or nothing.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The profile, or `rules`.
    pub profile: String,
    /// Verdicts that are new or say something else than before.
    pub changed: Vec<Verdict>,
    /// Of which goals or rules there are none any more.
    pub gone: Vec<String>,
    /// Those that have turned.
    pub drifts: Vec<Drift>,
    /// The row of its history, if this scan is to have one.
    pub row: Option<ScanRow>,
}

/// Reading and changing it. Rules touch `Compliance`; everything else decides nothing, so it touches nothing.
#[async_trait]
pub trait Compliance {
    /// All rules, oldest first; there are few.
    async fn compliance_rules(&self) -> Result<Vec<ComplianceRule>, StoreError>;
    /// One rule.
    async fn compliance_rule(&self, id: &ComplianceRuleId) -> Result<Option<ComplianceRule>, StoreError>;
    /// Adds a rule; `Conflict` if there are `most` already.
    async fn insert_compliance_rule(&self, row: &ComplianceRule, most: u32) -> Result<(), StoreError>;
    /// Replaces a rule whose stored version is one less.
    async fn update_compliance_rule(&self, row: &ComplianceRule) -> Result<(), StoreError>;
    /// Removes a rule.
    async fn delete_compliance_rule(&self, id: &ComplianceRuleId) -> Result<(), StoreError>;

    /// The last verdicts of a profile.
    async fn verdicts(&self, profile: &str) -> Result<Vec<Verdict>, StoreError>;
    /// Writes a scan down, and forgets history that is older than a year's.
    async fn keep_scan(&self, scan: &Scan) -> Result<(), StoreError>;
    /// The latest scans, newest first; only those of a profile, if given.
    async fn scans(&self, profile: Option<&str>, limit: u32) -> Result<Vec<ScanRow>, StoreError>;
    /// The latest drifts, newest first.
    async fn drifts(&self, limit: u32) -> Result<Vec<Drift>, StoreError>;

    /// Those who have policies in AWS's dialect of their own, and one member of each group that has.
    async fn aws_policy_actors(&self) -> Result<Vec<PrincipalId>, StoreError>;
    /// Those who have access keys.
    async fn access_key_owners(&self) -> Result<Vec<PrincipalId>, StoreError>;

    /// Since when registries are known to refuse public endpoints.
    async fn private_since(&self) -> Result<HashMap<Region, UnixTime>, StoreError>;
    /// Notes since when one does; `None` if it does not.
    async fn note_private(&self, region: &Region, since: Option<UnixTime>) -> Result<(), StoreError>;

    /// Writes down what was noticed.
    async fn note_activity(&self, notices: &[Notice]) -> Result<(), StoreError>;
    /// When principals, by IAM id, and keys, by id, were last used.
    async fn last_uses(&self) -> Result<HashMap<String, UnixTime>, StoreError>;
    /// The last push or pull over a public endpoint, by registry.
    async fn public_transfers(&self) -> Result<HashMap<Region, Transfer>, StoreError>;
    /// What was changed since then, oldest first, the latest `limit` of it.
    async fn deeds(&self, since: UnixTime, limit: u32) -> Result<Vec<Deed>, StoreError>;
}
