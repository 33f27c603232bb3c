//! Attachments of configuration rules: whoever may make rules may say which registries they are for.

use std::sync::Arc;

use super::rule::account;
use crate::admit::caller::Caller;
use crate::compliance::rule::attachment::AttachmentDocument;
use crate::control::problem::{Noun, Problem};
use crate::control::version::Expected;
use crate::control::{Desk, Done};
use crate::ids::tagged::{ComplianceRuleId, RuleAttachmentId};
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::identity::Stamp;
use crate::store::rule_attachment::RuleAttachment;

/// The most attachments of a rule.
pub const ATTACHMENTS_MAX: u32 = 10;

impl Desk {
    /// One attachment of a rule.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn rule_attachment(
        &self,
        caller: &Arc<Caller>,
        rule: &ComplianceRuleId,
        id: &RuleAttachmentId,
    ) -> Result<Done<RuleAttachment>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(self.stored_attachment(rule, id).await?, permit))
    }

    /// Attaches a rule, all or nothing. It is about nothing else from then on.
    ///
    /// # Errors
    /// [`Problem`]; a scope that no registry is in, and one attachment too many.
    pub async fn attach_rule(
        &self,
        caller: &Arc<Caller>,
        rule: &ComplianceRuleId,
        documents: Vec<AttachmentDocument>,
    ) -> Result<Done<Vec<RuleAttachment>>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let mut rows = Vec::new();
        for document in documents {
            let document = self.attachable(document)?;
            let (id, stamp) = (RuleAttachmentId::fresh(&*self.entropy), Stamp::new(self.clock.now()));
            rows.push(RuleAttachment { id, document, stamp });
        }
        let _held = self.governing().await?;
        let written = self.store.insert_rule_attachments(rule, &rows, ATTACHMENTS_MAX).await;
        written.map_err(|error| Problem::of(error, Noun::ConfigurationRule, rule))?;
        Ok(Done::new(rows, permit))
    }

    /// Replaces an attachment.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn replace_rule_attachment(
        &self,
        caller: &Arc<Caller>,
        (rule, id): (&ComplianceRuleId, &RuleAttachmentId),
        expected: &Expected,
        document: AttachmentDocument,
    ) -> Result<Done<RuleAttachment>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let stored = self.stored_attachment(rule, id).await?;
        let row = RuleAttachment {
            stamp: expected.next(id, &stored.stamp, self.clock.now())?,
            document: self.attachable(document)?,
            ..stored
        };
        let _held = self.governing().await?;
        let written = self.store.update_rule_attachment(rule, &row).await;
        written.map_err(|error| missing(error, id))?;
        Ok(Done::new(row, permit))
    }

    /// Removes an attachment. With the last one gone, the rule is about every registry that its target fits.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn detach_rule(
        &self,
        caller: &Arc<Caller>,
        rule: &ComplianceRuleId,
        id: &RuleAttachmentId,
    ) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let _held = self.governing().await?;
        let gone = self.store.delete_rule_attachment(rule, id).await;
        gone.map_err(|error| missing(error, id))?;
        Ok(Done::new((), permit))
    }

    async fn stored_attachment(
        &self,
        rule: &ComplianceRuleId,
        id: &RuleAttachmentId,
    ) -> Result<RuleAttachment, Problem> {
        let all = self.stored_rule(rule).await?.attachments;
        let found = all.into_iter().find(|one| one.id == *id);
        found.ok_or_else(|| Problem::NotFound(Noun::RuleAttachment, id.to_string()))
    }

    fn attachable(&self, document: AttachmentDocument) -> Result<AttachmentDocument, Problem> {
        let checked = document.check(self.account.as_str(), &self.compliance.premises.registries);
        checked.map_err(|mistake| Problem::Invalid(mistake.0))?;
        Ok(document)
    }
}

fn missing(error: StoreError, id: &RuleAttachmentId) -> Problem {
    Problem::of(error, Noun::RuleAttachment, id)
}
