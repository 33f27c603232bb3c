//! A transaction of PostgreSQL that is over when it is dropped, whatever it was dropped in the middle of.
//!
//! It begins and is rolled back on tasks of its own: a connection that was left between two words of the protocol would be handed to
//! the next one with a transaction that nobody knows to be open, and go on showing an old snapshot.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, Postgres};

use super::query::in_time;

/// How long the connection may take to say that a transaction has begun, or is no more. One that takes longer is given up.
const ANSWER: Duration = Duration::from_secs(3);

/// A transaction that is not over.
pub(in crate::store) struct Begun(Option<PoolConnection<Postgres>>);

impl Begun {
    /// Begins one in these words.
    pub(super) async fn begin(pool: &PgPool, words: &'static str) -> Result<Self, sqlx::Error> {
        let pool = pool.clone();
        let begun = tokio::spawn(async move {
            let mut connection = pool.acquire().await?;
            match said(&mut connection, words).await {
                Ok(()) => Ok(Self(Some(connection))),
                Err(error) => {
                    drop(connection.detach());
                    Err(error)
                }
            }
        });
        begun.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// Commits. When that fails, whether it has happened is unknown, and the connection is not used again.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        let mut last = Last(self.0.take());
        let connection = last.0.as_mut().ok_or(sqlx::Error::WorkerCrashed)?;
        in_time(sqlx::raw_sql("commit").execute(&mut **connection)).await?;
        drop(last.0.take());
        Ok(())
    }

    /// Where its statements are carried out.
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or(sqlx::Error::WorkerCrashed)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        tokio::spawn(async move {
            if said(&mut connection, "rollback").await.is_err() {
                drop(connection.detach());
            }
        });
    }
}

/// A connection that is closed rather than used again.
struct Last(Option<PoolConnection<Postgres>>);

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

async fn said(connection: &mut PgConnection, words: &'static str) -> Result<(), sqlx::Error> {
    let said = tokio::time::timeout(ANSWER, sqlx::raw_sql(words).execute(connection)).await;
    said.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|_| ())
}
