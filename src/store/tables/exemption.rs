//! Rows of exemptions.

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::findings::exemption::{Exemption, IssueType, Scope};
use crate::ids::region::Region;
use crate::store::feed::ChangeKey;
use crate::store::findings::{ExemptionRecord, Exemptions};
use crate::store::{StoreError, sql};

#[async_trait]
impl Exemptions for SqlStore {
    async fn exemptions(&self, region: &Region) -> Result<Vec<ExemptionRecord>, StoreError> {
        let select = "select * from exemption where region = ?1 order by scope, issue_type, lower(issue_id)";
        let rows = sql::query(select).bind(region.as_str()).fetch_all(&self.readers).await?;
        rows.iter().map(decode).collect()
    }

    async fn put_exemption(&self, row: &ExemptionRecord) -> Result<(), StoreError> {
        let (mut write, exemption) = (Write::begin(self).await?, &row.exemption);
        let same = &row.exemption;
        remove(&mut write, &row.region, &same.scope, same.issue_type, &same.issue_id).await?;
        let insert = sql::query(
            "insert into exemption \
             (region, scope, issue_type, issue_id, expires_at, reason, created_by, created_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        );
        let insert = insert
            .bind(row.region.as_str())
            .bind(exemption.scope.to_string())
            .bind(exemption.issue_type.label())
            .bind(&*exemption.issue_id)
            .bind(exemption.expires_at.map(crate::clock::UnixTime::millis))
            .bind(&*exemption.reason)
            .bind(row.created_by.to_string())
            .bind(row.created_at.millis());
        insert.execute(write.connection()).await?;
        write.touch(ChangeKey::Exemptions(row.region.clone()));
        write.commit().await
    }

    async fn delete_exemption(
        &self,
        region: &Region,
        scope: &Scope,
        issue_type: IssueType,
        issue_id: &str,
    ) -> Result<bool, StoreError> {
        let mut write = Write::begin(self).await?;
        if remove(&mut write, region, scope, issue_type, issue_id).await? == 0 {
            return Ok(false);
        }
        write.touch(ChangeKey::Exemptions(region.clone()));
        write.commit().await?;
        Ok(true)
    }

    async fn delete_exemptions(&self, region: &Region) -> Result<u64, StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from exemption where region = ?1").bind(region.as_str());
        let gone = delete.execute(write.connection()).await?.rows_affected();
        if gone > 0 {
            write.touch(ChangeKey::Exemptions(region.clone()));
        }
        write.commit().await?;
        Ok(gone)
    }
}

/// Removes the exemption of that issue, in any case, if there is one.
async fn remove(
    write: &mut Write<'_>,
    region: &Region,
    scope: &Scope,
    issue_type: IssueType,
    issue_id: &str,
) -> Result<u64, StoreError> {
    let delete = sql::query(
        "delete from exemption where region = ?1 and scope = ?2 and issue_type = ?3 and lower(issue_id) = ?4",
    );
    let delete = delete.bind(region.as_str()).bind(scope.to_string()).bind(issue_type.label());
    let delete = delete.bind(issue_id.to_ascii_lowercase());
    Ok(delete.execute(write.connection()).await?.rows_affected())
}

pub(super) fn decode(found: &sql::Row) -> Result<ExemptionRecord, StoreError> {
    let (id, reason): (&str, &str) = (found.try_get("issue_id")?, found.try_get("reason")?);
    Ok(ExemptionRecord {
        region: row::parsed(found, "region")?,
        exemption: Exemption {
            scope: row::parsed_by(found, "scope", Scope::parse)?,
            issue_type: row::parsed_by(found, "issue_type", IssueType::parse)?,
            issue_id: id.into(),
            expires_at: row::time_if_any(found, "expires_at")?,
            reason: reason.into(),
        },
        created_by: row::parsed(found, "created_by")?,
        created_at: row::time(found, "created_at")?,
    })
}
