//! Reading rows: every column is parsed, and what does not parse is corrupt, never skipped.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::SqlStore;
use crate::clock::UnixTime;
use crate::ids::Malformed;
use crate::store::identity::{Listed, Stamp, Window};
use crate::store::{StoreError, sql};

/// How a row becomes a value.
pub(super) type Decode<T> = fn(&sql::Row) -> Result<T, StoreError>;

/// Reads a column of text that must parse.
pub(super) fn parsed<T: FromStr<Err = Malformed>>(row: &sql::Row, column: &str) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|error| StoreError::Corrupt(format!("column {column}: {error}")))
}

/// Reads a column of text that `parse` must understand.
pub(super) fn parsed_by<T>(
    row: &sql::Row,
    column: &str,
    parse: fn(&str) -> Result<T, Malformed>,
) -> Result<T, StoreError> {
    let text: &str = row.try_get(column)?;
    parse(text).map_err(|error| StoreError::Corrupt(format!("column {column}: {error}")))
}

/// Reads a number of a smaller kind.
pub(super) fn number<T: TryFrom<i64>>(row: &sql::Row, column: &str) -> Result<T, StoreError> {
    let number: i64 = row.try_get(column)?;
    T::try_from(number).map_err(|_| StoreError::Corrupt(format!("column {column}: {number}")))
}

/// Reads such a number that may be absent.
pub(super) fn number_if_any<T: TryFrom<i64>>(row: &sql::Row, column: &str) -> Result<Option<T>, StoreError> {
    let found: Option<i64> = row.try_get(column)?;
    found.map(|_| number(row, column)).transpose()
}

/// Reads a number that is never negative.
pub(super) fn count(row: &sql::Row, column: &str) -> Result<u32, StoreError> {
    number(row, column)
}

/// Reads a time.
pub(super) fn time(row: &sql::Row, column: &str) -> Result<UnixTime, StoreError> {
    Ok(UnixTime::from_millis(row.try_get(column)?))
}

/// Reads a time that may be absent.
pub(super) fn time_if_any(row: &sql::Row, column: &str) -> Result<Option<UnixTime>, StoreError> {
    let millis: Option<i64> = row.try_get(column)?;
    Ok(millis.map(UnixTime::from_millis))
}

/// The groups that `?1` is in at `?2`.
macro_rules! groups_of {
    () => {
        "(select group_id from membership where member = ?1 \
         union select group_id from claimed_membership where member = ?1 and ends_at > ?2)"
    };
}
pub(in crate::store::tables) use groups_of;
/// Reads the columns that every changeable row has.
pub(super) fn stamp(row: &sql::Row) -> Result<Stamp, StoreError> {
    Ok(Stamp {
        created_at: time(row, "created_at")?,
        modified_at: time(row, "modified_at")?,
        version: row.try_get("version")?,
    })
}

/// The statements of a list. In both, `?1` and `?4` are what is filtered by; in `rows`, `?2` is the limit and `?3` the offset.
pub(super) struct List<T> {
    pub(super) count: &'static str,
    pub(super) rows: &'static str,
    pub(super) decode: Decode<T>,
}

impl<T> List<T> {
    /// Reads one window, and the total as of the same instant.
    pub(super) async fn read(
        &self,
        store: &SqlStore,
        filter: Option<&str>,
        window: Window,
    ) -> Result<Listed<T>, StoreError> {
        self.read_both(store, (filter, None), window).await
    }

    /// As [`List::read`], with two filters.
    pub(super) async fn read_both(
        &self,
        store: &SqlStore,
        (filter, second): (Option<&str>, Option<&str>),
        window: Window,
    ) -> Result<Listed<T>, StoreError> {
        let mut reading = store.readers.begin().await?;
        let count = sql::query_scalar(self.count).bind(filter).bind(window.limit).bind(window.offset);
        let total: i64 = count.bind(second).fetch_one(&mut *reading).await?;
        let select = sql::query(self.rows).bind(filter).bind(window.limit).bind(window.offset).bind(second);
        let rows = select.fetch_all(&mut *reading).await?;
        let rows = rows.iter().map(self.decode).collect::<Result<_, _>>()?;
        Ok(Listed { rows, total: u32::try_from(total).unwrap_or(u32::MAX) })
    }
}

/// Reads the row that `sql` finds by `key`, if there is one.
pub(super) async fn one<T>(
    store: &SqlStore,
    sql: &'static str,
    key: &str,
    decode: Decode<T>,
) -> Result<Option<T>, StoreError> {
    let row = sql::query(sql).bind(key).fetch_optional(&store.readers).await?;
    row.as_ref().map(decode).transpose()
}

/// A list of texts, as JSON.
pub(super) fn written(texts: &[String]) -> Result<String, StoreError> {
    serde_json::to_string(texts)
        .map_err(|error| StoreError::Unavailable(format!("cannot write a list as JSON: {error}")))
}

/// Reads such a list.
pub(super) fn texts(json: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Corrupt(format!("a list of texts: {error}")))
}

/// A document, as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Unavailable(format!("cannot write a document as JSON: {error}")))
}

/// Reads the column of that name.
pub(super) fn document<T: DeserializeOwned>(found: &sql::Row) -> Result<T, StoreError> {
    let text: &str = found.try_get("document")?;
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("a document: {error}")))
}
