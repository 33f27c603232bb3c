//! What became of a transaction whose commit was not answered: the server knows, when it can be asked again.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::store::sql;

/// How long it is asked. After that the change is in doubt, and whoever made it is told so.
const ASKED: Duration = Duration::from_secs(6);

/// How often.
const EVERY: Duration = Duration::from_millis(50);

/// The number under which the server knows the transaction, if it has changed anything.
pub(super) async fn number(write: &mut sql::Connection) -> Result<Option<i64>, sqlx::Error> {
    sql::query_scalar::<Option<i64>>("select txid_current_if_assigned()").fetch_one(write).await
}

/// Whether that transaction was committed; `None` if nobody can tell in time.
pub(super) async fn outcome(pool: &sql::Pool, number: i64) -> Option<bool> {
    let deadline = Instant::now() + ASKED;
    while Instant::now() < deadline {
        let ask = sql::query_scalar::<Option<String>>("select txid_status(?1)").bind(number);
        match timeout_at(deadline, ask.fetch_one(pool)).await.ok()? {
            Ok(Some(said)) if said == "committed" => return Some(true),
            Ok(Some(said)) if said == "aborted" => return Some(false),
            // It is so long ago that the server has forgotten.
            Ok(None) => return None,
            // Still in progress, or still not reachable.
            Ok(Some(_)) | Err(_) => sleep(EVERY).await,
        }
    }
    None
}
