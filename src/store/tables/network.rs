//! What restricts from where requests may come: columns of accounts, principals and keys, and rows of zones and rules.

use async_trait::async_trait;

use super::row::{self, List};
use super::write::Write;
use super::{SqlStore, feed};
use crate::ids::cbr::{RuleId, ZoneId};
use crate::ids::principal::PrincipalId;
use crate::network::allow_list::{AllowList, Naming};
use crate::network::document::{RuleDocument, ZoneDocument};
use crate::store::feed::ChangeKey;
use crate::store::identity::{Listed, Stamp, Window};
use crate::store::network::{AccountSettings, ListHolder, NetworkFacts, Networks, RuleRecord, ZoneRecord};
use crate::store::{StoreError, sql};

const TAKEN: &str = "a network zone of that name exists already";

const ZONES: List<ZoneRecord> = List {
    count: "select count(*) from network_zone",
    rows: "select * from network_zone order by created_at, id limit ?2 offset ?3",
    decode: zone,
};

const RULES: List<RuleRecord> = List {
    count: "select count(*) from network_rule",
    rows: "select * from network_rule order by created_at, id limit ?2 offset ?3",
    decode: rule,
};

#[async_trait]
impl Networks for SqlStore {
    async fn network(&self) -> Result<NetworkFacts, StoreError> {
        let mut reading = self.readers.begin().await?;
        let as_of = feed::latest(&mut reading).await?;
        let account = sql::query("select * from account").fetch_optional(&mut *reading).await?;
        let settings = account.as_ref().map(settings).transpose()?;
        let zones = sql::query("select * from network_zone order by created_at, id");
        let zones = zones.fetch_all(&mut *reading).await?;
        let obeyed = |found: &sql::Row| {
            let ZoneRecord { id, document, .. } = zone(found)?;
            document.zone(id).map_err(|wrong| StoreError::Corrupt(format!("network zone: {wrong}")))
        };
        let zones = zones.iter().map(obeyed).collect::<Result<_, _>>()?;
        let rules = sql::query("select * from network_rule order by created_at, id");
        let rules = rules.fetch_all(&mut *reading).await?;
        let obeyed = |found: &sql::Row| {
            let RuleRecord { id, document, .. } = rule(found)?;
            let founded = || StoreError::Corrupt("a rule without an account".to_owned());
            let account = &settings.as_ref().ok_or_else(founded)?.account;
            document.rule(id, account).map_err(|wrong| StoreError::Corrupt(format!("network rule: {wrong}")))
        };
        let rules = rules.iter().map(obeyed).collect::<Result<_, _>>()?;
        Ok(NetworkFacts { settings, zones, rules, as_of })
    }

    async fn update_account_settings(&self, row: &AccountSettings) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update account set allowed_ips = ?3, private_only = ?4, settings_modified_at = ?5, \
             identity_settings = ?6, settings_version = ?2 where id = ?1 and settings_version = ?2 - 1",
        )
        .bind(row.account.as_str())
        .bind(row.stamp.version)
        .bind(written(row.allow_list.as_ref()))
        .bind(row.private_only)
        .bind(row.stamp.modified_at.millis())
        .bind(json(&row.identity)?);
        if update.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(write.missed("select 1 from account where id = ?1", row.account.as_str()).await);
        }
        write.touch(ChangeKey::Account);
        write.commit().await
    }

    async fn allow_list(&self, of: &ListHolder) -> Result<Option<AllowList>, StoreError> {
        let (select, id) = match of {
            ListHolder::ApiKey(id) => ("select allowed_ips from api_key where id = ?1", id.to_string()),
            ListHolder::Principal(id) => ("select allowed_ips from principal where id = ?1", id.to_string()),
        };
        let found = sql::query(select).bind(id).fetch_optional(&self.readers).await?;
        Ok(found.as_ref().map(|found| list(found, Naming::Addresses)).transpose()?.flatten())
    }

    async fn put_allow_list(&self, of: &ListHolder, list: Option<&AllowList>) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let (update, id, touched) = match of {
            ListHolder::ApiKey(id) => {
                let owner = super::api_key::owner_of(write.connection(), id).await?;
                ("update api_key set allowed_ips = ?2 where id = ?1", id.to_string(), owner)
            }
            ListHolder::Principal(id) => {
                ("update principal set allowed_ips = ?2 where id = ?1", id.to_string(), id.clone())
            }
        };
        let update = sql::query(update).bind(id).bind(written(list));
        if update.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::Principal(touched));
        write.commit().await
    }

    async fn zone(&self, id: &ZoneId) -> Result<Option<ZoneRecord>, StoreError> {
        row::one(self, "select * from network_zone where id = ?1", id.as_str(), zone).await
    }

    async fn zones(&self, window: Window) -> Result<Listed<ZoneRecord>, StoreError> {
        ZONES.read(self, None, window).await
    }

    async fn insert_zone(&self, row: &ZoneRecord) -> Result<(), StoreError> {
        let insert = "insert into network_zone \
             (id, version, document, created_by, modified_by, created_at, modified_at, name) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let mut write = Write::begin(self).await?;
        let done = of_zone(insert, row)?.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, TAKEN))?;
        write.touch(ChangeKey::Network);
        write.commit().await
    }

    async fn update_zone(&self, row: &ZoneRecord) -> Result<(), StoreError> {
        let update = "update network_zone set document = ?3, created_by = ?4, modified_by = ?5, \
             created_at = ?6, modified_at = ?7, name = ?8, version = ?2 where id = ?1 and version = ?2 - 1";
        let mut write = Write::begin(self).await?;
        let done = of_zone(update, row)?.execute(write.connection()).await;
        if done.map_err(|error| StoreError::conflict(error, TAKEN))?.rows_affected() == 0 {
            return Err(write.missed("select 1 from network_zone where id = ?1", row.id.as_str()).await);
        }
        write.touch(ChangeKey::Network);
        write.commit().await
    }

    async fn delete_zone(&self, id: &ZoneId) -> Result<(), StoreError> {
        delete(self, "delete from network_zone where id = ?1", id.as_str()).await
    }

    async fn rule(&self, id: &RuleId) -> Result<Option<RuleRecord>, StoreError> {
        row::one(self, "select * from network_rule where id = ?1", id.as_str(), rule).await
    }

    async fn rules(&self, window: Window) -> Result<Listed<RuleRecord>, StoreError> {
        RULES.read(self, None, window).await
    }

    async fn insert_rule(&self, row: &RuleRecord) -> Result<(), StoreError> {
        let insert = "insert into network_rule \
             (id, version, document, created_by, modified_by, created_at, modified_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut write = Write::begin(self).await?;
        let done = of_rule(insert, row)?.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "that rule exists already"))?;
        write.touch(ChangeKey::Network);
        write.commit().await
    }

    async fn update_rule(&self, row: &RuleRecord) -> Result<(), StoreError> {
        let update = "update network_rule set document = ?3, created_by = ?4, modified_by = ?5, \
             created_at = ?6, modified_at = ?7, version = ?2 where id = ?1 and version = ?2 - 1";
        let mut write = Write::begin(self).await?;
        if of_rule(update, row)?.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(write.missed("select 1 from network_rule where id = ?1", row.id.as_str()).await);
        }
        write.touch(ChangeKey::Network);
        write.commit().await
    }

    async fn delete_rule(&self, id: &RuleId) -> Result<(), StoreError> {
        delete(self, "delete from network_rule where id = ?1", id.as_str()).await
    }
}

async fn delete(store: &SqlStore, sql: &'static str, id: &str) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    if sql::query(sql).bind(id).execute(write.connection()).await?.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    write.touch(ChangeKey::Network);
    write.commit().await
}

/// The lists of a principal's keys, of those that have one.
pub(super) async fn lists_of_keys(
    connection: &mut sql::Connection,
    owner: &str,
) -> Result<Vec<(crate::ids::tagged::ApiKeyId, AllowList)>, StoreError> {
    let select = sql::query("select id, allowed_ips from api_key where owner = ?1 and allowed_ips <> ''");
    let rows = select.bind(owner).fetch_all(connection).await?;
    let mut lists = Vec::with_capacity(rows.len());
    for found in &rows {
        if let Some(list) = list(found, Naming::Addresses)? {
            lists.push((row::parsed(found, "id")?, list));
        }
    }
    Ok(lists)
}

/// Reads a list.
pub(super) fn list(found: &sql::Row, naming: Naming) -> Result<Option<AllowList>, StoreError> {
    let text: &str = found.try_get("allowed_ips")?;
    AllowList::parse(text, naming).map_err(|wrong| StoreError::Corrupt(format!("allowlist: {wrong}")))
}

fn written(list: Option<&AllowList>) -> String {
    list.map(ToString::to_string).unwrap_or_default()
}

fn settings(found: &sql::Row) -> Result<AccountSettings, StoreError> {
    let created_at = row::time(found, "created_at")?;
    Ok(AccountSettings {
        account: row::parsed(found, "id")?,
        allow_list: list(found, Naming::Zones)?,
        private_only: found.try_get("private_only")?,
        identity: serde_json::from_str(found.try_get("identity_settings")?)
            .map_err(|error| StoreError::Corrupt(format!("settings of identities: {error}")))?,
        stamp: Stamp {
            created_at,
            modified_at: row::time_if_any(found, "settings_modified_at")?.unwrap_or(created_at),
            version: found.try_get("settings_version")?,
        },
    })
}

fn json<T: serde::Serialize>(document: &T) -> Result<String, StoreError> {
    serde_json::to_string(document)
        .map_err(|error| StoreError::Unavailable(format!("cannot write a document as JSON: {error}")))
}

fn read<T: serde::de::DeserializeOwned>(found: &sql::Row) -> Result<T, StoreError> {
    let text: &str = found.try_get("document")?;
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("document: {error}")))
}

fn of_zone(sql: &'static str, row: &ZoneRecord) -> Result<sql::Query, StoreError> {
    let by = (&row.created_by, &row.modified_by);
    let bound = bound(sql, row.id.as_str(), &row.stamp, json::<ZoneDocument>(&row.document)?, by);
    Ok(bound.bind(&row.document.name))
}

fn of_rule(sql: &'static str, row: &RuleRecord) -> Result<sql::Query, StoreError> {
    let by = (&row.created_by, &row.modified_by);
    Ok(bound(sql, row.id.as_str(), &row.stamp, json::<RuleDocument>(&row.document)?, by))
}

fn bound(
    sql: &'static str,
    id: &str,
    stamp: &Stamp,
    document: String,
    (created_by, modified_by): (&PrincipalId, &PrincipalId),
) -> sql::Query {
    sql::query(sql)
        .bind(id)
        .bind(stamp.version)
        .bind(document)
        .bind(created_by.to_string())
        .bind(modified_by.to_string())
        .bind(stamp.created_at.millis())
        .bind(stamp.modified_at.millis())
}

fn zone(found: &sql::Row) -> Result<ZoneRecord, StoreError> {
    Ok(ZoneRecord {
        id: row::parsed(found, "id")?,
        document: read(found)?,
        created_by: row::parsed(found, "created_by")?,
        modified_by: row::parsed(found, "modified_by")?,
        stamp: row::stamp(found)?,
    })
}

fn rule(found: &sql::Row) -> Result<RuleRecord, StoreError> {
    Ok(RuleRecord {
        id: row::parsed(found, "id")?,
        document: read(found)?,
        created_by: row::parsed(found, "created_by")?,
        modified_by: row::parsed(found, "modified_by")?,
        stamp: row::stamp(found)?,
    })
}
