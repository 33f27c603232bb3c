//! Rows of access keys.

use async_trait::async_trait;

use super::remains;
use crate::clock::UnixTime;
use crate::ids::aws::AccessKeyId;
use crate::ids::principal::PrincipalId;
use crate::store::aws::access_key::{AccessKeyRecord, AccessKeys, LastUsed};
use crate::store::aws::{AwsError, Quota};
use crate::store::feed::ChangeKey;
use crate::store::identity::{Listed, Window};
use crate::store::tables::SqlStore;
use crate::store::tables::row::{self, List};
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

const OF_OWNER: List<AccessKeyRecord> = List {
    count: "select count(*) from access_key where owner = ?1",
    rows: "select * from access_key where owner = ?1 order by created_at, id limit ?2 offset ?3",
    decode,
};

#[async_trait]
impl AccessKeys for SqlStore {
    async fn access_key(&self, id: &AccessKeyId) -> Result<Option<AccessKeyRecord>, StoreError> {
        row::one(self, "select * from access_key where id = ?1", id.as_str(), decode).await
    }

    async fn access_keys(
        &self,
        owner: &PrincipalId,
        window: Window,
    ) -> Result<Listed<AccessKeyRecord>, StoreError> {
        OF_OWNER.read(self, Some(&owner.to_string()), window).await
    }

    async fn insert_access_key(&self, row: &AccessKeyRecord) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        insert(write.connection(), row).await?;
        let count = "select count(*) from access_key where owner = ?1";
        remains::admit(&mut write, Quota::AccessKeysPerUser, count, &row.owner.to_string()).await?;
        write.touch(ChangeKey::Principal(row.owner.clone()));
        Ok(write.commit().await?)
    }

    async fn activate_access_key(&self, id: &AccessKeyId, active: bool) -> Result<(), StoreError> {
        let update = "update access_key set active = ?2 where id = ?1 returning owner";
        change(self, sql::query(update).bind(id.as_str()).bind(active)).await
    }

    async fn delete_access_key(&self, id: &AccessKeyId) -> Result<(), StoreError> {
        change(self, sql::query("delete from access_key where id = ?1 returning owner").bind(id.as_str()))
            .await
    }

    async fn access_key_used(&self, id: &AccessKeyId, used: &LastUsed) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update access_key set last_used_at = ?2, last_used_region = ?3, last_used_service = ?4 \
             where id = ?1 and coalesce(last_used_at < ?2, true)",
        );
        let update = update.bind(id.as_str()).bind(used.at.millis()).bind(&used.region).bind(&used.service);
        update.execute(write.connection()).await?;
        write.commit().await
    }
}

/// Inserts a key, whose id must be new.
pub(in crate::store::tables) async fn insert(
    connection: &mut sql::Connection,
    row: &AccessKeyRecord,
) -> Result<(), StoreError> {
    let insert = sql::query(
        "insert into access_key (id, owner, sealed, active, created_at, last_used_at, last_used_region, \
         last_used_service) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    );
    let used = row.last_used.as_ref();
    let insert = insert
        .bind(row.id.as_str())
        .bind(row.owner.to_string())
        .bind(&row.sealed)
        .bind(row.active)
        .bind(row.created_at.millis())
        .bind(used.map(|used| used.at.millis()))
        .bind(used.map(|used| &used.region))
        .bind(used.map(|used| &used.service));
    let done = insert.execute(connection).await;
    done.map_err(|error| StoreError::conflict(error, "such an access key exists already"))?;
    Ok(())
}

/// Runs a statement that returns the owner of the key that it changed.
async fn change(store: &SqlStore, sql: sql::Query) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    let changed = sql.fetch_optional(write.connection()).await?.ok_or(StoreError::NotFound)?;
    write.touch(ChangeKey::Principal(row::parsed(&changed, "owner")?));
    write.commit().await
}

fn decode(found: &sql::Row) -> Result<AccessKeyRecord, StoreError> {
    let last_used = |at: UnixTime| -> Result<LastUsed, StoreError> {
        Ok(LastUsed {
            at,
            region: found.try_get("last_used_region")?,
            service: found.try_get("last_used_service")?,
        })
    };
    Ok(AccessKeyRecord {
        id: row::parsed(found, "id")?,
        owner: row::parsed(found, "owner")?,
        sealed: found.try_get("sealed")?,
        active: found.try_get("active")?,
        last_used: row::time_if_any(found, "last_used_at")?.map(last_used).transpose()?,
        created_at: row::time(found, "created_at")?,
    })
}
