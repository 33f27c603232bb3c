//! Rows of retention policies.

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::Namespace;
use crate::store::retention::{RetentionPolicy, Retentions};
use crate::store::{StoreError, sql};

#[async_trait]
impl Retentions for SqlStore {
    async fn retentions(&self, region: &Region) -> Result<Vec<RetentionPolicy>, StoreError> {
        let select = sql::query("select * from retention where region = ?1 order by namespace");
        select.bind(region.as_str()).fetch_all(&self.readers).await?.iter().map(policy).collect()
    }

    async fn put_retention(&self, row: &RetentionPolicy) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let upsert = sql::query(
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

    async fn retention_ran(&self, row: &RetentionPolicy, at: UnixTime) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update retention set ran_at = ?3 where region = ?1 and namespace = ?2 and ran_at = ?4",
        );
        let update = update.bind(row.region.as_str()).bind(row.namespace.as_str());
        update.bind(at.millis()).bind(row.ran_at.millis()).execute(write.connection()).await?;
        write.commit().await
    }

    async fn retentions_due(&self, before: UnixTime) -> Result<Vec<RetentionPolicy>, StoreError> {
        let select = sql::query("select * from retention where ran_at < ?1 order by ran_at");
        select.bind(before.millis()).fetch_all(&self.readers).await?.iter().map(policy).collect()
    }

    async fn delete_retention(&self, region: &Region, namespace: &Namespace) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from retention where region = ?1 and namespace = ?2")
            .bind(region.as_str())
            .bind(namespace.as_str());
        delete.execute(write.connection()).await?;
        write.commit().await
    }
}

fn policy(found: &sql::Row) -> Result<RetentionPolicy, StoreError> {
    Ok(RetentionPolicy {
        region: row::parsed(found, "region")?,
        namespace: row::parsed(found, "namespace")?,
        images: row::number_if_any(found, "images")?,
        retain_untagged: found.try_get("retain_untagged")?,
        threshold_days: row::number_if_any(found, "threshold_days")?,
        ran_at: row::time(found, "ran_at")?,
    })
}
