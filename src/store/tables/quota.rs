//! Rows of limits and usage.

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::store::feed::ChangeKey;
use crate::store::quota::{Added, Quota, Quotas, Used};
use crate::store::{StoreError, sql};

#[async_trait]
impl Quotas for SqlStore {
    async fn quota(&self, region: &Region) -> Result<Quota, StoreError> {
        let select = sql::query("select * from quota where region = ?1").bind(region.as_str());
        let Some(found) = select.fetch_optional(&self.readers).await? else { return Ok(Quota::default()) };
        let limit = |column| -> Result<Option<u64>, StoreError> {
            let limit: Option<i64> = found.try_get(column)?;
            Ok(limit.map(i64::unsigned_abs))
        };
        Ok(Quota { storage: limit("storage")?, traffic: limit("traffic")? })
    }

    async fn put_quota(&self, region: &Region, quota: &Quota) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let upsert = sql::query(
            "insert into quota (region, storage, traffic) values (?1, ?2, ?3) \
             on conflict (region) do update set storage = ?2, traffic = ?3",
        )
        .bind(region.as_str())
        .bind(quota.storage.map(signed))
        .bind(quota.traffic.map(signed));
        upsert.execute(write.connection()).await?;
        write.touch(ChangeKey::Registry(region.clone()));
        write.commit().await
    }

    async fn used(&self, region: &Region) -> Result<Option<Used>, StoreError> {
        let select = sql::query("select * from usage where region = ?1").bind(region.as_str());
        select.fetch_optional(&self.readers).await?.as_ref().map(used).transpose()
    }

    async fn add_used(
        &self,
        region: &Region,
        month: i64,
        traffic: u64,
        storage: u64,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let upsert = sql::query(
            "insert into usage (region, month, traffic, storage, surveyed_at, added) values (?1, ?2, ?3, ?4, 0, ?4) \
             on conflict (region) do update set storage = usage.storage + ?4, added = usage.added + ?4, \
             month = case when usage.month < ?2 then ?2 else usage.month end, traffic = \
             case when usage.month = ?2 then usage.traffic + ?3 when usage.month < ?2 then ?3 else usage.traffic end",
        )
        .bind(region.as_str())
        .bind(month)
        .bind(signed(traffic))
        .bind(signed(storage));
        upsert.execute(write.connection()).await?;
        write.commit().await
    }

    async fn put_storage(
        &self,
        region: &Region,
        month: i64,
        (storage, since): (u64, Added),
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let upsert = sql::query(
            "insert into usage (region, month, traffic, storage, surveyed_at) values (?1, ?2, 0, ?3, ?4) \
             on conflict (region) do update set surveyed_at = ?4, storage = \
             case when usage.added > ?5 then ?3 + usage.added - ?5 else ?3 end",
        )
        .bind(region.as_str())
        .bind(month)
        .bind(signed(storage))
        .bind(at.millis())
        .bind(signed(since.0));
        upsert.execute(write.connection()).await?;
        write.commit().await
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn used(found: &sql::Row) -> Result<Used, StoreError> {
    let bytes = |column| -> Result<u64, StoreError> {
        let bytes: i64 = found.try_get(column)?;
        Ok(bytes.max(0).unsigned_abs())
    };
    Ok(Used {
        month: found.try_get("month")?,
        traffic: bytes("traffic")?,
        storage: bytes("storage")?,
        added: bytes("added")?,
        surveyed_at: row::time(found, "surveyed_at")?,
    })
}
