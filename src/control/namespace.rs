//! Namespaces: the first component of repository names, made and removed by who manages the registry.

use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::ids::region::Region;
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
    ) -> Result<Done<Added>, Problem> {
        // Namespaces are made at account level: a policy on a namespace does not reach (ibm.md 1.1).
        let permit =
            self.authority.permit(caller, Action::NamespaceCreate, Resource::registry(region)).await?;
        let row = NamespaceRecord { region: region.clone(), name, created_at: self.clock.now() };
        match self.store.insert_namespace(&row).await {
            Ok(()) => Ok(Done::new(Added::Now, permit)),
            Err(StoreError::Conflict(_)) => Ok(Done::new(Added::Before, permit)),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an empty namespace.
    ///
    /// # Errors
    /// [`Problem`]; one that holds images refuses.
    pub async fn remove_namespace(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        name: &Namespace,
    ) -> Result<Done<()>, Problem> {
        let permit =
            self.authority.permit(caller, Action::NamespaceDelete, Resource::registry(region)).await?;
        let exists = self.store.namespaces(region).await?.iter().any(|row| row.name == *name);
        if !exists {
            return Err(Problem::NotFound(Noun::Namespace, name.to_string()));
        }
        let mut repositories = self.images.repositories(region).await?;
        repositories.retain(|repository| repository.namespace() == name.as_str());
        if !self.images.list(region, &repositories).await?.is_empty() {
            return Err(Problem::Conflict(format!("namespace {name} holds images: delete them first")));
        }
        let failed = |error| Problem::of(error, Noun::Namespace, name);
        self.store.delete_namespace(region, name).await.map_err(failed)?;
        Ok(Done::new((), permit))
    }
}
