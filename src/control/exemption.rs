//! Exemptions: what nobody is to be stopped or alarmed by. Who may make them may let anything through, so they are the registry's
//! and nobody's smaller.

use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::clock::UnixTime;
use crate::findings::exemption::{Exemption, IssueType, REASON_MAX, Scope};
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::store::findings::ExemptionRecord;

/// The most exemptions of one registry: each is held against every finding.
const EXEMPTIONS_MAX: usize = 10_000;

/// Until when an exemption holds, and why.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Terms {
    /// Until when; `None` for good.
    pub expires_at: Option<UnixTime>,
    /// Why.
    pub reason: String,
}

/// Which exemption.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Which {
    /// Where.
    pub scope: Scope,
    /// Of what.
    pub issue_type: IssueType,
    /// Which.
    pub issue_id: Box<str>,
}

impl Desk {
    /// Exemptions, those that are over included; only of that scope, if one is named.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn exemptions(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        scope: Option<&Scope>,
    ) -> Result<Done<Vec<ExemptionRecord>>, Problem> {
        let resource = Resource::registry(region);
        let permit = self.authority.permit(caller, Action::ExemptionList, resource).await?;
        let mut rows = self.store.exemptions(region).await?;
        rows.retain(|row| scope.is_none_or(|scope| row.exemption.scope == *scope));
        Ok(Done::new(rows, permit))
    }

    /// Whether the caller may do this with exemptions at all.
    ///
    /// # Errors
    /// [`Problem`] unless it may.
    pub async fn may_exempt(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        action: Action,
    ) -> Result<(), Problem> {
        self.authority.permit(caller, action, Resource::registry(region)).await.map(|_| ())
    }

    /// Exempts an issue, from now on.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn exempt(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        which: Which,
        terms: Terms,
    ) -> Result<Done<ExemptionRecord>, Problem> {
        let resource = Resource::registry(region);
        let permit = self.authority.permit(caller, Action::ExemptionManager, resource).await?;
        let now = self.clock.now();
        if terms.expires_at.is_some_and(|until| until <= now) {
            return Err(Problem::Invalid("`expires_at` has passed already".to_owned()));
        }
        if terms.reason.len() > REASON_MAX || terms.reason.chars().any(char::is_control) {
            let text = format!("`reason` is not one line of at most {REASON_MAX} bytes");
            return Err(Problem::Invalid(text));
        }
        if self.store.exemptions(region).await?.len() >= EXEMPTIONS_MAX {
            let text = format!("there are {EXEMPTIONS_MAX} exemptions already: remove those that are over");
            return Err(Problem::Conflict(text));
        }
        let Which { scope, issue_type, issue_id } = which;
        let (expires_at, reason) = (terms.expires_at, terms.reason.into());
        let row = ExemptionRecord {
            region: region.clone(),
            exemption: Exemption { scope, issue_type, issue_id, expires_at, reason },
            created_by: caller.principal().clone(),
            created_at: now,
        };
        self.store.put_exemption(&row).await?;
        Ok(Done::new(row, permit))
    }

    /// Ends an exemption.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn end_exemption(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        which: &Which,
    ) -> Result<Done<()>, Problem> {
        let resource = Resource::registry(region);
        let permit = self.authority.permit(caller, Action::ExemptionManager, resource).await?;
        let Which { scope, issue_type, issue_id } = which;
        match self.store.delete_exemption(region, scope, *issue_type, issue_id).await? {
            true => Ok(Done::new((), permit)),
            false => Err(Problem::NotFound(Noun::Exemption, format!("{issue_id} in {scope}"))),
        }
    }

    /// Ends all exemptions of a registry: how many there were.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn end_exemptions(&self, caller: &Arc<Caller>, region: &Region) -> Result<Done<u64>, Problem> {
        let resource = Resource::registry(region);
        let permit = self.authority.permit(caller, Action::ExemptionManager, resource).await?;
        Ok(Done::new(self.store.delete_exemptions(region).await?, permit))
    }
}
