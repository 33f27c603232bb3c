//! A whole store, moved: into another one, or into a file and out of it.
//!
//! Which tables and columns there are is asked of the database, so none can be forgotten. What is moved is read at one instant, written
//! in one transaction, read again there and compared before that commits: the other store is left empty or whole. Nothing is
//! opened that is sealed, and nothing is decided about what the rows say.

mod file;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Write};

use self::file::{Line, Reader, Writer};
use self::rows::Sum;
use self::schema::{Schema, Table};
use super::tables::SqlStore;
use super::{StoreError, sql};
use crate::clock::UnixTime;
use crate::secret::Secret;

/// Why a store was not moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A server works on it, and what that writes would be lost.
    #[error("a server works on the store {0}: stop every replica first")]
    Busy(&'static str),
    /// It is no export, not a whole one, one of another version, or somebody has changed it.
    #[error("{0}")]
    File(String),
    /// The file cannot be read or written.
    #[error("the file cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// It has rows already.
    #[error("the store that is to be filled holds an account or changes already: name an empty one")]
    NotEmpty,
    /// What was written is not what was read.
    #[error("the table {0} has not arrived as it was: nothing was kept")]
    Differs(String),
    /// The stores have not the same tables and columns.
    #[error(
        "the two stores have not the same tables: bring both up to date with the same version of portcullis"
    )]
    OtherSchema,
    /// A store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for TransferError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What was moved of one table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Moved {
    /// Its name.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// What they add up to, for comparing.
    pub digest: String,
}

/// Copies everything to an empty store. Neither may be at work, and nobody writes to the first meanwhile.
///
/// # Errors
/// [`TransferError`]; then the other one is as it was.
pub async fn copy(from: &SqlStore, to: &SqlStore) -> Result<Vec<Moved>, TransferError> {
    let _first = from.engine.try_lead().await?.ok_or(TransferError::Busy("that is copied"))?;
    let _second = to.engine.try_lead().await?.ok_or(TransferError::Busy("that is to be filled"))?;
    let mut source = patient(from.engine.begin(&from.writer).await?).await?;
    let mut target = Target::begin(to).await?;
    let schema = Schema::read(&mut source).await?;
    if !schema.is_same(&target.schema) {
        return Err(TransferError::OtherSchema);
    }
    for table in &schema.tables {
        let last = table.last(&mut source).await?;
        let mut reading = rows::Reading::of(table, &mut source);
        let mut filling = target.fill(table)?;
        while let Some(row) = reading.next().await? {
            filling.add(row).await?;
        }
        let sum = filling.end(last).await?;
        if sum != reading.sum() {
            return Err(TransferError::Differs(table.name.clone()));
        }
    }
    target.commit().await
}

/// Writes everything to a file, as of one instant; a server may be at work.
///
/// # Errors
/// [`TransferError`]
pub async fn export(
    from: &SqlStore,
    to: &mut (dyn Write + Send),
    key: &Secret<[u8; 32]>,
    now: UnixTime,
) -> Result<Vec<Moved>, TransferError> {
    let mut source = patient(from.readers.begin().await?).await?;
    let schema = Schema::read(&mut source).await?;
    let mut out = Writer::begin(to, key, now)?;
    let mut moved = Vec::new();
    for table in &schema.tables {
        let last = table.last(&mut source).await?;
        out.line(&Line::table(table))?;
        let mut reading = rows::Reading::of(table, &mut source);
        while let Some(row) = reading.next().await? {
            out.line(&Line::row(&row))?;
        }
        let sum = reading.sum();
        out.line(&Line::end(table, &sum, last))?;
        moved.push(sum.of(table));
    }
    out.end(moved.len())?;
    Ok(moved)
}

/// Fills an empty store that is not at work from a file.
///
/// # Errors
/// [`TransferError`]; then the store is as it was.
pub async fn import(
    to: &SqlStore,
    from: &mut (dyn BufRead + Send),
    key: &Secret<[u8; 32]>,
) -> Result<Vec<Moved>, TransferError> {
    let _lead = to.engine.try_lead().await?.ok_or(TransferError::Busy("that is to be filled"))?;
    let mut target = Target::begin(to).await?;
    let mut lines = Reader::begin(from, key)?;
    for table in target.schema.tables.clone() {
        lines.begin_table(&table)?;
        let mut filling = target.fill(&table)?;
        let (sum, last) = loop {
            match lines.next(&table)? {
                Line::Row(row) => filling.add(row).await?,
                Line::End { sum, last, .. } => break (sum, last),
                Line::Table { .. } | Line::Whole { .. } => return Err(file::broken("a table has no end")),
            }
        };
        if filling.end(last).await?.told() != sum {
            return Err(TransferError::Differs(table.name));
        }
    }
    lines.end(target.schema.tables.len())?;
    target.commit().await
}

/// What a store that is filled holds so far.
struct Target {
    schema: Schema,
    transaction: sql::Transaction,
    sums: Vec<(Table, Sum)>,
}

impl Target {
    /// Becomes the only writer, and makes sure that nobody ever wrote anything but what every new store holds.
    async fn begin(store: &SqlStore) -> Result<Self, TransferError> {
        let mut transaction = patient(store.engine.begin(&store.writer).await?).await?;
        let used = "select exists (select 1 from account) or exists (select 1 from change)";
        let used = sql::query_scalar::<bool>(used).fetch_one(&mut *transaction).await?;
        if used {
            return Err(TransferError::NotEmpty);
        }
        let schema = Schema::read(&mut transaction).await?;
        for table in schema.tables.iter().rev() {
            sql::made(format!("delete from {}", table.quoted())).execute(&mut *transaction).await?;
        }
        Ok(Self { schema, transaction, sums: Vec::new() })
    }

    fn fill(&mut self, like: &Table) -> Result<rows::Filling<'_>, TransferError> {
        let table = self.schema.tables.iter().find(|table| table.name == like.name);
        let table = table.ok_or(TransferError::OtherSchema)?;
        Ok(rows::Filling::of(table, &mut self.transaction, &mut self.sums))
    }

    /// Reads everything again, compares, and commits.
    async fn commit(mut self) -> Result<Vec<Moved>, TransferError> {
        let mut moved = Vec::new();
        for (table, sum) in &self.sums {
            let mut reading = rows::Reading::of(table, &mut self.transaction);
            while reading.next().await?.is_some() {}
            if reading.sum() != *sum {
                return Err(TransferError::Differs(table.name.clone()));
            }
            moved.push(sum.of(table));
        }
        self.transaction.commit().await.map_err(StoreError::in_doubt)?;
        Ok(moved)
    }
}

/// A transaction that may take as long as it takes.
async fn patient(mut transaction: sql::Transaction) -> Result<sql::Transaction, TransferError> {
    if let sql::Connection::Postgres(_) = &*transaction {
        for limit in ["statement_timeout", "idle_in_transaction_session_timeout"] {
            sql::made(format!("set local {limit} = 0")).execute(&mut *transaction).await?;
        }
    }
    Ok(transaction)
}
