//! What a repository holds, read for lists of images: tags, and what their manifests and configurations say.
//!
//! It serves our own control plane, which shows callers only what they may list; it never answers a client itself.

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use serde::Deserialize;

use super::body::read;
use super::outgoing::Outgoing;
use super::{Exchange, Failure, Forwarder, digest, refused};
use crate::admit::fault::Fault;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, Page, ReadMode};
use crate::registry::reference::{Digest, Reference, Tag};

/// The longest manifest or configuration that is read.
const DOCUMENT_MAX: usize = 4 << 20;

/// Every kind of manifest that a registry may hold; a vanilla one answers 404 for kinds that are not asked for.
const MANIFEST_KINDS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// These and what is older: whether a tag is there does not depend on what it points to.
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

#[derive(Deserialize)]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    size: u64,
}

#[derive(Default, Deserialize)]
struct Configuration {
    created: Option<String>,
    #[serde(default)]
    config: Option<Runtime>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Runtime {
    #[serde(default)]
    labels: Option<std::collections::BTreeMap<String, String>>,
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
        let manifest =
            Operation::ManifestRead { repository: repository.clone(), reference, mode: ReadMode::Get };
        let Some((media_type, text)) = self.document(&manifest).await? else { return Ok(None) };
        let (Some(digest), Ok(parsed)) = (digest::sha256(&text), serde_json::from_slice::<Manifest>(&text))
        else {
            return Ok(None);
        };
        let size = parsed.config.as_ref().map(|config| {
            parsed.layers.iter().fold(config.size, |total, layer| total.saturating_add(layer.size))
        });
        let configuration = match parsed.config.and_then(|config| Digest::parse(&config.digest).ok()) {
            Some(digest) => {
                let mode = ReadMode::Get;
                let blob = Operation::BlobRead { repository: repository.clone(), digest, mode, range: None };
                let text = self.document(&blob).await?.map(|(_, text)| text).unwrap_or_default();
                serde_json::from_slice::<Configuration>(&text).unwrap_or_default()
            }
            None => Configuration::default(),
        };
        let labels = configuration.config.and_then(|runtime| runtime.labels).unwrap_or_default();
        let labels = labels.into_iter().collect();
        Ok(Some(Surveyed { digest, tag, media_type, size, created: configuration.created, labels }))
    }

    /// A small document and its type; `None` when it is not there or too long.
    async fn document(&self, operation: &Operation) -> Result<Option<(String, Bytes)>, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(MANIFEST_KINDS));
        let answer = match self.exchange(operation, &Exchange::ours(&headers), Outgoing::empty()).await {
            Ok(answer) if answer.status() == StatusCode::OK => answer,
            Ok(answer) => match refused::failure(operation, answer).await {
                Failure::Fault(fault) => return Err(fault),
                Failure::Limited { .. } | Failure::Oci(_) => return Ok(None),
            },
            Err(Failure::Fault(fault)) => return Err(fault),
            Err(Failure::Limited { .. } | Failure::Oci(_)) => return Ok(None),
        };
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        Ok(read(answer.into_body(), DOCUMENT_MAX).await.ok().map(|text| (kind, text)))
    }
}
