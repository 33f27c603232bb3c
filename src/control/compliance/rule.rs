//! Configuration rules: whoever may change the account may make them.

use std::sync::Arc;

use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::compliance::rule::document::RuleDocument;
use crate::compliance::rule::{Mistake, Rule};
use crate::control::problem::{Noun, Problem};
use crate::control::version::Expected;
use crate::control::{Desk, Done};
use crate::ids::tagged::ComplianceRuleId;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::compliance::ComplianceRule;
use crate::store::identity::Stamp;

/// The most rules of an account.
const RULES_MAX: u32 = 100;

/// What the reading and changing of rules, goals and reports is decided on.
pub(in crate::control) fn account() -> Resource {
    Resource::platform(Service::IamIdentity)
}

/// A stored rule, read.
pub(super) fn understood(row: &ComplianceRule) -> Result<Rule, Problem> {
    let wrong = |mistake: Mistake| {
        Problem::from(Fault::Internal(format!("configuration rule {}: {mistake}", row.id)))
    };
    let mut rule = row.document.rule().map_err(wrong)?;
    let attachments = row.attachments.iter().map(|one| one.document.attachment());
    rule.attachments = attachments.collect::<Result<_, _>>().map_err(wrong)?;
    Ok(rule)
}

impl Desk {
    /// All rules, oldest first.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn compliance_rules(&self, caller: &Arc<Caller>) -> Result<Done<Vec<ComplianceRule>>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(self.store.compliance_rules().await?, permit))
    }

    /// One rule.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn compliance_rule(
        &self,
        caller: &Arc<Caller>,
        id: &ComplianceRuleId,
    ) -> Result<Done<ComplianceRule>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(self.stored_rule(id).await?, permit))
    }

    /// A permit to make rules, for calls that make several.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn compliance_rules_to_change(&self, caller: &Arc<Caller>) -> Result<Done<()>, Problem> {
        Ok(Done::new((), self.authority.permit(caller, Action::AccountUpdate, account()).await?))
    }

    /// Makes a rule. One that does not hold now is made all the same, and reported.
    ///
    /// # Errors
    /// [`Problem`]; a rule that cannot be obeyed, and one too many.
    pub async fn create_compliance_rule(
        &self,
        caller: &Arc<Caller>,
        document: RuleDocument,
    ) -> Result<Done<ComplianceRule>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let row = ComplianceRule {
            id: ComplianceRuleId::fresh(&*self.entropy),
            document: self.obeyable(document)?,
            attachments: Vec::new(),
            created_by: caller.principal().clone(),
            modified_by: caller.principal().clone(),
            stamp: Stamp::new(self.clock.now()),
        };
        let _held = self.governing().await?;
        self.store.insert_compliance_rule(&row, RULES_MAX).await?;
        Ok(Done::new(row, permit))
    }

    /// Replaces a rule.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn replace_compliance_rule(
        &self,
        caller: &Arc<Caller>,
        id: &ComplianceRuleId,
        expected: &Expected,
        document: RuleDocument,
    ) -> Result<Done<ComplianceRule>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let stored = self.stored_rule(id).await?;
        let row = ComplianceRule {
            stamp: expected.next(id, &stored.stamp, self.clock.now())?,
            document: self.obeyable(document)?,
            modified_by: caller.principal().clone(),
            ..stored
        };
        let _held = self.governing().await?;
        let written = self.store.update_compliance_rule(&row).await;
        written.map_err(|error| Problem::of(error, Noun::ConfigurationRule, id))?;
        Ok(Done::new(row, permit))
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_compliance_rule(
        &self,
        caller: &Arc<Caller>,
        id: &ComplianceRuleId,
    ) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let _held = self.governing().await?;
        let gone = self.store.delete_compliance_rule(id).await;
        gone.map_err(|error| Problem::of(error, Noun::ConfigurationRule, id))?;
        Ok(Done::new((), permit))
    }

    pub(super) async fn stored_rule(&self, id: &ComplianceRuleId) -> Result<ComplianceRule, Problem> {
        let missing = || Problem::NotFound(Noun::ConfigurationRule, id.to_string());
        self.store.compliance_rule(id).await?.ok_or_else(missing)
    }

    fn obeyable(&self, document: RuleDocument) -> Result<RuleDocument, Problem> {
        if document.account_id.as_deref().is_some_and(|id| id != self.account.as_str()) {
            return Err(Problem::Invalid("`account_id` is not your account".to_owned()));
        }
        document.rule().map_err(|mistake| Problem::Invalid(mistake.0))?;
        Ok(document)
    }
}
