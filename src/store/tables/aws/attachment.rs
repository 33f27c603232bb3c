//! Rows of attachments.

use async_trait::async_trait;

use super::{holder, remains};
use crate::clock::UnixTime;
use crate::store::aws::attachment::{AttachedPolicy, Attachments, PolicyHolder};
use crate::store::aws::holder::{Holder, PolicyRef};
use crate::store::aws::managed_policy::Usage;
use crate::store::aws::{AwsError, Quota};
use crate::store::identity::{Listed, Window};
use crate::store::tables::SqlStore;
use crate::store::tables::row::List;
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

/// From the holder to the policies whose path begins with `?4`. What an ARN of AWS's begins with has 23 characters.
macro_rules! attached {
    ($columns:literal, $end:literal) => {
        concat!(
            "select ",
            $columns,
            " from attachment left join managed_policy on id = policy_id \
             where holder = ?1 and substr(coalesce(path, substr(policy_arn, 24)), 1, length(?4)) = ?4",
            $end
        )
    };
}

const ATTACHED: List<AttachedPolicy> = List {
    count: attached!("count(*)", ""),
    rows: attached!("policy_id, policy_arn, path, name", " order by attached_at, policy limit ?2 offset ?3"),
    decode: holder::attached,
};

const ATTACHED_TO: List<PolicyHolder> = List {
    count: "select count(*) from attachment where policy = ?1",
    rows: "select group_id, principal_id, role_id, coalesce(g.name, p.name, r.name) as name from attachment \
           left join access_group g on g.id = group_id left join principal p on p.id = principal_id \
           left join role r on r.id = role_id \
           where policy = ?1 order by attached_at, holder limit ?2 offset ?3",
    decode,
};

const BOUNDED_BY: List<PolicyHolder> = List {
    count: "select count(*) from boundary where policy = ?1",
    rows: "select null as group_id, principal_id, role_id, coalesce(p.name, r.name) as name from boundary \
           left join principal p on p.id = principal_id left join role r on r.id = role_id \
           where policy = ?1 order by attached_at, holder limit ?2 offset ?3",
    decode,
};

#[async_trait]
impl Attachments for SqlStore {
    async fn attached(
        &self,
        holder: &Holder,
        path_prefix: &str,
        window: Window,
    ) -> Result<Listed<AttachedPolicy>, StoreError> {
        let key = holder::key(holder);
        ATTACHED.read_both(self, (Some(&key), Some(path_prefix)), window).await
    }

    async fn holders(
        &self,
        policy: &PolicyRef,
        usage: Usage,
        window: Window,
    ) -> Result<Listed<PolicyHolder>, StoreError> {
        let list = match usage {
            Usage::Boundary => BOUNDED_BY,
            Usage::Permissions => ATTACHED_TO,
        };
        list.read(self, Some(&holder::policy_key(policy)), window).await
    }

    async fn attach(&self, holder: &Holder, policy: &PolicyRef, now: UnixTime) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        if !insert(write.connection(), holder, policy, now).await? {
            return Ok(());
        }
        let quota = Quota::AttachedPolicies(holder.owner());
        let count = "select count(*) from attachment where holder = ?1";
        remains::admit(&mut write, quota, count, &holder::key(holder)).await?;
        write.touch(holder.key());
        Ok(write.commit().await?)
    }

    async fn detach(&self, holder: &Holder, policy: &PolicyRef) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from attachment where holder = ?1 and policy = ?2")
            .bind(holder::key(holder))
            .bind(holder::policy_key(policy));
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(holder.key());
        write.commit().await
    }
}

/// Attaches a policy; `false` if it was attached already.
pub(in crate::store::tables) async fn insert(
    connection: &mut sql::Connection,
    holder: &Holder,
    policy: &PolicyRef,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let [group, principal, role] = holder::columns(holder);
    let [id, arn] = holder::policy_columns(policy);
    let insert = sql::query(
        "insert into attachment (group_id, principal_id, role_id, policy_id, policy_arn, attached_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (holder, policy) do nothing",
    );
    let insert = insert.bind(group).bind(principal).bind(role).bind(id).bind(arn).bind(now.millis());
    Ok(insert.execute(connection).await?.rows_affected() > 0)
}

fn decode(found: &sql::Row) -> Result<PolicyHolder, StoreError> {
    Ok(PolicyHolder { holder: holder::holder(found)?, name: found.try_get("name")? })
}
