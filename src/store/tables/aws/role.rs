//! Rows of roles.

use async_trait::async_trait;

use super::remains::{self, ATTACHED, INLINE};
use super::{boundary, tag};
use crate::clock::UnixTime;
use crate::ids::aws::RoleId;
use crate::ids::region::Region;
use crate::policy::aws::arn::{Name, Path};
use crate::store::aws::holder::{Actor, PolicyRef};
use crate::store::aws::role::{Role, Roles};
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::aws::text::DocumentText;
use crate::store::aws::{AwsError, Quota};
use crate::store::feed::ChangeKey;
use crate::store::identity::{Listed, Window};
use crate::store::tables::SqlStore;
use crate::store::tables::row::{self, List};
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

const UNDER: List<Role> = List {
    count: "select count(*) from role where substr(path, 1, length(?1)) = ?1",
    rows: "select * from role where substr(path, 1, length(?1)) = ?1 \
           order by created_at, id limit ?2 offset ?3",
    decode,
};

#[async_trait]
impl Roles for SqlStore {
    async fn role(&self, id: &RoleId) -> Result<Option<Role>, StoreError> {
        row::one(self, "select * from role where id = ?1", id.as_str(), decode).await
    }

    async fn role_named(&self, name: &Name) -> Result<Option<Role>, StoreError> {
        let folded = name.as_str().to_lowercase();
        row::one(self, "select * from role where folded = ?1", &folded, decode).await
    }

    async fn roles(&self, path_prefix: &str, window: Window) -> Result<Listed<Role>, StoreError> {
        UNDER.read(self, Some(path_prefix), window).await
    }

    async fn insert_role(
        &self,
        row: &Role,
        boundary: Option<&PolicyRef>,
        tags: &[Tag],
    ) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        insert(&mut write, row).await?;
        let actor = Actor::Role(row.id.clone());
        if let Some(policy) = boundary {
            boundary::put(&mut write, &actor, policy, row.stamp.created_at).await?;
        }
        tag::put(&mut write, &Tagged::Actor(actor), tags).await?;
        remains::admit(&mut write, Quota::Roles, "select count(*) from role", "").await?;
        write.touch(ChangeKey::Role(row.id.clone()));
        Ok(write.commit().await?)
    }

    async fn update_role(&self, row: &Role) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update role set trust = ?3, description = ?4, max_session = ?5, modified_at = ?6, version = ?2 \
             where id = ?1 and version = ?2 - 1",
        )
        .bind(row.id.as_str())
        .bind(row.stamp.version)
        .bind(row.trust.as_str())
        .bind(&row.description)
        .bind(row.max_session)
        .bind(row.stamp.modified_at.millis());
        if update.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(write.missed("select 1 from role where id = ?1", row.id.as_str()).await);
        }
        write.touch(ChangeKey::Role(row.id.clone()));
        write.commit().await
    }

    async fn delete_role(&self, id: &RoleId) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        remains::refuse(&mut write, id.as_str(), &[ATTACHED, INLINE]).await?;
        let delete = sql::query("delete from role where id = ?1").bind(id.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound.into());
        }
        write.touch(ChangeKey::Role(id.clone()));
        Ok(write.commit().await?)
    }

    async fn role_used(&self, id: &RoleId, at: UnixTime, region: &Region) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update role set last_used_at = ?2, last_used_region = ?3 \
             where id = ?1 and coalesce(last_used_at < ?2, true)",
        );
        let update = update.bind(id.as_str()).bind(at.millis()).bind(region.as_str());
        update.execute(write.connection()).await?;
        write.commit().await
    }
}

async fn insert(write: &mut Write<'_>, row: &Role) -> Result<(), StoreError> {
    let used = row.last_used.as_ref();
    let insert = sql::query(
        "insert into role (id, name, folded, path, trust, description, max_session, last_used_at, \
         last_used_region, created_at, modified_at, version) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )
    .bind(row.id.as_str())
    .bind(row.name.as_str())
    .bind(row.name.as_str().to_lowercase())
    .bind(row.path.as_str())
    .bind(row.trust.as_str())
    .bind(&row.description)
    .bind(row.max_session)
    .bind(used.map(|(at, _)| at.millis()))
    .bind(used.map(|(_, region)| region.as_str()))
    .bind(row.stamp.created_at.millis())
    .bind(row.stamp.modified_at.millis())
    .bind(row.stamp.version);
    let done = insert.execute(write.connection()).await;
    done.map_err(|error| StoreError::conflict(error, "a role of that name exists already"))?;
    Ok(())
}

fn decode(found: &sql::Row) -> Result<Role, StoreError> {
    let last_used = match row::time_if_any(found, "last_used_at")? {
        Some(at) => Some((at, row::parsed(found, "last_used_region")?)),
        None => None,
    };
    Ok(Role {
        id: row::parsed(found, "id")?,
        name: row::parsed_by(found, "name", Name::parse)?,
        path: row::parsed_by(found, "path", Path::parse)?,
        trust: DocumentText::stored(found.try_get("trust")?),
        description: found.try_get("description")?,
        max_session: row::count(found, "max_session")?,
        last_used,
        stamp: row::stamp(found)?,
    })
}
