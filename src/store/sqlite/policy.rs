//! Rows of access policies.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::SqliteStore;
use super::row::{self, List};
use super::write::Write;
use crate::ids::tagged::PolicyId;
use crate::store::StoreError;
use crate::store::feed::ChangeKey;
use crate::store::identity::{Listed, Window};
use crate::store::policy::{Policies, PolicyRecord, Subject};

const ALL: List<PolicyRecord> = List {
    count: "select count(*) from policy",
    rows: "select * from policy order by created_at, id limit ?2 offset ?3",
    decode,
};

const OF_GROUP: List<PolicyRecord> = List {
    count: "select count(*) from policy where group_id = ?1",
    rows: "select * from policy where group_id = ?1 order by created_at, id limit ?2 offset ?3",
    decode,
};

const OF_PRINCIPAL: List<PolicyRecord> = List {
    count: "select count(*) from policy where principal_id = ?1",
    rows: "select * from policy where principal_id = ?1 order by created_at, id limit ?2 offset ?3",
    decode,
};

#[async_trait]
impl Policies for SqliteStore {
    async fn policy(&self, id: &PolicyId) -> Result<Option<PolicyRecord>, StoreError> {
        row::one(self, "select * from policy where id = ?1", id.as_str(), decode).await
    }

    async fn policies(
        &self,
        subject: Option<&Subject>,
        window: Window,
    ) -> Result<Listed<PolicyRecord>, StoreError> {
        match subject {
            None => ALL.read(self, None, window).await,
            Some(Subject::Group(id)) => OF_GROUP.read(self, Some(id.as_str()), window).await,
            Some(Subject::Principal(id)) => OF_PRINCIPAL.read(self, Some(&id.to_string()), window).await,
        }
    }

    async fn insert_policy(&self, row: &PolicyRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        insert(write.connection(), row).await?;
        write.touch(touched(&row.subject));
        write.commit().await
    }

    async fn update_policy(&self, row: &PolicyRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let former = subject_of(write.connection(), &row.id).await?;
        let update = "update policy set group_id = ?3, principal_id = ?4, document = ?5, description = ?6, \
             created_by = ?7, modified_by = ?8, created_at = ?9, modified_at = ?10, version = ?2 \
             where id = ?1 and version = ?2 - 1";
        if bound(update, row)?.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::Stale);
        }
        write.touch(touched(&former));
        write.touch(touched(&row.subject));
        write.commit().await
    }

    async fn delete_policy(&self, id: &PolicyId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let subject = subject_of(write.connection(), id).await?;
        sqlx::query("delete from policy where id = ?1").bind(id.as_str()).execute(write.connection()).await?;
        write.touch(touched(&subject));
        write.commit().await
    }
}

/// Inserts a policy.
pub(super) async fn insert(connection: &mut SqliteConnection, row: &PolicyRecord) -> Result<(), StoreError> {
    let insert = "insert into policy \
         (id, version, group_id, principal_id, document, description, created_by, modified_by, created_at, \
          modified_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let done = bound(insert, row)?.execute(connection).await;
    done.map_err(|error| StoreError::conflict(error, "that policy exists already"))?;
    Ok(())
}

async fn subject_of(connection: &mut SqliteConnection, id: &PolicyId) -> Result<Subject, StoreError> {
    let select = sqlx::query("select group_id, principal_id from policy where id = ?1").bind(id.as_str());
    subject(&select.fetch_optional(connection).await?.ok_or(StoreError::NotFound)?)
}

fn touched(subject: &Subject) -> ChangeKey {
    match subject {
        Subject::Group(id) => ChangeKey::Group(id.clone()),
        Subject::Principal(id) => ChangeKey::Principal(id.clone()),
    }
}

fn bound<'q>(
    sql: &'static str,
    row: &'q PolicyRecord,
) -> Result<sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>, StoreError> {
    let document = serde_json::to_string(&row.document)
        .map_err(|error| StoreError::Unavailable(format!("cannot write a policy as JSON: {error}")))?;
    let (group, principal) = match &row.subject {
        Subject::Group(id) => (Some(id.to_string()), None),
        Subject::Principal(id) => (None, Some(id.to_string())),
    };
    Ok(sqlx::query(sql)
        .bind(row.id.as_str())
        .bind(row.stamp.version)
        .bind(group)
        .bind(principal)
        .bind(document)
        .bind(&row.description)
        .bind(row.created_by.to_string())
        .bind(row.modified_by.to_string())
        .bind(row.stamp.created_at.millis())
        .bind(row.stamp.modified_at.millis()))
}

/// Reads a policy.
pub(super) fn decode(found: &SqliteRow) -> Result<PolicyRecord, StoreError> {
    let id: PolicyId = row::parsed(found, "id")?;
    let document: String = found.try_get("document")?;
    let document = serde_json::from_str(&document)
        .map_err(|error| StoreError::Corrupt(format!("document of policy {id}: {error}")))?;
    Ok(PolicyRecord {
        id,
        subject: subject(found)?,
        document,
        description: found.try_get("description")?,
        created_by: row::parsed(found, "created_by")?,
        modified_by: row::parsed(found, "modified_by")?,
        stamp: row::stamp(found)?,
    })
}

fn subject(found: &SqliteRow) -> Result<Subject, StoreError> {
    let group: Option<&str> = found.try_get("group_id")?;
    if group.is_some() {
        return Ok(Subject::Group(row::parsed(found, "group_id")?));
    }
    Ok(Subject::Principal(row::parsed(found, "principal_id")?))
}
