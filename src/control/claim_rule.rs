//! Dynamic rules of access groups. Who writes one hands on what the group may do, to whomever an identity provider
//! vouches for, so it takes what adding a member takes.

use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::version::Expected;
use super::{Desk, Done, label};
use crate::admit::caller::Caller;
use crate::ids::tagged::{AccessGroupId, ClaimRuleId};
use crate::policy::ibm::claim::ClaimCondition;
use crate::policy::table::Action;
use crate::store::group_rule::ClaimRuleRecord;
use crate::store::identity::Stamp;

/// The longest name, realm, claim or value, in characters.
const TEXT_MAX: usize = 1000;
/// How many rules a group can have, and how many conditions a rule.
const MANY: usize = 20;

/// What a caller says of a rule.
#[derive(Debug)]
pub struct ClaimRuleDraft {
    /// Any text.
    pub name: String,
    /// The identity provider.
    pub realm: String,
    /// For how many hours a login counts.
    pub expiration: u8,
    /// All of these must hold.
    pub conditions: Vec<ClaimCondition>,
}

impl ClaimRuleDraft {
    fn check(&self) -> Result<(), Problem> {
        let wrong = |text: &str| Err(Problem::Invalid(text.to_owned()));
        if !(1..=24).contains(&self.expiration) {
            return wrong("`expiration` is not a number of hours from 1 to 24");
        }
        label::name("realm_name", &self.realm, TEXT_MAX)?;
        label::description(&self.name, TEXT_MAX)?;
        conditions(&self.conditions)
    }
}

/// Checks the conditions of a rule.
pub(super) fn conditions(conditions: &[ClaimCondition]) -> Result<(), Problem> {
    if !(1..=MANY).contains(&conditions.len()) {
        return Err(Problem::Invalid("a rule has 1 to 20 conditions".to_owned()));
    }
    for one in conditions {
        label::name("claim", &one.claim, TEXT_MAX)?;
        if one.value.len() > TEXT_MAX || !one.is_comparable() {
            let text = "`value` is not a text, number or boolean as JSON in a text; for `IN`, a list of them";
            return Err(Problem::Invalid(text.to_owned()));
        }
    }
    Ok(())
}

impl Desk {
    /// The rules of a group.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn claim_rules(
        &self,
        caller: &Arc<Caller>,
        group: &AccessGroupId,
    ) -> Result<Done<Vec<ClaimRuleRecord>>, Problem> {
        let (_, permit) = self.grasp_group(caller, group, Action::GroupMemberList).await?;
        Ok(Done::new(self.store.claim_rules(group).await?, permit))
    }

    /// One rule.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn claim_rule(
        &self,
        caller: &Arc<Caller>,
        group: &AccessGroupId,
        id: &ClaimRuleId,
    ) -> Result<Done<ClaimRuleRecord>, Problem> {
        let (_, permit) = self.grasp_group(caller, group, Action::GroupMemberList).await?;
        let missing = || Problem::NotFound(Noun::ClaimRule, id.to_string());
        Ok(Done::new(self.store.claim_rule(group, id).await?.ok_or_else(missing)?, permit))
    }

    /// Makes a rule.
    ///
    /// # Errors
    /// [`Problem`]; what the group may do must be in the caller's reach.
    pub async fn create_claim_rule(
        &self,
        caller: &Arc<Caller>,
        group: &AccessGroupId,
        draft: ClaimRuleDraft,
    ) -> Result<Done<ClaimRuleRecord>, Problem> {
        let (_, permit) = self.grasp_group(caller, group, Action::GroupMemberAdd).await?;
        draft.check()?;
        self.group_within_reach(caller, group).await?;
        if self.store.claim_rules(group).await?.len() >= MANY {
            return Err(Problem::Conflict(format!("the access group has {MANY} rules already")));
        }
        let row = ClaimRuleRecord {
            id: ClaimRuleId::fresh(&*self.entropy),
            group: group.clone(),
            name: draft.name,
            realm: draft.realm,
            expiration: draft.expiration,
            conditions: draft.conditions,
            created_by: caller.principal().clone(),
            modified_by: caller.principal().clone(),
            stamp: Stamp::new(self.clock.now()),
        };
        let failed = |error| Problem::of(error, Noun::Group, group);
        self.store.insert_claim_rule(&row).await.map_err(failed)?;
        Ok(Done::new(row, permit))
    }

    /// Replaces a rule.
    ///
    /// # Errors
    /// [`Problem`]; what the group may do must be in the caller's reach.
    pub async fn replace_claim_rule(
        &self,
        caller: &Arc<Caller>,
        (group, id): (&AccessGroupId, &ClaimRuleId),
        expected: &Expected,
        draft: ClaimRuleDraft,
    ) -> Result<Done<ClaimRuleRecord>, Problem> {
        let (_, permit) = self.grasp_group(caller, group, Action::GroupMemberAdd).await?;
        draft.check()?;
        self.group_within_reach(caller, group).await?;
        let missing = || Problem::NotFound(Noun::ClaimRule, id.to_string());
        let stored = self.store.claim_rule(group, id).await?.ok_or_else(missing)?;
        let row = ClaimRuleRecord {
            stamp: expected.next(id, &stored.stamp, self.clock.now())?,
            name: draft.name,
            realm: draft.realm,
            expiration: draft.expiration,
            conditions: draft.conditions,
            modified_by: caller.principal().clone(),
            ..stored
        };
        let failed = |error| Problem::of(error, Noun::ClaimRule, id);
        self.store.update_claim_rule(&row).await.map_err(failed)?;
        Ok(Done::new(row, permit))
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_claim_rule(
        &self,
        caller: &Arc<Caller>,
        group: &AccessGroupId,
        id: &ClaimRuleId,
    ) -> Result<Done<()>, Problem> {
        let (_, permit) = self.grasp_group(caller, group, Action::GroupMemberDelete).await?;
        let failed = |error| Problem::of(error, Noun::ClaimRule, id);
        self.store.delete_claim_rule(group, id).await.map_err(failed)?;
        Ok(Done::new((), permit))
    }
}
