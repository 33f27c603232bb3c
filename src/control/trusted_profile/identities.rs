//! Whom trusted profiles trust by name.

use std::sync::Arc;

use super::super::history::Deed;
use super::super::problem::{Noun, Problem};
use super::super::version::Expected;
use super::super::{Desk, Done, label};
use super::trust::{MANY, TEXT_MAX, room};
use crate::admit::caller::Caller;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ProfileId;
use crate::policy::ibm::trust::Identity;
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::trusted_profile::{ProfileIdentities, ProfileIdentity, principal};

impl Desk {
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
}
