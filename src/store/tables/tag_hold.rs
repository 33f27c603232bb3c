//! Rows of tags that are held.

use async_trait::async_trait;

use super::SqlStore;
use super::write::Write;
use crate::clock::UnixTime;
use crate::store::tag_hold::{TagHold, TagHolds};
use crate::store::{StoreError, sql};

#[async_trait]
impl TagHolds for SqlStore {
    async fn hold_tag(&self, hold: &TagHold, now: UnixTime, ends_at: UnixTime) -> Result<bool, StoreError> {
        let mut write = Write::begin(self).await?;
        let upsert = sql::query(
            "insert into tag_hold (region, repository, tag, holder, ends_at) values (?1, ?2, ?3, ?4, ?5) \
             on conflict (region, repository, tag) do update set holder = ?4, ends_at = ?5 \
             where tag_hold.ends_at <= ?6 or substr(tag_hold.holder, 1, length(?7)) = ?7",
        )
        .bind(hold.region.as_str())
        .bind(hold.repository.as_str())
        .bind(hold.tag.as_str())
        .bind(holder(hold))
        .bind(ends_at.millis())
        .bind(now.millis())
        .bind(format!("{}/", hold.replica));
        let held = upsert.execute(write.connection()).await?.rows_affected() > 0;
        write.commit().await?;
        Ok(held)
    }

    async fn release_tag(&self, hold: &TagHold) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query(
            "delete from tag_hold where region = ?1 and repository = ?2 and tag = ?3 and holder = ?4",
        )
        .bind(hold.region.as_str())
        .bind(hold.repository.as_str())
        .bind(hold.tag.as_str())
        .bind(holder(hold));
        delete.execute(write.connection()).await?;
        write.commit().await
    }
}

fn holder(hold: &TagHold) -> String {
    format!("{}/{}", hold.replica, hold.id)
}
