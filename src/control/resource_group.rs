//! Resource groups: what namespaces are put into, once and for all, so that policies can speak of all of them.

use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::clock::UnixTime;
use crate::ids::Malformed;
use crate::ids::region::Region;
use crate::ids::resource_group::ResourceGroupId;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::resource_group::ResourceGroup;

/// What the default group is called.
pub const DEFAULT_GROUP: &str = "Default";

/// The longest name of a group.
const NAME_MAX: usize = 40;

/// How many groups there can be.
const MOST: usize = 500;

fn account() -> Resource {
    Resource::platform(Service::IamIdentity)
}

fn valid(name: &str) -> Result<String, Problem> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    let trimmed = name.trim() == name && !name.is_empty() && name.chars().count() <= NAME_MAX;
    match trimmed && name.chars().all(allowed) && ResourceGroupId::parse(name).is_err() {
        true => Ok(name.to_owned()),
        false => Err(Problem::Invalid(format!(
            "the name of a resource group has 1 to {NAME_MAX} letters, digits, spaces, -, _ and ., and is no id"
        ))),
    }
}

impl Desk {
    /// The default group, which is always there.
    #[must_use]
    pub fn default_group(&self) -> ResourceGroup {
        let (id, at) = (ResourceGroupId::default_of(&self.account), UnixTime::from_millis(0));
        ResourceGroup { id, name: DEFAULT_GROUP.to_owned(), created_at: at, modified_at: at }
    }

    async fn every_group(&self) -> Result<Vec<ResourceGroup>, Problem> {
        let mut all = vec![self.default_group()];
        all.extend(self.store.resource_groups().await?);
        Ok(all)
    }

    /// The group of that id or name.
    ///
    /// # Errors
    /// [`Problem`] if there is none.
    pub(super) async fn resource_group_called(&self, text: &str) -> Result<ResourceGroup, Problem> {
        let called = |group: &ResourceGroup| {
            group.id.as_str() == text || group.name.to_lowercase() == text.to_lowercase()
        };
        let missing = || Problem::NotFound(Noun::ResourceGroup, Malformed::new(text, "").text.to_string());
        self.every_group().await?.into_iter().find(called).ok_or_else(missing)
    }

    /// The groups, the default one first; none for who may not see the account.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn groups_of_resources(
        &self,
        caller: &Arc<Caller>,
    ) -> Result<Done<Vec<ResourceGroup>>, Problem> {
        let permit = self.proven(caller, Action::AccountRead, account());
        match self.authority.may(caller, Action::AccountRead, &account()) {
            true => Ok(Done::new(self.every_group().await?, permit)),
            false => Ok(Done::new(Vec::new(), permit)),
        }
    }

    /// One group.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn resource_group(
        &self,
        caller: &Arc<Caller>,
        id: &ResourceGroupId,
    ) -> Result<Done<ResourceGroup>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(self.resource_group_called(id.as_str()).await?, permit))
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn create_resource_group(
        &self,
        caller: &Arc<Caller>,
        name: &str,
    ) -> Result<Done<ResourceGroup>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let name = self.free_name(name, None).await?;
        if self.store.resource_groups().await?.len() >= MOST {
            return Err(Problem::Conflict(format!("there are {MOST} resource groups: delete one first")));
        }
        let (id, at) = (ResourceGroupId::fresh(&*self.entropy), self.clock.now());
        let row = ResourceGroup { id, name, created_at: at, modified_at: at };
        self.store.insert_resource_group(&row).await?;
        Ok(Done::new(row, permit))
    }

    /// Gives a group another name.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn rename_resource_group(
        &self,
        caller: &Arc<Caller>,
        id: &ResourceGroupId,
        name: &str,
    ) -> Result<Done<ResourceGroup>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let group = self.own_group(id).await?;
        let name = self.free_name(name, Some(id)).await?;
        let row = ResourceGroup { name, modified_at: self.clock.now(), ..group };
        let failed = |error| Problem::of(error, Noun::ResourceGroup, id);
        self.store.update_resource_group(&row).await.map_err(failed)?;
        Ok(Done::new(row, permit))
    }

    /// Removes a group that nothing is in.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_resource_group(
        &self,
        caller: &Arc<Caller>,
        id: &ResourceGroupId,
    ) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        self.own_group(id).await?;
        let failed = |error| Problem::of(error, Noun::ResourceGroup, id);
        self.store.delete_resource_group(id).await.map_err(failed)?;
        Ok(Done::new((), permit))
    }

    /// The group that a namespace is in, if it is there.
    pub(super) async fn group_of(
        &self,
        region: &Region,
        namespace: &str,
    ) -> Result<Option<ResourceGroupId>, Problem> {
        let there = self.store.namespaces(region).await?;
        if !there.iter().any(|row| row.name.as_str() == namespace) {
            return Ok(None);
        }
        let groups = self.store.namespace_groups(region).await?;
        let own = groups.into_iter().find(|(of, _)| of.as_str() == namespace).map(|(_, group)| group);
        Ok(Some(own.unwrap_or_else(|| ResourceGroupId::default_of(&self.account))))
    }

    /// A group that is not the default one.
    async fn own_group(&self, id: &ResourceGroupId) -> Result<ResourceGroup, Problem> {
        if *id == ResourceGroupId::default_of(&self.account) {
            return Err(Problem::Conflict("the default resource group stays as it is".to_owned()));
        }
        self.resource_group_called(id.as_str()).await
    }

    async fn free_name(&self, name: &str, own: Option<&ResourceGroupId>) -> Result<String, Problem> {
        let name = valid(name)?;
        let same = |group: &ResourceGroup| {
            group.name.to_lowercase() == name.to_lowercase() && own.is_none_or(|own| group.id != *own)
        };
        match self.every_group().await?.iter().any(same) {
            true => Err(Problem::Conflict("a resource group of that name is there already".to_owned())),
            false => Ok(name),
        }
    }
}
