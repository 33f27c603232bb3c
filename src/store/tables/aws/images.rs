//! Rows of images that were seen.

use async_trait::async_trait;

use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::store::aws::images::{SeenImage, SeenImages};
use crate::store::aws::repository::Mutability;
use crate::store::feed::ChangeKey;
use crate::store::tables::SqlStore;
use crate::store::tables::row;
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

#[async_trait]
impl SeenImages for SqlStore {
    async fn seen_images(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<Vec<SeenImage>, StoreError> {
        let select = sql::query("select * from image where region = ?1 and repository = ?2 order by digest");
        let found = select.bind(region.as_str()).bind(name.as_str()).fetch_all(&self.readers).await?;
        let decode = |found: &sql::Row| {
            Ok(SeenImage {
                digest: row::parsed(found, "digest")?,
                pushed_at: row::time(found, "pushed_at")?,
                pulled_at: row::time_if_any(found, "pulled_at")?,
            })
        };
        found.iter().map(decode).collect()
    }

    async fn image_pushed(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = "insert into image (region, repository, digest, pushed_at) values (?1, ?2, ?3, ?4) on conflict do nothing";
        let insert = sql::query(insert).bind(region.as_str()).bind(name.as_str()).bind(digest.as_str());
        insert.bind(at.millis()).execute(write.connection()).await?;
        let repository = sql::query(
            "insert into repository (region, name, mutability, exclusions, created_at) \
             values (?1, ?2, ?3, '[]', ?4) on conflict do nothing",
        );
        let repository = repository.bind(region.as_str()).bind(name.as_str());
        let repository = repository.bind(Mutability::default().as_str()).bind(at.millis());
        if repository.execute(write.connection()).await?.rows_affected() > 0 {
            write.touch(ChangeKey::Repository(region.clone(), name.clone()));
        }
        write.commit().await
    }

    async fn image_pulled(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update image set pulled_at = ?4 where region = ?1 and repository = ?2 and digest = ?3 \
             and coalesce(pulled_at < ?4, true)",
        );
        let update = update.bind(region.as_str()).bind(name.as_str()).bind(digest.as_str());
        update.bind(at.millis()).execute(write.connection()).await?;
        write.commit().await
    }

    async fn images_gone(
        &self,
        region: &Region,
        name: &RepositoryName,
        digests: &[Digest],
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        for digest in digests {
            let delete =
                sql::query("delete from image where region = ?1 and repository = ?2 and digest = ?3");
            let delete = delete.bind(region.as_str()).bind(name.as_str()).bind(digest.as_str());
            delete.execute(write.connection()).await?;
        }
        write.commit().await
    }
}
