//! Rows of lifecycle policies.

use async_trait::async_trait;

use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::store::aws::lifecycle::{Lifecycle, Lifecycles};
use crate::store::tables::SqlStore;
use crate::store::tables::row;
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

#[async_trait]
impl Lifecycles for SqlStore {
    async fn lifecycle(&self, region: &Region, name: &RepositoryName) -> Result<Lifecycle, StoreError> {
        let select = sql::query("select * from lifecycle where region = ?1 and repository = ?2");
        let found = select.bind(region.as_str()).bind(name.as_str()).fetch_optional(&self.readers).await?;
        let Some(found) = found else { return Ok(Lifecycle::default()) };
        let preview: Option<String> = found.try_get("preview")?;
        Ok(Lifecycle {
            policy: found.try_get("text")?,
            evaluated_at: row::time_if_any(&found, "evaluated_at")?,
            preview: preview.zip(row::time_if_any(&found, "previewed_at")?),
        })
    }

    async fn lifecycles(&self, region: &Region) -> Result<Vec<RepositoryName>, StoreError> {
        let select =
            "select repository from lifecycle where region = ?1 and text is not null order by repository";
        let found = sql::query(select).bind(region.as_str()).fetch_all(&self.readers).await?;
        found.iter().map(|found| row::parsed(found, "repository")).collect()
    }

    async fn put_lifecycle_policy(
        &self,
        region: &Region,
        name: &RepositoryName,
        text: Option<&str>,
    ) -> Result<(), StoreError> {
        let put = "insert into lifecycle (region, repository, text) select region, name, ?3 from repository \
                   where region = ?1 and name = ?2 \
                   on conflict (region, repository) do update set text = ?3, evaluated_at = null";
        change(self, sql::query(put).bind(region.as_str()).bind(name.as_str()).bind(text)).await
    }

    async fn put_lifecycle_preview(
        &self,
        region: &Region,
        name: &RepositoryName,
        text: &str,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let put = "insert into lifecycle (region, repository, preview, previewed_at) \
                   select region, name, ?3, ?4 from repository where region = ?1 and name = ?2 \
                   on conflict (region, repository) do update set preview = ?3, previewed_at = ?4";
        let put = sql::query(put).bind(region.as_str()).bind(name.as_str()).bind(text).bind(at.millis());
        change(self, put).await
    }

    async fn lifecycle_evaluated(
        &self,
        region: &Region,
        name: &RepositoryName,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let update = "update lifecycle set evaluated_at = ?3 where region = ?1 and repository = ?2";
        change(self, sql::query(update).bind(region.as_str()).bind(name.as_str()).bind(at.millis())).await
    }
}

async fn change(store: &SqlStore, sql: sql::Query) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    if sql.execute(write.connection()).await?.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    write.commit().await
}
