//! The lead over a database: an advisory lock that a connection of its own holds, and that ends with it.
//!
//! When a replica vanishes without a word, the server ends the connection after [`SILENCE`]; the replica itself gives the lead up
//! long before, when the server does not answer. So at most one is at work, unless a process was stopped in the middle.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::store::StoreError;
use crate::store::lead::Lead;

/// The lock.
const LEADER: i64 = 0x706f_7274_0000_0002;

/// The lock of those who compare what is there with rules, and change it then.
const GOVERNOR: i64 = 0x706f_7274_0000_0003;

/// How long the server may take to answer. After that nobody knows whether the lead is still ours.
const ANSWER: Duration = Duration::from_secs(3);

/// How long one waits for its turn: longer than the session's own limit, which a server that has vanished does not keep.
const TURN: Duration = Duration::from_secs(10);

/// What the server does when it hears nothing: version 14 and later end the session, earlier ones only one whose other end does
/// not answer the network any more.
const SILENCE: &str = "select set_config(name, case name when 'idle_session_timeout' then '10s' else '3' end, false) \
                       from pg_settings where name in ('idle_session_timeout', 'tcp_keepalives_idle', \
                       'tcp_keepalives_interval', 'tcp_keepalives_count')";

/// The lead.
#[derive(Debug)]
struct Held {
    connection: PgConnection,
}

#[async_trait]
impl Lead for Held {
    async fn check(&mut self) -> Result<(), StoreError> {
        in_time(self.connection.ping()).await
    }
}

/// Takes the lead; `None` while another connection has it. It is tried on the same connection again and again.
pub(super) async fn try_lead(
    server: &PgConnectOptions,
    spare: &Mutex<Option<PgConnection>>,
) -> Result<Option<Box<dyn Lead>>, StoreError> {
    let mut spare = spare.lock().await;
    let mut connection = match spare.take() {
        Some(connection) => connection,
        None => {
            let mut connection = in_time(server.connect()).await?;
            in_time(sqlx::query(SILENCE).execute(&mut connection)).await?;
            connection
        }
    };
    let take = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(LEADER);
    if in_time(take.fetch_one(&mut connection)).await? {
        return Ok(Some(Box::new(Held { connection })));
    }
    *spare = Some(connection);
    Ok(None)
}

/// Waits for its turn among those who compare and change.
pub(super) async fn exclusive(server: &PgConnectOptions) -> Result<Box<dyn Lead>, StoreError> {
    let mut connection = in_time(server.connect()).await?;
    // The session's limit for locks ends it.
    let lock = sqlx::query("select pg_advisory_lock($1)").bind(GOVERNOR).execute(&mut connection);
    let late = |_| StoreError::Unavailable("others are changing what is governed, and do not end".to_owned());
    timeout(TURN, lock).await.map_err(late)??;
    Ok(Box::new(Held { connection }))
}

async fn in_time<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    let late = |_| StoreError::Unavailable("the database does not answer".to_owned());
    Ok(timeout(ANSWER, answer).await.map_err(late)??)
}
