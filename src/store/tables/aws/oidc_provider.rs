//! Rows of OpenID Connect providers.

use async_trait::async_trait;

use super::{remains, tag};
use crate::ids::aws::ProviderUrl;
use crate::store::aws::oidc_provider::{OidcProvider, OidcProviders};
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::aws::{AwsError, Quota};
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::identity::{Listed, Window};
use crate::store::tables::SqlStore;
use crate::store::tables::row::{self, List};
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

const ALL: List<OidcProvider> = List {
    count: "select count(*) from oidc_provider",
    rows: "select * from oidc_provider order by created_at, url limit ?2 offset ?3",
    decode,
};

#[async_trait]
impl OidcProviders for SqlStore {
    async fn oidc_provider(&self, url: &ProviderUrl) -> Result<(Option<OidcProvider>, Sequence), StoreError> {
        let mut reading = self.readers.begin().await?;
        let as_of = crate::store::tables::feed::latest(&mut reading).await?;
        let select = sql::query("select * from oidc_provider where url = ?1").bind(url.as_str());
        let found = select.fetch_optional(&mut *reading).await?;
        Ok((found.as_ref().map(decode).transpose()?, as_of))
    }

    async fn oidc_providers(&self, window: Window) -> Result<Listed<OidcProvider>, StoreError> {
        ALL.read(self, None, window).await
    }

    async fn insert_oidc_provider(&self, row: &OidcProvider, tags: &[Tag]) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        let insert = "insert into oidc_provider (url, version, client_ids, thumbprints, created_at, modified_at) \
                      values (?1, ?2, ?3, ?4, ?5, ?6)";
        let done = bound(insert, row)?.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "a provider of that URL exists already"))?;
        tag::put(&mut write, &Tagged::Provider(row.url.clone()), tags).await?;
        remains::admit(&mut write, Quota::OidcProviders, "select count(*) from oidc_provider", "").await?;
        write.touch(ChangeKey::OidcProvider(row.url.clone()));
        Ok(write.commit().await?)
    }

    async fn update_oidc_provider(&self, row: &OidcProvider) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        let update = "update oidc_provider set client_ids = ?3, thumbprints = ?4, created_at = ?5, \
                      modified_at = ?6, version = ?2 where url = ?1 and version = ?2 - 1";
        if bound(update, row)?.execute(write.connection()).await?.rows_affected() == 0 {
            let exists = "select 1 from oidc_provider where url = ?1";
            return Err(write.missed(exists, row.url.as_str()).await.into());
        }
        write.touch(ChangeKey::OidcProvider(row.url.clone()));
        Ok(write.commit().await?)
    }

    async fn delete_oidc_provider(&self, url: &ProviderUrl) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from oidc_provider where url = ?1").bind(url.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::OidcProvider(url.clone()));
        write.commit().await
    }
}

fn bound(sql: &'static str, row: &OidcProvider) -> Result<sql::Query, AwsError> {
    Quota::ClientIdsPerProvider.admit(row.client_ids.len())?;
    Quota::ThumbprintsPerProvider.admit(row.thumbprints.len())?;
    Ok(sql::query(sql)
        .bind(row.url.as_str())
        .bind(row.stamp.version)
        .bind(row::written(&row.client_ids)?)
        .bind(row::written(&row.thumbprints)?)
        .bind(row.stamp.created_at.millis())
        .bind(row.stamp.modified_at.millis()))
}

fn decode(found: &sql::Row) -> Result<OidcProvider, StoreError> {
    Ok(OidcProvider {
        url: row::parsed(found, "url")?,
        client_ids: row::texts(found.try_get("client_ids")?)?,
        thumbprints: row::texts(found.try_get("thumbprints")?)?,
        stamp: row::stamp(found)?,
    })
}
