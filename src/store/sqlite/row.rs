//! Reading rows: every column is parsed, and what does not parse is corrupt, never skipped.

use std::str::FromStr;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use crate::clock::UnixTime;
use crate::ids::Malformed;
use crate::store::StoreError;
use crate::store::identity::{Listed, Stamp, Window};

/// How a row becomes a value.
pub(super) type Decode<T> = fn(&SqliteRow) -> Result<T, StoreError>;

/// Reads a column of text that must parse.
pub(super) fn parsed<T: FromStr<Err = Malformed>>(row: &SqliteRow, column: &str) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|error| StoreError::Corrupt(format!("column {column}: {error}")))
}

/// Reads a time.
pub(super) fn time(row: &SqliteRow, column: &str) -> Result<UnixTime, StoreError> {
    Ok(UnixTime::from_millis(row.try_get(column)?))
}

/// Reads a time that may be absent.
pub(super) fn time_if_any(row: &SqliteRow, column: &str) -> Result<Option<UnixTime>, StoreError> {
    let millis: Option<i64> = row.try_get(column)?;
    Ok(millis.map(UnixTime::from_millis))
}

/// Reads the columns that every changeable row has.
pub(super) fn stamp(row: &SqliteRow) -> Result<Stamp, StoreError> {
    Ok(Stamp {
        created_at: time(row, "created_at")?,
        modified_at: time(row, "modified_at")?,
        version: row.try_get("version")?,
    })
}

/// The statements of a list. In both, `?1` is what is filtered by; in `rows`, `?2` is the limit and `?3` the offset.
pub(super) struct List<T> {
    pub(super) count: &'static str,
    pub(super) rows: &'static str,
    pub(super) decode: Decode<T>,
}

impl<T> List<T> {
    /// Reads one window, and the total as of the same instant.
    pub(super) async fn read(
        &self,
        store: &SqliteStore,
        filter: Option<&str>,
        window: Window,
    ) -> Result<Listed<T>, StoreError> {
        let mut reading = store.readers.begin().await?;
        let total: i64 = sqlx::query_scalar(self.count).bind(filter).fetch_one(&mut *reading).await?;
        let select = sqlx::query(self.rows).bind(filter).bind(window.limit).bind(window.offset);
        let rows = select.fetch_all(&mut *reading).await?;
        let rows = rows.iter().map(self.decode).collect::<Result<_, _>>()?;
        Ok(Listed { rows, total: u32::try_from(total).unwrap_or(u32::MAX) })
    }
}

/// Reads the row that `sql` finds by `key`, if there is one.
pub(super) async fn one<T>(
    store: &SqliteStore,
    sql: &'static str,
    key: &str,
    decode: Decode<T>,
) -> Result<Option<T>, StoreError> {
    let row = sqlx::query(sql).bind(key).fetch_optional(&store.readers).await?;
    row.as_ref().map(decode).transpose()
}
