//! Rows of attachments.

use std::collections::HashMap;

use async_trait::async_trait;

use super::SqlStore;
use super::row::{self, document, json};
use super::write::Write;
use crate::ids::tagged::{ComplianceRuleId, RuleAttachmentId};
use crate::store::feed::ChangeKey;
use crate::store::rule_attachment::{RuleAttachment, RuleAttachments};
use crate::store::{StoreError, sql};

const EXISTS: &str = "select 1 from compliance_attachment where id = ?1";

#[async_trait]
impl RuleAttachments for SqlStore {
    async fn insert_rule_attachments(
        &self,
        rule: &ComplianceRuleId,
        rows: &[RuleAttachment],
        most: u32,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let exists = sql::query("select 1 from compliance_rule where id = ?1").bind(rule.as_str());
        if exists.fetch_optional(write.connection()).await?.is_none() {
            return Err(StoreError::NotFound);
        }
        for row in rows {
            let insert = sql::query(
                "insert into compliance_attachment (id, rule_id, document, created_at, modified_at, version) \
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            );
            let insert = insert.bind(row.id.as_str()).bind(rule.as_str()).bind(json(&row.document)?);
            let insert = insert.bind(row.stamp.created_at.millis()).bind(row.stamp.modified_at.millis());
            insert.bind(row.stamp.version).execute(write.connection()).await?;
        }
        let count = sql::query_scalar("select count(*) from compliance_attachment where rule_id = ?1");
        let count: i64 = count.bind(rule.as_str()).fetch_one(write.connection()).await?;
        if count > i64::from(most) {
            return Err(StoreError::Conflict(
                "it would have more attachments than a rule may: delete some first",
            ));
        }
        write.touch(ChangeKey::Compliance);
        write.commit().await
    }

    async fn update_rule_attachment(
        &self,
        rule: &ComplianceRuleId,
        row: &RuleAttachment,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update compliance_attachment set document = ?3, modified_at = ?4, version = ?5 \
             where id = ?1 and rule_id = ?2 and version = ?5 - 1",
        );
        let update = update.bind(row.id.as_str()).bind(rule.as_str()).bind(json(&row.document)?);
        let update = update.bind(row.stamp.modified_at.millis()).bind(row.stamp.version);
        if update.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(write.missed(EXISTS, row.id.as_str()).await);
        }
        write.touch(ChangeKey::Compliance);
        write.commit().await
    }

    async fn delete_rule_attachment(
        &self,
        rule: &ComplianceRuleId,
        id: &RuleAttachmentId,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from compliance_attachment where id = ?1 and rule_id = ?2");
        let delete = delete.bind(id.as_str()).bind(rule.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::Compliance);
        write.commit().await
    }
}

/// The attachments of all rules, each rule's oldest first; of one rule, if given.
pub(super) async fn of_rules(
    reading: &mut sql::Connection,
    rule: Option<&ComplianceRuleId>,
) -> Result<HashMap<ComplianceRuleId, Vec<RuleAttachment>>, StoreError> {
    let select = sql::query(
        "select * from compliance_attachment where ?1 is null or rule_id = ?1 order by created_at, id",
    );
    let rows = select.bind(rule.map(ComplianceRuleId::as_str)).fetch_all(reading).await?;
    let mut all: HashMap<ComplianceRuleId, Vec<RuleAttachment>> = HashMap::new();
    for found in &rows {
        all.entry(row::parsed(found, "rule_id")?).or_default().push(decode(found)?);
    }
    Ok(all)
}

fn decode(found: &sql::Row) -> Result<RuleAttachment, StoreError> {
    Ok(RuleAttachment {
        id: row::parsed(found, "id")?,
        document: document(found)?,
        stamp: row::stamp(found)?,
    })
}
