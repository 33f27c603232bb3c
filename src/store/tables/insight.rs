//! Rows of notes and occurrences.

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use super::SqlStore;
use super::alert::{forget, insert_alert};
use super::row::{self, document, json};
use super::write::Write;
use crate::findings::insight::InsightName;
use crate::findings::insight::note::Note;
use crate::findings::insight::occurrence::Occurrence;
use crate::ids::Malformed;
use crate::store::alert::Raised;
use crate::store::insight::{Insight, Insights, Named, Of, Put};
use crate::store::{StoreError, sql};

const NOTE: &str = "select 1 from insight_note where provider = ?1 and id = ?2";
const OCCURRENCE: &str = "select 1 from insight_occurrence where provider = ?1 and id = ?2";

#[async_trait]
impl Insights for SqlStore {
    async fn insight_providers(&self) -> Result<Vec<InsightName>, StoreError> {
        let select = "select provider from insight_note union select provider from insight_occurrence order by provider";
        let rows = sql::query(select).fetch_all(&self.readers).await?;
        rows.iter().map(|found| name(found, "provider")).collect()
    }

    async fn insight_notes(
        &self,
        provider: &InsightName,
        after: Option<&InsightName>,
        limit: u32,
    ) -> Result<Vec<Insight<Note>>, StoreError> {
        let select =
            sql::query("select * from insight_note where provider = ?1 and id > ?2 order by id limit ?3");
        let select = select.bind(provider.as_str()).bind(after.map_or("", InsightName::as_str)).bind(limit);
        select.fetch_all(&self.readers).await?.iter().map(insight).collect()
    }

    async fn insight_note(&self, name: &Named) -> Result<Option<Insight<Note>>, StoreError> {
        let select = sql::query("select * from insight_note where provider = ?1 and id = ?2");
        let select = select.bind(name.provider.as_str()).bind(name.id.as_str());
        select.fetch_optional(&self.readers).await?.as_ref().map(insight).transpose()
    }

    async fn put_insight_note(&self, row: &Insight<Note>, how: Put, most: u32) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        check(&mut write, NOTE, &row.name, how).await?;
        let upsert = sql::query(
            "insert into insight_note (provider, id, document, created_by, created_at, modified_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6) \
             on conflict (provider, id) do update set document = ?3, modified_at = ?6",
        );
        let upsert = upsert.bind(row.name.provider.as_str()).bind(row.name.id.as_str());
        let upsert = upsert.bind(json(&row.document)?).bind(row.created_by.to_string());
        let upsert = upsert.bind(row.created_at.millis()).bind(row.modified_at.millis());
        upsert.execute(write.connection()).await?;
        not_too_many(&mut write, "select count(*) from insight_note", most).await?;
        write.commit().await
    }

    async fn delete_insight_note(&self, name: &Named) -> Result<(), StoreError> {
        delete(self, "delete from insight_note where provider = ?1 and id = ?2", name).await
    }

    async fn insight_occurrences(
        &self,
        of: &Of,
        after: Option<&Named>,
        limit: u32,
    ) -> Result<Vec<Insight<Occurrence>>, StoreError> {
        let (last, id) = after.map_or(("", ""), |after| (after.provider.as_str(), after.id.as_str()));
        let select = match of {
            Of::Note(note) => sql::query(
                "select * from insight_occurrence where note_provider = ?1 and note_id = ?2 \
                 and (provider, id) > (?3, ?4) order by provider, id limit ?5",
            )
            .bind(note.provider.as_str())
            .bind(note.id.as_str()),
            Of::Provider(provider) => sql::query(
                "select * from insight_occurrence where provider = ?1 and ?2 is null \
                 and (provider, id) > (?3, ?4) order by provider, id limit ?5",
            )
            .bind(provider.as_str())
            .bind(Option::<&str>::None),
        };
        let rows = select.bind(last).bind(id).bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(insight).collect()
    }

    async fn insight_occurrence(&self, name: &Named) -> Result<Option<Insight<Occurrence>>, StoreError> {
        let select = sql::query("select * from insight_occurrence where provider = ?1 and id = ?2");
        let select = select.bind(name.provider.as_str()).bind(name.id.as_str());
        select.fetch_optional(&self.readers).await?.as_ref().map(insight).transpose()
    }

    async fn put_insight_occurrence(
        &self,
        (row, note): (&Insight<Occurrence>, &Named),
        how: Put,
        most: u32,
        raised: Option<&Raised>,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        check(&mut write, NOTE, note, Put::Over).await?;
        check(&mut write, OCCURRENCE, &row.name, how).await?;
        let upsert = sql::query(
            "insert into insight_occurrence (provider, id, note_provider, note_id, document, created_by, created_at, modified_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
             on conflict (provider, id) do update set note_provider = ?3, note_id = ?4, document = ?5, modified_at = ?8",
        );
        let upsert = upsert.bind(row.name.provider.as_str()).bind(row.name.id.as_str());
        let upsert = upsert.bind(note.provider.as_str()).bind(note.id.as_str()).bind(json(&row.document)?);
        let upsert = upsert.bind(row.created_by.to_string()).bind(row.created_at.millis());
        upsert.bind(row.modified_at.millis()).execute(write.connection()).await?;
        not_too_many(&mut write, "select count(*) from insight_occurrence", most).await?;
        if let Some(raised) = raised.filter(|raised| !raised.channels.is_empty()) {
            insert_alert(&mut write, raised).await?;
            forget(&mut write).await?;
        }
        write.commit().await
    }

    async fn delete_insight_occurrence(&self, name: &Named) -> Result<(), StoreError> {
        delete(self, "delete from insight_occurrence where provider = ?1 and id = ?2", name).await
    }
}

/// Whether it is there as it should be.
async fn check(
    write: &mut Write<'_>,
    exists: &'static str,
    name: &Named,
    how: Put,
) -> Result<(), StoreError> {
    let found = sql::query(exists).bind(name.provider.as_str()).bind(name.id.as_str());
    match (how, found.fetch_optional(write.connection()).await?.is_some()) {
        (Put::Fresh, true) => Err(StoreError::Conflict("there is one of that id already")),
        (Put::Over, false) => Err(StoreError::NotFound),
        (Put::Fresh, false) | (Put::Over, true) | (Put::Either, _) => Ok(()),
    }
}

async fn not_too_many(write: &mut Write<'_>, count: &'static str, most: u32) -> Result<(), StoreError> {
    let count: i64 = sql::query_scalar(count).fetch_one(write.connection()).await?;
    match count > i64::from(most) {
        true => Err(StoreError::Conflict("the account has as many as it may: delete some first")),
        false => Ok(()),
    }
}

async fn delete(store: &SqlStore, statement: &'static str, name: &Named) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    let delete = sql::query(statement).bind(name.provider.as_str()).bind(name.id.as_str());
    match delete.execute(write.connection()).await?.rows_affected() {
        0 => Err(StoreError::NotFound),
        _ => write.commit().await,
    }
}

fn name(found: &sql::Row, column: &str) -> Result<InsightName, StoreError> {
    let text: &str = found.try_get(column)?;
    let strange = || StoreError::Corrupt(format!("column {column}: {}", Malformed::new(text, "").text));
    InsightName::parse(text).ok_or_else(strange)
}

fn insight<D: DeserializeOwned>(found: &sql::Row) -> Result<Insight<D>, StoreError> {
    Ok(Insight {
        name: Named { provider: name(found, "provider")?, id: name(found, "id")? },
        document: document(found)?,
        created_by: row::parsed(found, "created_by")?,
        created_at: row::time(found, "created_at")?,
        modified_at: row::time(found, "modified_at")?,
    })
}
