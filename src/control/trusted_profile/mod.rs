//! Trusted profiles: identities without credentials of their own. Who may take one on is in `trust`, `links` and `identities`.

mod identities;
mod links;
pub mod trust;

use std::sync::Arc;

use super::history::Deed;
use super::list::{Choice, Sortable};
use super::problem::{Noun, Problem};
use super::version::Expected;
use super::{Control, Desk, Done, Permit, label, settle};
use crate::admit::caller::Caller;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ProfileId;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::identity::{Listed, Stamp};
use crate::store::trusted_profile::{TrustedProfile, principal};

/// What a caller says of a profile; of one that exists, what is `None` stays.
#[derive(Debug, Default)]
pub struct ProfileDraft {
    /// Its name.
    pub name: Option<String>,
    /// Any text.
    pub description: Option<String>,
    /// Whom to write to about it.
    pub email: Option<String>,
}

impl Sortable for TrustedProfile {
    fn facets(&self) -> (&str, &str, Stamp) {
        (&self.name, &self.description, self.stamp)
    }
}

fn identities() -> Resource {
    Resource::platform(Service::IamIdentity)
}

impl Desk {
    /// The profiles that the caller may see, as far as they are chosen. A profile always sees itself.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn trusted_profiles(
        &self,
        caller: &Arc<Caller>,
        choice: Choice<'_>,
    ) -> Result<Done<Listed<TrustedProfile>>, Problem> {
        let permit = self.proven(caller, Action::ProfileList, identities());
        if self.authority.may(caller, Action::ProfileList, &identities()) {
            let fetch = |window| self.store.trusted_profiles(choice.name, window);
            return Ok(Done::new(choice.of_all(fetch).await?, permit));
        }
        let own = match caller.principal() {
            PrincipalId::Profile(id) => self.store.trusted_profile(id).await?,
            PrincipalId::Role(_) | PrincipalId::ServiceId(_) | PrincipalId::User(_) => None,
        };
        let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
        Ok(Done::new(choice.of_own(own, same), permit))
    }

    /// Makes a profile, which trusts nobody yet.
    ///
    /// # Errors
    /// [`Problem`]; names are unique.
    pub async fn create_trusted_profile(
        &self,
        caller: &Arc<Caller>,
        draft: ProfileDraft,
    ) -> Result<Done<TrustedProfile>, Problem> {
        let permit = self.authority.permit(caller, Action::ProfileCreate, identities()).await?;
        let mut row = TrustedProfile {
            id: ProfileId::fresh(&*self.entropy),
            name: String::new(),
            description: String::new(),
            email: String::new(),
            stamp: Stamp::new(self.clock.now()),
        };
        let name = draft.name.unwrap_or_default();
        fill(&mut row, ProfileDraft { name: Some(name), ..draft })?;
        self.store.insert_trusted_profile(&row).await.map_err(|error| taken(error, &row))?;
        self.remember(caller, (&principal(&row.id), &row.name), Deed::Create).await;
        Ok(Done::new(row, permit))
    }

    /// One profile; whoever acts as it sees it.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn trusted_profile(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
    ) -> Result<Done<TrustedProfile>, Problem> {
        let of = Control { action: Action::ProfileRead, resource: identities() };
        let attempt = self.permit_own_or(caller, &principal(id), of).await;
        let row = self.store.trusted_profile(id).await?;
        let (row, permit) = settle(row, attempt, false, Noun::Profile, id)?;
        Ok(Done::new(row, permit))
    }

    /// Renames or redescribes a profile.
    ///
    /// # Errors
    /// [`Problem`]; names are unique.
    pub async fn update_trusted_profile(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
        expected: &Expected,
        draft: ProfileDraft,
    ) -> Result<Done<TrustedProfile>, Problem> {
        let (mut row, permit) = self.grasp_profile(caller, id, Action::ProfileUpdate).await?;
        row.stamp = expected.next(id, &row.stamp, self.clock.now())?;
        fill(&mut row, draft)?;
        self.store.update_trusted_profile(&row).await.map_err(|error| taken(error, &row))?;
        self.remember(caller, (&principal(id), &row.name), Deed::Update).await;
        Ok(Done::new(row, permit))
    }

    /// Deletes a profile with its memberships, policies and all whom it trusts. Whoever acts as it stops.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_trusted_profile(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
    ) -> Result<Done<()>, Problem> {
        let (_, permit) = self.grasp_profile(caller, id, Action::ProfileDelete).await?;
        let failed = |error| Problem::of(error, Noun::Profile, id);
        self.store.delete_trusted_profile(id).await.map_err(failed)?;
        Ok(Done::new((), permit))
    }

    async fn grasp_profile(
        &self,
        caller: &Arc<Caller>,
        id: &ProfileId,
        action: Action,
    ) -> Result<(TrustedProfile, Permit<Control>), Problem> {
        let attempt = self.authority.permit(caller, action, identities()).await;
        let itself = *caller.principal() == principal(id);
        let sees = itself || self.authority.may(caller, Action::ProfileRead, &identities());
        settle(self.store.trusted_profile(id).await?, attempt, sees, Noun::Profile, id)
    }
}

fn fill(row: &mut TrustedProfile, draft: ProfileDraft) -> Result<(), Problem> {
    if let Some(name) = draft.name {
        row.name = label::name("name", &name, label::NAME_MAX)?;
    }
    if let Some(text) = draft.description {
        row.description = label::description(&text, label::DESCRIPTION_MAX)?;
    }
    if let Some(text) = draft.email {
        let fits = text.is_empty() || (text.contains('@') && !text.contains(char::is_whitespace));
        if !fits {
            return Err(Problem::Invalid("`email` is not an e-mail address".to_owned()));
        }
        row.email = label::description(&text, label::NAME_MAX)?;
    }
    Ok(())
}

fn taken(error: StoreError, row: &TrustedProfile) -> Problem {
    match error {
        StoreError::Conflict(_) => {
            Problem::Conflict("a trusted profile has this name already: choose another".to_owned())
        }
        other @ (StoreError::Corrupt(_)
        | StoreError::NotFound
        | StoreError::Stale
        | StoreError::Unavailable(_)) => Problem::of(other, Noun::Profile, &row.id),
    }
}
