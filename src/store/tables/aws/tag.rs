//! Rows of tags.

use async_trait::async_trait;

use super::{holder, remains};
use crate::store::aws::holder::Actor;
use crate::store::aws::tag::{Tag, Tagged, Tags};
use crate::store::aws::{AwsError, Quota};
use crate::store::tables::SqlStore;
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

#[async_trait]
impl Tags for SqlStore {
    async fn tags(&self, of: &Tagged) -> Result<Vec<Tag>, StoreError> {
        read(&mut *self.readers.begin().await?, of).await
    }

    async fn tag(&self, of: &Tagged, tags: &[Tag]) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        put(&mut write, of, tags).await?;
        Ok(write.commit().await?)
    }

    async fn untag(&self, of: &Tagged, keys: &[String]) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        for key in keys {
            let delete = sql::query("delete from tag where owner = ?1 and folded = ?2");
            let delete = delete.bind(owner(of)).bind(of.folded(key));
            if delete.execute(write.connection()).await?.rows_affected() > 0 {
                write.touch(of.key());
            }
        }
        write.commit().await
    }
}

/// The tags of one thing, by key.
pub(super) async fn read(connection: &mut sql::Connection, of: &Tagged) -> Result<Vec<Tag>, StoreError> {
    let select = sql::query("select key, value from tag where owner = ?1 order by key").bind(owner(of));
    select.fetch_all(connection).await?.iter().map(decode).collect()
}

/// Sets tags; touches what they are of.
pub(super) async fn put(write: &mut Write<'_>, of: &Tagged, tags: &[Tag]) -> Result<(), AwsError> {
    for tag in tags {
        let upsert = sql::query(
            "insert into tag (principal_id, role_id, policy_id, provider, region, repository, key, folded, value) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
             on conflict (owner, folded) do update set key = excluded.key, value = excluded.value",
        );
        let upsert = columns(of).into_iter().fold(upsert, sql::Query::bind);
        let upsert = upsert.bind(tag.key()).bind(of.folded(tag.key())).bind(tag.value());
        upsert.execute(write.connection()).await?;
        write.touch(of.key());
    }
    remains::admit(write, Quota::Tags, "select count(*) from tag where owner = ?1", &owner(of)).await
}

/// The columns of what is tagged, in the order of the statement above.
fn columns(of: &Tagged) -> [Option<String>; 6] {
    match of {
        Tagged::Actor(Actor::Principal(id)) => [Some(id.to_string()), None, None, None, None, None],
        Tagged::Actor(Actor::Role(id)) => [None, Some(id.to_string()), None, None, None, None],
        Tagged::Policy(id) => [None, None, Some(id.to_string()), None, None, None],
        Tagged::Provider(url) => [None, None, None, Some(url.to_string()), None, None],
        Tagged::Repository(region, name) => {
            [None, None, None, None, Some(region.to_string()), Some(name.to_string())]
        }
    }
}

/// The column `owner`.
fn owner(of: &Tagged) -> String {
    match of {
        Tagged::Actor(actor) => holder::actor_key(actor),
        Tagged::Policy(id) => id.to_string(),
        Tagged::Provider(url) => url.to_string(),
        Tagged::Repository(region, name) => format!("/{region}/{name}"),
    }
}

fn decode(found: &sql::Row) -> Result<Tag, StoreError> {
    let (key, value): (&str, &str) = (found.try_get("key")?, found.try_get("value")?);
    Tag::parse(key, value).map_err(|error| StoreError::Corrupt(format!("tag: {error}")))
}
