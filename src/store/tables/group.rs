//! Rows of access groups and memberships.

use async_trait::async_trait;

use super::SqlStore;
use super::row::{self, List};
use super::write::Write;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::AccessGroupId;
use crate::store::feed::ChangeKey;
use crate::store::group::{AccessGroup, Groups, Membership};
use crate::store::identity::{Listed, Window};
use crate::store::{StoreError, sql};

const TAKEN: &str = "a group of that name exists already";

const ALL: List<AccessGroup> = List {
    count: "select count(*) from access_group",
    rows: "select * from access_group order by created_at, id limit ?2 offset ?3",
    decode,
};

const OF_MEMBER: List<AccessGroup> = List {
    count: "select count(*) from membership where member = ?1",
    rows: "select access_group.* from membership join access_group on id = group_id where member = ?1 \
           order by created_at, id limit ?2 offset ?3",
    decode,
};

const MEMBERS: List<Membership> = List {
    count: "select count(*) from membership where group_id = ?1",
    rows: "select * from membership where group_id = ?1 order by added_at, member limit ?2 offset ?3",
    decode: membership,
};

#[async_trait]
impl Groups for SqlStore {
    async fn group(&self, id: &AccessGroupId) -> Result<Option<AccessGroup>, StoreError> {
        row::one(self, "select * from access_group where id = ?1", id.as_str(), decode).await
    }

    async fn groups(
        &self,
        member: Option<&PrincipalId>,
        window: Window,
    ) -> Result<Listed<AccessGroup>, StoreError> {
        let list = if member.is_some() { OF_MEMBER } else { ALL };
        list.read(self, member.map(PrincipalId::to_string).as_deref(), window).await
    }

    async fn insert_group(&self, group: &AccessGroup) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        insert(&mut write, group).await?;
        write.commit().await
    }

    async fn update_group(&self, group: &AccessGroup) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        update(&mut write, group).await?;
        write.commit().await
    }

    async fn delete_group(&self, id: &AccessGroupId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        remove(&mut write, id).await?;
        write.commit().await
    }

    async fn members(&self, group: &AccessGroupId, window: Window) -> Result<Listed<Membership>, StoreError> {
        MEMBERS.read(self, Some(group.as_str()), window).await
    }

    async fn insert_member(&self, group: &AccessGroupId, member: &Membership) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        join(&mut write, group, member).await?;
        write.commit().await
    }

    async fn delete_member(&self, group: &AccessGroupId, member: &PrincipalId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from membership where group_id = ?1 and member = ?2")
            .bind(group.as_str())
            .bind(member.to_string());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::Group(group.clone()));
        write.touch(ChangeKey::Principal(member.clone()));
        write.commit().await
    }
}

/// Inserts a group; its name must be free.
pub(super) async fn insert(write: &mut Write<'_>, group: &AccessGroup) -> Result<(), StoreError> {
    let insert = "insert into access_group \
        (id, version, name, folded, description, created_at, modified_at) \
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let done = bound(insert, group).execute(write.connection()).await;
    done.map_err(|error| StoreError::conflict(error, TAKEN))?;
    write.touch(ChangeKey::Group(group.id.clone()));
    Ok(())
}

/// Replaces a group of the version before.
pub(super) async fn update(write: &mut Write<'_>, group: &AccessGroup) -> Result<(), StoreError> {
    let update = "update access_group set name = ?3, folded = ?4, description = ?5, created_at = ?6, \
        modified_at = ?7, version = ?2 where id = ?1 and version = ?2 - 1";
    let done = bound(update, group).execute(write.connection()).await;
    let done = done.map_err(|error| StoreError::conflict(error, TAKEN))?;
    if done.rows_affected() == 0 {
        return Err(write.missed("select 1 from access_group where id = ?1", group.id.as_str()).await);
    }
    write.touch(ChangeKey::Group(group.id.clone()));
    Ok(())
}

/// Removes a group with its memberships and policies; touches it and its members.
pub(super) async fn remove(write: &mut Write<'_>, id: &AccessGroupId) -> Result<(), StoreError> {
    let select = sql::query(
        "select member from membership where group_id = ?1 \
         union select member from claimed_membership where group_id = ?1 order by member",
    );
    let members = select.bind(id.as_str()).fetch_all(write.connection()).await?;
    let delete = sql::query("delete from access_group where id = ?1").bind(id.as_str());
    if delete.execute(write.connection()).await?.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    write.touch(ChangeKey::Group(id.clone()));
    for member in &members {
        write.touch(ChangeKey::Principal(row::parsed(member, "member")?));
    }
    Ok(())
}

/// Adds a member.
pub(super) async fn join(
    write: &mut Write<'_>,
    group: &AccessGroupId,
    member: &Membership,
) -> Result<(), StoreError> {
    let insert =
        sql::query("insert into membership (group_id, member, added_at, added_by) values (?1, ?2, ?3, ?4)")
            .bind(group.as_str())
            .bind(member.member.to_string())
            .bind(member.added_at.millis())
            .bind(member.added_by.to_string());
    let done = insert.execute(write.connection()).await;
    done.map_err(|error| StoreError::conflict(error, "it is a member already"))?;
    write.touch(ChangeKey::Group(group.clone()));
    write.touch(ChangeKey::Principal(member.member.clone()));
    Ok(())
}

fn bound(sql: &'static str, group: &AccessGroup) -> sql::Query {
    sql::query(sql)
        .bind(group.id.as_str())
        .bind(group.stamp.version)
        .bind(&group.name)
        .bind(group.name.to_lowercase())
        .bind(&group.description)
        .bind(group.stamp.created_at.millis())
        .bind(group.stamp.modified_at.millis())
}

/// Reads a group.
pub(super) fn decode(found: &sql::Row) -> Result<AccessGroup, StoreError> {
    Ok(AccessGroup {
        id: row::parsed(found, "id")?,
        name: found.try_get("name")?,
        description: found.try_get("description")?,
        stamp: row::stamp(found)?,
    })
}

fn membership(found: &sql::Row) -> Result<Membership, StoreError> {
    Ok(Membership {
        member: row::parsed(found, "member")?,
        added_at: row::time(found, "added_at")?,
        added_by: row::parsed(found, "added_by")?,
    })
}
