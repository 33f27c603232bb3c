//! Attachments of configuration rules. They are read with their rule.

use async_trait::async_trait;

use super::StoreError;
use super::identity::Stamp;
use crate::compliance::rule::attachment::AttachmentDocument;
use crate::ids::tagged::{ComplianceRuleId, RuleAttachmentId};

/// An attachment of a configuration rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleAttachment {
    /// Its id.
    pub id: RuleAttachmentId,
    /// What it says; one that could not be obeyed is never stored.
    pub document: AttachmentDocument,
    /// When.
    pub stamp: Stamp,
}

/// Changing them. A change touches `Compliance`.
#[async_trait]
pub trait RuleAttachments {
    /// Adds attachments to a rule, all or none; `Conflict` if it would have more than `most`, `NotFound` if there is no such
    /// rule.
    async fn insert_rule_attachments(
        &self,
        rule: &ComplianceRuleId,
        rows: &[RuleAttachment],
        most: u32,
    ) -> Result<(), StoreError>;
    /// Replaces an attachment of the rule whose stored version is one less.
    async fn update_rule_attachment(
        &self,
        rule: &ComplianceRuleId,
        row: &RuleAttachment,
    ) -> Result<(), StoreError>;
    /// Removes an attachment of the rule.
    async fn delete_rule_attachment(
        &self,
        rule: &ComplianceRuleId,
        id: &RuleAttachmentId,
    ) -> Result<(), StoreError>;
}
