//! Which compute resources trusted profiles trust.

use std::sync::Arc;

use super::super::history::Deed;
use super::super::problem::{Noun, Problem};
use super::super::{Desk, Done, label};
use super::trust::{TEXT_MAX, room};
use crate::admit::caller::Caller;
use crate::ids::tagged::{ProfileId, ProfileLinkId};
use crate::policy::ibm::trust::LinkTarget;
use crate::policy::table::Action;
use crate::store::identity::Stamp;
use crate::store::trusted_profile::{ProfileLink, principal};

impl Desk {
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
}
