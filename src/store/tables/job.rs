//! Rows of jobs, and of who leads.

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::clock::UnixTime;
use crate::store::job::{Ended, JobRecord, Jobs, Leader};
use crate::store::lead::{Lead, Leads};
use crate::store::{StoreError, sql};

/// How much of a text is kept.
const TEXT_MAX: usize = 500;

#[async_trait]
impl Leads for SqlStore {
    async fn try_lead(&self) -> Result<Option<Box<dyn Lead>>, StoreError> {
        self.engine.try_lead().await
    }

    async fn exclusive(&self) -> Result<Box<dyn Lead>, StoreError> {
        self.engine.exclusive().await
    }
}

#[async_trait]
impl Jobs for SqlStore {
    async fn take_lead(&self, replica: &str, now: UnixTime) -> Result<u32, StoreError> {
        let mut write = Write::begin(self).await?;
        let upsert = sql::query(
            "insert into leadership (only_one, replica, since) values (1, ?1, ?2) \
             on conflict (only_one) do update set replica = ?1, since = ?2",
        );
        upsert.bind(replica).bind(now.millis()).execute(write.connection()).await?;
        let end = sql::query(
            "update job set ended_at = ?2, next_at = ?2, outcome = 'broken off: ' || replica || ' ended in the middle' \
             where ended_at is null and replica <> ?1",
        );
        let ended = end.bind(replica).bind(now.millis()).execute(write.connection()).await?.rows_affected();
        write.commit().await?;
        Ok(u32::try_from(ended).unwrap_or(u32::MAX))
    }

    async fn begin_job(&self, name: &str, replica: &str, now: UnixTime) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let upsert = sql::query(
            "insert into job (name, replica, began_at) select ?1, replica, ?3 from leadership where replica = ?2 \
             on conflict (name) do update set replica = ?2, began_at = ?3, ended_at = null, outcome = '', \
             progress = ''",
        );
        let upsert = upsert.bind(name).bind(replica).bind(now.millis());
        one(upsert.execute(write.connection()).await?.rows_affected())?;
        write.commit().await
    }

    async fn job_progress(&self, name: &str, replica: &str, progress: &str) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update job set progress = ?3 where name = ?1 and replica = ?2 and ended_at is null \
             and exists (select 1 from leadership where leadership.replica = ?2)",
        );
        let update = update.bind(name).bind(replica).bind(short(progress));
        update.execute(write.connection()).await?;
        write.commit().await
    }

    async fn end_job(&self, name: &str, replica: &str, ended: &Ended<'_>) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let succeeded = ended.outcome.is_empty().then_some(ended.ended_at.millis());
        let upsert = sql::query(
            "insert into job (name, replica, began_at, ended_at, outcome, succeeded_at, next_at, progress) \
             select ?1, replica, ?3, ?4, ?5, cast(?6 as bigint), ?7, ?8 from leadership where replica = ?2 \
             on conflict (name) do update set replica = ?2, began_at = ?3, ended_at = ?4, outcome = ?5, \
             succeeded_at = coalesce(cast(?6 as bigint), job.succeeded_at), next_at = ?7, progress = ?8",
        )
        .bind(name)
        .bind(replica)
        .bind(ended.began_at.millis())
        .bind(ended.ended_at.millis())
        .bind(short(ended.outcome))
        .bind(succeeded)
        .bind(ended.next_at.millis())
        .bind(short(ended.progress));
        one(upsert.execute(write.connection()).await?.rows_affected())?;
        write.commit().await
    }

    async fn jobs(&self) -> Result<(Option<Leader>, Vec<JobRecord>), StoreError> {
        let mut reading = self.readers.begin().await?;
        let leader = sql::query("select * from leadership").fetch_optional(&mut *reading).await?;
        let leader = leader.map(|found| -> Result<Leader, StoreError> {
            Ok(Leader { replica: found.try_get("replica")?, since: row::time(&found, "since")? })
        });
        let rows = sql::query("select * from job order by name").fetch_all(&mut *reading).await?;
        Ok((leader.transpose()?, rows.iter().map(decode).collect::<Result<_, _>>()?))
    }
}

/// Whether the row was written: it is not if somebody else leads.
fn one(rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// As much of a text as is kept, without what no database takes.
fn short(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(TEXT_MAX).collect()
}

fn decode(found: &sql::Row) -> Result<JobRecord, StoreError> {
    Ok(JobRecord {
        name: found.try_get("name")?,
        replica: found.try_get("replica")?,
        began_at: row::time(found, "began_at")?,
        ended_at: row::time_if_any(found, "ended_at")?,
        outcome: found.try_get("outcome")?,
        succeeded_at: row::time_if_any(found, "succeeded_at")?,
        next_at: row::time_if_any(found, "next_at")?,
        progress: found.try_get("progress")?,
    })
}
