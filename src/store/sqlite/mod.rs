//! The store in one SQLite file: one writer, a few readers, every commit on disk before it is acknowledged.
//!
//! It keeps rows and the feed, one file per aggregate. It never decides anything, and it never retries a write whose
//! commit failed: whether that write happened is unknown until the file can be read again.

mod account;
mod alarming;
mod alert;
mod api_key;
mod aws;
mod census;
mod compliance;
mod custom_role;
mod exemption;
mod feed;
mod file;
mod findings;
mod group;
mod group_rule;
mod identity;
mod insight;
mod keyring;
mod network;
mod policy;
mod principal;
mod profile;
mod pushed_report;
mod quota;
mod registry;
mod resource_group;
mod retention;
mod row;
mod rule_attachment;
mod schema;
#[cfg(test)]
mod tests;
mod trash;
mod trusted_profile;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};
use tokio::sync::watch;

use self::file::StoreFile;
use super::StoreError;
use super::feed::Sequence;
use crate::clock::Clock;

/// How long a statement waits for another process that holds the file.
const BUSY: Duration = Duration::from_secs(5);

/// SQLite's code for a file that another process has locked (SQLITE_BUSY).
const LOCKED: &str = "5";

/// How long an operation waits for a free connection of ours.
const QUEUE: Duration = Duration::from_secs(10);

/// Reading connections. Reads are rare (the view caches them) and short.
const READERS: u32 = 4;

/// An open store.
#[derive(Debug)]
pub struct SqliteStore {
    file: StoreFile,
    clock: Arc<dyn Clock>,
    writer: SqlitePool,
    readers: SqlitePool,
    committed: watch::Sender<Sequence>,
    applied: watch::Sender<Option<Sequence>>,
}

impl SqliteStore {
    /// Opens the store at `path`, and makes it if there is none: the file for its owner only, missing directories too.
    /// Brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], with what to do about it, when others than the owner may open the file, when a newer
    /// version of the program made it, and when it cannot be opened or written.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let file = StoreFile::prepare(path)?;
        let writer = connect(path).await?;
        schema::migrate(&writer).await?;
        let readers = pool(READERS).connect_with(options(path).pragma("query_only", "ON")).await?;
        let latest = feed::latest(&mut *writer.acquire().await?).await?;
        Ok(Self {
            file,
            clock,
            writer,
            readers,
            committed: watch::Sender::new(latest),
            applied: watch::Sender::new(None),
        })
    }

    /// Closes every connection, after what is under way; then the file alone holds everything.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl super::Store for SqliteStore {}

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
