//! Where a statement is carried out: in a transaction, or on any connection of a pool.

use std::ops::{Deref, DerefMut};

use sqlx::postgres::PgPool;
use sqlx::sqlite::{Sqlite, SqlitePool};

use super::begun::Begun;

/// Connections to one database.
#[derive(Clone, Debug)]
pub(in crate::store) enum Pool {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// A connection, in a transaction that is not over.
pub(in crate::store) enum Connection {
    Postgres(Begun),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

/// A transaction. Dropped, it leaves no trace.
pub(in crate::store) struct Transaction(Connection);

impl Pool {
    /// Begins to read: everything as of one instant.
    pub(in crate::store) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        let begin = "begin isolation level repeatable read read only";
        self.begin_as(begin, None).await
    }

    /// Begins a transaction, in the words of whichever database it is; `None` is as the database would have it.
    pub(in crate::store) async fn begin_as(
        &self,
        postgres: &'static str,
        sqlite: Option<&'static str>,
    ) -> Result<Transaction, sqlx::Error> {
        Ok(Transaction(match (self, sqlite) {
            (Self::Postgres(pool), _) => Connection::Postgres(Begun::begin(pool, postgres).await?),
            (Self::Sqlite(pool), Some(begin)) => Connection::Sqlite(pool.begin_with(begin).await?),
            (Self::Sqlite(pool), None) => Connection::Sqlite(pool.begin().await?),
        }))
    }

    /// Closes every connection, after what is under way.
    pub(in crate::store) async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite(pool) => pool.close().await,
        }
    }

    /// The connections to SQLite.
    #[cfg(test)]
    pub(in crate::store) fn sqlite(&self) -> &SqlitePool {
        match self {
            Self::Postgres(_) => panic!("not SQLite"),
            Self::Sqlite(pool) => pool,
        }
    }
}

impl Transaction {
    /// Commits. When that fails, whether it has happened is unknown.
    pub(in crate::store) async fn commit(self) -> Result<(), sqlx::Error> {
        match self.0 {
            Connection::Postgres(transaction) => transaction.commit().await,
            Connection::Sqlite(transaction) => transaction.commit().await,
        }
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}
