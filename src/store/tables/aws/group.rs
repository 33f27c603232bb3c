//! Rows of groups, with the columns of AWS's dialect.

use async_trait::async_trait;

use super::remains::{self, ATTACHED, Check, INLINE};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::AccessGroupId;
use crate::policy::aws::arn::Path;
use crate::store::aws::group::{AwsGroup, AwsGroups};
use crate::store::aws::{AwsError, Quota, Remains};
use crate::store::group::Membership;
use crate::store::identity::{Listed, Window};
use crate::store::tables::row::{self, List};
use crate::store::tables::write::Write;
use crate::store::tables::{SqlStore, group};
use crate::store::{StoreError, sql};

const UNDER: List<AwsGroup> = List {
    count: "select count(*) from access_group where substr(path, 1, length(?1)) = ?1",
    rows: "select * from access_group where substr(path, 1, length(?1)) = ?1 \
           order by created_at, id limit ?2 offset ?3",
    decode,
};

const OF_MEMBER: List<AwsGroup> = List {
    count: "select count(*) from membership where member = ?1",
    rows: "select access_group.* from membership join access_group on id = group_id where member = ?1 \
           order by created_at, id limit ?2 offset ?3",
    decode,
};

/// What a group that is to go may not have.
const EMPTY: [Check; 4] = [
    ("select 1 from membership where group_id = ?1 limit 1", Remains::Members),
    ATTACHED,
    INLINE,
    ("select 1 from policy where group_id = ?1 limit 1", Remains::AccessPolicies),
];

#[async_trait]
impl AwsGroups for SqlStore {
    async fn aws_group_named(&self, name: &str) -> Result<Option<AwsGroup>, StoreError> {
        row::one(self, "select * from access_group where folded = ?1", &name.to_lowercase(), decode).await
    }

    async fn aws_groups(&self, path_prefix: &str, window: Window) -> Result<Listed<AwsGroup>, StoreError> {
        UNDER.read(self, Some(path_prefix), window).await
    }

    async fn aws_groups_of(
        &self,
        member: &PrincipalId,
        window: Window,
    ) -> Result<Listed<AwsGroup>, StoreError> {
        OF_MEMBER.read(self, Some(&member.to_string()), window).await
    }

    async fn insert_aws_group(&self, row: &AwsGroup) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        group::insert(&mut write, &row.group).await?;
        file(&mut write, row).await?;
        remains::admit(&mut write, Quota::Groups, "select count(*) from access_group", "").await?;
        Ok(write.commit().await?)
    }

    async fn update_aws_group(&self, row: &AwsGroup) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        group::update(&mut write, &row.group).await?;
        file(&mut write, row).await?;
        write.commit().await
    }

    async fn delete_aws_group(&self, id: &AccessGroupId) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        remains::refuse(&mut write, id.as_str(), &EMPTY).await?;
        group::remove(&mut write, id).await?;
        Ok(write.commit().await?)
    }

    async fn join_aws_group(&self, id: &AccessGroupId, member: &Membership) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        let name = member.member.to_string();
        let select = sql::query("select 1 from membership where group_id = ?1 and member = ?2");
        let found = select.bind(id.as_str()).bind(&name).fetch_optional(write.connection()).await?;
        if found.is_some() {
            return Ok(());
        }
        group::join(&mut write, id, member).await?;
        let count = "select count(*) from membership where member = ?1";
        remains::admit(&mut write, Quota::GroupsPerUser, count, &name).await?;
        Ok(write.commit().await?)
    }
}

/// Writes what only AWS's dialect has.
async fn file(write: &mut Write<'_>, row: &AwsGroup) -> Result<(), StoreError> {
    let update = sql::query("update access_group set path = ?2 where id = ?1");
    update.bind(row.group.id.as_str()).bind(row.path.as_str()).execute(write.connection()).await?;
    Ok(())
}

fn decode(found: &sql::Row) -> Result<AwsGroup, StoreError> {
    Ok(AwsGroup { group: group::decode(found)?, path: row::parsed_by(found, "path", Path::parse)? })
}
