//! Rows of users, service IDs and trusted profiles: one table, because all are members and are named by policies.

use super::row::groups_of;
use super::write::Write;
use super::{SqlStore, api_key, policy, row, trusted_profile};
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ServiceId;
use crate::network::allow_list::Naming;
use crate::store::feed::ChangeKey;
use crate::store::identity::{PrincipalFacts, PrincipalRecord, ServiceIdentity, User};
use crate::store::{StoreError, sql};

/// Everything about one principal, and the feed's position, at one instant.
pub(super) async fn facts(store: &SqlStore, id: &PrincipalId) -> Result<Option<PrincipalFacts>, StoreError> {
    let name = id.to_string();
    let mut reading = store.readers.begin().await?;
    let as_of = super::feed::latest(&mut reading).await?;
    let select = sql::query(
        "select principal.*, email from principal left join trusted_profile on principal_id = id where id = ?1",
    );
    let select = select.bind(&name);
    let Some(found) = select.fetch_optional(&mut *reading).await? else { return Ok(None) };
    let record = match id {
        PrincipalId::Profile(_) => {
            let trust = trusted_profile::trusts(&mut reading, &name).await?;
            PrincipalRecord::Profile(trusted_profile::decode(&found)?, trust)
        }
        PrincipalId::Role(_) => {
            return Err(StoreError::Corrupt("a role in the table of principals".to_owned()));
        }
        PrincipalId::ServiceId(_) => PrincipalRecord::ServiceId(service_id(&found)?),
        PrincipalId::User(_) => PrincipalRecord::User(user(&found)?),
    };
    let keys = sql::query("select * from api_key where owner = ?1 order by created_at, id").bind(&name);
    let keys = keys.fetch_all(&mut *reading).await?;
    let now = store.clock.now().millis();
    let groups = sql::query(concat!("select * from ", groups_of!(), " as own order by group_id")).bind(&name);
    let groups = groups.bind(now).fetch_all(&mut *reading).await?;
    let until = sql::query_scalar::<Option<i64>>(
        "select min(ends_at) from claimed_membership where member = ?1 and ends_at > ?2",
    );
    let until = until.bind(&name).bind(now).fetch_one(&mut *reading).await?;
    let policies = sql::query(concat!(
        "select * from policy_with_roles where principal_id = ?1 or group_id in ",
        groups_of!(),
        " order by created_at, id",
    ));
    let policies = policies.bind(&name).bind(now).fetch_all(&mut *reading).await?;
    let key_lists = super::network::lists_of_keys(&mut reading, &name).await?;
    Ok(Some(PrincipalFacts {
        record,
        allow_list: super::network::list(&found, Naming::Addresses)?,
        key_lists,
        api_keys: keys.iter().map(api_key::decode).collect::<Result<_, _>>()?,
        groups: groups.iter().map(|group| row::parsed(group, "group_id")).collect::<Result<_, _>>()?,
        until: until.map(UnixTime::from_millis),
        policies: policies.iter().map(policy::decode).collect::<Result<_, _>>()?,
        as_of,
    }))
}

/// Inserts a user; its name must be free.
pub(super) async fn insert_user(connection: &mut sql::Connection, row: &User) -> Result<(), StoreError> {
    let insert = sql::query(
        "insert into principal \
         (id, kind, name, folded, description, active, locked, created_at, modified_at, version) \
         values (?1, 'user', ?2, ?3, '', ?4, false, ?5, ?6, ?7)",
    )
    .bind(row.id.as_str())
    .bind(&row.name)
    .bind(row.name.to_lowercase())
    .bind(row.active)
    .bind(row.stamp.created_at.millis())
    .bind(row.stamp.modified_at.millis())
    .bind(row.stamp.version);
    let done = insert.execute(connection).await;
    done.map_err(|error| StoreError::conflict(error, "a user of that name exists already"))?;
    Ok(())
}

/// Inserts a service ID.
pub(super) async fn insert_service_id(
    connection: &mut sql::Connection,
    row: &ServiceIdentity,
) -> Result<(), StoreError> {
    let insert = sql::query(
        "insert into principal \
         (id, kind, name, description, active, locked, created_at, modified_at, version) \
         values (?1, 'service_id', ?2, ?3, true, ?4, ?5, ?6, ?7)",
    )
    .bind(iam_id(&row.id))
    .bind(&row.name)
    .bind(&row.description)
    .bind(row.locked)
    .bind(row.stamp.created_at.millis())
    .bind(row.stamp.modified_at.millis())
    .bind(row.stamp.version);
    let done = insert.execute(connection).await;
    done.map_err(|error| StoreError::conflict(error, "that service ID exists already"))?;
    Ok(())
}

/// Replaces a service ID.
pub(super) async fn update_service_id(store: &SqlStore, row: &ServiceIdentity) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    let update = sql::query(
        "update principal set name = ?3, description = ?4, locked = ?5, created_at = ?6, modified_at = ?7, \
         version = ?2 where id = ?1 and version = ?2 - 1",
    )
    .bind(iam_id(&row.id))
    .bind(row.stamp.version)
    .bind(&row.name)
    .bind(&row.description)
    .bind(row.locked)
    .bind(row.stamp.created_at.millis())
    .bind(row.stamp.modified_at.millis());
    if update.execute(write.connection()).await?.rows_affected() == 0 {
        return Err(write.missed("select 1 from principal where id = ?1", &iam_id(&row.id)).await);
    }
    write.touch(ChangeKey::Principal(PrincipalId::ServiceId(row.id.clone())));
    write.commit().await
}

/// Removes a principal with all that is its own.
pub(super) async fn delete(store: &SqlStore, id: PrincipalId) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    remove(&mut write, id).await?;
    write.commit().await
}

/// Removes a principal with its keys, memberships, policies and tags; touches it and the groups that it leaves.
pub(super) async fn remove(write: &mut Write<'_>, id: PrincipalId) -> Result<(), StoreError> {
    let name = id.to_string();
    let select = sql::query(
        "select group_id from membership where member = ?1 \
         union select group_id from claimed_membership where member = ?1 order by group_id",
    );
    let select = select.bind(&name);
    let groups = select.fetch_all(write.connection()).await?;
    let delete = sql::query("delete from principal where id = ?1").bind(&name);
    if delete.execute(write.connection()).await?.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    write.touch(ChangeKey::Principal(id));
    for group in &groups {
        write.touch(ChangeKey::Group(row::parsed(group, "group_id")?));
    }
    Ok(())
}

/// Reads a user.
pub(super) fn user(found: &sql::Row) -> Result<User, StoreError> {
    Ok(User {
        id: row::parsed(found, "id")?,
        name: found.try_get("name")?,
        active: found.try_get("active")?,
        stamp: row::stamp(found)?,
    })
}

/// Reads a service ID.
pub(super) fn service_id(found: &sql::Row) -> Result<ServiceIdentity, StoreError> {
    let PrincipalId::ServiceId(id) = row::parsed(found, "id")? else {
        return Err(StoreError::Corrupt("the id of a user in the row of a service ID".to_owned()));
    };
    Ok(ServiceIdentity {
        id,
        name: found.try_get("name")?,
        description: found.try_get("description")?,
        locked: found.try_get("locked")?,
        stamp: row::stamp(found)?,
    })
}

/// A service ID as its row is keyed.
pub(super) fn iam_id(id: &ServiceId) -> String {
    PrincipalId::ServiceId(id.clone()).to_string()
}
