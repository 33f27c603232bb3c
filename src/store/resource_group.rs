//! Resource groups, and which namespaces are in them.

use async_trait::async_trait;

use super::StoreError;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::ids::resource_group::ResourceGroupId;
use crate::registry::name::Namespace;

/// A resource group. The default one has no row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResourceGroup {
    /// Which.
    pub id: ResourceGroupId,
    /// What people call it; unique, whatever the case.
    pub name: String,
    /// When it was made.
    pub created_at: UnixTime,
    /// When it was last renamed.
    pub modified_at: UnixTime,
}

/// Reading and changing resource groups. What a namespace is in decides who may do what there, and touches its registry;
/// what a group is called does not.
#[async_trait]
pub trait ResourceGroups {
    /// All but the default one, by name.
    async fn resource_groups(&self) -> Result<Vec<ResourceGroup>, StoreError>;
    /// Makes one; `Conflict` if there is one of that name.
    async fn insert_resource_group(&self, row: &ResourceGroup) -> Result<(), StoreError>;
    /// Replaces one; `Conflict` if there is another of that name, `NotFound` if it is not there.
    async fn update_resource_group(&self, row: &ResourceGroup) -> Result<(), StoreError>;
    /// Removes one; `Conflict` while namespaces are in it, `NotFound` if it is not there.
    async fn delete_resource_group(&self, id: &ResourceGroupId) -> Result<(), StoreError>;
    /// The groups of namespaces that are in another than the default one.
    async fn namespace_groups(
        &self,
        region: &Region,
    ) -> Result<Vec<(Namespace, ResourceGroupId)>, StoreError>;
    /// Puts a namespace into a group; `Conflict` if it is in one already or one of the two is not there.
    async fn put_namespace_group(
        &self,
        region: &Region,
        namespace: &Namespace,
        group: &ResourceGroupId,
    ) -> Result<(), StoreError>;
}
