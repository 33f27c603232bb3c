//! Rows of custom roles, and which policies grant them.

use async_trait::async_trait;
use serde::Deserialize;

use super::row::{self, List};
use super::write::Write;
use super::{SqlStore, policy};
use crate::ids::tagged::CustomRoleId;
use crate::policy::ibm::role::CustomRole;
use crate::policy::table::Action;
use crate::store::custom_role::{CustomRoleRecord, CustomRoles};
use crate::store::identity::{Listed, Window};
use crate::store::policy::PolicyRecord;
use crate::store::{StoreError, sql};

const TAKEN: &str = "a custom role of that name exists already";

const ALL: List<CustomRoleRecord> = List {
    count: "select count(*) from custom_role",
    rows: "select * from custom_role order by created_at, id limit ?2 offset ?3",
    decode,
};

const OF_SERVICE: List<CustomRoleRecord> = List {
    count: "select count(*) from custom_role where service_name = ?1",
    rows: "select * from custom_role where service_name = ?1 order by created_at, id limit ?2 offset ?3",
    decode,
};

const GRANTING: List<PolicyRecord> = List {
    count: "select count(*) from policy_role where role_id = ?1",
    rows: "select * from policy_with_roles where id in (select policy_id from policy_role where role_id = ?1) \
           order by created_at, id limit ?2 offset ?3",
    decode: policy::decode,
};

#[async_trait]
impl CustomRoles for SqlStore {
    async fn custom_role(&self, id: &CustomRoleId) -> Result<Option<CustomRoleRecord>, StoreError> {
        row::one(self, "select * from custom_role where id = ?1", id.as_str(), decode).await
    }

    async fn custom_role_by_crn(&self, crn: &str) -> Result<Option<CustomRoleRecord>, StoreError> {
        row::one(self, "select * from custom_role where crn = ?1", crn, decode).await
    }

    async fn custom_roles(
        &self,
        service: Option<&str>,
        window: Window,
    ) -> Result<Listed<CustomRoleRecord>, StoreError> {
        let list = if service.is_some() { OF_SERVICE } else { ALL };
        list.read(self, service, window).await
    }

    async fn policies_with_role(
        &self,
        id: &CustomRoleId,
        window: Window,
    ) -> Result<Listed<PolicyRecord>, StoreError> {
        GRANTING.read(self, Some(id.as_str()), window).await
    }

    async fn insert_custom_role(&self, row: &CustomRoleRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = "insert into custom_role (id, version, crn, name, display_name, folded, service_name, \
             description, actions, created_by, modified_by, created_at, modified_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
        let done = bound(insert, row)?.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, TAKEN))?;
        write.commit().await
    }

    async fn update_custom_role(&self, row: &CustomRoleRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = "update custom_role set crn = ?3, name = ?4, display_name = ?5, folded = ?6, \
             service_name = ?7, description = ?8, actions = ?9, created_by = ?10, modified_by = ?11, \
             created_at = ?12, modified_at = ?13, version = ?2 where id = ?1 and version = ?2 - 1";
        let done = bound(update, row)?.execute(write.connection()).await;
        if done.map_err(|error| StoreError::conflict(error, TAKEN))?.rows_affected() == 0 {
            return Err(write.missed("select 1 from custom_role where id = ?1", row.id.as_str()).await);
        }
        let granted = "select distinct group_id, principal_id from policy_role join policy on id = policy_id \
             where role_id = ?1";
        let granted = sql::query(granted).bind(row.id.as_str()).fetch_all(write.connection()).await?;
        for found in &granted {
            write.touch(policy::touched(&policy::subject(found)?));
        }
        write.commit().await
    }

    async fn delete_custom_role(&self, id: &CustomRoleId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let used = sql::query("select 1 from policy_role where role_id = ?1 limit 1").bind(id.as_str());
        if used.fetch_optional(write.connection()).await?.is_some() {
            return Err(StoreError::Conflict("a policy grants the role"));
        }
        let delete = sql::query("delete from custom_role where id = ?1").bind(id.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.commit().await
    }
}

fn bound(sql: &'static str, row: &CustomRoleRecord) -> Result<sql::Query, StoreError> {
    let names: Vec<String> = row.role.actions.iter().map(|action| action.name().to_owned()).collect();
    let actions = row::written(&names)?;
    Ok(sql::query(sql)
        .bind(row.id.as_str())
        .bind(row.stamp.version)
        .bind(&row.role.crn)
        .bind(&row.name)
        .bind(&row.role.display_name)
        .bind(row.role.display_name.to_lowercase())
        .bind(&row.service_name)
        .bind(&row.description)
        .bind(actions)
        .bind(row.created_by.to_string())
        .bind(row.modified_by.to_string())
        .bind(row.stamp.created_at.millis())
        .bind(row.stamp.modified_at.millis()))
}

fn decode(found: &sql::Row) -> Result<CustomRoleRecord, StoreError> {
    let actions: String = found.try_get("actions")?;
    let role = CustomRole {
        crn: found.try_get("crn")?,
        display_name: found.try_get("display_name")?,
        actions: named(&row::texts(&actions)?)?,
    };
    Ok(CustomRoleRecord {
        id: row::parsed(found, "id")?,
        role,
        name: found.try_get("name")?,
        service_name: found.try_get("service_name")?,
        description: found.try_get("description")?,
        created_by: row::parsed(found, "created_by")?,
        modified_by: row::parsed(found, "modified_by")?,
        stamp: row::stamp(found)?,
    })
}

fn named(names: &[String]) -> Result<Vec<Action>, StoreError> {
    let known = |name: &String| {
        Action::parse(name).ok_or_else(|| StoreError::Corrupt(format!("action {name} of a custom role")))
    };
    names.iter().map(known).collect()
}

/// The custom roles of a policy, as the view `policy_with_roles` writes them.
pub(super) fn granted(json: &str) -> Result<Vec<CustomRole>, StoreError> {
    #[derive(Deserialize)]
    struct Written {
        crn: String,
        display_name: String,
        actions: Vec<String>,
    }
    let written: Vec<Written> = serde_json::from_str(json)
        .map_err(|error| StoreError::Corrupt(format!("roles of a policy: {error}")))?;
    let role = |one: Written| {
        Ok(CustomRole { crn: one.crn, display_name: one.display_name, actions: named(&one.actions)? })
    };
    written.into_iter().map(role).collect()
}
