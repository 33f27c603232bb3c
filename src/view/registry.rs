//! One registry, as requests need it.

use std::collections::HashSet;

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
    /// Whether any repository has a policy of its own.
    pub repository_policies: bool,
    /// Whether platform metrics are published.
    pub platform_metrics: bool,
    /// The most bytes that images may hold; `None` is any number.
    pub storage_limit: Option<u64>,
    /// The most bytes that are pulled over public networks in a month; `None` is any number.
    pub traffic_limit: Option<u64>,
}
