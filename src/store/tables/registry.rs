//! Rows of registry settings and namespaces.

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::ids::region::Region;
use crate::registry::name::Namespace;
use crate::store::feed::ChangeKey;
use crate::store::registry::{NamespaceRecord, Registries, RegistryFacts, RegistrySettings};
use crate::store::{StoreError, sql};

#[async_trait]
impl Registries for SqlStore {
    async fn registry(&self, region: &Region) -> Result<Option<RegistryFacts>, StoreError> {
        let mut reading = self.readers.begin().await?;
        let as_of = super::feed::latest(&mut reading).await?;
        let select = sql::query("select * from registry where region = ?1").bind(region.as_str());
        let found = select.fetch_optional(&mut *reading).await?;
        let Some(settings) = found.as_ref().map(settings).transpose()? else { return Ok(None) };
        let select = sql::query("select * from namespace where region = ?1").bind(region.as_str());
        let rows = select.fetch_all(&mut *reading).await?;
        let namespaces = rows.iter().map(|row| namespace(row).map(|row| row.name));
        let namespaces = namespaces.collect::<Result<_, _>>()?;
        let repository_policies = has_repository_policies(&mut reading, region).await?;
        Ok(Some(RegistryFacts { settings, namespaces, repository_policies, as_of }))
    }

    async fn put_registry(&self, settings: &RegistrySettings) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        put(write.connection(), settings).await?;
        write.touch(ChangeKey::Registry(settings.region.clone()));
        write.commit().await
    }

    async fn replace_registry(
        &self,
        seen: &RegistrySettings,
        to: &RegistrySettings,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let select = sql::query("select * from registry where region = ?1").bind(to.region.as_str());
        let found = select.fetch_optional(write.connection()).await?;
        if found.as_ref().map(settings).transpose()?.is_some_and(|now| now != *seen) {
            return Err(StoreError::Stale);
        }
        put(write.connection(), to).await?;
        write.touch(ChangeKey::Registry(to.region.clone()));
        write.commit().await
    }

    async fn namespaces(&self, region: &Region) -> Result<Vec<NamespaceRecord>, StoreError> {
        let select =
            sql::query("select * from namespace where region = ?1 order by name").bind(region.as_str());
        select.fetch_all(&self.readers).await?.iter().map(namespace).collect()
    }

    async fn insert_namespace(&self, row: &NamespaceRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = sql::query("insert into namespace (region, name, created_at) values (?1, ?2, ?3)")
            .bind(row.region.as_str())
            .bind(row.name.as_str())
            .bind(row.created_at.millis());
        let done = insert.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "that namespace exists already"))?;
        write.touch(ChangeKey::Registry(row.region.clone()));
        write.commit().await
    }

    async fn delete_namespace(&self, region: &Region, name: &Namespace) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from namespace where region = ?1 and name = ?2")
            .bind(region.as_str())
            .bind(name.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::Registry(region.clone()));
        write.commit().await
    }
}

/// Whether any repository of the registry has a policy. A write that changes the answer touches the registry.
pub(super) async fn has_repository_policies(
    connection: &mut sql::Connection,
    region: &Region,
) -> Result<bool, StoreError> {
    let select = "select exists (select 1 from repository where region = ?1 and policy is not null)";
    Ok(sql::query_scalar(select).bind(region.as_str()).fetch_one(connection).await?)
}

/// Makes or replaces settings.
pub(super) async fn put(
    connection: &mut sql::Connection,
    settings: &RegistrySettings,
) -> Result<(), StoreError> {
    let upsert = sql::query(
        "insert into registry (region, policies_enforced, private_only, platform_metrics) \
         values (?1, ?2, ?3, ?4) on conflict (region) do update set \
         policies_enforced = ?2, private_only = ?3, platform_metrics = ?4",
    )
    .bind(settings.region.as_str())
    .bind(settings.policies_enforced)
    .bind(settings.private_only)
    .bind(settings.platform_metrics);
    upsert.execute(connection).await?;
    Ok(())
}

fn settings(found: &sql::Row) -> Result<RegistrySettings, StoreError> {
    Ok(RegistrySettings {
        region: row::parsed(found, "region")?,
        policies_enforced: found.try_get("policies_enforced")?,
        private_only: found.try_get("private_only")?,
        platform_metrics: found.try_get("platform_metrics")?,
    })
}

fn namespace(found: &sql::Row) -> Result<NamespaceRecord, StoreError> {
    Ok(NamespaceRecord {
        region: row::parsed(found, "region")?,
        name: row::parsed(found, "name")?,
        created_at: row::time(found, "created_at")?,
    })
}
