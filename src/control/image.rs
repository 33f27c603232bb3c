//! What the registries hold, as far as the caller may list it.

use std::sync::Arc;

use async_trait::async_trait;

use super::problem::Problem;
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::policy::words::for_action;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Tag};

/// One manifest of one repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Image {
    /// Where.
    pub repository: RepositoryName,
    /// The manifest's digest.
    pub digest: Digest,
    /// The tags that point to it.
    pub tags: Vec<Tag>,
    /// When it was built, as its configuration says.
    pub created: Option<UnixTime>,
    /// The bytes of its configuration and layers.
    pub size: Option<u64>,
    /// The manifest's media type.
    pub manifest_type: String,
    /// The labels of its configuration.
    pub labels: Vec<(String, String)>,
}

/// Reading what an upstream holds. Implemented on the data plane; decides nothing.
#[async_trait]
pub trait Images: Send + Sync {
    /// Every repository of the registry in `region`.
    async fn repositories(&self, region: &Region) -> Result<Vec<RepositoryName>, Fault>;

    /// The tagged images of `repositories`; those that have vanished meanwhile are left out.
    async fn list(&self, region: &Region, repositories: &[RepositoryName]) -> Result<Vec<Image>, Fault>;
}

/// Which images to list: those in any of these; everything when both are empty.
#[derive(Clone, Debug, Default)]
pub struct ImageFilter {
    /// Whole namespaces.
    pub namespaces: Vec<String>,
    /// Single repositories, without the registry's host.
    pub repositories: Vec<String>,
}

impl ImageFilter {
    fn wants(&self, name: &RepositoryName) -> bool {
        let namespace = self.namespaces.is_empty() || self.namespaces.iter().any(|n| n == name.namespace());
        let repository = self.repositories.is_empty() || self.repositories.iter().any(|r| r == name.as_str());
        namespace && repository
    }
}

impl Desk {
    /// Those images and tags that are not hidden.
    async fn not_hidden(&self, region: &Region, images: Vec<Image>) -> Result<Vec<Image>, Problem> {
        let mut shown = Vec::with_capacity(images.len());
        let mut hidden = None;
        for mut image in images {
            let known = hidden.take().filter(|(of, _)| *of == image.repository);
            let (of, here) = match known {
                Some(known) => known,
                None => (image.repository.clone(), self.bin.hidden(region, &image.repository).await?),
            };
            image.tags.retain(|tag| !here.has_tag(tag, Some(&image.digest)));
            if !here.has_image(&image.digest) && !image.tags.is_empty() {
                shown.push(image);
            }
            hidden = Some((of, here));
        }
        Ok(shown)
    }

    /// The images that the caller may list.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn images(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        filter: &ImageFilter,
    ) -> Result<Done<Vec<Image>>, Problem> {
        let registry = Resource::registry(region);
        let permit = self.proven(caller, Action::ImageList, registry.clone());
        let words = for_action(Action::ImageList);
        let some = words.is_some_and(|words| words.are_allowed_somewhere(&caller.bundle.rights));
        let own = some || self.authority.may(caller, Action::ImageList, &registry);
        if !own && !self.store.registry(region).await?.is_some_and(|facts| facts.repository_policies) {
            // Walking the whole registry for somebody who may see nothing of it is work for nothing.
            return Ok(Done::new(Vec::new(), permit));
        }
        let mut repositories = self.images.repositories(region).await?;
        repositories.retain(|name| filter.wants(name));
        let repositories = self.authority.listed(caller, Action::ImageList, region, repositories).await?;
        let images = match repositories.is_empty() {
            true => Vec::new(),
            false => self.not_hidden(region, self.images.list(region, &repositories).await?).await?,
        };
        Ok(Done::new(images, permit))
    }
}
