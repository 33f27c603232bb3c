//! Per-registry settings and namespaces.

use async_trait::async_trait;

use super::StoreError;
use super::feed::Sequence;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::Namespace;

/// The settings of one registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegistrySettings {
    /// Which registry.
    pub region: Region,
    /// Whether policies decide (`iam_authz`). If not, every principal of the account has access, and what policies
    /// would have refused is logged and counted.
    pub policies_enforced: bool,
    /// Whether pulls and pushes are refused on public endpoints.
    pub private_only: bool,
    /// Whether platform metrics are published.
    pub platform_metrics: bool,
}

/// A namespace that exists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamespaceRecord {
    /// In which registry.
    pub region: Region,
    /// The name.
    pub name: Namespace,
    /// Since when.
    pub created_at: UnixTime,
}

/// One registry as the view reads it.
#[derive(Clone, Debug)]
pub struct RegistryFacts {
    /// The settings.
    pub settings: RegistrySettings,
    /// The namespaces that exist.
    pub namespaces: Vec<Namespace>,
    /// Whether any repository has a policy of its own.
    pub repository_policies: bool,
    /// The feed's position at that instant.
    pub as_of: Sequence,
}

/// Reading and changing registries.
#[async_trait]
pub trait Registries {
    /// The settings of the registry in `region`; `None` if it has never been founded.
    async fn registry(&self, region: &Region) -> Result<Option<RegistryFacts>, StoreError>;
    /// Makes or replaces the settings.
    async fn put_registry(&self, settings: &RegistrySettings) -> Result<(), StoreError>;
    /// Replaces the settings if they are still what was `seen`; `Stale` if another change, of whichever replica, was faster.
    async fn replace_registry(
        &self,
        seen: &RegistrySettings,
        settings: &RegistrySettings,
    ) -> Result<(), StoreError>;
    /// The namespaces of one registry, by name.
    async fn namespaces(&self, region: &Region) -> Result<Vec<NamespaceRecord>, StoreError>;
    /// Adds a namespace; `Conflict` if it exists.
    async fn insert_namespace(&self, row: &NamespaceRecord) -> Result<(), StoreError>;
    /// Removes a namespace.
    async fn delete_namespace(&self, region: &Region, name: &Namespace) -> Result<(), StoreError>;
}
