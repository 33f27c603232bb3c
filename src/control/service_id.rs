//! Service IDs: identities for automation.

use std::sync::Arc;

use super::history::Deed;
use super::list::{Choice, Sortable};
use super::problem::{Noun, Problem};
use super::version::Expected;
use super::{Control, Desk, Done, Permit, label, settle};
use crate::admit::caller::Caller;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ServiceId;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::identity::{Listed, ServiceIdentity, Stamp};

/// What a caller says of a new service ID.
#[derive(Debug)]
pub struct NewServiceId {
    /// Its name.
    pub name: String,
    /// Any text.
    pub description: String,
    /// Whether it is locked from the start.
    pub locked: bool,
}

/// What a caller changes; what is `None` stays.
#[derive(Debug, Default)]
pub struct ServiceIdChange {
    /// The name.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
}

impl Sortable for ServiceIdentity {
    fn facets(&self) -> (&str, &str, Stamp) {
        (&self.name, &self.description, self.stamp)
    }
}

fn identities() -> Resource {
    Resource::platform(Service::IamIdentity)
}

impl Desk {
    /// The service IDs that the caller may see, as far as they are chosen. A service ID always sees itself.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn service_ids(
        &self,
        caller: &Arc<Caller>,
        choice: Choice<'_>,
    ) -> Result<Done<Listed<ServiceIdentity>>, Problem> {
        let permit = self.proven(caller, Action::ServiceIdList, identities());
        if self.authority.may(caller, Action::ServiceIdList, &identities()) {
            let fetch = |window| self.store.service_ids(choice.name, window);
            return Ok(Done::new(choice.of_all(fetch).await?, permit));
        }
        let own = match caller.principal() {
            PrincipalId::ServiceId(id) => self.store.service_id(id).await?,
            PrincipalId::Profile(_) | PrincipalId::Role(_) | PrincipalId::User(_) => None,
        };
        Ok(Done::new(choice.of_own(own, |one, other| one == other), permit))
    }

    /// Makes a service ID.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn create_service_id(
        &self,
        caller: &Arc<Caller>,
        new: NewServiceId,
    ) -> Result<Done<ServiceIdentity>, Problem> {
        let permit = self.authority.permit(caller, Action::ServiceIdCreate, identities()).await?;
        let restriction = self.identity_settings().await?.restrict_create_service_id;
        self.unrestricted(caller, restriction, Action::ServiceIdCreateRestricted).await?;
        let row = ServiceIdentity {
            id: ServiceId::fresh(&*self.entropy),
            name: label::name("name", &new.name, label::NAME_MAX)?,
            description: label::description(&new.description, label::DESCRIPTION_MAX)?,
            locked: new.locked,
            stamp: Stamp::new(self.clock.now()),
        };
        self.store.insert_service_id(&row).await?;
        self.remember(caller, (&PrincipalId::ServiceId(row.id.clone()), &row.name), Deed::Create).await;
        Ok(Done::new(row, permit))
    }

    /// One service ID.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn service_id(
        &self,
        caller: &Arc<Caller>,
        id: &ServiceId,
    ) -> Result<Done<ServiceIdentity>, Problem> {
        let of = Control { action: Action::ServiceIdRead, resource: identities() };
        let owner = PrincipalId::ServiceId(id.clone());
        let attempt = self.permit_own_or(caller, &owner, of).await;
        let (row, permit) = settle(self.store.service_id(id).await?, attempt, false, Noun::ServiceId, id)?;
        Ok(Done::new(row, permit))
    }

    /// Renames or redescribes a service ID.
    ///
    /// # Errors
    /// [`Problem`]; a locked one refuses.
    pub async fn update_service_id(
        &self,
        caller: &Arc<Caller>,
        id: &ServiceId,
        expected: &Expected,
        change: ServiceIdChange,
    ) -> Result<Done<ServiceIdentity>, Problem> {
        let (mut row, permit) = self.grasp_service_id(caller, id, Action::ServiceIdUpdate).await?;
        if row.locked {
            return Err(Problem::Locked(Noun::ServiceId));
        }
        row.stamp = expected.next(id, &row.stamp, self.clock.now())?;
        if let Some(name) = change.name {
            row.name = label::name("name", &name, label::NAME_MAX)?;
        }
        if let Some(text) = change.description {
            row.description = label::description(&text, label::DESCRIPTION_MAX)?;
        }
        self.store.update_service_id(&row).await.map_err(|error| Problem::of(error, Noun::ServiceId, id))?;
        self.remember(caller, (&PrincipalId::ServiceId(id.clone()), &row.name), Deed::Update).await;
        Ok(Done::new(row, permit))
    }

    /// Locks or unlocks a service ID; doing it twice changes nothing.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn lock_service_id(
        &self,
        caller: &Arc<Caller>,
        id: &ServiceId,
        locked: bool,
    ) -> Result<Done<()>, Problem> {
        let (mut row, permit) = self.grasp_service_id(caller, id, Action::ServiceIdUpdate).await?;
        if row.locked != locked {
            row.stamp = Expected::Any.next(id, &row.stamp, self.clock.now())?;
            row.locked = locked;
            self.store
                .update_service_id(&row)
                .await
                .map_err(|error| Problem::of(error, Noun::ServiceId, id))?;
            let deed = if locked { Deed::Lock } else { Deed::Unlock };
            self.remember(caller, (&PrincipalId::ServiceId(id.clone()), &row.name), deed).await;
        }
        Ok(Done::new((), permit))
    }

    /// Deletes a service ID with its API keys, memberships and policies.
    ///
    /// # Errors
    /// [`Problem`]; a locked one refuses.
    pub async fn delete_service_id(&self, caller: &Arc<Caller>, id: &ServiceId) -> Result<Done<()>, Problem> {
        let (row, permit) = self.grasp_service_id(caller, id, Action::ServiceIdDelete).await?;
        if row.locked {
            return Err(Problem::Locked(Noun::ServiceId));
        }
        self.store.delete_service_id(id).await.map_err(|error| Problem::of(error, Noun::ServiceId, id))?;
        Ok(Done::new((), permit))
    }

    async fn grasp_service_id(
        &self,
        caller: &Arc<Caller>,
        id: &ServiceId,
        action: Action,
    ) -> Result<(ServiceIdentity, Permit<Control>), Problem> {
        let attempt = self.authority.permit(caller, action, identities()).await;
        let itself = *caller.principal() == PrincipalId::ServiceId(id.clone());
        let sees = itself || self.authority.may(caller, Action::ServiceIdRead, &identities());
        settle(self.store.service_id(id).await?, attempt, sees, Noun::ServiceId, id)
    }
}
