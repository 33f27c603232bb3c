//! Rows of pushed reports that were not read yet.

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::store::findings::{Due, PushedReport, PushedReports, Scanned};
use crate::store::{StoreError, sql};

/// How many of one repository are kept: whoever may push decides how many there are.
const KEPT: i64 = 200;

#[async_trait]
impl PushedReports for SqlStore {
    async fn report_pushed(&self, report: &PushedReport) -> Result<(), StoreError> {
        let (of, mut write) = (&report.of, Write::begin(self).await?);
        let insert = "insert into pushed_report (region, repository, digest, subject, pushed_at) \
                      values (?1, ?2, ?3, ?4, ?5) on conflict (region, repository, digest, subject) do update set waits = false";
        let insert = sql::query(insert).bind(of.region.as_str()).bind(of.repository.as_str());
        let insert = insert.bind(report.digest.as_str()).bind(of.digest.as_str());
        insert.bind(report.pushed_at.millis()).execute(write.connection()).await?;
        let delete = "delete from pushed_report where region = ?1 and repository = ?2 and id <= \
                      (select id from pushed_report where region = ?1 and repository = ?2 \
                       order by id desc limit 1 offset ?3)";
        let delete = sql::query(delete).bind(of.region.as_str()).bind(of.repository.as_str());
        delete.bind(KEPT).execute(write.connection()).await?;
        write.commit().await
    }

    async fn pushed_reports(&self, due: Due<'_>, limit: u32) -> Result<Vec<PushedReport>, StoreError> {
        let rows = match due {
            Due::About(of) => {
                let select = "select * from pushed_report where region = ?1 and repository = ?2 and subject = ?3 \
                              order by id limit ?4";
                let select = sql::query(select).bind(of.region.as_str()).bind(of.repository.as_str());
                select.bind(of.digest.as_str()).bind(limit).fetch_all(&self.readers).await?
            }
            Due::After(last) => {
                let select = "select * from pushed_report p where id > ?2 and (not waits or exists ( \
                              select 1 from census_manifest m where m.region = p.region \
                              and m.repository = p.repository and m.digest = p.subject)) order by id limit ?1";
                sql::query(select).bind(limit).bind(last).fetch_all(&self.readers).await?
            }
        };
        rows.iter().map(decode).collect()
    }

    async fn report_waits(&self, id: i64) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query("update pushed_report set waits = true where id = ?1").bind(id);
        update.execute(write.connection()).await?;
        write.commit().await
    }

    async fn report_read(&self, id: i64) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from pushed_report where id = ?1").bind(id);
        delete.execute(write.connection()).await?;
        write.commit().await
    }
}

fn decode(found: &sql::Row) -> Result<PushedReport, StoreError> {
    Ok(PushedReport {
        id: found.try_get("id")?,
        of: Scanned {
            region: row::parsed(found, "region")?,
            repository: row::parsed(found, "repository")?,
            digest: row::parsed(found, "subject")?,
        },
        digest: row::parsed(found, "digest")?,
        pushed_at: row::time(found, "pushed_at")?,
    })
}
