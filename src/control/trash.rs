//! The trash: a deleted image is hidden at once, can be restored for a while, and is deleted upstream when that is over.
//!
//! Pushing it again brings it back. Whoever calls holds a permit for what it does; the purge holds none, since it
//! carries out what was permitted when the image was deleted.

use std::sync::Arc;
use std::time::Duration;

use super::census::Ledger;
use super::inventory::Inventory;
use super::usage::Usage;
use crate::admit::fault::Fault;
use crate::admit::permit::Permit;
use crate::clock::Clock;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};
use crate::store::findings::PushedReport;
use crate::store::trash::{PURGE_TAKES, Revealed, TrashedImage};
use crate::store::{Store, StoreError};
use crate::view::hidden::Hidden;

/// How many images are deleted upstream at once.
const PURGED_AT_ONCE: u32 = 100;

/// The trash of all registries.
#[derive(Clone)]
pub struct Bin {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// What the upstreams hold.
    pub inventory: Arc<dyn Inventory>,
    /// For when.
    pub clock: Arc<dyn Clock>,
    /// How long a deleted image can be restored; `None` if it is deleted at once.
    pub keep: Option<Duration>,
    /// Told that less is held.
    pub usage: Arc<Usage>,
    /// Told what is put and removed.
    pub census: Arc<Ledger>,
    /// Whether reports that are pushed beside images are read.
    pub reads_reports: bool,
}

impl std::fmt::Debug for Bin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bin").field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// What came of bringing back an image that is about to be pushed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Revived {
    /// It is not in the trash, or not any more.
    Done,
    /// It is being deleted upstream at this moment.
    TooLate,
}

/// What came of restoring an image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Restored {
    /// The tags that it has again.
    pub tags: Vec<Tag>,
    /// Those that stand on another image by now.
    pub taken: Vec<Tag>,
}

/// A failed store operation, where no row can be missed or refused by the caller's fault.
pub(super) fn stored(error: StoreError) -> Fault {
    match error {
        StoreError::Unavailable(text) => Fault::Store(text),
        other @ (StoreError::Conflict(_)
        | StoreError::Corrupt(_)
        | StoreError::NotFound
        | StoreError::Stale) => Fault::Internal(other.to_string()),
    }
}

impl Bin {
    /// Deletes an image: the tags that it had, or `None` if there is no such image.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn discard<T: Sync>(
        &self,
        _permit: &Permit<T>,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Vec<Tag>>, Fault> {
        self.remove(region, name, digest).await
    }

    /// As [`Bin::discard`], for the retention policy that was permitted when it was set.
    pub(super) async fn remove(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Vec<Tag>>, Fault> {
        let hidden = self.hidden(region, name).await?;
        let reference = Reference::Digest(digest.clone());
        if hidden.has_image(digest) || self.inventory.manifest(region, name, &reference).await?.is_none() {
            return Ok(None);
        }
        let tags = self.inventory.tags(region, name).await?;
        let shown = |(tag, at): &(Tag, Digest)| at == digest && !hidden.has_tag(tag, Some(at));
        let tags: Vec<Tag> = tags.into_iter().filter(shown).map(|(tag, _)| tag).collect();
        match self.keep {
            Some(keep) => {
                let now = self.clock.now();
                let row = TrashedImage {
                    region: region.clone(),
                    repository: name.clone(),
                    digest: digest.clone(),
                    tags: tags.clone(),
                    deleted_at: now,
                    expires_at: now.plus(keep),
                };
                self.store.hide_image(&row).await.map_err(stored)?;
            }
            None if !self.inventory.delete(region, name, digest).await? => return Ok(None),
            None => self.forget(region, name, digest).await?,
        }
        self.usage.want_survey(region);
        Ok(Some(tags))
    }

    /// Takes a tag off: what it pointed to, or `None` if there is no such tag. Other tags and the image stay.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn untag<T: Sync>(
        &self,
        _permit: &Permit<T>,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Digest>, Fault> {
        let Some(digest) = self.shown(region, name, tag).await? else { return Ok(None) };
        // A vanilla registry cannot take off a tag, so it is hidden until it is pushed again.
        self.store.hide_tag(region, name, tag, &digest).await.map_err(stored)?;
        Ok(Some(digest))
    }

    /// Writes down that a manifest was pushed which may be a report.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn report_pushed(&self, report: &PushedReport) -> Result<(), Fault> {
        self.store.report_pushed(report).await.map_err(stored)
    }

    /// Brings back an image that is about to be pushed.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn revive<T: Sync>(
        &self,
        _permit: &Permit<T>,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Revived, Fault> {
        self.usage.want_survey(region);
        match self.store.reveal_image(region, name, digest).await.map_err(stored)? {
            Revealed::Now | Revealed::Before => Ok(Revived::Done),
            Revealed::TooLate => Ok(Revived::TooLate),
        }
    }

    /// Brings back an image and a tag that were pushed, if the store has them hidden.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn show<T: Sync>(
        &self,
        permit: &Permit<T>,
        (region, name): (&Region, &RepositoryName),
        reference: &Reference,
        digest: &Digest,
    ) -> Result<Revived, Fault> {
        let hidden = self.hidden(region, name).await?;
        if hidden.has_image(digest) && self.revive(permit, region, name, digest).await? == Revived::TooLate {
            return Ok(Revived::TooLate);
        }
        match reference {
            Reference::Tag(tag) if hidden.has_tag(tag, None) => {
                self.store.reveal_tag(region, name, tag).await.map_err(stored)?;
            }
            Reference::Digest(_) | Reference::Tag(_) => {}
        }
        Ok(Revived::Done)
    }

    /// Brings back a tag that was pushed.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn retag<T: Sync>(
        &self,
        _permit: &Permit<T>,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<(), Fault> {
        self.store.reveal_tag(region, name, tag).await.map_err(stored)
    }

    /// Restores an image with those of `tags` that stand on no other image; `None` if it is not in the trash.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn restore<T: Sync>(
        &self,
        _permit: &Permit<T>,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
        tags: &[Tag],
    ) -> Result<Option<Restored>, Fault> {
        self.usage.want_survey(region);
        match self.store.reveal_image(region, name, digest).await.map_err(stored)? {
            Revealed::Now => {}
            Revealed::Before | Revealed::TooLate => return Ok(None),
        }
        let mut restored = Restored::default();
        for tag in tags {
            match self.put_back(region, name, digest, tag).await? {
                true => restored.tags.push(tag.clone()),
                false => restored.taken.push(tag.clone()),
            }
        }
        Ok(Some(restored))
    }

    /// What the tag points to, as far as that is shown.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn shown(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Digest>, Fault> {
        let hidden = self.hidden(region, name).await?;
        let found = self.inventory.manifest(region, name, &Reference::Tag(tag.clone())).await?;
        Ok(found.map(|found| found.digest).filter(|digest| !hidden.has_tag(tag, Some(digest))))
    }

    /// What of the repository is hidden, as of now.
    pub(super) async fn tags_shown(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<Vec<(Tag, Digest)>, Fault> {
        let hidden = self.hidden(region, name).await?;
        let mut tags = self.inventory.tags(region, name).await?;
        tags.retain(|(tag, digest)| !hidden.has_tag(tag, Some(digest)));
        Ok(tags)
    }

    /// What of a repository nobody is shown.
    pub(super) async fn hidden(&self, region: &Region, name: &RepositoryName) -> Result<Hidden, Fault> {
        Ok(Hidden::of(self.store.hidden(region, name).await.map_err(stored)?))
    }

    /// Forgets when an image was pushed and pulled.
    async fn forget(&self, region: &Region, name: &RepositoryName, digest: &Digest) -> Result<(), Fault> {
        self.store.images_gone(region, name, std::slice::from_ref(digest)).await.map_err(stored)
    }

    /// Whether the tag stands on the image again.
    async fn put_back(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
        tag: &Tag,
    ) -> Result<bool, Fault> {
        if let Some(shown) = self.shown(region, name, tag).await? {
            return Ok(shown == *digest);
        }
        let reference = Reference::Tag(tag.clone());
        let there = self.inventory.manifest(region, name, &reference).await?;
        if there.is_none_or(|there| there.digest != *digest) {
            let Some(manifest) =
                self.inventory.manifest(region, name, &Reference::Digest(digest.clone())).await?
            else {
                return Ok(false);
            };
            self.inventory.put(region, name, &reference, &manifest).await?;
        }
        self.store.reveal_tag(region, name, tag).await.map_err(stored)?;
        Ok(true)
    }

    /// Deletes upstream what has been in the trash for long enough. Says how many images went.
    ///
    /// # Errors
    /// [`Fault`] of the store; what an upstream does not delete is logged, and tried again.
    pub async fn purge(&self) -> Result<usize, Fault> {
        let began = self.clock.now();
        let due = self.store.begin_purge(began, PURGED_AT_ONCE).await.map_err(stored)?;
        let mut gone = 0;
        for TrashedImage { region, repository, digest, .. } in due {
            // From then on they may be another's, and back again.
            if self.clock.now() >= began.plus(PURGE_TAKES / 2) {
                break;
            }
            match self.inventory.delete(&region, &repository, &digest).await {
                Ok(_) => {
                    self.store.end_purge(&region, &repository, &digest).await.map_err(stored)?;
                    self.forget(&region, &repository, &digest).await?;
                    tracing::info!(%region, %repository, %digest, "a deleted image is gone for good");
                    gone += 1;
                }
                // It answered, so the request is over: until the next time, a push may bring the image back.
                Err(fault @ Fault::UpstreamBroken(_)) => {
                    self.store.abort_purge(&region, &repository, &digest).await.map_err(stored)?;
                    tracing::warn!(%region, %repository, %digest, %fault, "a deleted image stays at the upstream");
                }
                Err(fault) => {
                    tracing::warn!(%region, %repository, %digest, %fault, "a deleted image is not gone yet");
                }
            }
        }
        Ok(gone)
    }
}
