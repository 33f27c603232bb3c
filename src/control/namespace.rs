//! Namespaces: the first component of repository names, made and removed by who manages the registry.

use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::ids::region::Region;
use crate::ids::resource_group::ResourceGroupId;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::registry::name::Namespace;
use crate::store::StoreError;
use crate::store::registry::NamespaceRecord;

/// Whether a namespace had to be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Added {
    /// It had to be.
    Now,
    /// It was there.
    Before,
}

impl Desk {
    /// The namespaces that the caller may list, by name.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn namespaces(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
    ) -> Result<Done<Vec<NamespaceRecord>>, Problem> {
        let mut rows = self.store.namespaces(region).await?;
        rows.retain(|row| {
            let resource = Resource::namespace(region, row.name.as_str());
            self.authority.may(caller, Action::NamespaceList, &resource)
        });
        Ok(Done::new(rows, self.proven(caller, Action::NamespaceList, Resource::registry(region))))
    }

    /// Adds a namespace; adding it twice changes nothing.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn add_namespace(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        name: Namespace,
        group: Option<&str>,
    ) -> Result<Done<Added>, Problem> {
        self.authority.reach(caller, region, &name).await?;
        // Namespaces are made at account level: a policy on a namespace does not reach.
        let permit =
            self.authority.permit(caller, Action::NamespaceCreate, Resource::registry(region)).await?;
        let group = match group {
            Some(group) => Some(self.resource_group_called(group).await?.id),
            None => None,
        };
        let group = group.filter(|group| *group != self.default_group().id);
        if let Some(group) = &group {
            // What an upstream holds of it already comes into the group, too.
            let there = self.images.repositories(region).await?;
            if there.iter().any(|repository| repository.namespace() == name.as_str()) {
                self.move_within_reach(caller, (region, &name), group).await?;
            }
        }
        let row = NamespaceRecord { region: region.clone(), name, created_at: self.clock.now() };
        match self.store.insert_namespace(&row).await {
            Ok(()) => {
                if let Some(group) = group {
                    self.store.put_namespace_group(region, &row.name, &group).await?;
                }
                Ok(Done::new(Added::Now, permit))
            }
            Err(StoreError::Conflict(_)) => Ok(Done::new(Added::Before, permit)),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a namespace that is in the default resource group into another one, once and for all.
    ///
    /// # Errors
    /// [`Problem`]; what others may do there by policies on that group must be in the caller's reach.
    pub async fn assign_namespace(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        name: &Namespace,
        group: Option<&str>,
    ) -> Result<Done<()>, Problem> {
        self.authority.reach(caller, region, name).await?;
        let permit =
            self.authority.permit(caller, Action::NamespaceCreate, Resource::registry(region)).await?;
        self.existing_namespace(region, name).await?;
        let group = group.ok_or_else(|| Problem::Invalid("name a resource group".to_owned()))?;
        let group = self.resource_group_called(group).await?.id;
        self.move_within_reach(caller, (region, name), &group).await?;
        let failed = |error| Problem::of(error, Noun::Namespace, name);
        self.store.put_namespace_group(region, name, &group).await.map_err(failed)?;
        Ok(Done::new((), permit))
    }

    /// The resource groups of namespaces that are in another than the default one: for who may see the namespaces.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn namespace_groups(
        &self,
        region: &Region,
    ) -> Result<Vec<(Namespace, ResourceGroupId)>, Problem> {
        Ok(self.store.namespace_groups(region).await?)
    }

    /// Removes a namespace with all its images, which go to the trash.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn remove_namespace(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        name: &Namespace,
    ) -> Result<Done<()>, Problem> {
        self.authority.reach(caller, region, name).await?;
        let permit =
            self.authority.permit(caller, Action::NamespaceDelete, Resource::registry(region)).await?;
        let exists = self.store.namespaces(region).await?.iter().any(|row| row.name == *name);
        if !exists {
            return Err(Problem::NotFound(Noun::Namespace, name.to_string()));
        }
        let mut repositories = self.images.repositories(region).await?;
        repositories.retain(|repository| repository.namespace() == name.as_str());
        for repository in &repositories {
            for held in super::survey::shown(&self.bin, region, repository).await? {
                self.bin.discard(&permit, region, repository, &held.digest).await?;
            }
        }
        self.store.delete_retention(region, name).await?;
        let failed = |error| Problem::of(error, Noun::Namespace, name);
        self.store.delete_namespace(region, name).await.map_err(failed)?;
        Ok(Done::new((), permit))
    }
}
