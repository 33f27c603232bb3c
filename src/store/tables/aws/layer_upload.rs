//! Rows of uploads by parts.

use async_trait::async_trait;

use crate::clock::UnixTime;
use crate::registry::operation::UploadId;
use crate::store::aws::layer_upload::{LayerUpload, LayerUploads};
use crate::store::tables::SqlStore;
use crate::store::tables::row;
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

#[async_trait]
impl LayerUploads for SqlStore {
    async fn layer_upload(&self, id: &str) -> Result<Option<LayerUpload>, StoreError> {
        let select = sql::query("select * from layer_upload where id = ?1").bind(id);
        select.fetch_optional(&self.readers).await?.as_ref().map(decode).transpose()
    }

    async fn insert_layer_upload(&self, row: &LayerUpload) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = sql::query("insert into layer_upload values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
        let insert = insert.bind(&row.id).bind(row.region.as_str()).bind(row.repository.as_str());
        let insert = insert.bind(&row.opener).bind(row.upstream.as_str()).bind(&row.query);
        let insert = insert.bind(bytes(row.received)?).bind(row.short_part).bind(row.started_at.millis());
        let done = insert.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "that upload exists already"))?;
        write.commit().await
    }

    async fn advance_layer_upload(&self, row: &LayerUpload, from: u64) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update layer_upload set upstream = ?2, query = ?3, received = ?4, short_part = ?5 \
             where id = ?1 and received = ?6",
        );
        let update = update.bind(&row.id).bind(row.upstream.as_str()).bind(&row.query);
        let update = update.bind(bytes(row.received)?).bind(row.short_part).bind(bytes(from)?);
        if update.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::Stale);
        }
        write.commit().await
    }

    async fn delete_layer_upload(&self, id: &str) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from layer_upload where id = ?1").bind(id);
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.commit().await
    }

    async fn forget_layer_uploads(&self, before: UnixTime) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from layer_upload where started_at < ?1").bind(before.millis());
        delete.execute(write.connection()).await?;
        write.commit().await
    }
}

fn bytes(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Corrupt(format!("{count} bytes of a layer")))
}

fn decode(found: &sql::Row) -> Result<LayerUpload, StoreError> {
    let received: i64 = found.try_get("received")?;
    Ok(LayerUpload {
        id: found.try_get("id")?,
        region: row::parsed(found, "region")?,
        repository: row::parsed(found, "repository")?,
        opener: found.try_get("opener")?,
        upstream: row::parsed_by(found, "upstream", UploadId::parse)?,
        query: found.try_get("query")?,
        received: u64::try_from(received)
            .map_err(|_| StoreError::Corrupt(format!("{received} bytes of a layer")))?,
        short_part: found.try_get("short_part")?,
        started_at: row::time(found, "started_at")?,
    })
}
