//! What callers see of the trash, and take out of it.

use std::sync::Arc;

use super::problem::Problem;
use super::stocktaking::{ImageName, missing};
use super::trash::Restored;
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::registry::reference::{Reference, Tag};
use crate::store::trash::TrashedImage;

/// ICR's words when a tag stands on another image by now.
const TAKEN: &str =
    "CRT0500E The tagged image already exists. You can restore this image by using the digest.";

impl Desk {
    /// The deleted images that the caller may list, the latest first.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn deleted_images(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        namespace: Option<&str>,
    ) -> Result<Done<Vec<TrashedImage>>, Problem> {
        let mut rows = self.store.trash(region).await?;
        rows.retain(|row| namespace.is_none_or(|one| one == row.repository.namespace()));
        let mut names: Vec<_> = rows.iter().map(|row| row.repository.clone()).collect();
        names.dedup();
        let seen = self.authority.listed(caller, Action::ImageList, region, names).await?;
        rows.retain(|row| seen.contains(&row.repository));
        Ok(Done::new(rows, self.proven(caller, Action::ImageList, Resource::registry(region))))
    }

    /// Restores an image: by digest without tags, by tag with that one.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn restore_image(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        image: &ImageName,
    ) -> Result<Done<()>, Problem> {
        let permit = self.permit_image(caller, Action::ImagePush, region, &image.repository).await?;
        let row = self.deleted(region, image).await?;
        let tags: Vec<Tag> = match &image.reference {
            Reference::Digest(_) => Vec::new(),
            Reference::Tag(tag) => {
                let stands = self.bin.shown(region, &image.repository, tag).await?;
                if stands.is_some_and(|digest| digest != row.digest) {
                    return Err(Problem::Conflict(TAKEN.to_owned()));
                }
                vec![tag.clone()]
            }
        };
        let restored = self.bin.restore(&permit, region, &image.repository, &row.digest, &tags).await?;
        let restored = restored.ok_or_else(|| missing(image))?;
        match restored.taken.is_empty() {
            true => Ok(Done::new((), permit)),
            false => Err(Problem::Conflict(TAKEN.to_owned())),
        }
    }

    /// Restores an image with all the tags that it had, as far as they stand on no other image.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn restore_tags(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        image: &ImageName,
    ) -> Result<Done<Restored>, Problem> {
        let permit = self.permit_image(caller, Action::ImagePush, region, &image.repository).await?;
        let row = self.deleted(region, image).await?;
        let restored = self.bin.restore(&permit, region, &image.repository, &row.digest, &row.tags).await?;
        Ok(Done::new(restored.ok_or_else(|| missing(image))?, permit))
    }

    /// The latest deleted image of that name.
    async fn deleted(&self, region: &Region, image: &ImageName) -> Result<TrashedImage, Problem> {
        let named = |row: &TrashedImage| match &image.reference {
            Reference::Digest(digest) => row.digest == *digest,
            Reference::Tag(tag) => row.tags.contains(tag),
        };
        let rows = self.store.trash(region).await?;
        let found = rows.into_iter().find(|row| row.repository == image.repository && named(row));
        found.ok_or_else(|| missing(image))
    }
}
