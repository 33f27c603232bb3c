//! The store in a PostgreSQL database that any number of replicas share: one writer at a time among all of them.
//!
//! Only what is particular to it: how it is connected to, the lock that a writer holds, the schema, and the wakes that
//! tell other replicas of changes. The rows are in [`super::tables`]. A wake may be lost: views ask on their own, too.

pub mod address;
mod lead;
#[cfg(test)]
mod proxy;
mod schema;
#[cfg(test)]
mod secured;
#[cfg(test)]
mod server;
mod settle;
#[cfg(test)]
pub(in crate::store) mod tests;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use self::address::{Host, Server, Tls};
use super::feed::Sequence;
use super::lead::Lead;
use super::tables::{Engine, SqlStore};
use super::{StoreError, sql};
use crate::clock::Clock;

/// The lock that a writer holds until its transaction is over, and that a change of the schema holds too: advisory locks
/// are numbered within a database.
const WRITER: i64 = 0x706f_7274_0000_0001;

/// How long an operation waits for a free connection of ours, or for a new one.
const QUEUE: Duration = Duration::from_secs(10);

/// How long a connection may take to say that it is still there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// Reading connections. Reads are rare (the view caches them) and short.
const READERS: u32 = 4;

/// How many statements a connection keeps prepared: all that there are.
const PREPARED: usize = 600;

/// What the server ends by itself: waiting for a writer that is not done, statements that do not end, and transactions
/// whose replica has vanished and would keep all others from writing.
const LIMITS: [(&str, &str); 3] =
    [("lock_timeout", "8s"), ("statement_timeout", "12s"), ("idle_in_transaction_session_timeout", "12s")];

/// Connects to the store, brings an older schema up to date, and listens for what other replicas change.
///
/// # Errors
/// [`StoreError::Unavailable`] when it cannot be reached, is no database that we can use, or when a newer version of the
/// program has changed it in a way that this one does not understand.
pub async fn open(server: &Server, clock: Arc<dyn Clock>) -> Result<SqlStore, StoreError> {
    let writer = pool(1).connect_with(options(server)).await.map_err(|error| unreachable(server, &error))?;
    schema::migrate(&writer).await?;
    let readers = pool(READERS).connect_with(options(server)).await?;
    let feed = sql::Pool::Postgres(pool(1).connect_lazy_with(options(server)));
    let committed = watch::Sender::new(Sequence::default());
    let wakes = pool(1).connect_lazy_with(options(server));
    let listening = tokio::spawn(wake::listen(wakes, committed.clone())).abort_handle();
    let (writer, readers) = (sql::Pool::Postgres(writer), sql::Pool::Postgres(readers));
    let shared = Shared { server: options(server), spare: Default::default(), listening };
    SqlStore::new(Box::new(shared), clock, (writer, readers, feed), committed).await
}

/// Whether the store can be reached and used, without changing anything.
///
/// # Errors
/// [`StoreError::Unavailable`]
pub async fn reach(server: &Server) -> Result<(), StoreError> {
    let pool = pool(1).connect_with(options(server)).await.map_err(|error| unreachable(server, &error))?;
    let known = schema::known(&pool).await;
    pool.close().await;
    known
}

/// A database that others use, too.
#[derive(Debug)]
struct Shared {
    server: PgConnectOptions,
    /// The connection on which it is tried to lead.
    spare: tokio::sync::Mutex<Option<sqlx::postgres::PgConnection>>,
    listening: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

#[async_trait]
impl Engine for Shared {
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// A step that others have brought in meanwhile, and that this program would misread, ends what it knows.
    fn position(&self) -> sql::Scalar<i64> {
        schema::position()
    }

    /// The lock comes first, so every later statement sees all that writers before have committed; positions in the feed
    /// are given out under it, so nobody ever sees a later one before an earlier one.
    async fn begin(&self, writer: &sql::Pool) -> Result<sql::Transaction, StoreError> {
        let mut transaction = writer.begin_as("begin isolation level read committed", None).await?;
        let lock = sql::query("select pg_advisory_xact_lock(?1)").bind(WRITER);
        lock.execute(&mut *transaction).await?;
        Ok(transaction)
    }

    async fn announce(&self, write: &mut sql::Connection, latest: Sequence) -> Result<(), StoreError> {
        let notify = sql::query("select pg_notify(?1, ?2)").bind(wake::CHANNEL).bind(latest.0.to_string());
        notify.execute(write).await?;
        Ok(())
    }

    async fn number(&self, write: &mut sql::Connection) -> Result<Option<i64>, StoreError> {
        Ok(settle::number(write).await?)
    }

    async fn outcome(&self, writer: &sql::Pool, number: i64, latest: Option<Sequence>) -> Option<bool> {
        settle::outcome(writer, number, latest).await
    }

    async fn try_lead(&self) -> Result<Option<Box<dyn Lead>>, StoreError> {
        lead::try_lead(&self.server, &self.spare).await
    }

    async fn exclusive(&self) -> Result<Box<dyn Lead>, StoreError> {
        lead::exclusive(&self.server).await
    }
}

fn pool(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(QUEUE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(true)
        .after_connect(|connection, _| Box::pin(schema::believable(connection)))
        .after_release(|connection, _| {
            // What was left unfinished is finished here, or the connection is dropped: one whose other end has vanished
            // would wait for hours.
            Box::pin(async move {
                let alive = tokio::time::timeout(SIGN_OF_LIFE, connection.ping()).await;
                alive.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut)).map(|()| true)
            })
        })
}

fn options(server: &Server) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass()
        .port(server.port)
        .username(&server.user)
        .database(&server.database)
        .password(server.password.as_ref().map_or("", |password| password.expose()))
        .application_name("portcullis")
        .statement_cache_capacity(PREPARED)
        .options(LIMITS)
        .disable_statement_logging();
    let options = match &server.host {
        Host::Name(name) => options.host(name),
        Host::Socket(directory) => options.socket(directory),
    };
    let options = match &server.authorities {
        Some(file) => options.ssl_root_cert(file),
        None => options,
    };
    options.ssl_mode(match server.tls {
        Tls::Off => PgSslMode::Disable,
        Tls::Unverified => PgSslMode::Require,
        Tls::VerifiedAuthority => PgSslMode::VerifyCa,
        Tls::Verified => PgSslMode::VerifyFull,
    })
}

fn unreachable(server: &Server, error: &sqlx::Error) -> StoreError {
    StoreError::Unavailable(format!("cannot connect to {server}: {error}"))
}
