//! Rows of repositories.

use async_trait::async_trait;

use super::tag;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::store::aws::AwsError;
use crate::store::aws::repository::{Mutability, Repositories, Repository};
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::aws::text::DocumentText;
use crate::store::feed::ChangeKey;
use crate::store::identity::{Listed, Window};
use crate::store::tables::SqlStore;
use crate::store::tables::registry::has_repository_policies;
use crate::store::tables::row::{self, List};
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

const OF_REGISTRY: List<Repository> = List {
    count: "select count(*) from repository where region = ?1",
    rows: "select * from repository where region = ?1 order by created_at, name limit ?2 offset ?3",
    decode,
};

#[async_trait]
impl Repositories for SqlStore {
    async fn repository(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<Option<Repository>, StoreError> {
        let select = sql::query("select * from repository where region = ?1 and name = ?2");
        let select = select.bind(region.as_str()).bind(name.as_str());
        select.fetch_optional(&self.readers).await?.as_ref().map(decode).transpose()
    }

    async fn repositories(&self, region: &Region, window: Window) -> Result<Listed<Repository>, StoreError> {
        OF_REGISTRY.read(self, Some(region.as_str()), window).await
    }

    async fn insert_repository(&self, row: &Repository, tags: &[Tag]) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        let insert = sql::query(
            "insert into repository (region, name, mutability, exclusions, created_at, scan_on_push) \
             values (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(row.region.as_str())
        .bind(row.name.as_str())
        .bind(row.mutability.as_str())
        .bind(row::written(&row.exclusions)?)
        .bind(row.created_at.millis())
        .bind(row.scan_on_push);
        let done = insert.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "that repository exists already"))?;
        tag::put(&mut write, &Tagged::Repository(row.region.clone(), row.name.clone()), tags).await?;
        let namespace = sql::query(
            "insert into namespace (region, name, created_at) values (?1, ?2, ?3) on conflict do nothing",
        )
        .bind(row.region.as_str())
        .bind(row.name.namespace())
        .bind(row.created_at.millis());
        if namespace.execute(write.connection()).await?.rows_affected() > 0 {
            write.touch(ChangeKey::Registry(row.region.clone()));
        }
        write.touch(ChangeKey::Repository(row.region.clone(), row.name.clone()));
        Ok(write.commit().await?)
    }

    async fn delete_repository(&self, region: &Region, name: &RepositoryName) -> Result<(), StoreError> {
        change(self, (region, name), "delete from repository where region = ?1 and name = ?2", [None; 2])
            .await
    }

    async fn put_mutability(
        &self,
        region: &Region,
        name: &RepositoryName,
        mutability: Mutability,
        exclusions: &[String],
    ) -> Result<(), StoreError> {
        let update = "update repository set mutability = ?3, exclusions = ?4 where region = ?1 and name = ?2";
        let exclusions = row::written(exclusions)?;
        change(self, (region, name), update, [Some(mutability.as_str()), Some(&exclusions)]).await
    }

    async fn put_scan_on_push(
        &self,
        region: &Region,
        name: &RepositoryName,
        scan: bool,
    ) -> Result<(), StoreError> {
        let update = "update repository set scan_on_push = ?3 = 'on' where region = ?1 and name = ?2";
        change(self, (region, name), update, [Some(if scan { "on" } else { "off" }), None]).await
    }

    async fn put_repository_policy(
        &self,
        region: &Region,
        name: &RepositoryName,
        policy: Option<&DocumentText>,
    ) -> Result<(), StoreError> {
        let update = "update repository set policy = ?3 where region = ?1 and name = ?2";
        change(self, (region, name), update, [policy.map(DocumentText::as_str), None]).await
    }
}

/// Runs a statement on one repository, with `?3` and `?4`; touches it, and the registry if that now has policies of
/// repositories and had none before, or the reverse.
async fn change(
    store: &SqlStore,
    (region, name): (&Region, &RepositoryName),
    sql: &'static str,
    [third, fourth]: [Option<&str>; 2],
) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    let before = has_repository_policies(write.connection(), region).await?;
    let change = sql::query(sql).bind(region.as_str()).bind(name.as_str()).bind(third).bind(fourth);
    if change.execute(write.connection()).await?.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    if has_repository_policies(write.connection(), region).await? != before {
        write.touch(ChangeKey::Registry(region.clone()));
    }
    write.touch(ChangeKey::Repository(region.clone(), name.clone()));
    write.commit().await
}

/// Reads a repository.
pub(super) fn decode(found: &sql::Row) -> Result<Repository, StoreError> {
    Ok(Repository {
        region: row::parsed(found, "region")?,
        name: row::parsed(found, "name")?,
        mutability: row::parsed(found, "mutability")?,
        exclusions: row::texts(found.try_get("exclusions")?)?,
        scan_on_push: found.try_get("scan_on_push")?,
        created_at: row::time(found, "created_at")?,
    })
}
