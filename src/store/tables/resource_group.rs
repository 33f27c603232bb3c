//! Rows of resource groups.

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::ids::region::Region;
use crate::ids::resource_group::ResourceGroupId;
use crate::registry::name::Namespace;
use crate::store::feed::ChangeKey;
use crate::store::resource_group::{ResourceGroup, ResourceGroups};
use crate::store::{StoreError, sql};

const TAKEN: &str = "a resource group of that name is there already";

#[async_trait]
impl ResourceGroups for SqlStore {
    async fn resource_groups(&self) -> Result<Vec<ResourceGroup>, StoreError> {
        let select = sql::query("select * from resource_group order by lower(name)");
        select.fetch_all(&self.readers).await?.iter().map(group).collect()
    }

    async fn insert_resource_group(&self, row: &ResourceGroup) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = sql::query(
            "insert into resource_group (id, name, created_at, modified_at) values (?1, ?2, ?3, ?4)",
        )
        .bind(row.id.as_str())
        .bind(&row.name)
        .bind(row.created_at.millis())
        .bind(row.modified_at.millis());
        let done = insert.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, TAKEN))?;
        write.commit().await
    }

    async fn update_resource_group(&self, row: &ResourceGroup) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query("update resource_group set name = ?2, modified_at = ?3 where id = ?1")
            .bind(row.id.as_str())
            .bind(&row.name)
            .bind(row.modified_at.millis());
        let done = update.execute(write.connection()).await;
        let done = done.map_err(|error| StoreError::conflict(error, TAKEN))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.commit().await
    }

    async fn delete_resource_group(&self, id: &ResourceGroupId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let select = sql::query("select 1 from namespace_group where resource_group = ?1 limit 1");
        if select.bind(id.as_str()).fetch_optional(write.connection()).await?.is_some() {
            return Err(StoreError::Conflict("namespaces are in it: remove them first"));
        }
        let delete = sql::query("delete from resource_group where id = ?1").bind(id.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.commit().await
    }

    async fn namespace_groups(
        &self,
        region: &Region,
    ) -> Result<Vec<(Namespace, ResourceGroupId)>, StoreError> {
        let select = sql::query("select namespace, resource_group from namespace_group where region = ?1");
        let rows = select.bind(region.as_str()).fetch_all(&self.readers).await?;
        let pair =
            |found: &sql::Row| Ok((row::parsed(found, "namespace")?, row::parsed(found, "resource_group")?));
        rows.iter().map(pair).collect()
    }

    async fn put_namespace_group(
        &self,
        region: &Region,
        namespace: &Namespace,
        group: &ResourceGroupId,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let select = sql::query("select 1 from resource_group where id = ?1").bind(group.as_str());
        if select.fetch_optional(write.connection()).await?.is_none() {
            return Err(StoreError::Conflict("the resource group is not there"));
        }
        let insert =
            sql::query("insert into namespace_group (region, namespace, resource_group) values (?1, ?2, ?3)")
                .bind(region.as_str())
                .bind(namespace.as_str())
                .bind(group.as_str());
        let done = insert.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "it is in a resource group, and stays there"))?;
        write.touch(ChangeKey::Registry(region.clone()));
        write.commit().await
    }
}

fn group(found: &sql::Row) -> Result<ResourceGroup, StoreError> {
    Ok(ResourceGroup {
        id: row::parsed(found, "id")?,
        name: found.try_get("name")?,
        created_at: row::time(found, "created_at")?,
        modified_at: row::time(found, "modified_at")?,
    })
}
