//! Rows of rules, verdicts, scans, and of what was noticed.

use std::collections::HashMap;

use async_trait::async_trait;

use super::SqlStore;
use super::row::{self, document, json};
use super::rule_attachment::of_rules;
use super::write::Write;
use crate::clock::UnixTime;
use crate::compliance::drift::{Deed, Drift};
use crate::compliance::facts::Transfer;
use crate::compliance::verdict::Verdict;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::ComplianceRuleId;
use crate::record::activity::Notice;
use crate::store::compliance::{Compliance, ComplianceRule, Scan, ScanRow};
use crate::store::feed::ChangeKey;
use crate::store::rule_attachment::RuleAttachment;
use crate::store::{StoreError, sql};

/// How many scans of a profile, drifts and deeds are kept.
const KEPT: i64 = 10_000;

#[async_trait]
impl Compliance for SqlStore {
    async fn compliance_rules(&self) -> Result<Vec<ComplianceRule>, StoreError> {
        let mut reading = self.readers.begin().await?;
        let select = sql::query("select * from compliance_rule order by created_at, id");
        let rows = select.fetch_all(&mut *reading).await?;
        let mut attached = of_rules(&mut reading, None).await?;
        rows.iter().map(|found| rule(found, &mut attached)).collect()
    }

    async fn compliance_rule(&self, id: &ComplianceRuleId) -> Result<Option<ComplianceRule>, StoreError> {
        let mut reading = self.readers.begin().await?;
        let select = sql::query("select * from compliance_rule where id = ?1").bind(id.as_str());
        let Some(found) = select.fetch_optional(&mut *reading).await? else { return Ok(None) };
        let mut attached = of_rules(&mut reading, Some(id)).await?;
        rule(&found, &mut attached).map(Some)
    }

    async fn insert_compliance_rule(&self, row: &ComplianceRule, most: u32) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let count: i64 =
            sql::query_scalar("select count(*) from compliance_rule").fetch_one(write.connection()).await?;
        if count >= i64::from(most) {
            return Err(StoreError::Conflict("the account has as many rules as it may: delete one first"));
        }
        let insert = "insert into compliance_rule (id, version, document, created_by, modified_by, created_at, modified_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        bound(insert, row)?.execute(write.connection()).await?;
        write.touch(ChangeKey::Compliance);
        write.commit().await
    }

    async fn update_compliance_rule(&self, row: &ComplianceRule) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = "update compliance_rule set document = ?3, created_by = ?4, modified_by = ?5, created_at = ?6, \
             modified_at = ?7, version = ?2 where id = ?1 and version = ?2 - 1";
        if bound(update, row)?.execute(write.connection()).await?.rows_affected() == 0 {
            let exists = "select 1 from compliance_rule where id = ?1";
            return Err(write.missed(exists, row.id.as_str()).await);
        }
        write.touch(ChangeKey::Compliance);
        write.commit().await
    }

    async fn delete_compliance_rule(&self, id: &ComplianceRuleId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from compliance_rule where id = ?1").bind(id.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::Compliance);
        write.commit().await
    }

    async fn verdicts(&self, profile: &str) -> Result<Vec<Verdict>, StoreError> {
        let select = sql::query("select document from compliance_verdict where profile = ?1").bind(profile);
        select.fetch_all(&self.readers).await?.iter().map(document).collect()
    }

    async fn keep_scan(&self, scan: &Scan) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        keep_verdicts(write.connection(), scan).await?;
        for drift in &scan.drifts {
            let insert = sql::query("insert into compliance_drift (at, document) values (?1, ?2)");
            insert.bind(drift.at.millis()).bind(json(drift)?).execute(write.connection()).await?;
        }
        let forget = sql::query(
            "delete from compliance_drift where number <= (select max(number) from compliance_drift) - ?1",
        );
        forget.bind(KEPT).execute(write.connection()).await?;
        if let Some(row) = &scan.row {
            let insert =
                sql::query("insert into compliance_scan (profile, at, document) values (?1, ?2, ?3)");
            let insert = insert.bind(&row.profile).bind(row.at.millis()).bind(json(row)?);
            insert.execute(write.connection()).await?;
            let forget = sql::query(
                "delete from compliance_scan where number <= (select max(number) from compliance_scan) - ?1",
            );
            forget.bind(KEPT).execute(write.connection()).await?;
        }
        write.commit().await
    }

    async fn scans(&self, profile: Option<&str>, limit: u32) -> Result<Vec<ScanRow>, StoreError> {
        let select = sql::query(
            "select document from compliance_scan where ?1 is null or profile = ?1 order by number desc limit ?2",
        );
        select.bind(profile).bind(limit).fetch_all(&self.readers).await?.iter().map(document).collect()
    }

    async fn drifts(&self, limit: u32) -> Result<Vec<Drift>, StoreError> {
        let select = sql::query("select document from compliance_drift order by number desc limit ?1");
        select.bind(limit).fetch_all(&self.readers).await?.iter().map(document).collect()
    }

    async fn aws_policy_actors(&self) -> Result<Vec<PrincipalId>, StoreError> {
        let select = sql::query(
            "with holding as (select group_id, principal_id from attachment union \
                              select group_id, principal_id from inline_policy) \
             select principal_id as id from holding where principal_id is not null union \
             select min(member) from membership where group_id in (select group_id from holding) group by group_id",
        );
        let rows = select.fetch_all(&self.readers).await?;
        rows.iter().map(|found| row::parsed(found, "id")).collect()
    }

    async fn access_key_owners(&self) -> Result<Vec<PrincipalId>, StoreError> {
        let rows = sql::query("select distinct owner from access_key").fetch_all(&self.readers).await?;
        rows.iter().map(|found| row::parsed(found, "owner")).collect()
    }

    async fn private_since(&self) -> Result<HashMap<Region, UnixTime>, StoreError> {
        let rows = sql::query("select * from private_since").fetch_all(&self.readers).await?;
        rows.iter().map(|found| Ok((row::parsed(found, "region")?, row::time(found, "at")?))).collect()
    }

    async fn note_private(&self, region: &Region, since: Option<UnixTime>) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let change = match since {
            Some(at) => sql::query("insert into private_since (region, at) values (?1, ?2) on conflict (region) do update set at = ?2")
                .bind(region.as_str())
                .bind(at.millis()),
            None => sql::query("delete from private_since where region = ?1").bind(region.as_str()),
        };
        change.execute(write.connection()).await?;
        write.commit().await
    }

    async fn note_activity(&self, notices: &[Notice]) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        for notice in notices {
            keep_notice(write.connection(), notice).await?;
        }
        let forget = sql::query("delete from deed where number <= (select max(number) from deed) - ?1");
        forget.bind(KEPT).execute(write.connection()).await?;
        write.commit().await
    }

    async fn last_uses(&self) -> Result<HashMap<String, UnixTime>, StoreError> {
        let rows = sql::query("select * from last_use").fetch_all(&self.readers).await?;
        rows.iter().map(|found| Ok((found.try_get("subject")?, row::time(found, "at")?))).collect()
    }

    async fn public_transfers(&self) -> Result<HashMap<Region, Transfer>, StoreError> {
        let rows = sql::query("select * from public_transfer").fetch_all(&self.readers).await?;
        let one = |found: &sql::Row| {
            let transfer = Transfer {
                at: row::time(found, "at")?,
                by: found.try_get("by")?,
                from: found.try_get("source")?,
            };
            Ok((row::parsed(found, "region")?, transfer))
        };
        rows.iter().map(one).collect()
    }

    async fn deeds(&self, since: UnixTime, limit: u32) -> Result<Vec<Deed>, StoreError> {
        let select = sql::query(
            "select * from (select * from deed where at >= ?1 order by number desc limit ?2) as latest order by number",
        );
        let rows = select.bind(since.millis()).bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(deed).collect()
    }
}

async fn keep_verdicts(connection: &mut sql::Connection, scan: &Scan) -> Result<(), StoreError> {
    for verdict in &scan.changed {
        let upsert = sql::query(
            "insert into compliance_verdict (profile, id, document) values (?1, ?2, ?3) \
             on conflict (profile, id) do update set document = ?3",
        );
        let upsert = upsert.bind(&scan.profile).bind(&verdict.id).bind(json(verdict)?);
        upsert.execute(&mut *connection).await?;
    }
    for id in &scan.gone {
        let delete = sql::query("delete from compliance_verdict where profile = ?1 and id = ?2");
        delete.bind(&scan.profile).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn keep_notice(connection: &mut sql::Connection, notice: &Notice) -> Result<(), StoreError> {
    match notice {
        Notice::Used { principal, credential, at } => {
            for subject in std::iter::once(principal).chain(credential) {
                let upsert = sql::query(
                    "insert into last_use (subject, at) values (?1, ?2) \
                     on conflict (subject) do update set at = ?2 where last_use.at < ?2",
                );
                upsert.bind(subject).bind(at.millis()).execute(&mut *connection).await?;
            }
        }
        Notice::Moved { region, transfer } => {
            let upsert = sql::query(
                "insert into public_transfer (region, at, by, source) values (?1, ?2, ?3, ?4) \
                 on conflict (region) do update set at = ?2, by = ?3, source = ?4 where ?2 >= public_transfer.at",
            );
            let Transfer { at, by, from } = transfer;
            let upsert = upsert.bind(region.as_str()).bind(at.millis()).bind(by).bind(from);
            upsert.execute(&mut *connection).await?;
        }
        Notice::Did(deed) => {
            let insert = sql::query(
                "insert into deed (at, principal, name, action, target, request_id) values (?1, ?2, ?3, ?4, ?5, ?6)",
            );
            let Deed { at, principal, name, action, target, request_id } = deed;
            let insert = insert.bind(at.millis()).bind(principal).bind(name).bind(action);
            insert.bind(target).bind(request_id).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

fn bound(sql: &'static str, row: &ComplianceRule) -> Result<sql::Query, StoreError> {
    Ok(sql::query(sql)
        .bind(row.id.as_str())
        .bind(row.stamp.version)
        .bind(json(&row.document)?)
        .bind(row.created_by.to_string())
        .bind(row.modified_by.to_string())
        .bind(row.stamp.created_at.millis())
        .bind(row.stamp.modified_at.millis()))
}

fn rule(
    found: &sql::Row,
    attached: &mut HashMap<ComplianceRuleId, Vec<RuleAttachment>>,
) -> Result<ComplianceRule, StoreError> {
    let id: ComplianceRuleId = row::parsed(found, "id")?;
    Ok(ComplianceRule {
        attachments: attached.remove(&id).unwrap_or_default(),
        id,
        document: document(found)?,
        created_by: row::parsed(found, "created_by")?,
        modified_by: row::parsed(found, "modified_by")?,
        stamp: row::stamp(found)?,
    })
}

fn deed(found: &sql::Row) -> Result<Deed, StoreError> {
    Ok(Deed {
        at: row::time(found, "at")?,
        principal: found.try_get("principal")?,
        name: found.try_get("name")?,
        action: found.try_get("action")?,
        target: found.try_get("target")?,
        request_id: found.try_get("request_id")?,
    })
}
