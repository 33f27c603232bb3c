//! Images: listed, described, read and removed.

use std::collections::HashSet;

use super::inventory::Held;
use super::repository::{Paged, Paging};
use super::scan::ImageDetail;
use super::{Asker, Doing};
use crate::admit::fault::Fault;
use crate::admit::permit::{AwsControl, Permit};
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::stock::{Described, Manifest, Warrant};
use crate::ids::Malformed;
use crate::ids::region::Region;
use crate::policy::table::Action;
use crate::registry::name::RepositoryName;
use crate::registry::operation::OperationKind;
use crate::registry::reference::{Digest, Reference, Tag};

/// How a call names an image: by digest, by tag, or by both.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ImageId {
    /// The digest, as given.
    pub digest: Option<String>,
    /// The tag, as given.
    pub tag: Option<String>,
}

/// Which images of a list are wanted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TagStatus {
    /// All.
    #[default]
    Any,
    /// Those with tags.
    Tagged,
    /// Those without.
    Untagged,
}

/// An image that could not be read or removed, while others could.
#[derive(Clone, Debug)]
pub struct ImageFailure {
    /// How it was named.
    pub id: ImageId,
    /// ECR's code.
    pub code: &'static str,
    /// ECR's words.
    pub reason: &'static str,
}

/// What came of each image of a batch.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    /// Where it worked.
    pub done: Vec<T>,
    /// Where it did not.
    pub failures: Vec<ImageFailure>,
}

/// Why an image of a batch is a failure.
pub(super) type Why = (&'static str, &'static str);

/// What came of looking at one image of a batch.
type Looked = Result<(Manifest, Option<Tag>), Why>;

const MISSING_ID: Why =
    ("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null");
const WRONG_DIGEST: Why = (
    "InvalidImageDigest",
    "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
);
const WRONG_TAG: Why = (
    "InvalidImageTag",
    "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9-._]{0,127}'",
);
const NOT_FOUND: Why = ("ImageNotFound", "Requested image not found");
const MISMATCH: Why = ("ImageTagDoesNotMatchDigest", "Tag does not match digest");
const REFERENCED: Why =
    ("ImageReferencedByManifestList", "Requested image referenced by manifest list: delete that first");

impl ImageId {
    pub(super) fn parsed(&self) -> Result<(Option<Digest>, Option<Tag>), Why> {
        let digest = self.digest.as_deref().map(Digest::parse).transpose().map_err(|_| WRONG_DIGEST)?;
        let tag = self.tag.as_deref().map(Tag::parse).transpose().map_err(|_| WRONG_TAG)?;
        if digest.is_none() && tag.is_none() { Err(MISSING_ID) } else { Ok((digest, tag)) }
    }
}

/// There is no such image.
pub(super) fn no_image(id: &ImageId, name: &RepositoryName, account: &str) -> AwsProblem {
    let shown = |text: &Option<String>| {
        text.as_deref().map_or_else(|| "null".to_owned(), |text| Malformed::new(text, "").text.to_string())
    };
    let text = format!(
        "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{name}' in the registry with id '{account}'",
        shown(&id.digest),
        shown(&id.tag)
    );
    AwsProblem::said(AwsCode::ImageNotFoundException, text)
}

fn wanted(status: TagStatus, held: &Held) -> bool {
    match status {
        TagStatus::Any => true,
        TagStatus::Tagged => !held.tags.is_empty(),
        TagStatus::Untagged => held.tags.is_empty(),
    }
}

impl Desk {
    /// A page of the ids of a repository's images: one for each tag, and one for each image without.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_list_images(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        status: TagStatus,
        paging: &Paging,
    ) -> Result<AwsDone<Paged<(Digest, Option<Tag>)>>, AwsProblem> {
        let doing = Doing("ecr:ListImages", Some(Action::ImageList));
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.existing(asker.region, name).await?;
        let held = self.stocked(asker.region, name).await?;
        let mut ids: Vec<(Digest, Option<Tag>)> = Vec::new();
        for held in held.into_iter().filter(|held| wanted(status, held)) {
            match held.tags.as_slice() {
                [] => ids.push((held.digest, None)),
                tags => ids.extend(tags.iter().map(|tag| (held.digest.clone(), Some(tag.clone())))),
            }
        }
        let key = |(digest, tag): &(Digest, Option<Tag>)| {
            format!("{digest} {}", tag.as_ref().map(Tag::as_str).unwrap_or_default())
        };
        ids.sort_by_key(key);
        let mut page = cut(ids, paging, key);
        // Those without tags were there once; whether they are is for the upstream to say.
        let untagged = page.items.iter().filter(|(_, tag)| tag.is_none()).map(|(digest, _)| Held {
            digest: digest.clone(),
            tags: Vec::new(),
            pushed_at: Some(self.clock.now()),
            pulled_at: None,
        });
        let there = self.look_at(asker.region, name, untagged.collect()).await?;
        let there: HashSet<Digest> = there.into_iter().map(|(held, _)| held.digest).collect();
        page.items.retain(|(digest, tag)| tag.is_some() || there.contains(digest));
        Ok(AwsDone::new(page, permit))
    }

    /// A page of a repository's images.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_describe_images(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        status: TagStatus,
        paging: &Paging,
    ) -> Result<AwsDone<Paged<ImageDetail>>, AwsProblem> {
        let permit = self.may_describe(asker, name).await?;
        let mut held = self.stocked(asker.region, name).await?;
        held.retain(|held| wanted(status, held));
        let page = cut(held, paging, |held| held.digest.to_string());
        let items = self.look_at(asker.region, name, page.items).await?;
        let items = self.with_scans(asker, name, items).await?;
        Ok(AwsDone::new(Paged { items, next: page.next }, permit))
    }

    /// The named images of a repository.
    ///
    /// # Errors
    /// [`AwsProblem`]; one that is missing fails all.
    pub async fn ecr_describe_named_images(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        ids: &[ImageId],
    ) -> Result<AwsDone<Vec<ImageDetail>>, AwsProblem> {
        let permit = self.may_describe(asker, name).await?;
        let held = self.stocked(asker.region, name).await?;
        let mut chosen: Vec<Held> = Vec::new();
        for id in ids {
            let (digest, tag) = id
                .parsed()
                .map_err(|(_, text)| AwsProblem::said(AwsCode::InvalidParameterException, text))?;
            let fits = |held: &&Held| {
                digest.as_ref().is_none_or(|digest| held.digest == *digest)
                    && tag.as_ref().is_none_or(|tag| held.tags.contains(tag))
            };
            let untold = || {
                // Untagged, and pushed behind our back.
                let digest = digest.clone().filter(|_| tag.is_none())?;
                Some(Held { digest, tags: Vec::new(), pushed_at: None, pulled_at: None })
            };
            let found = held.iter().find(fits).cloned().or_else(untold);
            let found = found.ok_or_else(|| no_image(id, name, self.account.as_str()))?;
            if !chosen.contains(&found) {
                let there = self.look_at(asker.region, name, vec![found.clone()]).await?;
                if there.is_empty() {
                    return Err(no_image(id, name, self.account.as_str()));
                }
                chosen.push(found);
            }
        }
        let found = self.look_at(asker.region, name, chosen).await?;
        Ok(AwsDone::new(self.with_scans(asker, name, found).await?, permit))
    }

    async fn may_describe(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        let doing = Doing("ecr:DescribeImages", Some(Action::ImageList));
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.existing(asker.region, name).await?;
        Ok(permit)
    }

    /// The manifests of these images.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_batch_get_image(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        ids: Vec<ImageId>,
    ) -> Result<AwsDone<Batch<(Manifest, Option<Tag>)>>, AwsProblem> {
        let doing = Doing("ecr:BatchGetImage", Some(Action::ImagePull));
        let (permit, looked_at) = self.may_read_images(asker, doing, name, &ids).await?;
        self.existing(asker.region, name).await?;
        self.begin_pull((asker.caller.principal().clone(), asker.region.clone(), name.clone())).await?;
        let mut batch = Batch { done: Vec::new(), failures: Vec::new() };
        let mut looked_at = looked_at.into_iter();
        for id in ids {
            let found = match looked_at.next() {
                Some(found) => found,
                None => self.one_manifest(asker.region, name, &id).await?,
            };
            match found {
                Ok(found) => {
                    let (digest, now) = (&found.0.digest, self.clock.now());
                    self.store.image_pulled(asker.region, name, digest, now).await?;
                    batch.done.push(found);
                }
                Err((code, reason)) => batch.failures.push(ImageFailure { id, code, reason }),
            }
        }
        Ok(AwsDone::new(batch, permit))
    }

    /// Decides on reading images: where policies want to know what is found in them, on those that are read then.
    async fn may_read_images(
        &self,
        asker: Asker<'_>,
        doing: Doing,
        name: &RepositoryName,
        ids: &[ImageId],
    ) -> Result<(Permit<AwsControl>, Vec<Looked>), AwsProblem> {
        let kind = OperationKind::ManifestRead;
        if ids.is_empty() || !self.asks_for_findings(asker.caller, Action::ImagePull, asker.region).await? {
            return Ok((self.may_on_images(asker, doing, name, kind, ids).await?, Vec::new()));
        }
        let (mut permit, mut looked_at) = (None, Vec::new());
        for id in ids {
            let found = self.one_manifest(asker.region, name, id).await?;
            let (digest, tag) = id.parsed().unwrap_or_default();
            let seen = match &found {
                Ok((manifest, tag)) => {
                    let by = tag
                        .clone()
                        .map_or_else(|| Reference::Digest(manifest.digest.clone()), Reference::Tag);
                    let whole = (&manifest.digest, &*manifest.content);
                    Some(self.seen(asker.region, name, &by, whole).await?)
                }
                Err(_) => None,
            };
            let told = self.told_of(asker, doing, name, (kind, (digest.as_ref(), tag.as_ref())), Vec::new());
            permit = Some(self.may_read(asker, doing, name, (told.await?, seen)).await?);
            looked_at.push(found);
        }
        let nothing = || Fault::Internal("no image was decided on".to_owned());
        Ok((permit.ok_or_else(nothing)?, looked_at))
    }

    async fn one_manifest(
        &self,
        region: &Region,
        name: &RepositoryName,
        id: &ImageId,
    ) -> Result<Looked, AwsProblem> {
        let (digest, tag) = match id.parsed() {
            Ok(parsed) => parsed,
            Err(why) => return Ok(Err(why)),
        };
        let reference = match (&digest, &tag) {
            (_, Some(tag)) => Reference::Tag(tag.clone()),
            (Some(digest), None) => Reference::Digest(digest.clone()),
            (None, None) => return Ok(Err(MISSING_ID)),
        };
        let found = self.stock.manifest(region, name, &reference).await?;
        Ok(match found {
            None => Err(NOT_FOUND),
            Some(found) if digest.is_some_and(|digest| digest != found.digest) => Err(MISMATCH),
            Some(found) => Ok((found, tag)),
        })
    }

    /// Removes tags, and images: by digest with all its tags, by tag when that was its last.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_batch_delete_image(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        ids: Vec<ImageId>,
    ) -> Result<AwsDone<Batch<(Digest, Option<Tag>)>>, AwsProblem> {
        let doing = Doing("ecr:BatchDeleteImage", Some(Action::ImageDelete));
        let permit = self.may_on_images(asker, doing, name, OperationKind::ManifestDelete, &ids).await?;
        self.existing(asker.region, name).await?;
        let mut present = self.present(asker.region, name).await?;
        let mut batch = Batch { done: Vec::new(), failures: Vec::new() };
        // Indexes first: what they refer to may go with them.
        let is_index =
            |id: &ImageId| find(&present, id).is_ok_and(|(_, described)| !described.children.is_empty());
        let (indexes, others): (Vec<ImageId>, Vec<ImageId>) = ids.into_iter().partition(is_index);
        for id in indexes.into_iter().chain(others) {
            match self.delete_one(&permit, (asker.region, name), &mut present, &id).await? {
                Ok(gone) => batch.done.extend(gone),
                Err((code, reason)) => batch.failures.push(ImageFailure { id, code, reason }),
            }
        }
        Ok(AwsDone::new(batch, permit))
    }

    async fn delete_one(
        &self,
        permit: &Permit<AwsControl>,
        (region, name): (&Region, &RepositoryName),
        present: &mut Vec<(Held, Described)>,
        id: &ImageId,
    ) -> Result<Result<Vec<(Digest, Option<Tag>)>, Why>, AwsProblem> {
        let (held, tag) = match (find(present, id), id.parsed()) {
            (Ok((held, _)), Ok((_, tag))) => (held.clone(), tag),
            (Err(why), _) | (_, Err(why)) => return Ok(Err(why)),
        };
        let warrant = Warrant::Permit(permit);
        let alone = tag.as_ref().is_none_or(|tag| held.tags.iter().all(|other| other == tag));
        let referenced = present.iter().any(|(_, other)| other.children.contains(&held.digest));
        // Its last tag may go from an image that an index refers to; the image itself stays.
        if let Some(tag) = tag.filter(|_| !alone || referenced) {
            if !self.stock.delete_tag(warrant, region, name, &tag).await? {
                return Ok(Err(NOT_FOUND));
            }
            for (one, _) in present.iter_mut().filter(|(one, _)| one.digest == held.digest) {
                one.tags.retain(|other| *other != tag);
            }
            return Ok(Ok(vec![(held.digest, Some(tag))]));
        }
        if referenced {
            return Ok(Err(REFERENCED));
        }
        if !self.stock.delete_image(warrant, region, name, &held.digest).await? {
            return Ok(Err(NOT_FOUND));
        }
        present.retain(|(other, _)| other.digest != held.digest);
        let digest = held.digest;
        if held.tags.is_empty() {
            return Ok(Ok(vec![(digest, None)]));
        }
        Ok(Ok(held.tags.into_iter().map(|tag| (digest.clone(), Some(tag))).collect()))
    }
}

fn find<'a>(present: &'a [(Held, Described)], id: &ImageId) -> Result<&'a (Held, Described), Why> {
    let (digest, tag) = id.parsed()?;
    let by_tag = |(held, _): &&(Held, Described)| tag.as_ref().is_some_and(|tag| held.tags.contains(tag));
    let by_digest = |(held, _): &&(Held, Described)| digest.as_ref() == Some(&held.digest);
    match (&tag, &digest) {
        (Some(_), Some(digest)) => {
            let found = present.iter().find(by_tag).ok_or(NOT_FOUND)?;
            if found.0.digest == *digest { Ok(found) } else { Err(MISMATCH) }
        }
        (Some(_), None) => present.iter().find(by_tag).ok_or(NOT_FOUND),
        (None, _) => present.iter().find(by_digest).ok_or(NOT_FOUND),
    }
}

/// Cuts a page out of a list in the order of `key`.
pub fn cut<T>(items: Vec<T>, paging: &Paging, key: impl Fn(&T) -> String) -> Paged<T> {
    let after = paging.after.as_deref().unwrap_or_default();
    let mut rest: Vec<T> = items.into_iter().filter(|item| key(item).as_str() > after).collect();
    let more = rest.len() > paging.limit;
    rest.truncate(paging.limit);
    let next = rest.last().filter(|_| more).map(key);
    Paged { items: rest, next }
}
