//! Whom trusted profiles trust: by rule here, by name in `identities`, by link in `links`. Whoever lets somebody in hands on
//! what the profile may do, so all of that must be in their own reach, as for members of a group.

use std::sync::Arc;

use super::super::claim_rule::conditions;
use super::super::history::Deed;
use super::super::problem::{Noun, Problem};
use super::super::version::Expected;
use super::super::{Desk, Done, label};
use crate::admit::caller::Caller;
use crate::ids::tagged::{ClaimRuleId, ProfileId};
use crate::policy::ibm::claim::ClaimCondition;
use crate::policy::ibm::trust::About;
use crate::policy::table::Action;
use crate::store::aws::holder::Holder;
use crate::store::identity::Stamp;
use crate::store::trusted_profile::{ProfileRule, principal};

/// How many rules, links or identities a profile can have.
pub(super) const MANY: usize = 20;
/// For how many seconds people's sessions can last.
const SESSIONS: std::ops::RangeInclusive<u32> = 900..=86_400;
/// The longest text of a rule or link, in characters.
pub(super) const TEXT_MAX: usize = 1000;

/// What a caller says of a rule.
#[derive(Debug)]
pub struct ProfileRuleDraft {
    /// Any text.
    pub name: String,
    /// Of whom it speaks.
    pub about: About,
    /// All of these must hold.
    pub conditions: Vec<ClaimCondition>,
}

impl ProfileRuleDraft {
    fn check(&self) -> Result<(), Problem> {
        label::description(&self.name, TEXT_MAX)?;
        if let About::Realm(realm, seconds) = &self.about {
            label::name("realm_name", realm, TEXT_MAX)?;
            if !SESSIONS.contains(seconds) {
                let text = "`expiration` is not a number of seconds from 900 to 86400";
                return Err(Problem::Invalid(text.to_owned()));
            }
        }
        conditions(&self.conditions)
    }
}

impl Desk {
    /// The rules of a profile.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn profile_rules(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
    ) -> Result<Done<Vec<ProfileRule>>, Problem> {
        let (_, permit) = self.grasp_profile(caller, id, Action::ProfileRead).await?;
        Ok(Done::new(self.store.profile_rules(id).await?, permit))
    }

    /// Makes a rule.
    ///
    /// # Errors
    /// [`Problem`]; what the profile may do must be in the caller's reach.
    pub async fn create_profile_rule(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
        draft: ProfileRuleDraft,
    ) -> Result<Done<ProfileRule>, Problem> {
        let (profile, permit) = self.grasp_profile(caller, id, Action::ProfileLink).await?;
        draft.check()?;
        self.profile_within_reach(caller, id).await?;
        room(self.store.profile_rules(id).await?.len(), "rules")?;
        let ProfileRuleDraft { name, about, conditions } = draft;
        let (rule, stamp) = (ClaimRuleId::fresh(&*self.entropy), Stamp::new(self.clock.now()));
        let row = ProfileRule { id: rule, profile: id.clone(), name, about, conditions, stamp };
        let failed = |error| Problem::of(error, Noun::Profile, id);
        self.store.insert_profile_rule(&row).await.map_err(failed)?;
        self.remember(caller, (&principal(id), &profile.name), Deed::Update).await;
        Ok(Done::new(row, permit))
    }

    /// Replaces a rule. Whoever came in by the old one and not by the new one is out at once.
    ///
    /// # Errors
    /// [`Problem`]; what the profile may do must be in the caller's reach.
    pub async fn replace_profile_rule(
        &self,
        caller: &Arc<Caller>,
        (id, rule): (&ProfileId, &ClaimRuleId),
        expected: &Expected,
        draft: ProfileRuleDraft,
    ) -> Result<Done<ProfileRule>, Problem> {
        let (profile, permit) = self.grasp_profile(caller, id, Action::ProfileLink).await?;
        draft.check()?;
        self.profile_within_reach(caller, id).await?;
        let stored = self.store.profile_rules(id).await?.into_iter().find(|row| row.id == *rule);
        let stored = stored.ok_or_else(|| Problem::NotFound(Noun::ClaimRule, rule.to_string()))?;
        let stamp = expected.next(rule, &stored.stamp, self.clock.now())?;
        let ProfileRuleDraft { name, about, conditions } = draft;
        let row = ProfileRule { name, about, conditions, stamp, ..stored };
        let failed = |error| Problem::of(error, Noun::ClaimRule, rule);
        self.store.update_profile_rule(&row).await.map_err(failed)?;
        self.remember(caller, (&principal(id), &profile.name), Deed::Update).await;
        Ok(Done::new(row, permit))
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_profile_rule(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
        rule: &ClaimRuleId,
    ) -> Result<Done<()>, Problem> {
        let (profile, permit) = self.grasp_profile(caller, id, Action::ProfileLink).await?;
        let failed = |error| Problem::of(error, Noun::ClaimRule, rule);
        self.store.delete_profile_rule(id, rule).await.map_err(failed)?;
        self.remember(caller, (&principal(id), &profile.name), Deed::Update).await;
        Ok(Done::new((), permit))
    }

    /// Checks that whoever may take on a profile gets nothing that the caller could neither do nor grant.
    pub(in crate::control) async fn profile_within_reach(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
    ) -> Result<(), Problem> {
        let of = principal(id);
        let facts = self.store.principal(&of).await?;
        let facts = facts.ok_or_else(|| Problem::NotFound(Noun::Profile, id.to_string()))?;
        self.within_reach(caller, &facts.policies)?;
        self.documents_within_reach(caller, &Holder::Principal(of)).await
    }
}

pub(super) fn room(number: usize, what: &str) -> Result<(), Problem> {
    match number < MANY {
        true => Ok(()),
        false => Err(Problem::Conflict(format!("a trusted profile has {MANY} {what} at most"))),
    }
}
