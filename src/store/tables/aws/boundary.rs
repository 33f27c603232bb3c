//! Rows of permissions boundaries.

use async_trait::async_trait;

use super::holder;
use crate::clock::UnixTime;
use crate::store::aws::attachment::AttachedPolicy;
use crate::store::aws::boundary::Boundaries;
use crate::store::aws::holder::{Actor, Holder, PolicyRef};
use crate::store::tables::SqlStore;
use crate::store::tables::row;
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

#[async_trait]
impl Boundaries for SqlStore {
    async fn boundary(&self, of: &Actor) -> Result<Option<AttachedPolicy>, StoreError> {
        let select = "select policy_id, policy_arn, path, name from boundary \
                      left join managed_policy on id = policy_id where holder = ?1";
        row::one(self, select, &holder::actor_key(of), holder::attached).await
    }

    async fn put_boundary(&self, of: &Actor, policy: &PolicyRef, now: UnixTime) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        put(&mut write, of, policy, now).await?;
        write.commit().await
    }

    async fn delete_boundary(&self, of: &Actor) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from boundary where holder = ?1").bind(holder::actor_key(of));
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(Holder::from(of.clone()).key());
        write.commit().await
    }
}

/// Sets or replaces a boundary; touches whom it bounds.
pub(super) async fn put(
    write: &mut Write<'_>,
    of: &Actor,
    policy: &PolicyRef,
    now: UnixTime,
) -> Result<(), StoreError> {
    let holder = Holder::from(of.clone());
    let [_, principal, role] = holder::columns(&holder);
    let [id, arn] = holder::policy_columns(policy);
    let upsert = sql::query(
        "insert into boundary (principal_id, role_id, policy_id, policy_arn, attached_at) \
         values (?1, ?2, ?3, ?4, ?5) on conflict (holder) do update set \
         policy_id = excluded.policy_id, policy_arn = excluded.policy_arn, attached_at = excluded.attached_at",
    );
    let upsert = upsert.bind(principal).bind(role).bind(id).bind(arn).bind(now.millis());
    upsert.execute(write.connection()).await?;
    write.touch(holder.key());
    Ok(())
}
