//! What must not be left when a row goes, and how much of something there may be: looked up by the write that asks.

use crate::store::aws::{AwsError, Quota, Remains};
use crate::store::sql;
use crate::store::tables::write::Write;

/// A statement that finds something by `?1`, and what has then remained.
pub(super) type Check = (&'static str, Remains);

pub(super) const ATTACHED: Check =
    ("select 1 from attachment where holder = ?1 limit 1", Remains::AttachedPolicies);
pub(super) const INLINE: Check =
    ("select 1 from inline_policy where holder = ?1 limit 1", Remains::InlinePolicies);

/// Refuses if one of the checks finds something of `key`.
pub(super) async fn refuse(write: &mut Write<'_>, key: &str, checks: &[Check]) -> Result<(), AwsError> {
    for (sql, remains) in checks {
        if sql::query(sql).bind(key).fetch_optional(write.connection()).await?.is_some() {
            return Err(AwsError::Remains(*remains));
        }
    }
    Ok(())
}

/// Refuses if `count`, a statement that counts by `?1`, now finds more than the quota.
pub(super) async fn admit(
    write: &mut Write<'_>,
    quota: Quota,
    count: &'static str,
    key: &str,
) -> Result<(), AwsError> {
    let found: i64 = sql::query_scalar(count).bind(key).fetch_one(write.connection()).await?;
    quota.admit(usize::try_from(found).unwrap_or(usize::MAX))
}
