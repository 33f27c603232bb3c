//! Rows of what is hidden.

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Tag};
use crate::store::feed::ChangeKey;
use crate::store::trash::{HiddenImages, PURGE_TAKES, Revealed, Trash, TrashedImage};
use crate::store::{StoreError, sql};

#[async_trait]
impl Trash for SqlStore {
    async fn hidden(&self, region: &Region, name: &RepositoryName) -> Result<HiddenImages, StoreError> {
        let mut reading = self.readers.begin().await?;
        let as_of = super::feed::latest(&mut reading).await?;
        let images = sql::query("select digest from trash where region = ?1 and repository = ?2");
        let images = images.bind(region.as_str()).bind(name.as_str()).fetch_all(&mut *reading).await?;
        let tags = sql::query("select tag, digest from hidden_tag where region = ?1 and repository = ?2");
        let tags = tags.bind(region.as_str()).bind(name.as_str()).fetch_all(&mut *reading).await?;
        let digests = images.iter().map(|found| row::parsed(found, "digest"));
        let tags = tags.iter().map(|found| Ok((row::parsed(found, "tag")?, row::parsed(found, "digest")?)));
        Ok(HiddenImages {
            digests: digests.collect::<Result<_, _>>()?,
            tags: tags.collect::<Result<_, StoreError>>()?,
            as_of,
        })
    }

    async fn trash(&self, region: &Region) -> Result<Vec<TrashedImage>, StoreError> {
        let select = sql::query(
            "select * from trash where region = ?1 and not purging order by deleted_at desc, repository, digest",
        );
        select.bind(region.as_str()).fetch_all(&self.readers).await?.iter().map(image).collect()
    }

    async fn hide_image(&self, row: &TrashedImage) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let tags: Vec<String> = row.tags.iter().map(ToString::to_string).collect();
        let insert = sql::query(
            "insert into trash (region, repository, digest, tags, deleted_at, expires_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6) on conflict do nothing",
        )
        .bind(row.region.as_str())
        .bind(row.repository.as_str())
        .bind(row.digest.as_str())
        .bind(row::written(&tags)?)
        .bind(row.deleted_at.millis())
        .bind(row.expires_at.millis());
        insert.execute(write.connection()).await?;
        for tag in &row.tags {
            hide(&mut write, (&row.region, &row.repository), tag, &row.digest).await?;
        }
        write.touch(ChangeKey::Repository(row.region.clone(), row.repository.clone()));
        write.commit().await
    }

    async fn hide_tag(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        hide(&mut write, (region, name), tag, digest).await?;
        write.touch(ChangeKey::Repository(region.clone(), name.clone()));
        write.commit().await
    }

    async fn reveal_image(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Revealed, StoreError> {
        let mut write = Write::begin(self).await?;
        let select = sql::query_scalar(
            "select purging from trash where region = ?1 and repository = ?2 and digest = ?3",
        )
        .bind(region.as_str())
        .bind(name.as_str())
        .bind(digest.as_str());
        match select.fetch_optional(write.connection()).await? {
            None => return Ok(Revealed::Before),
            Some(true) => return Ok(Revealed::TooLate),
            Some(false) => {}
        }
        let delete = sql::query("delete from trash where region = ?1 and repository = ?2 and digest = ?3")
            .bind(region.as_str())
            .bind(name.as_str())
            .bind(digest.as_str());
        delete.execute(write.connection()).await?;
        write.touch(ChangeKey::Repository(region.clone(), name.clone()));
        write.commit().await?;
        Ok(Revealed::Now)
    }

    async fn reveal_tag(&self, region: &Region, name: &RepositoryName, tag: &Tag) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from hidden_tag where region = ?1 and repository = ?2 and tag = ?3")
            .bind(region.as_str())
            .bind(name.as_str())
            .bind(tag.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Ok(());
        }
        write.touch(ChangeKey::Repository(region.clone(), name.clone()));
        write.commit().await
    }

    async fn begin_purge(&self, now: UnixTime, limit: u32) -> Result<Vec<TrashedImage>, StoreError> {
        let due = "select * from trash where expires_at <= ?1 order by expires_at limit ?2";
        // Almost always there is none, and then nobody else has to wait for a write.
        if sql::query(due).bind(now.millis()).bind(1_i64).fetch_optional(&self.readers).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut write = Write::begin(self).await?;
        let found = sql::query(due).bind(now.millis()).bind(limit).fetch_all(write.connection()).await?;
        let due = found.iter().map(image).collect::<Result<Vec<_>, _>>()?;
        for one in &due {
            let mark = sql::query(
                "update trash set purging = true, expires_at = ?4 \
                 where region = ?1 and repository = ?2 and digest = ?3",
            )
            .bind(one.region.as_str())
            .bind(one.repository.as_str())
            .bind(one.digest.as_str())
            .bind(now.plus(PURGE_TAKES).millis());
            mark.execute(write.connection()).await?;
        }
        write.commit().await?;
        Ok(due)
    }

    async fn abort_purge(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update trash set purging = false where region = ?1 and repository = ?2 and digest = ?3",
        )
        .bind(region.as_str())
        .bind(name.as_str())
        .bind(digest.as_str());
        update.execute(write.connection()).await?;
        write.commit().await
    }

    async fn end_purge(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        for delete in [
            "delete from trash where region = ?1 and repository = ?2 and digest = ?3",
            "delete from hidden_tag where region = ?1 and repository = ?2 and digest = ?3",
        ] {
            let delete = sql::query(delete).bind(region.as_str()).bind(name.as_str()).bind(digest.as_str());
            delete.execute(write.connection()).await?;
        }
        write.touch(ChangeKey::Repository(region.clone(), name.clone()));
        write.commit().await
    }
}

async fn hide(
    write: &mut Write<'_>,
    (region, name): (&Region, &RepositoryName),
    tag: &Tag,
    digest: &Digest,
) -> Result<(), StoreError> {
    let upsert = sql::query(
        "insert into hidden_tag (region, repository, tag, digest) values (?1, ?2, ?3, ?4) \
         on conflict (region, repository, tag) do update set digest = ?4",
    )
    .bind(region.as_str())
    .bind(name.as_str())
    .bind(tag.as_str())
    .bind(digest.as_str());
    upsert.execute(write.connection()).await?;
    Ok(())
}

fn image(found: &sql::Row) -> Result<TrashedImage, StoreError> {
    let tags = row::texts(found.try_get("tags")?)?;
    let tag = |text: &String| Tag::parse(text).map_err(|error| StoreError::Corrupt(error.to_string()));
    Ok(TrashedImage {
        region: row::parsed(found, "region")?,
        repository: row::parsed(found, "repository")?,
        digest: row::parsed(found, "digest")?,
        tags: tags.iter().map(tag).collect::<Result<_, _>>()?,
        deleted_at: row::time(found, "deleted_at")?,
        expires_at: row::time(found, "expires_at")?,
    })
}
