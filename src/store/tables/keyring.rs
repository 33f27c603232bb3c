//! Rows of signing keys.

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::clock::UnixTime;
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::keyring::{Keyring, SigningKeyRecord};
use crate::store::{StoreError, sql};

#[async_trait]
impl Keyring for SqlStore {
    async fn signing_keys(&self) -> Result<(Vec<SigningKeyRecord>, Sequence), StoreError> {
        let mut reading = self.readers.begin().await?;
        let as_of = super::feed::latest(&mut reading).await?;
        let select = sql::query("select * from signing_key order by created_at desc, kid");
        let rows = select.fetch_all(&mut *reading).await?;
        Ok((rows.iter().map(decode).collect::<Result<_, _>>()?, as_of))
    }

    async fn rotate_in(
        &self,
        key: &SigningKeyRecord,
        instead_of: Option<&str>,
        others_retire_at: UnixTime,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let signing = sql::query_scalar("select kid from signing_key where retires_at is null");
        let signing: Option<String> = signing.fetch_optional(write.connection()).await?;
        if signing.as_deref() != instead_of {
            return Err(StoreError::Stale);
        }
        // A key that retires already keeps its earlier time.
        let update = sql::query(
            "update signing_key set retires_at = case when retires_at < ?1 then retires_at else ?1 end",
        );
        update.bind(others_retire_at.millis()).execute(write.connection()).await?;
        insert(write.connection(), key).await?;
        write.touch(ChangeKey::Keyring);
        write.commit().await
    }

    async fn purge_retired(&self, now: UnixTime) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from signing_key where retires_at < ?1").bind(now.millis());
        if delete.execute(write.connection()).await?.rows_affected() > 0 {
            write.touch(ChangeKey::Keyring);
        }
        write.commit().await
    }
}

/// Inserts a key.
pub(super) async fn insert(
    connection: &mut sql::Connection,
    key: &SigningKeyRecord,
) -> Result<(), StoreError> {
    let insert = sql::query(
        "insert into signing_key (kid, sealed, public, created_at, retires_at) values (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(&key.kid)
    .bind(&key.sealed)
    .bind(&key.public)
    .bind(key.created_at.millis())
    .bind(key.retires_at.map(UnixTime::millis));
    let done = insert.execute(connection).await;
    done.map_err(|error| StoreError::conflict(error, "that signing key exists already"))?;
    Ok(())
}

fn decode(found: &sql::Row) -> Result<SigningKeyRecord, StoreError> {
    Ok(SigningKeyRecord {
        kid: found.try_get("kid")?,
        sealed: found.try_get("sealed")?,
        public: found.try_get("public")?,
        created_at: row::time(found, "created_at")?,
        retires_at: row::time_if_any(found, "retires_at")?,
    })
}
