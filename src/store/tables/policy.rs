//! Rows of access policies.

use async_trait::async_trait;

use super::SqlStore;
use super::row::{self, List};
use super::write::Write;
use crate::ids::tagged::PolicyId;
use crate::policy::ibm::document::PolicyDocument;
use crate::store::feed::ChangeKey;
use crate::store::identity::{Listed, Window};
use crate::store::policy::{Policies, PolicyRecord, Subject};
use crate::store::{StoreError, sql};

const ALL: List<PolicyRecord> = List {
    count: "select count(*) from policy",
    // What is passed over is passed over in the index alone.
    rows: "select * from policy_with_roles \
           where id in (select id from policy order by created_at, id limit ?2 offset ?3) order by created_at, id",
    decode,
};

const OF_GROUP: List<PolicyRecord> = List {
    count: "select count(*) from policy where group_id = ?1",
    rows: "select * from policy_with_roles where group_id = ?1 order by created_at, id limit ?2 offset ?3",
    decode,
};

const OF_PRINCIPAL: List<PolicyRecord> = List {
    count: "select count(*) from policy where principal_id = ?1",
    rows: "select * from policy_with_roles where principal_id = ?1 order by created_at, id limit ?2 offset ?3",
    decode,
};

const DELETED: List<PolicyRecord> = List {
    count: "select count(*) from deleted_policy",
    rows: "select *, '[]' as custom from deleted_policy order by created_at, id limit ?2 offset ?3",
    decode,
};

const DELETED_OF_GROUP: List<PolicyRecord> = List {
    count: "select count(*) from deleted_policy where group_id = ?1",
    rows: "select *, '[]' as custom from deleted_policy where group_id = ?1 \
           order by created_at, id limit ?2 offset ?3",
    decode,
};

const DELETED_OF_PRINCIPAL: List<PolicyRecord> = List {
    count: "select count(*) from deleted_policy where principal_id = ?1",
    rows: "select *, '[]' as custom from deleted_policy where principal_id = ?1 \
           order by created_at, id limit ?2 offset ?3",
    decode,
};

/// How long a deleted policy can be restored, in milliseconds.
const RESTORABLE: i64 = 30 * 24 * 60 * 60 * 1000;

#[async_trait]
impl Policies for SqlStore {
    async fn policy(&self, id: &PolicyId) -> Result<Option<PolicyRecord>, StoreError> {
        row::one(self, "select * from policy_with_roles where id = ?1", id.as_str(), decode).await
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

    async fn policies_after(
        &self,
        after: Option<&PolicyId>,
        limit: u32,
    ) -> Result<Vec<PolicyRecord>, StoreError> {
        let select = "select * from policy_with_roles where id > ?1 order by id limit ?2";
        let select = sql::query(select).bind(after.map_or("", PolicyId::as_str)).bind(limit);
        select.fetch_all(&self.readers).await?.iter().map(decode).collect()
    }

    async fn insert_policy(&self, row: &PolicyRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        insert(write.connection(), row).await?;
        write.touch(touched(&row.subject));
        write.commit().await
    }

    async fn deleted_policy(&self, id: &PolicyId) -> Result<Option<PolicyRecord>, StoreError> {
        let select = "select *, '[]' as custom from deleted_policy where id = ?1";
        row::one(self, select, id.as_str(), decode).await
    }

    async fn deleted_policies(
        &self,
        subject: Option<&Subject>,
        window: Window,
    ) -> Result<Listed<PolicyRecord>, StoreError> {
        match subject {
            None => DELETED.read(self, None, window).await,
            Some(Subject::Group(id)) => DELETED_OF_GROUP.read(self, Some(id.as_str()), window).await,
            Some(Subject::Principal(id)) => {
                DELETED_OF_PRINCIPAL.read(self, Some(&id.to_string()), window).await
            }
        }
    }

    async fn restore_policy(&self, row: &PolicyRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from deleted_policy where id = ?1 and version = ?2 - 1")
            .bind(row.id.as_str())
            .bind(row.stamp.version);
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            let exists = "select 1 from deleted_policy where id = ?1";
            return Err(write.missed(exists, row.id.as_str()).await);
        }
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
        let forget = sql::query("delete from policy_role where policy_id = ?1").bind(row.id.as_str());
        forget.execute(write.connection()).await?;
        link(write.connection(), row).await?;
        write.touch(touched(&former));
        write.touch(touched(&row.subject));
        write.commit().await
    }

    async fn delete_policy(&self, id: &PolicyId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let subject = subject_of(write.connection(), id).await?;
        let now = write.now().millis();
        let keep = "insert into deleted_policy (id, group_id, principal_id, document, description, \
             created_by, modified_by, created_at, modified_at, version, deleted_at) \
             select id, group_id, principal_id, document, description, created_by, modified_by, created_at, \
             modified_at, version, ?2 from policy where id = ?1 on conflict (id) do update set \
             group_id = excluded.group_id, principal_id = excluded.principal_id, document = excluded.document, \
             description = excluded.description, created_by = excluded.created_by, modified_by = excluded.modified_by, \
             created_at = excluded.created_at, modified_at = excluded.modified_at, version = excluded.version, \
             deleted_at = excluded.deleted_at";
        sql::query(keep).bind(id.as_str()).bind(now).execute(write.connection()).await?;
        sql::query("delete from policy where id = ?1").bind(id.as_str()).execute(write.connection()).await?;
        let forget = sql::query("delete from deleted_policy where deleted_at < ?1").bind(now - RESTORABLE);
        forget.execute(write.connection()).await?;
        write.touch(touched(&subject));
        write.commit().await
    }
}

/// Inserts a policy.
pub(super) async fn insert(connection: &mut sql::Connection, row: &PolicyRecord) -> Result<(), StoreError> {
    let insert = "insert into policy \
         (id, version, group_id, principal_id, document, description, created_by, modified_by, created_at, \
          modified_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let done = bound(insert, row)?.execute(&mut *connection).await;
    done.map_err(|error| StoreError::conflict(error, "that policy exists already"))?;
    link(connection, row).await
}

/// Notes which custom roles a policy grants; each must still be there.
async fn link(connection: &mut sql::Connection, row: &PolicyRecord) -> Result<(), StoreError> {
    for role in row.document.roles.iter().filter_map(|role| role.custom.as_ref()) {
        let insert = "insert into policy_role (policy_id, role_id) \
             select ?1, id from custom_role where crn = ?2 on conflict do nothing";
        sql::query(insert).bind(row.id.as_str()).bind(&role.crn).execute(&mut *connection).await?;
        let there = sql::query("select 1 from custom_role where crn = ?1").bind(&role.crn);
        if there.fetch_optional(&mut *connection).await?.is_none() {
            return Err(StoreError::Conflict("a custom role that it grants is gone"));
        }
    }
    Ok(())
}

async fn subject_of(connection: &mut sql::Connection, id: &PolicyId) -> Result<Subject, StoreError> {
    let select = sql::query("select group_id, principal_id from policy where id = ?1").bind(id.as_str());
    subject(&select.fetch_optional(connection).await?.ok_or(StoreError::NotFound)?)
}

pub(super) fn touched(subject: &Subject) -> ChangeKey {
    match subject {
        Subject::Group(id) => ChangeKey::Group(id.clone()),
        Subject::Principal(id) => ChangeKey::Principal(id.clone()),
    }
}

fn bound(sql: &'static str, row: &PolicyRecord) -> Result<sql::Query, StoreError> {
    let document = serde_json::to_string(&row.document)
        .map_err(|error| StoreError::Unavailable(format!("cannot write a policy as JSON: {error}")))?;
    let (group, principal) = match &row.subject {
        Subject::Group(id) => (Some(id.to_string()), None),
        Subject::Principal(id) => (None, Some(id.to_string())),
    };
    Ok(sql::query(sql)
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
pub(super) fn decode(found: &sql::Row) -> Result<PolicyRecord, StoreError> {
    let id: PolicyId = row::parsed(found, "id")?;
    let document: String = found.try_get("document")?;
    let mut document: PolicyDocument = serde_json::from_str(&document)
        .map_err(|error| StoreError::Corrupt(format!("document of policy {id}: {error}")))?;
    let custom = super::custom_role::granted(found.try_get("custom")?)?;
    for reference in &mut document.roles {
        reference.custom = custom.iter().find(|role| role.crn == reference.role_id).cloned();
    }
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

pub(super) fn subject(found: &sql::Row) -> Result<Subject, StoreError> {
    let group: Option<&str> = found.try_get("group_id")?;
    if group.is_some() {
        return Ok(Subject::Group(row::parsed(found, "group_id")?));
    }
    Ok(Subject::Principal(row::parsed(found, "principal_id")?))
}
