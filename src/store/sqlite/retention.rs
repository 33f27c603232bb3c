//! Rows of retention policies and resource groups.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::write::Write;
use super::{SqliteStore, row};
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::Namespace;
use crate::store::StoreError;
use crate::store::feed::ChangeKey;
use crate::store::retention::{RetentionPolicy, Retentions};

#[async_trait]
impl Retentions for SqliteStore {
    async fn retentions(&self, region: &Region) -> Result<Vec<RetentionPolicy>, StoreError> {
        let select = sqlx::query("select * from retention where region = ?1 order by namespace");
        select.bind(region.as_str()).fetch_all(&self.readers).await?.iter().map(policy).collect()
    }

    async fn put_retention(&self, row: &RetentionPolicy) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let upsert = sqlx::query(
            "insert into retention (region, namespace, images, retain_untagged, threshold_days, ran_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (region, namespace) do update set \
             images = ?3, retain_untagged = ?4, threshold_days = ?5, ran_at = ?6",
        )
        .bind(row.region.as_str())
        .bind(row.namespace.as_str())
        .bind(row.images)
        .bind(row.retain_untagged)
        .bind(row.threshold_days)
        .bind(row.ran_at.millis());
        upsert.execute(write.connection()).await?;
        write.commit().await
    }

    async fn retentions_due(&self, before: UnixTime) -> Result<Vec<RetentionPolicy>, StoreError> {
        let select = sqlx::query("select * from retention where ran_at < ?1 order by ran_at");
        select.bind(before.millis()).fetch_all(&self.readers).await?.iter().map(policy).collect()
    }

    async fn delete_retention(&self, region: &Region, namespace: &Namespace) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sqlx::query("delete from retention where region = ?1 and namespace = ?2")
            .bind(region.as_str())
            .bind(namespace.as_str());
        delete.execute(write.connection()).await?;
        write.commit().await
    }

    async fn resource_groups(&self, region: &Region) -> Result<Vec<(Namespace, String)>, StoreError> {
        let select = sqlx::query("select * from namespace_group where region = ?1").bind(region.as_str());
        let rows = select.fetch_all(&self.readers).await?;
        let group =
            |found: &SqliteRow| Ok((row::parsed(found, "namespace")?, found.try_get("resource_group")?));
        rows.iter().map(group).collect()
    }

    async fn put_resource_group(
        &self,
        region: &Region,
        namespace: &Namespace,
        group: &str,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = sqlx::query(
            "insert into namespace_group (region, namespace, resource_group) values (?1, ?2, ?3)",
        )
        .bind(region.as_str())
        .bind(namespace.as_str())
        .bind(group);
        let done = insert.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "it is in a resource group, and stays there"))?;
        write.touch(ChangeKey::Registry(region.clone()));
        write.commit().await
    }
}

fn policy(found: &SqliteRow) -> Result<RetentionPolicy, StoreError> {
    Ok(RetentionPolicy {
        region: row::parsed(found, "region")?,
        namespace: row::parsed(found, "namespace")?,
        images: found.try_get("images")?,
        retain_untagged: found.try_get("retain_untagged")?,
        threshold_days: found.try_get("threshold_days")?,
        ran_at: row::time(found, "ran_at")?,
    })
}
