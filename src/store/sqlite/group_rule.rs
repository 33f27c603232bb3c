//! Rows of dynamic rules.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use super::row;
use super::write::Write;
use crate::ids::tagged::{AccessGroupId, ClaimRuleId};
use crate::store::StoreError;
use crate::store::feed::ChangeKey;
use crate::store::group_rule::{ClaimRuleRecord, ClaimRules};

#[async_trait]
impl ClaimRules for SqliteStore {
    async fn claim_rule(
        &self,
        group: &AccessGroupId,
        id: &ClaimRuleId,
    ) -> Result<Option<ClaimRuleRecord>, StoreError> {
        let found = row::one(self, "select * from group_rule where id = ?1", id.as_str(), decode).await?;
        Ok(found.filter(|rule| rule.group == *group))
    }

    async fn claim_rules(&self, group: &AccessGroupId) -> Result<Vec<ClaimRuleRecord>, StoreError> {
        let select = sqlx::query("select * from group_rule where group_id = ?1 order by created_at, id");
        let rows = select.bind(group.as_str()).fetch_all(&self.readers).await?;
        rows.iter().map(decode).collect()
    }

    async fn insert_claim_rule(&self, row: &ClaimRuleRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = "insert into group_rule (id, version, group_id, name, realm, expiration, conditions, \
             created_by, modified_by, created_at, modified_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let done = bound(insert, row)?.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "that rule exists already"))?;
        write.touch(ChangeKey::Group(row.group.clone()));
        write.commit().await
    }

    async fn update_claim_rule(&self, row: &ClaimRuleRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = "update group_rule set name = ?4, realm = ?5, expiration = ?6, conditions = ?7, \
             created_by = ?8, modified_by = ?9, created_at = ?10, modified_at = ?11, version = ?2 \
             where id = ?1 and version = ?2 - 1 and group_id = ?3";
        if bound(update, row)?.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(write.missed("select 1 from group_rule where id = ?1", row.id.as_str()).await);
        }
        write.touch(ChangeKey::Group(row.group.clone()));
        write.commit().await
    }

    async fn delete_claim_rule(&self, group: &AccessGroupId, id: &ClaimRuleId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sqlx::query("delete from group_rule where id = ?1 and group_id = ?2")
            .bind(id.as_str())
            .bind(group.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::Group(group.clone()));
        write.commit().await
    }
}

fn bound<'q>(
    sql: &'static str,
    row: &'q ClaimRuleRecord,
) -> Result<sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>, StoreError> {
    let conditions = serde_json::to_string(&row.conditions)
        .map_err(|error| StoreError::Unavailable(format!("cannot write conditions as JSON: {error}")))?;
    Ok(sqlx::query(sql)
        .bind(row.id.as_str())
        .bind(row.stamp.version)
        .bind(row.group.as_str())
        .bind(&row.name)
        .bind(&row.realm)
        .bind(row.expiration)
        .bind(conditions)
        .bind(row.created_by.to_string())
        .bind(row.modified_by.to_string())
        .bind(row.stamp.created_at.millis())
        .bind(row.stamp.modified_at.millis()))
}

fn decode(found: &SqliteRow) -> Result<ClaimRuleRecord, StoreError> {
    let conditions: &str = found.try_get("conditions")?;
    let conditions = serde_json::from_str(conditions)
        .map_err(|error| StoreError::Corrupt(format!("conditions of a rule: {error}")))?;
    Ok(ClaimRuleRecord {
        id: row::parsed(found, "id")?,
        group: row::parsed(found, "group_id")?,
        name: found.try_get("name")?,
        realm: found.try_get("realm")?,
        expiration: found.try_get("expiration")?,
        conditions,
        created_by: row::parsed(found, "created_by")?,
        modified_by: row::parsed(found, "modified_by")?,
        stamp: row::stamp(found)?,
    })
}
