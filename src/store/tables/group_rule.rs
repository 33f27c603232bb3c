//! Rows of dynamic rules.

use std::collections::HashSet;

use async_trait::async_trait;

use super::SqlStore;
use super::row;
use super::write::Write;
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, ClaimRuleId};
use crate::store::feed::ChangeKey;
use crate::store::group::AccessGroup;
use crate::store::group_rule::{ClaimRuleRecord, ClaimRules, Claimed};
use crate::store::{StoreError, sql};

#[async_trait]
impl ClaimRules for SqlStore {
    async fn claim_rule(
        &self,
        group: &AccessGroupId,
        id: &ClaimRuleId,
    ) -> Result<Option<ClaimRuleRecord>, StoreError> {
        let found = row::one(self, "select * from group_rule where id = ?1", id.as_str(), decode).await?;
        Ok(found.filter(|rule| rule.group == *group))
    }

    async fn claim_rules(&self, group: &AccessGroupId) -> Result<Vec<ClaimRuleRecord>, StoreError> {
        let select = sql::query("select * from group_rule where group_id = ?1 order by created_at, id");
        let rows = select.bind(group.as_str()).fetch_all(&self.readers).await?;
        rows.iter().map(decode).collect()
    }

    async fn claim_rules_about(&self, realm: &str) -> Result<Vec<ClaimRuleRecord>, StoreError> {
        let select = sql::query("select * from group_rule where realm = ?1 order by created_at, id");
        select.bind(realm).fetch_all(&self.readers).await?.iter().map(decode).collect()
    }

    async fn claimed_members(
        &self,
        group: &AccessGroupId,
        at: UnixTime,
    ) -> Result<Vec<(PrincipalId, Claimed)>, StoreError> {
        // Of what gives a member the same group, what lasts longest.
        let select = sql::query(
            "select member, rule_id, group_id, ends_at from claimed_membership as one \
             where group_id = ?1 and ends_at > ?2 and not exists (select 1 from claimed_membership as other \
             where other.group_id = ?1 and other.member = one.member \
             and (other.ends_at, other.rule_id) > (one.ends_at, one.rule_id)) order by member",
        );
        let rows = select.bind(group.as_str()).bind(at.millis()).fetch_all(&self.readers).await?;
        let one = |found: &sql::Row| {
            let claimed = Claimed {
                rule: row::parsed(found, "rule_id")?,
                group: row::parsed(found, "group_id")?,
                ends_at: row::time(found, "ends_at")?,
            };
            Ok((row::parsed(found, "member")?, claimed))
        };
        rows.iter().map(one).collect()
    }

    async fn claimed_groups(
        &self,
        member: &PrincipalId,
        at: UnixTime,
    ) -> Result<Vec<AccessGroup>, StoreError> {
        let select = sql::query(
            "select * from access_group where id in \
             (select group_id from claimed_membership where member = ?1 and ends_at > ?2) order by created_at, id",
        );
        let rows = select.bind(member.to_string()).bind(at.millis()).fetch_all(&self.readers).await?;
        rows.iter().map(super::group::decode).collect()
    }

    async fn put_claimed(
        &self,
        member: &PrincipalId,
        realm: &str,
        claimed: &[(Claimed, i64)],
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let name = member.to_string();
        let delete = sql::query(
            "delete from claimed_membership where member = ?1 \
             and rule_id in (select id from group_rule where realm = ?2) returning group_id",
        );
        let before = delete.bind(&name).bind(realm).fetch_all(write.connection()).await?;
        let mut left: HashSet<AccessGroupId> =
            before.iter().map(|found| row::parsed(found, "group_id")).collect::<Result<_, _>>()?;
        for (one, version) in claimed {
            // Not by a rule that has changed since it was held against what the provider says.
            let insert = sql::query(
                "insert into claimed_membership select id, ?2, group_id, ?4 from group_rule \
                 where id = ?1 and group_id = ?3 and version = ?5",
            )
            .bind(one.rule.as_str())
            .bind(&name)
            .bind(one.group.as_str())
            .bind(one.ends_at.millis())
            .bind(*version);
            let joined = insert.execute(write.connection()).await?.rows_affected() > 0;
            if joined && !left.remove(&one.group) {
                write.touch(ChangeKey::Group(one.group.clone()));
            }
        }
        for group in left {
            write.touch(ChangeKey::Group(group));
        }
        if !(before.is_empty() && claimed.is_empty()) {
            write.touch(ChangeKey::Principal(member.clone()));
        }
        write.commit().await
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
        put_out(&mut write, &row.id).await?;
        write.commit().await
    }

    async fn delete_claim_rule(&self, group: &AccessGroupId, id: &ClaimRuleId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let of = sql::query("select 1 from group_rule where id = ?1 and group_id = ?2");
        let of = of.bind(id.as_str()).bind(group.as_str());
        if of.fetch_optional(write.connection()).await?.is_none() {
            return Err(StoreError::NotFound);
        }
        put_out(&mut write, id).await?;
        let delete = sql::query("delete from group_rule where id = ?1 and group_id = ?2")
            .bind(id.as_str())
            .bind(group.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::Group(group.clone()));
        write.commit().await
    }
}

/// Ends the memberships that a rule has given.
async fn put_out(write: &mut Write<'_>, rule: &ClaimRuleId) -> Result<(), StoreError> {
    let delete = sql::query("delete from claimed_membership where rule_id = ?1 returning member");
    let members = delete.bind(rule.as_str()).fetch_all(write.connection()).await?;
    for found in &members {
        write.touch(ChangeKey::Principal(row::parsed(found, "member")?));
    }
    Ok(())
}

fn bound(sql: &'static str, row: &ClaimRuleRecord) -> Result<sql::Query, StoreError> {
    let conditions = serde_json::to_string(&row.conditions)
        .map_err(|error| StoreError::Unavailable(format!("cannot write conditions as JSON: {error}")))?;
    Ok(sql::query(sql)
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

fn decode(found: &sql::Row) -> Result<ClaimRuleRecord, StoreError> {
    let conditions: &str = found.try_get("conditions")?;
    let conditions = serde_json::from_str(conditions)
        .map_err(|error| StoreError::Corrupt(format!("conditions of a rule: {error}")))?;
    Ok(ClaimRuleRecord {
        id: row::parsed(found, "id")?,
        group: row::parsed(found, "group_id")?,
        name: found.try_get("name")?,
        realm: found.try_get("realm")?,
        expiration: row::number(found, "expiration")?,
        conditions,
        created_by: row::parsed(found, "created_by")?,
        modified_by: row::parsed(found, "modified_by")?,
        stamp: row::stamp(found)?,
    })
}
