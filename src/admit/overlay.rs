//! What lies over the upstream of one repository: hidden images, and the registry's limits. It decides nothing.

use std::sync::Arc;

use super::fault::Fault;
use super::gate::Gate;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::view::hidden::Hidden;
use crate::view::registry::RegistryState;

/// What lies over one repository.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// What nobody is shown.
    pub hidden: Arc<Hidden>,
    /// The registry.
    pub registry: Arc<RegistryState>,
}

impl Gate {
    /// As of now.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot answer.
    pub async fn overlay(&self, region: &Region, name: &RepositoryName) -> Result<Overlay, Fault> {
        Ok(Overlay { hidden: self.view.hidden(region, name).await?, registry: self.registry(region).await? })
    }

    /// The registry as of now, if it has been founded.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot answer.
    pub async fn registry_settings(&self, region: &Region) -> Result<Option<Arc<RegistryState>>, Fault> {
        Ok(self.view.registry(region).await?)
    }
}
