//! Whom trusted profiles trust: by name, by link, by rule. Whoever lets somebody in hands on what the profile may do, so
//! all of that must be in their own reach, as for members of a group.

use std::sync::Arc;

use super::super::claim_rule::conditions;
use super::super::history::Deed;
use super::super::problem::{Noun, Problem};
use super::super::version::Expected;
use super::super::{Desk, Done, label};
use crate::admit::caller::Caller;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{ClaimRuleId, ProfileId, ProfileLinkId};
use crate::policy::ibm::claim::ClaimCondition;
use crate::policy::ibm::trust::{About, Identity, LinkTarget};
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::aws::holder::Holder;
use crate::store::identity::Stamp;
use crate::store::trusted_profile::{
    ProfileIdentities, ProfileIdentity, ProfileLink, ProfileRule, principal,
};

/// How many rules, links or identities a profile can have.
const MANY: usize = 20;
/// For how many seconds people's sessions can last.
const SESSIONS: std::ops::RangeInclusive<u32> = 900..=86_400;
/// The longest text of a rule or link, in characters.
const TEXT_MAX: usize = 1000;

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

    /// The links of a profile.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn profile_links(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
    ) -> Result<Done<Vec<ProfileLink>>, Problem> {
        let (_, permit) = self.grasp_profile(caller, id, Action::ProfileRead).await?;
        Ok(Done::new(self.store.profile_links(id).await?, permit))
    }

    /// Links a profile to a compute resource.
    ///
    /// # Errors
    /// [`Problem`]; what the profile may do must be in the caller's reach.
    pub async fn create_profile_link(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
        name: String,
        target: LinkTarget,
    ) -> Result<Done<ProfileLink>, Problem> {
        let (profile, permit) = self.grasp_profile(caller, id, Action::ProfileLink).await?;
        label::description(&name, TEXT_MAX)?;
        for (field, text) in [("crn", &target.crn), ("namespace", &target.namespace), ("name", &target.name)]
        {
            label::name(field, text, TEXT_MAX)?;
        }
        self.profile_within_reach(caller, id).await?;
        let known = self.store.profile_links(id).await?;
        room(known.len(), "links")?;
        if known.iter().any(|link| link.target == target) {
            return Err(Problem::Conflict("the trusted profile has this link already".to_owned()));
        }
        let (link, stamp) = (ProfileLinkId::fresh(&*self.entropy), Stamp::new(self.clock.now()));
        let row = ProfileLink { id: link, profile: id.clone(), name, target, stamp };
        let failed = |error| Problem::of(error, Noun::Profile, id);
        self.store.insert_profile_link(&row).await.map_err(failed)?;
        self.remember(caller, (&principal(id), &profile.name), Deed::Update).await;
        Ok(Done::new(row, permit))
    }

    /// Deletes the link that is `meant`.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_profile_link(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
        meant: impl Fn(&ProfileLink) -> bool + Send,
    ) -> Result<Done<()>, Problem> {
        let (profile, permit) = self.grasp_profile(caller, id, Action::ProfileLink).await?;
        let link = self.store.profile_links(id).await?.into_iter().find(meant);
        let link = link.ok_or_else(|| Problem::NotFound(Noun::Link, "of this profile".to_owned()))?;
        let failed = |error| Problem::of(error, Noun::Link, &link.id);
        self.store.delete_profile_link(id, &link.id).await.map_err(failed)?;
        self.remember(caller, (&principal(id), &profile.name), Deed::Update).await;
        Ok(Done::new((), permit))
    }

    /// Whom a profile trusts by name.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn profile_identities(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
    ) -> Result<Done<ProfileIdentities>, Problem> {
        let (_, permit) = self.grasp_profile(caller, id, Action::ProfileRead).await?;
        Ok(Done::new(self.identities_of(id).await?, permit))
    }

    /// Replaces whom a profile trusts by name.
    ///
    /// # Errors
    /// [`Problem`]; if anybody is let in, what the profile may do must be in the caller's reach.
    pub async fn put_profile_identities(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
        expected: &Expected,
        change: impl FnOnce(Vec<ProfileIdentity>) -> Result<Vec<ProfileIdentity>, Problem> + Send,
    ) -> Result<Done<ProfileIdentities>, Problem> {
        let (profile, permit) = self.grasp_profile(caller, id, Action::ProfileLink).await?;
        let stored = self.identities_of(id).await?;
        let stamp = expected.next(id, &stored.stamp, self.clock.now())?;
        let list = change(stored.list.clone())?;
        let is_new = |one: &&ProfileIdentity| !stored.list.iter().any(|old| old.identity == one.identity);
        if list.len() > MANY {
            room(MANY, "identities")?;
        }
        for one in list.iter().filter(is_new) {
            self.check_identity(&one.identity).await?;
            self.profile_within_reach(caller, id).await?;
        }
        for one in &list {
            label::description(&one.description, label::DESCRIPTION_MAX)?;
        }
        let row = ProfileIdentities { list, stamp };
        self.store.put_profile_identities(id, &row).await.map_err(|error| match error {
            StoreError::Conflict(text) => Problem::Conflict(text.to_owned()),
            other @ (StoreError::Corrupt(_)
            | StoreError::NotFound
            | StoreError::Stale
            | StoreError::Unavailable(_)) => Problem::of(other, Noun::Profile, id),
        })?;
        self.remember(caller, (&principal(id), &profile.name), Deed::Update).await;
        Ok(Done::new(row, permit))
    }

    async fn identities_of(&self, id: &ProfileId) -> Result<ProfileIdentities, Problem> {
        let found = self.store.profile_identities(id).await?;
        found.ok_or_else(|| Problem::NotFound(Noun::Profile, id.to_string()))
    }

    /// Users and service IDs of the account, and clusters: one profile cannot take on another.
    async fn check_identity(&self, identity: &Identity) -> Result<(), Problem> {
        let of = match identity {
            Identity::Crn(crn) if crn.starts_with("crn:v1:") => {
                return label::name("identifier", crn, TEXT_MAX).map(drop);
            }
            Identity::Crn(_) => return Err(Problem::Invalid("`identifier` is not a CRN".to_owned())),
            Identity::Principal(id) => id,
        };
        let known = match of {
            PrincipalId::ServiceId(id) => self.store.service_id(id).await?.is_some(),
            PrincipalId::User(id) => self.store.user(id).await?.is_some(),
            PrincipalId::Profile(_) | PrincipalId::Role(_) => false,
        };
        if known { Ok(()) } else { Err(Problem::NotFound(Noun::Principal, of.to_string())) }
    }

    /// Checks that whoever may take on a profile gets nothing that the caller could neither do nor grant.
    async fn profile_within_reach(&self, caller: &Arc<Caller>, id: &ProfileId) -> Result<(), Problem> {
        let of = principal(id);
        let facts = self.store.principal(&of).await?;
        let facts = facts.ok_or_else(|| Problem::NotFound(Noun::Profile, id.to_string()))?;
        self.within_reach(caller, &facts.policies)?;
        self.documents_within_reach(caller, &Holder::Principal(of)).await
    }
}

fn room(number: usize, what: &str) -> Result<(), Problem> {
    match number < MANY {
        true => Ok(()),
        false => Err(Problem::Conflict(format!("a trusted profile has {MANY} {what} at most"))),
    }
}
