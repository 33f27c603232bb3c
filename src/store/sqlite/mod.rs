//! The store in one SQLite file: one writer, a few readers, every commit on disk before it is acknowledged.
//!
//! Only what is particular to it: the file, how it is opened, its schema. The rows are in [`super::tables`].

mod file;
mod lead;
mod schema;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};
use tokio::sync::watch;

use self::file::StoreFile;
use super::feed::Sequence;
use super::lead::Lead;
use super::tables::{Engine, SqlStore};
use super::{StoreError, sql};
use crate::clock::Clock;

/// How long a statement waits for another process that holds the file.
const BUSY: Duration = Duration::from_secs(5);

/// SQLite's code for a file that another process has locked (SQLITE_BUSY).
const LOCKED: &str = "5";

/// How long an operation waits for a free connection of ours.
const QUEUE: Duration = Duration::from_secs(10);

/// Reading connections. Reads are rare (the view caches them) and short.
const READERS: u32 = 4;

/// Opens the store at `path`, and makes it if there is none: the file for its owner only, missing directories too.
/// Brings an older schema up to date.
///
/// # Errors
/// [`StoreError::Unavailable`], with what to do about it, when others than the owner may open the file, when a newer
/// version of the program made it, and when it cannot be opened or written.
pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<SqlStore, StoreError> {
    let file = StoreFile::prepare(path)?;
    let writer = connect(path).await?;
    schema::migrate(&writer).await?;
    let readers = pool(READERS).connect_with(options(path).pragma("query_only", "ON")).await?;
    let (writer, readers) = (sql::Pool::Sqlite(writer), sql::Pool::Sqlite(readers));
    SqlStore::new(
        Box::new(file),
        clock,
        (writer, readers.clone(), readers),
        watch::Sender::new(Sequence::default()),
    )
    .await
}

#[async_trait]
impl Engine for StoreFile {
    fn check(&self) -> Result<(), StoreError> {
        StoreFile::check(self)
    }

    async fn begin(&self, writer: &sql::Pool) -> Result<sql::Transaction, StoreError> {
        Ok(writer.begin_as("begin", Some("begin immediate")).await?)
    }

    /// Other processes on the same machine find changes when they look.
    async fn announce(&self, _: &mut sql::Connection, _: Sequence) -> Result<(), StoreError> {
        Ok(())
    }

    async fn try_lead(&self) -> Result<Option<Box<dyn Lead>>, StoreError> {
        lead::try_lead(&self.beside("-lead"))
    }

    async fn exclusive(&self) -> Result<Box<dyn Lead>, StoreError> {
        lead::wait(&self.beside("-rules")).await
    }
}

/// Opens the writing connection. Turning on the write-ahead log, once in the life of a file, does not wait for another
/// process that does the same, so this does.
async fn connect(path: &Path) -> Result<SqlitePool, StoreError> {
    let deadline = tokio::time::Instant::now() + BUSY;
    loop {
        match pool(1).connect_with(options(path)).await {
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some(LOCKED) && tokio::time::Instant::now() < deadline =>
            {
                tokio::time::sleep(BUSY / 500).await;
            }
            opened => return Ok(opened?),
        }
    }
}

fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(QUEUE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .before_acquire(|connection, _| {
            // On some errors (disk full, I/O) SQLite rolls back by itself and sqlx keeps counting the transaction as
            // open; such a connection never writes again, so it makes way for a new one.
            let sound = !connection.is_in_transaction();
            Box::pin(async move { Ok(sound) })
        })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is deleted is overwritten, and nothing is ever spilt into a temporary file.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}
