//! Rows of what the upstreams hold, as it was last seen.

use std::collections::{BTreeSet, HashSet};

use async_trait::async_trait;
use futures_util::TryStreamExt;

use super::portions::Portions;
use super::write::Write;
use super::{SqlStore, row};
use crate::clock::UnixTime;
use crate::compliance::facts::{Images, TaggedImage};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::registry::shape::Nature;
use crate::store::aws::repository::{Mutability, keeps};
use crate::store::census::{Census, Change, Found, Known, Note, SeenManifest, SeenSignature};
use crate::store::{StoreError, sql};

/// A repository, as rows name it.
type Place<'a> = (&'a Region, &'a RepositoryName);

/// The tags of images, and what is known of each image. A report of an index is one of its children, too; an index is scanned
/// when the last of its children was, and a child is signed with its index. What is hidden is not there.
const IMAGES: &str = "\
with shown as ( \
  select t.repository, t.digest, t.tag, t.seen_at from census_tag t join census_manifest m \
    on m.region = t.region and m.repository = t.repository and m.digest = t.digest \
  where t.region = ?1 and m.nature in ('image', 'index') \
    and not exists (select 1 from trash x where x.region = t.region and x.repository = t.repository and x.digest = t.digest) \
    and not exists (select 1 from hidden_tag h where h.region = t.region and h.repository = t.repository \
      and h.tag = t.tag and h.digest = t.digest)), \
signed as ( \
  select s.repository, s.subject from census_signature s where s.region = ?1 \
    and not exists (select 1 from trash x where x.region = s.region and x.repository = s.repository and x.digest = s.digest) \
    and not exists (select 1 from hidden_tag h where h.region = s.region and h.repository = s.repository \
      and h.tag = s.tag and h.digest = s.digest)) \
select o.repository, o.digest, o.tag, o.seen_at, r.mutability, r.exclusions, \
  (select max(p.made_at) from report_image i join report p on p.id = i.report_id \
     where i.region = ?1 and i.repository = o.repository and i.digest = o.digest and p.is_scan) as own, \
  (select min(coalesce((select max(p.made_at) from report_image i join report p on p.id = i.report_id \
     where i.region = ?1 and i.repository = o.repository and i.digest = c.child and p.is_scan), -1)) \
     from census_child c where c.region = ?1 and c.repository = o.repository and c.digest = o.digest) as parts, \
  (exists (select 1 from signed s where s.repository = o.repository and s.subject = o.digest) \
   or exists (select 1 from census_child c join signed s on s.repository = c.repository and s.subject = c.digest \
     where c.region = ?1 and c.repository = o.repository and c.child = o.digest)) as signed \
from shown o left join repository r on r.region = ?1 and r.name = o.repository \
order by o.repository, o.digest, o.tag";

/// What is over once all tags of a repository are known: manifests that none stands for, and signatures beside the others, for
/// those are found anew.
const SETTLED: [&str; 3] = [
    "delete from census_manifest where region = ?1 and repository = ?2 and digest not in \
     (select digest from census_tag where region = ?1 and repository = ?2)",
    "delete from census_child where region = ?1 and repository = ?2 and digest not in \
     (select digest from census_tag where region = ?1 and repository = ?2)",
    "delete from census_signature where region = ?1 and repository = ?2 and subject in \
     (select digest from census_tag where region = ?1 and repository = ?2)",
];

/// How many parts of indexes are kept of a repository, and how many signatures of an image and of a repository: whoever may push decides
/// how many there are. Of an index whose parts are not kept, its own scans count.
const CHILDREN_MAX: i64 = 20_000;
const SIGNATURES_MAX: (i64, i64) = (32, 20_000);

/// What goes with a manifest, and with a tag.
const GONE: [&str; 4] = [
    "delete from census_tag where region = ?1 and repository = ?2 and digest = ?3",
    "delete from census_manifest where region = ?1 and repository = ?2 and digest = ?3",
    "delete from census_child where region = ?1 and repository = ?2 and digest = ?3",
    "delete from census_signature where region = ?1 and repository = ?2 and digest = ?3",
];
/// A signature that was found by a tag is found no more when that stands for something else.
const MOVED: [&str; 1] = ["delete from census_signature where region = ?1 and repository = ?2 and tag = ?3"];
const FORGOTTEN: [&str; 1] = ["delete from census_tag where region = ?1 and repository = ?2 and tag = ?3"];
const UNTAGGED: [&str; 2] = [
    "delete from census_tag where region = ?1 and repository = ?2 and tag = ?3",
    "delete from census_signature where region = ?1 and repository = ?2 and tag = ?3",
];

#[async_trait]
impl Census for SqlStore {
    async fn take_notes(&self, notes: &[Note], at: UnixTime) -> Result<(), StoreError> {
        let mut write = Portions::of(self);
        for note in notes {
            let place = (&note.region, &note.repository);
            match &note.change {
                Change::Gone(digest) => remove(&mut write, place, &GONE, digest.as_str()).await?,
                Change::Put(manifest, tag, signature) => {
                    insert_manifest(&mut write, place, manifest).await?;
                    if let Some(tag) = tag {
                        remove(&mut write, place, &MOVED, tag.as_str()).await?;
                        point(&mut write, place, (tag.as_str(), &manifest.digest), at).await?;
                    }
                    if let Some(signature) = signature {
                        sign(&mut write, place, signature).await?;
                    }
                }
                Change::Untagged(tag) => remove(&mut write, place, &UNTAGGED, tag.as_str()).await?,
            }
        }
        write.commit().await
    }

    async fn known_images(&self, region: &Region, name: &RepositoryName) -> Result<Known, StoreError> {
        let select =
            sql::query("select digest, nature from census_manifest where region = ?1 and repository = ?2");
        let rows = select.bind(region.as_str()).bind(name.as_str()).fetch_all(&self.readers).await?;
        let mut known = Known::default();
        for found in &rows {
            let digest = row::parsed(found, "digest")?;
            match nature(found)? {
                Nature::Image | Nature::Index => known.images.insert(digest),
                Nature::Artifact | Nature::Signature => known.others.insert(digest),
            };
        }
        Ok(known)
    }

    async fn looked_through(
        &self,
        region: &Region,
        name: &RepositoryName,
        found: &Found,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let (place, mut write) = ((region, name), Portions::of(self));
        // Tags that stand for the same keep the time when that was first seen.
        let tags: HashSet<&str> = found.tags.iter().map(|(tag, _)| tag.as_str()).collect();
        forget_tags(&mut write, place, &tags).await?;
        for manifest in &found.manifests {
            insert_manifest(&mut write, place, manifest).await?;
        }
        for (tag, digest) in &found.tags {
            point(&mut write, place, (tag.as_str(), digest), at).await?;
        }
        for statement in SETTLED {
            let settled = sql::query(statement).bind(region.as_str()).bind(name.as_str());
            settled.execute(write.next().await?).await?;
        }
        for signature in &found.signatures {
            sign(&mut write, place, signature).await?;
        }
        write.commit().await
    }

    async fn known_repositories(&self, region: &Region) -> Result<Vec<RepositoryName>, StoreError> {
        let select = "select distinct repository from census_tag where region = ?1";
        let rows = sql::query(select).bind(region.as_str()).fetch_all(&self.readers).await?;
        rows.iter().map(|found| row::parsed(found, "repository")).collect()
    }

    async fn all_looked_through(&self, region: &Region, at: UnixTime) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let put = sql::query(
            "insert into census (region, looked_at) values (?1, ?2) \
                              on conflict (region) do update set looked_at = ?2",
        );
        put.bind(region.as_str()).bind(at.millis()).execute(write.connection()).await?;
        write.commit().await
    }

    async fn tagged_images(&self, region: &Region, now: UnixTime) -> Result<Option<Images>, StoreError> {
        let mut reading = self.readers.begin().await?;
        let looked = sql::query("select looked_at from census where region = ?1").bind(region.as_str());
        if looked.fetch_optional(&mut *reading).await?.is_none() {
            return Ok(None);
        }
        // Row by row: memory does not grow with what there is.
        let mut images = Images::default();
        let mut rows = sql::query(IMAGES).bind(region.as_str()).fetch(&mut reading);
        while let Some(found) = rows.try_next().await? {
            images.count(tagged(region, &found)?, now);
        }
        Ok(Some(images))
    }
}

/// Removes the tags that are not among those that are there.
async fn forget_tags(
    write: &mut Portions<'_>,
    place: Place<'_>,
    there: &HashSet<&str>,
) -> Result<(), StoreError> {
    let select = sql::query("select tag from census_tag where region = ?1 and repository = ?2");
    let known = select.bind(place.0.as_str()).bind(place.1.as_str()).fetch_all(write.next().await?).await?;
    for found in &known {
        let tag: &str = found.try_get("tag")?;
        if !there.contains(tag) {
            remove(write, place, &FORGOTTEN, tag).await?;
        }
    }
    Ok(())
}

fn nature(found: &sql::Row) -> Result<Nature, StoreError> {
    let text: &str = found.try_get("nature")?;
    Nature::parse(text).ok_or_else(|| StoreError::Corrupt(format!("column nature: {text}")))
}

fn tagged(region: &Region, found: &sql::Row) -> Result<TaggedImage, StoreError> {
    let (own, parts): (Option<i64>, Option<i64>) = (found.try_get("own")?, found.try_get("parts")?);
    let tag: &str = found.try_get("tag")?;
    let mutability: Option<&str> = found.try_get("mutability")?;
    let kept = match mutability {
        None => false,
        Some(text) => {
            let known: Mutability =
                text.parse().map_err(|error| StoreError::Corrupt(format!("column mutability: {error}")))?;
            keeps(known, &row::texts(found.try_get("exclusions")?)?, tag)
        }
    };
    Ok(TaggedImage {
        region: region.clone(),
        repository: found.try_get("repository")?,
        digest: found.try_get("digest")?,
        tag: tag.to_owned(),
        seen_at: row::time(found, "seen_at")?,
        scanned_at: parts.or(own).filter(|at| *at >= 0).map(UnixTime::from_millis),
        signed: found.try_get("signed")?,
        kept,
    })
}

async fn insert_manifest(
    write: &mut Portions<'_>,
    (region, name): Place<'_>,
    manifest: &SeenManifest,
) -> Result<(), StoreError> {
    let digest = manifest.digest.as_str();
    let known = "select 1 from census_manifest where region = ?1 and repository = ?2 and digest = ?3";
    let known = sql::query(known).bind(region.as_str()).bind(name.as_str()).bind(digest);
    if known.fetch_optional(write.next().await?).await?.is_some() {
        return Ok(());
    }
    let count = "select count(*) from census_child where region = ?1 and repository = ?2";
    let count = sql::query_scalar(count).bind(region.as_str()).bind(name.as_str());
    let there: i64 =
        if manifest.children.is_empty() { 0 } else { count.fetch_one(write.next().await?).await? };
    let free = usize::try_from(CHILDREN_MAX - there).unwrap_or(0);
    let children: BTreeSet<&Digest> = manifest.children.iter().collect();
    for child in children.into_iter().take(free) {
        let insert = "insert into census_child (region, repository, digest, child) values (?1, ?2, ?3, ?4) on conflict do nothing";
        let insert = sql::query(insert).bind(region.as_str()).bind(name.as_str()).bind(digest);
        insert.bind(child.as_str()).execute(write.next().await?).await?;
    }
    // The last, so that what was cut short is done anew.
    let insert = "insert into census_manifest (region, repository, digest, nature) values (?1, ?2, ?3, ?4) on conflict do nothing";
    let insert = sql::query(insert).bind(region.as_str()).bind(name.as_str()).bind(digest);
    insert.bind(manifest.nature.label()).execute(write.next().await?).await?;
    Ok(())
}

async fn point(
    write: &mut Portions<'_>,
    (region, name): Place<'_>,
    (tag, digest): (&str, &Digest),
    at: UnixTime,
) -> Result<(), StoreError> {
    let put = "insert into census_tag (region, repository, tag, digest, seen_at) values (?1, ?2, ?3, ?4, ?5) \
               on conflict (region, repository, tag) do update set digest = excluded.digest, seen_at = excluded.seen_at \
               where census_tag.digest <> excluded.digest";
    let put = sql::query(put).bind(region.as_str()).bind(name.as_str()).bind(tag).bind(digest.as_str());
    put.bind(at.millis()).execute(write.next().await?).await?;
    Ok(())
}

async fn sign(
    write: &mut Portions<'_>,
    (region, name): Place<'_>,
    signature: &SeenSignature,
) -> Result<(), StoreError> {
    let insert = "insert into census_signature (region, repository, subject, digest, tag) \
        select ?1, ?2, ?3, ?4, ?5 where (select count(*) from census_signature \
          where region = ?1 and repository = ?2 and subject = ?3) < ?6 \
        and (select count(*) from (select 1 from census_signature where region = ?1 and repository = ?2 limit ?7) as known) < ?7 on conflict do nothing";
    let insert =
        sql::query(insert).bind(region.as_str()).bind(name.as_str()).bind(signature.subject.as_str());
    let tag = signature.tag.as_ref().map(|tag| tag.as_str()).unwrap_or_default();
    let insert = insert.bind(signature.digest.as_str()).bind(tag);
    insert.bind(SIGNATURES_MAX.0).bind(SIGNATURES_MAX.1).execute(write.next().await?).await?;
    Ok(())
}

/// Carries out statements about one manifest or tag.
async fn remove(
    write: &mut Portions<'_>,
    (region, name): Place<'_>,
    statements: &[&'static str],
    what: &str,
) -> Result<(), StoreError> {
    for statement in statements {
        let delete = sql::query(statement).bind(region.as_str()).bind(name.as_str()).bind(what);
        delete.execute(write.next().await?).await?;
    }
    Ok(())
}
