//! What became of a transaction whose commit was not answered: the server knows, when it can be asked again.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::store::feed::Sequence;
use crate::store::sql;

/// How long it is asked. After that the change is in doubt, and whoever made it is told so.
const ASKED: Duration = Duration::from_secs(6);

/// What a server says of numbers that it has not given yet: `invalid_parameter_value`.
const NO_SUCH: &str = "22023";

/// How often.
const EVERY: Duration = Duration::from_millis(50);

/// The number under which the server knows the transaction, if it has changed anything.
pub(super) async fn number(write: &mut sql::Connection) -> Result<Option<i64>, sqlx::Error> {
    sql::query_scalar::<Option<i64>>("select txid_current_if_assigned()").fetch_one(write).await
}

/// Whether that transaction was committed; `None` if nobody can tell in time.
///
/// A server that has crashed, or another that has taken its place, may not know the transaction and give its number to the next: it is
/// believed only where the change in the feed is there, too, by that very number.
pub(super) async fn outcome(pool: &sql::Pool, number: i64, latest: Option<Sequence>) -> Option<bool> {
    let deadline = Instant::now() + ASKED;
    while Instant::now() < deadline {
        let ask = sql::query_scalar::<Option<String>>("select txid_status(?1)").bind(number);
        match timeout_at(deadline, ask.fetch_one(pool)).await.ok()? {
            Ok(Some(said)) if said == "committed" => {
                let Some(latest) = latest else { return Some(true) };
                let left = "select exists (select 1 from change where seq = ?1 and xmin::text::bigint = ?2)";
                let left = sql::query_scalar::<bool>(left).bind(latest.0).bind(number & 0xffff_ffff);
                return timeout_at(deadline, left.fetch_one(pool)).await.ok()?.ok();
            }
            Ok(Some(said)) if said == "aborted" => return Some(false),
            // There has been no such transaction yet, where that server comes from.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_SUCH) => {
                return Some(false);
            }
            // It is so long ago that the server has forgotten.
            Ok(None) => return None,
            // Still in progress, or still not reachable.
            Ok(Some(_)) | Err(_) => sleep(EVERY).await,
        }
    }
    None
}
