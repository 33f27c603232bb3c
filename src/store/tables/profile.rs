//! Rows that are only shown: profiles, history and activity.

use async_trait::async_trait;

use super::SqlStore;
use super::row;
use super::write::Write;
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::UserId;
use crate::store::feed::ChangeKey;
use crate::store::profile::{Authenticated, HistoryRecord, Profile, Profiles};
use crate::store::{StoreError, sql};

/// How much of a thing's history is kept.
const KEPT: i64 = 50;

#[async_trait]
impl Profiles for SqlStore {
    async fn profile(&self, id: &UserId) -> Result<Profile, StoreError> {
        let select = "select * from user_profile where principal_id = ?1";
        Ok(row::one(self, select, id.as_str(), profile).await?.unwrap_or_default())
    }

    async fn put_profile(&self, id: &UserId, profile: &Profile) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let replace = "insert into user_profile \
             (principal_id, firstname, lastname, phonenumber, altphonenumber, photo) \
             values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (principal_id) do update set \
             firstname = ?2, lastname = ?3, phonenumber = ?4, altphonenumber = ?5, photo = ?6";
        let replace = sql::query(replace)
            .bind(id.as_str())
            .bind(&profile.firstname)
            .bind(&profile.lastname)
            .bind(&profile.phonenumber)
            .bind(&profile.altphonenumber)
            .bind(&profile.photo);
        let done = replace.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "a profile is in the way"))?;
        write.commit().await
    }

    async fn set_user_active(&self, id: &UserId, active: bool, at: UnixTime) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update principal set active = ?2, modified_at = ?3, version = version + 1 \
             where id = ?1 and kind = 'user'",
        )
        .bind(id.as_str())
        .bind(active)
        .bind(at.millis());
        if update.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::Principal(PrincipalId::User(id.clone())));
        write.commit().await
    }

    async fn history(&self, entity: &str) -> Result<Vec<HistoryRecord>, StoreError> {
        let select = sql::query("select * from history where entity = ?1 order by number desc limit ?2");
        let rows = select.bind(entity).bind(KEPT).fetch_all(&self.readers).await?;
        rows.iter().map(record).collect()
    }

    async fn note(&self, record: &HistoryRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = sql::query(
            "insert into history (entity, at, by, action, params, message) values (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(&record.entity)
        .bind(record.at.millis())
        .bind(record.by.to_string())
        .bind(&record.action)
        .bind(row::written(&record.params)?)
        .bind(&record.message);
        insert.execute(write.connection()).await?;
        let forget = sql::query(
            "delete from history where entity = ?1 and number not in \
             (select number from history where entity = ?1 order by number desc limit ?2)",
        );
        forget.bind(&record.entity).bind(KEPT).execute(write.connection()).await?;
        write.commit().await
    }

    async fn activity(&self, entity: &str) -> Result<Option<Authenticated>, StoreError> {
        row::one(self, "select * from activity where entity = ?1", entity, activity).await
    }

    async fn authenticated(&self, seen: &[(String, Authenticated)]) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        for (entity, Authenticated { last, count }) in seen {
            let upsert = sql::query(
                "insert into activity (entity, last_authn, authn_count) select ?1, ?2, ?3 \
                 where exists (select 1 from principal where id = ?1) or exists (select 1 from api_key where id = ?1) \
                 on conflict (entity) do update set last_authn = case when activity.last_authn < excluded.last_authn \
                 then excluded.last_authn else activity.last_authn end, \
                 authn_count = activity.authn_count + excluded.authn_count",
            );
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            upsert.bind(entity).bind(last.millis()).bind(count).execute(write.connection()).await?;
        }
        write.commit().await
    }
}

fn profile(found: &sql::Row) -> Result<Profile, StoreError> {
    Ok(Profile {
        firstname: found.try_get("firstname")?,
        lastname: found.try_get("lastname")?,
        phonenumber: found.try_get("phonenumber")?,
        altphonenumber: found.try_get("altphonenumber")?,
        photo: found.try_get("photo")?,
    })
}

fn activity(found: &sql::Row) -> Result<Authenticated, StoreError> {
    let count: i64 = found.try_get("authn_count")?;
    let last = row::time(found, "last_authn")?;
    Ok(Authenticated { last, count: u64::try_from(count).unwrap_or_default() })
}

fn record(found: &sql::Row) -> Result<HistoryRecord, StoreError> {
    Ok(HistoryRecord {
        entity: found.try_get("entity")?,
        at: row::time(found, "at")?,
        by: row::parsed(found, "by")?,
        action: found.try_get("action")?,
        params: row::texts(found.try_get("params")?)?,
        message: found.try_get("message")?,
    })
}
