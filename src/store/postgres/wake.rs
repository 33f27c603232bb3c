//! Wakes: what other replicas have committed is told at once, if the connection holds.
//!
//! Nothing depends on a wake. Whoever misses one asks the feed half a second later.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::store::feed::Sequence;

/// What is listened to.
pub(super) const CHANNEL: &str = "portcullis_change";

/// How long nothing need be heard before the connection is asked for a sign of life.
const SILENCE: Duration = Duration::from_secs(30);

/// How long that may take, and how long to wait before a new connection is tried.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listens until it is aborted.
pub(super) async fn listen(pool: PgPool, committed: watch::Sender<Sequence>) {
    let mut failing = false;
    loop {
        let Err(error) = hear(&pool, &committed, &mut failing).await;
        if !failing {
            tracing::warn!(%error, "changes of other replicas are not told at once, but looked for");
        }
        failing = true;
        tokio::time::sleep(PATIENCE).await;
    }
}

/// Listens on one connection, until that fails.
async fn hear(
    pool: &PgPool,
    committed: &watch::Sender<Sequence>,
    failing: &mut bool,
) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    if std::mem::take(failing) {
        tracing::info!("changes of other replicas are told at once again");
    }
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(told) => {
                let told = told?.ok_or(sqlx::Error::WorkerCrashed)?;
                let latest = told.payload().parse().map(Sequence).unwrap_or_default();
                committed.send_modify(|known| *known = latest.max(*known));
            }
            Err(_) => {
                timeout(PATIENCE, listener.listen(CHANNEL)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?
            }
        }
    }
}
