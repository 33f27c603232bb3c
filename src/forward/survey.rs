//! What a repository holds, read for lists of images: tags, and what their manifests and configurations say.
//!
//! It serves our own control plane, which shows callers only what they may list; it never answers a client itself.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};

use super::document::{Configuration, Manifest};
use super::outgoing::Outgoing;
use super::{Exchange, Failure, Forwarder};
use crate::admit::fault::Fault;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, Page, ReadMode};
use crate::registry::reference::{Digest, Reference, Tag};

/// Every kind of manifest that a registry may hold, and what is older: whether a tag is there does not depend on what it points to.
pub(super) const EVERY_KIND: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.v1+prettyjws, application/vnd.docker.distribution.manifest.v1+json, \
    application/json, */*";

/// One manifest of a repository, as far as it says.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// Its digest.
    pub digest: Digest,
    /// The tag that led to it.
    pub tag: Tag,
    /// Its media type.
    pub media_type: String,
    /// The bytes of configuration and layers; `None` for an index.
    pub size: Option<u64>,
    /// When its configuration says that it was built.
    pub created: Option<String>,
    /// The labels of its configuration.
    pub labels: Vec<(String, String)>,
}

impl Forwarder {
    /// What the tags of `repository` point to. What has vanished meanwhile, or cannot be read, is left out, and so are
    /// labels for which there is no `room`, in bytes.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn survey(
        &self,
        repository: &RepositoryName,
        room: &mut usize,
    ) -> Result<Vec<Surveyed>, Fault> {
        let tags = match self.tags(repository, &Page::default()).await {
            Ok(page) => page.tags,
            Err(Failure::Fault(fault)) => return Err(fault),
            Err(Failure::Limited { .. } | Failure::Oci(_)) => return Ok(Vec::new()),
        };
        let mut found = Vec::with_capacity(tags.len());
        for tag in tags {
            let Some(mut surveyed) = self.surveyed(repository, tag).await? else { continue };
            let length = surveyed.labels.iter().map(|(key, value)| key.len() + value.len()).sum();
            match room.checked_sub(length) {
                Some(left) => *room = left,
                None => surveyed.labels = Vec::new(),
            }
            found.push(surveyed);
        }
        Ok(found)
    }

    /// Whether the repository has the tag, as of now.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails, or answers anything but yes or no.
    pub async fn has_tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<bool, Fault> {
        let (repository, reference) = (repository.clone(), Reference::Tag(tag.clone()));
        let operation = Operation::ManifestRead { repository, reference, mode: ReadMode::Head };
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(EVERY_KIND));
        match self.exchange(&operation, &Exchange::ours(&headers), Outgoing::empty()).await {
            Ok(answer) if answer.status() == StatusCode::OK => Ok(true),
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => Ok(false),
            Ok(answer) => {
                Err(Fault::UpstreamBroken(format!("HEAD of a manifest answers {}", answer.status())))
            }
            Err(Failure::Fault(fault)) => Err(fault),
            Err(failure @ (Failure::Limited { .. } | Failure::Oci(_))) => {
                Err(Fault::UpstreamBroken(failure.to_string()))
            }
        }
    }

    async fn surveyed(&self, repository: &RepositoryName, tag: Tag) -> Result<Option<Surveyed>, Fault> {
        let reference = Reference::Tag(tag.clone());
        let Some((digest, media_type, text)) = self.manifest(repository, &reference).await? else {
            return Ok(None);
        };
        let manifest = Manifest::of(&text);
        let mut configuration = match &manifest.config {
            Some(config) => self.configuration(repository, config).await?,
            None => Configuration::default(),
        };
        let (labels, size) = (configuration.labels(), manifest.size());
        Ok(Some(Surveyed { digest, tag, media_type, size, created: configuration.created, labels }))
    }
}
