//! One registry, as requests need it.

use std::collections::{HashMap, HashSet};

use crate::ids::resource_group::ResourceGroupId;
use crate::policy::resource::Resource;
use crate::registry::name::Namespace;

/// The settings and namespaces of one registry.
#[derive(Clone, Debug, Default)]
pub struct RegistryState {
    /// Whether policies decide; if not, every principal of the account has access.
    pub policies_enforced: bool,
    /// Whether pulls and pushes are refused on public endpoints.
    pub private_only: bool,
    /// The namespaces that exist.
    pub namespaces: HashSet<Namespace>,
    /// The resource groups of those that are in another than the default one.
    pub groups: HashMap<Namespace, ResourceGroupId>,
    /// The resource group of all others.
    pub default_group: Option<ResourceGroupId>,
    /// Whether any repository has a policy of its own.
    pub repository_policies: bool,
    /// Whether platform metrics are published.
    pub platform_metrics: bool,
    /// The most bytes that images may hold; `None` is any number.
    pub storage_limit: Option<u64>,
    /// The most bytes that are pulled over public networks in a month; `None` is any number.
    pub traffic_limit: Option<u64>,
}

impl RegistryState {
    /// The resource, with the group of its namespace. A namespace that is not there is in none: nobody may bring one into
    /// being on the strength of a right on a group.
    #[must_use]
    pub fn placed(&self, resource: Resource) -> Resource {
        let namespace = resource.namespace.as_deref().and_then(|name| Namespace::parse(name).ok());
        let there = namespace.filter(|namespace| self.namespaces.contains(namespace));
        let group = there.and_then(|there| self.groups.get(&there).or(self.default_group.as_ref()).cloned());
        Resource { group, ..resource }
    }
}
