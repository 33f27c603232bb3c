//! Rows of users, with the columns of AWS's dialect.

use async_trait::async_trait;

use super::remains::{self, ATTACHED, Check, INLINE};
use super::{boundary, tag};
use crate::ids::aws::UserUniqueId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::UserId;
use crate::policy::aws::arn::Path;
use crate::store::aws::holder::{Actor, PolicyRef};
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::aws::user::{AwsUser, AwsUsers};
use crate::store::aws::{AwsError, Quota, Remains};
use crate::store::feed::ChangeKey;
use crate::store::identity::{Listed, Window};
use crate::store::tables::row::{self, List};
use crate::store::tables::write::Write;
use crate::store::tables::{SqlStore, principal};
use crate::store::{StoreError, sql};

const UNDER: List<AwsUser> = List {
    count: "select count(*) from principal where kind = 'user' and substr(path, 1, length(?1)) = ?1",
    rows: "select * from principal where kind = 'user' and substr(path, 1, length(?1)) = ?1 \
           order by created_at, id limit ?2 offset ?3",
    decode,
};

/// What a user that is to go may not have.
const EMPTY: [Check; 6] = [
    ("select 1 from membership where member = ?1 limit 1", Remains::Memberships),
    ("select 1 from access_key where owner = ?1 limit 1", Remains::Credentials),
    ("select 1 from api_key where owner = ?1 limit 1", Remains::Credentials),
    ATTACHED,
    INLINE,
    ("select 1 from policy where principal_id = ?1 limit 1", Remains::AccessPolicies),
];

#[async_trait]
impl AwsUsers for SqlStore {
    async fn aws_user(&self, id: &UserId) -> Result<Option<AwsUser>, StoreError> {
        row::one(self, "select * from principal where id = ?1", id.as_str(), decode).await
    }

    async fn aws_user_named(&self, name: &str) -> Result<Option<AwsUser>, StoreError> {
        let select = "select * from principal where folded = ?1 and kind = 'user'";
        row::one(self, select, &name.to_lowercase(), decode).await
    }

    async fn principal_of(&self, id: &UserUniqueId) -> Result<Option<PrincipalId>, StoreError> {
        let select = "select id from principal where unique_id = ?1";
        row::one(self, select, id.as_str(), |found| row::parsed(found, "id")).await
    }

    async fn aws_users(&self, path_prefix: &str, window: Window) -> Result<Listed<AwsUser>, StoreError> {
        UNDER.read(self, Some(path_prefix), window).await
    }

    async fn insert_aws_user(
        &self,
        row: &AwsUser,
        boundary: Option<&PolicyRef>,
        tags: &[Tag],
    ) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        principal::insert_user(write.connection(), &row.user).await?;
        let update = sql::query("update principal set path = ?2 where id = ?1");
        update.bind(row.user.id.as_str()).bind(row.path.as_str()).execute(write.connection()).await?;
        let actor = actor(&row.user.id);
        if let Some(policy) = boundary {
            boundary::put(&mut write, &actor, policy, row.user.stamp.created_at).await?;
        }
        tag::put(&mut write, &Tagged::Actor(actor), tags).await?;
        let count = "select count(*) from principal where kind = 'user'";
        remains::admit(&mut write, Quota::Users, count, "").await?;
        write.touch(ChangeKey::Principal(PrincipalId::User(row.user.id.clone())));
        Ok(write.commit().await?)
    }

    async fn update_aws_user(&self, row: &AwsUser) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let user = &row.user;
        let update = sql::query(
            "update principal set name = ?3, folded = ?4, active = ?5, path = ?6, created_at = ?7, \
             modified_at = ?8, version = ?2 where id = ?1 and version = ?2 - 1",
        )
        .bind(user.id.as_str())
        .bind(user.stamp.version)
        .bind(&user.name)
        .bind(user.name.to_lowercase())
        .bind(user.active)
        .bind(row.path.as_str())
        .bind(user.stamp.created_at.millis())
        .bind(user.stamp.modified_at.millis());
        let done = update.execute(write.connection()).await;
        let done = done.map_err(|error| StoreError::conflict(error, "a user of that name exists already"))?;
        if done.rows_affected() == 0 {
            return Err(write.missed("select 1 from principal where id = ?1", user.id.as_str()).await);
        }
        write.touch(ChangeKey::Principal(PrincipalId::User(user.id.clone())));
        write.commit().await
    }

    async fn delete_aws_user(&self, id: &UserId) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        remains::refuse(&mut write, id.as_str(), &EMPTY).await?;
        principal::remove(&mut write, PrincipalId::User(id.clone())).await?;
        Ok(write.commit().await?)
    }
}

fn actor(id: &UserId) -> Actor {
    Actor::Principal(PrincipalId::User(id.clone()))
}

fn decode(found: &sql::Row) -> Result<AwsUser, StoreError> {
    Ok(AwsUser { user: principal::user(found)?, path: row::parsed_by(found, "path", Path::parse)? })
}
