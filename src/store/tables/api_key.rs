//! Rows of API keys.

use super::SqlStore;
use super::row::{self, List};
use super::write::Write;
use crate::clock::UnixTime;
use crate::credential::api_key::KeyHash;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::store::feed::ChangeKey;
use crate::store::identity::ApiKeyRecord;
use crate::store::{StoreError, sql};

const TAKEN: &str = "such an API key exists already";

/// Every key.
pub(super) const ALL: List<ApiKeyRecord> = List {
    count: "select count(*) from api_key",
    rows: "select * from api_key order by created_at, id limit ?2 offset ?3",
    decode,
};

/// The keys of one owner.
pub(super) const OF_OWNER: List<ApiKeyRecord> = List {
    count: "select count(*) from api_key where owner = ?1",
    rows: "select * from api_key where owner = ?1 order by created_at, id limit ?2 offset ?3",
    decode,
};

/// Who owns the key with this hash.
pub(super) async fn owner(
    store: &SqlStore,
    hash: &KeyHash,
) -> Result<Option<(PrincipalId, ApiKeyId)>, StoreError> {
    let select = sql::query("select owner, id from api_key where hash = ?1").bind(hash.as_bytes().to_vec());
    let Some(found) = select.fetch_optional(&store.readers).await? else { return Ok(None) };
    Ok(Some((row::parsed(&found, "owner")?, row::parsed(&found, "id")?)))
}

/// Inserts a key.
pub(super) async fn insert(connection: &mut sql::Connection, row: &ApiKeyRecord) -> Result<(), StoreError> {
    let insert = "insert into api_key \
         (id, version, owner, name, description, hash, locked, disabled, expires_at, created_by, \
          created_at, modified_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let done = bound(insert, row).execute(connection).await;
    done.map_err(|error| StoreError::conflict(error, TAKEN))?;
    Ok(())
}

/// Replaces a key; its former owner and its owner are touched.
pub(super) async fn update(store: &SqlStore, row: &ApiKeyRecord) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    let former = owner_of(write.connection(), &row.id).await?;
    let update = "update api_key set owner = ?3, name = ?4, description = ?5, hash = ?6, locked = ?7, \
         disabled = ?8, expires_at = ?9, created_by = ?10, created_at = ?11, modified_at = ?12, version = ?2 \
         where id = ?1 and version = ?2 - 1";
    let done = bound(update, row).execute(write.connection()).await;
    let done = done.map_err(|error| StoreError::conflict(error, TAKEN))?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Stale);
    }
    write.touch(ChangeKey::Principal(former));
    write.touch(ChangeKey::Principal(row.owner.clone()));
    write.commit().await
}

/// Disables a key that is not locked, whatever its version.
pub(super) async fn disable(store: &SqlStore, id: &ApiKeyId, at: UnixTime) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    let owner = owner_of(write.connection(), id).await?;
    let update = "update api_key set disabled = true, version = version + 1, modified_at = ?2 where id = ?1 and not locked";
    let update = sql::query(update).bind(id.as_str()).bind(at.millis());
    if update.execute(write.connection()).await?.rows_affected() == 0 {
        return Err(StoreError::Stale);
    }
    write.touch(ChangeKey::Principal(owner));
    write.commit().await
}

/// Removes a key.
pub(super) async fn delete(store: &SqlStore, id: &ApiKeyId) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    let owner = owner_of(write.connection(), id).await?;
    sql::query("delete from api_key where id = ?1").bind(id.as_str()).execute(write.connection()).await?;
    write.touch(ChangeKey::Principal(owner));
    write.commit().await
}

/// Who owns a key.
pub(super) async fn owner_of(
    connection: &mut sql::Connection,
    id: &ApiKeyId,
) -> Result<PrincipalId, StoreError> {
    let select = sql::query("select owner from api_key where id = ?1").bind(id.as_str());
    let found = select.fetch_optional(connection).await?.ok_or(StoreError::NotFound)?;
    row::parsed(&found, "owner")
}

fn bound(sql: &'static str, row: &ApiKeyRecord) -> sql::Query {
    sql::query(sql)
        .bind(row.id.as_str())
        .bind(row.stamp.version)
        .bind(row.owner.to_string())
        .bind(&row.name)
        .bind(&row.description)
        .bind(row.hash.as_bytes())
        .bind(row.locked)
        .bind(row.disabled)
        .bind(row.expires_at.map(UnixTime::millis))
        .bind(row.created_by.to_string())
        .bind(row.stamp.created_at.millis())
        .bind(row.stamp.modified_at.millis())
}

/// Reads a key.
pub(super) fn decode(found: &sql::Row) -> Result<ApiKeyRecord, StoreError> {
    let hash: Vec<u8> = found.try_get("hash")?;
    Ok(ApiKeyRecord {
        id: row::parsed(found, "id")?,
        owner: row::parsed(found, "owner")?,
        name: found.try_get("name")?,
        description: found.try_get("description")?,
        hash: KeyHash::from_stored(&hash)
            .ok_or_else(|| StoreError::Corrupt("hash of an API key".to_owned()))?,
        locked: found.try_get("locked")?,
        disabled: found.try_get("disabled")?,
        expires_at: row::time_if_any(found, "expires_at")?,
        created_by: row::parsed(found, "created_by")?,
        stamp: row::stamp(found)?,
    })
}
