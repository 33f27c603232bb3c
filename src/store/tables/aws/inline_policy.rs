//! Rows of inline policies.

use async_trait::async_trait;

use super::holder;
use crate::policy::aws::arn::Name;
use crate::policy::aws::kind::size;
use crate::store::aws::holder::Holder;
use crate::store::aws::inline_policy::{InlinePolicies, InlinePolicy};
use crate::store::aws::text::DocumentText;
use crate::store::aws::{AwsError, Quota};
use crate::store::identity::{Listed, Window};
use crate::store::tables::SqlStore;
use crate::store::tables::row::{self, List};
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

const OF_HOLDER: List<InlinePolicy> = List {
    count: "select count(*) from inline_policy where holder = ?1",
    rows: "select * from inline_policy where holder = ?1 order by name limit ?2 offset ?3",
    decode,
};

#[async_trait]
impl InlinePolicies for SqlStore {
    async fn inline_policy(&self, of: &Holder, name: &Name) -> Result<Option<InlinePolicy>, StoreError> {
        let select = sql::query("select * from inline_policy where holder = ?1 and name = ?2");
        let select = select.bind(holder::key(of)).bind(name.as_str());
        select.fetch_optional(&self.readers).await?.as_ref().map(decode).transpose()
    }

    async fn inline_policies(&self, of: &Holder, window: Window) -> Result<Listed<InlinePolicy>, StoreError> {
        OF_HOLDER.read(self, Some(&holder::key(of)), window).await
    }

    async fn put_inline_policy(&self, of: &Holder, policy: &InlinePolicy) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        let [group, principal, role] = holder::columns(of);
        let upsert = sql::query(
            "insert into inline_policy (group_id, principal_id, role_id, name, document) \
             values (?1, ?2, ?3, ?4, ?5) on conflict (holder, name) do update set document = excluded.document",
        );
        let upsert = upsert.bind(group).bind(principal).bind(role);
        let upsert = upsert.bind(policy.name.as_str()).bind(policy.document.as_str());
        upsert.execute(write.connection()).await?;
        let select = sql::query_scalar("select document from inline_policy where holder = ?1");
        let all: Vec<String> = select.bind(holder::key(of)).fetch_all(write.connection()).await?;
        Quota::InlineSize(of.owner()).admit(all.iter().map(|text| size(text)).sum())?;
        write.touch(of.key());
        Ok(write.commit().await?)
    }

    async fn delete_inline_policy(&self, of: &Holder, name: &Name) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from inline_policy where holder = ?1 and name = ?2");
        let delete = delete.bind(holder::key(of)).bind(name.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(of.key());
        write.commit().await
    }
}

fn decode(found: &sql::Row) -> Result<InlinePolicy, StoreError> {
    Ok(InlinePolicy {
        name: row::parsed_by(found, "name", Name::parse)?,
        document: DocumentText::stored(found.try_get("document")?),
    })
}
