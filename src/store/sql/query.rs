//! A statement and what is bound to it.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments};

use super::found::{Column, Row};
use super::pool::{Connection, Pool};
use super::value::{Bind, Value};

/// How long a database elsewhere may take for one statement, its own limits for locks and statements included. After that
/// nobody knows whether it is still there.
const ANSWER: Duration = Duration::from_secs(15);

/// A statement.
pub(in crate::store) struct Query {
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

/// A statement that finds one value.
pub(in crate::store) struct Scalar<T> {
    query: Query,
    found: std::marker::PhantomData<fn() -> T>,
}

/// What a statement has done.
pub(in crate::store) struct Done(u64);

/// Where it is carried out.
pub(in crate::store) enum On<'e> {
    Connection(&'e mut Connection),
    Pool(&'e Pool),
}

/// A statement to bind values to.
pub(in crate::store) fn query(sql: &'static str) -> Query {
    Query { sql: Cow::Borrowed(sql), values: Vec::new() }
}

/// A statement that was put together from names that the database itself gave, quoted.
pub(in crate::store) fn made(sql: String) -> Query {
    Query { sql: Cow::Owned(sql), values: Vec::new() }
}

/// A statement that finds one value.
pub(in crate::store) fn query_scalar<T>(sql: &'static str) -> Scalar<T> {
    Scalar { query: query(sql), found: std::marker::PhantomData }
}

/// Carries out `$method`, on whatever it is.
macro_rules! run {
    ($self:ident, $on:ident, $method:ident) => {{
        $self.sound()?;
        match $on.into() {
            On::Connection(Connection::Postgres(transaction)) => {
                let query = $self.postgres();
                in_time(query.$method(transaction.connection()?)).await?.into()
            }
            On::Connection(Connection::Sqlite(transaction)) => {
                $self.sqlite().$method(&mut **transaction).await?.into()
            }
            On::Pool(Pool::Postgres(pool)) => {
                let query = $self.postgres();
                in_time(query.$method(pool)).await?.into()
            }
            On::Pool(Pool::Sqlite(pool)) => $self.sqlite().$method(pool).await?.into(),
        }
    }};
}

impl Query {
    /// Binds the next value.
    pub(in crate::store) fn bind(mut self, value: impl Bind) -> Self {
        self.values.push(value.value());
        self
    }

    /// Carries it out.
    pub(in crate::store) async fn execute(self, on: impl Into<On<'_>>) -> Result<Done, sqlx::Error> {
        Ok(run!(self, on, execute))
    }

    /// Finds the first row, if there is any.
    pub(in crate::store) async fn fetch_optional(
        self,
        on: impl Into<On<'_>>,
    ) -> Result<Option<Row>, sqlx::Error> {
        let found: Maybe = run!(self, on, fetch_optional);
        Ok(found.0)
    }

    /// Finds the first row.
    pub(in crate::store) async fn fetch_one(self, on: impl Into<On<'_>>) -> Result<Row, sqlx::Error> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Finds all rows.
    pub(in crate::store) async fn fetch_all(self, on: impl Into<On<'_>>) -> Result<Vec<Row>, sqlx::Error> {
        let found: All = run!(self, on, fetch_all);
        Ok(found.0)
    }

    /// Finds row after row.
    pub(in crate::store) fn fetch(
        self,
        connection: &mut Connection,
    ) -> BoxStream<'_, Result<Row, sqlx::Error>> {
        match connection {
            Connection::Postgres(transaction) => match transaction.connection() {
                Ok(connection) => {
                    in_time_each(self.postgres().fetch(connection)).map_ok(Row::Postgres).boxed()
                }
                Err(error) => stream::once(async { Err(error) }).boxed(),
            },
            Connection::Sqlite(transaction) => {
                self.sqlite().fetch(&mut **transaction).map_ok(Row::Sqlite).boxed()
            }
        }
    }

    /// PostgreSQL keeps no null characters in texts; so nobody does.
    fn sound(&self) -> Result<(), sqlx::Error> {
        let holds_null = |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        match self.values.iter().any(holds_null) {
            true => Err(sqlx::Error::Encode("a text holds a null character".into())),
            false => Ok(()),
        }
    }

    fn sqlite(self) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
        let query = match self.sql {
            Cow::Borrowed(sql) => sqlx::query(sql),
            Cow::Owned(sql) => sqlx::query(AssertSqlSafe(sql)),
        };
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Bytes(bytes) => query.bind(bytes),
            Value::Integer(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Truth(truth) => query.bind(truth),
        })
    }

    fn postgres(self) -> sqlx::query::Query<'static, Postgres, PgArguments> {
        // Spelt otherwise, but still nothing but what stands in our source, or `made`.
        let query = sqlx::query(AssertSqlSafe(self.sql.replace('?', "$")));
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Bytes(bytes) => query.bind(bytes),
            Value::Integer(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Truth(truth) => query.bind(truth),
        })
    }
}

impl<T> Scalar<T>
where
    T: for<'r> Column<'r>,
{
    /// Binds the next value.
    pub(in crate::store) fn bind(mut self, value: impl Bind) -> Self {
        self.query = self.query.bind(value);
        self
    }

    /// Finds it; there must be a row.
    pub(in crate::store) async fn fetch_one(self, on: impl Into<On<'_>>) -> Result<T, sqlx::Error> {
        self.query.fetch_one(on).await?.first()
    }

    /// Finds it, if there is a row.
    pub(in crate::store) async fn fetch_optional(
        self,
        on: impl Into<On<'_>>,
    ) -> Result<Option<T>, sqlx::Error> {
        self.query.fetch_optional(on).await?.map(|row| row.first()).transpose()
    }

    /// Finds it in all rows.
    pub(in crate::store) async fn fetch_all(self, on: impl Into<On<'_>>) -> Result<Vec<T>, sqlx::Error> {
        self.query.fetch_all(on).await?.iter().map(Row::first).collect()
    }
}

impl Done {
    /// How many rows it has changed.
    pub(in crate::store) fn rows_affected(&self) -> u64 {
        self.0
    }
}

/// Waits for an answer, but not forever.
pub(super) async fn in_time<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = |_| Err(io::Error::new(io::ErrorKind::TimedOut, "the database does not answer").into());
    tokio::time::timeout(ANSWER, answer).await.unwrap_or_else(late)
}

/// The same of each row.
fn in_time_each<'e, T: Send + 'e>(
    rows: BoxStream<'e, Result<T, sqlx::Error>>,
) -> impl Stream<Item = Result<T, sqlx::Error>> + Send + 'e {
    stream::try_unfold(rows, async |mut rows| Ok(in_time(rows.try_next()).await?.map(|row| (row, rows))))
}

impl<'e> From<&'e mut Connection> for On<'e> {
    fn from(connection: &'e mut Connection) -> Self {
        Self::Connection(connection)
    }
}

impl<'e> From<&'e Pool> for On<'e> {
    fn from(pool: &'e Pool) -> Self {
        Self::Pool(pool)
    }
}

impl From<sqlx::postgres::PgQueryResult> for Done {
    fn from(done: sqlx::postgres::PgQueryResult) -> Self {
        Self(done.rows_affected())
    }
}

impl From<sqlx::sqlite::SqliteQueryResult> for Done {
    fn from(done: sqlx::sqlite::SqliteQueryResult) -> Self {
        Self(done.rows_affected())
    }
}

/// A row or none, of either kind.
struct Maybe(Option<Row>);

impl From<Option<sqlx::postgres::PgRow>> for Maybe {
    fn from(found: Option<sqlx::postgres::PgRow>) -> Self {
        Self(found.map(Row::Postgres))
    }
}

impl From<Option<sqlx::sqlite::SqliteRow>> for Maybe {
    fn from(found: Option<sqlx::sqlite::SqliteRow>) -> Self {
        Self(found.map(Row::Sqlite))
    }
}

/// Rows of either kind.
struct All(Vec<Row>);

impl From<Vec<sqlx::postgres::PgRow>> for All {
    fn from(found: Vec<sqlx::postgres::PgRow>) -> Self {
        Self(found.into_iter().map(Row::Postgres).collect())
    }
}

impl From<Vec<sqlx::sqlite::SqliteRow>> for All {
    fn from(found: Vec<sqlx::sqlite::SqliteRow>) -> Self {
        Self(found.into_iter().map(Row::Sqlite).collect())
    }
}
