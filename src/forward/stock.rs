//! Single pieces of a repository, read and changed for our own control plane.
//!
//! Like a survey it never answers a client itself; whoever calls has decided. Each request is written from an operation.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};

use super::body::{ForwardBody, read};
use super::document::{Configuration, Descriptor, Manifest};
use super::manifest::MANIFEST_MAX;
use super::outgoing::Outgoing;
use super::survey::EVERY_KIND;
use super::{Exchange, Failure, Forwarder, digest, location, refused};
use crate::admit::fault::Fault;
use crate::registry::error::OciCode;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, Page, ReadMode, UploadId, UploadSession, UploadStart};
use crate::registry::reference::{Digest, Reference, Tag};

/// How many questions are put to the upstream at once for one list.
const AT_ONCE: usize = 8;

/// A manifest, whole: its digest, media type and bytes.
pub type Whole = (Digest, String, Bytes);

/// An upload as the upstream names it: its id and its state.
pub type Upload = (UploadId, String);

/// What a manifest says of itself.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The type of the artifact, or of its configuration.
    pub artifact_type: Option<String>,
    /// The bytes of configuration and layers; of an index, those of its largest image.
    pub size: u64,
    /// When its configuration says that it was built.
    pub created: Option<String>,
    /// What it is about.
    pub subject: Option<Digest>,
    /// The manifests that it is an index of.
    pub children: Vec<Digest>,
}

impl Forwarder {
    /// The tags of a repository and what they point to; those that vanish meanwhile are left out.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn tagged(&self, repository: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault> {
        let tags = self.all_tags(repository, &Page::default()).await?;
        let asked = tags.into_iter().map(async |tag| {
            let digest = self.digest_of(repository, &tag).await?;
            Ok::<_, Fault>(digest.map(|digest| (tag, digest)))
        });
        let mut answers = stream::iter(asked).buffered(AT_ONCE);
        let mut found = Vec::new();
        while let Some(answer) = answers.next().await {
            found.extend(answer?);
        }
        Ok(found)
    }

    /// Whether a repository has any tags.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn has_tags(&self, repository: &RepositoryName) -> Result<bool, Fault> {
        Ok(!self.all_tags(repository, &Page { limit: Some(1), last: None }).await?.is_empty())
    }

    async fn all_tags(&self, repository: &RepositoryName, page: &Page) -> Result<Vec<Tag>, Fault> {
        Ok(known(self.tags(repository, page).await)?.map(|page| page.tags).unwrap_or_default())
    }

    /// What a tag points to.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn digest_of(&self, repository: &RepositoryName, tag: &Tag) -> Result<Option<Digest>, Fault> {
        let reference = Reference::Tag(tag.clone());
        let operation =
            Operation::ManifestRead { repository: repository.clone(), reference, mode: ReadMode::Head };
        let Some(answer) = known(self.asked(&operation, Outgoing::empty(), None).await)? else {
            return Ok(None);
        };
        let named = answer.headers().get("docker-content-digest").and_then(|value| value.to_str().ok());
        match named.map(Digest::parse) {
            Some(Ok(digest)) => Ok(Some(digest)),
            // Not every registry says; its manifest tells.
            Some(Err(_)) | None => {
                let reference = Reference::Tag(tag.clone());
                Ok(self.manifest(repository, &reference).await?.map(|(digest, ..)| digest))
            }
        }
    }

    /// One manifest. One that does not hash to the digest that it is asked for by is a fault.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn manifest(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Whole>, Fault> {
        let operation = Operation::ManifestRead {
            repository: repository.clone(),
            reference: reference.clone(),
            mode: ReadMode::Get,
        };
        let Some(answer) = known(self.asked(&operation, Outgoing::empty(), None).await)? else {
            return Ok(None);
        };
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let too_long = |_| Fault::UpstreamBroken("a manifest that breaks off, or of more than 4 MiB".into());
        let content = read(answer.into_body(), MANIFEST_MAX).await.map_err(too_long)?;
        let digest = match reference {
            // Signed manifests of the first schema hash to something else.
            Reference::Digest(digest)
                if digest::matches(digest, &content) || kind.ends_with("+prettyjws") =>
            {
                digest.clone()
            }
            Reference::Digest(digest) => {
                return Err(Fault::UpstreamBroken(format!("the manifest served as {digest} is another one")));
            }
            Reference::Tag(_) => digest::sha256(&content)
                .ok_or_else(|| Fault::Internal("a digest that does not parse".into()))?,
        };
        Ok(Some((digest, kind, content)))
    }

    /// What a manifest says; when it was built only if `created` is set.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn summary(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        created: bool,
    ) -> Result<Option<Summary>, Fault> {
        let Some((digest, media_type, content)) =
            self.manifest(repository, &Reference::Digest(digest.clone())).await?
        else {
            return Ok(None);
        };
        let parsed = Manifest::of(&content);
        let children = parsed.children();
        let sizes = children.iter().map(async |child| {
            let reference = Reference::Digest(child.clone());
            let whole = self.manifest(repository, &reference).await?;
            Ok::<_, Fault>(whole.and_then(|(_, _, content)| Manifest::of(&content).size()).unwrap_or(0))
        });
        let mut sizes = stream::iter(sizes).buffered(AT_ONCE);
        let mut size = parsed.size().unwrap_or(0);
        while let Some(of_child) = sizes.next().await {
            size = size.max(of_child?);
        }
        drop(sizes);
        let built = match &parsed.config {
            Some(config) if created => self.configuration(repository, config).await?.created,
            Some(_) | None => None,
        };
        let subject = parsed.subject();
        let artifact_type = parsed.artifact_type.or(parsed.config.and_then(|config| config.media_type));
        Ok(Some(Summary { digest, media_type, artifact_type, size, created: built, subject, children }))
    }

    /// What an image's configuration says. One that is too long or not there says nothing.
    pub(super) async fn configuration(
        &self,
        repository: &RepositoryName,
        config: &Descriptor,
    ) -> Result<Configuration, Fault> {
        let Some(digest) = config.digest() else { return Ok(Configuration::default()) };
        Ok(Configuration::of(&self.small_blob(repository, &digest).await?.unwrap_or_default()))
    }

    /// A small blob, if it is there and not too long.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn small_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Bytes>, Fault> {
        self.blob_up_to(repository, digest, MANIFEST_MAX).await
    }

    /// A blob, if it is there and has no more than `max` bytes.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn blob_up_to(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        max: usize,
    ) -> Result<Option<Bytes>, Fault> {
        let (repository, digest) = (repository.clone(), digest.clone());
        let blob = Operation::BlobRead { repository, digest, mode: ReadMode::Get, range: None };
        let Some(answer) = known(self.asked(&blob, Outgoing::empty(), None).await)? else { return Ok(None) };
        Ok(read(answer.into_body(), max).await.ok())
    }

    /// The size of a blob.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn blob_size(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<u64>, Fault> {
        let (repository, digest) = (repository.clone(), digest.clone());
        let blob = Operation::BlobRead { repository, digest, mode: ReadMode::Head, range: None };
        let Some(answer) = known(self.asked(&blob, Outgoing::empty(), None).await)? else { return Ok(None) };
        let length = answer.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let unsaid = || Fault::UpstreamBroken("HEAD of a blob without Content-Length".into());
        length.and_then(|text| text.parse().ok()).map(Some).ok_or_else(unsaid)
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// [`Failure`] when the upstream fails or refuses.
    pub async fn begin_upload(&self, repository: &RepositoryName) -> Result<Upload, Failure> {
        let start = UploadStart::Session;
        let operation = Operation::UploadStart { repository: repository.clone(), start };
        let answer = self.asked(&operation, Outgoing::empty(), None).await?;
        Ok(self.upload_in(repository, &answer)?)
    }

    /// Goes on with an upload that has `first` bytes.
    ///
    /// # Errors
    /// [`Failure`] when the upstream fails or refuses.
    pub async fn extend_upload(
        &self,
        repository: &RepositoryName,
        (id, query): Upload,
        first: u64,
        bytes: Bytes,
    ) -> Result<Upload, Failure> {
        let last = first.saturating_add(bytes.len() as u64).saturating_sub(1);
        let session = UploadSession { repository: repository.clone(), id, lease: None };
        let operation = Operation::UploadChunk { session, content_range: Some((first, last)) };
        let answer = self.asked(&operation, Outgoing::full(bytes), Some(&query)).await?;
        Ok(self.upload_in(repository, &answer)?)
    }

    /// Ends an upload.
    ///
    /// # Errors
    /// [`Failure`] when the upstream fails or refuses, as it does when the bytes do not hash to `digest`.
    pub async fn finish_upload(
        &self,
        repository: &RepositoryName,
        (id, query): Upload,
        digest: &Digest,
    ) -> Result<(), Failure> {
        let session = UploadSession { repository: repository.clone(), id, lease: None };
        let operation = Operation::UploadFinish { session, digest: digest.clone(), content_range: None };
        self.asked(&operation, Outgoing::empty(), Some(&query)).await.map(drop)
    }

    /// Puts a manifest in place.
    ///
    /// # Errors
    /// [`Failure`] when the upstream fails or refuses, as it does when layers are missing.
    pub async fn put_manifest(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
        (media_type, content): (&str, Bytes),
    ) -> Result<Digest, Failure> {
        let digest = match reference {
            Reference::Digest(digest) => digest.clone(),
            Reference::Tag(_) => digest::sha256(&content)
                .ok_or_else(|| Fault::Internal("a digest that does not parse".into()))?,
        };
        let operation =
            Operation::ManifestWrite { repository: repository.clone(), reference: reference.clone() };
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(media_type) {
            headers.insert(header::CONTENT_TYPE, value);
        }
        super::request::manifest_type(&headers)?;
        let answer = self.exchange(&operation, &Exchange::ours(&headers), Outgoing::full(content)).await?;
        if answer.status() == StatusCode::CREATED {
            Ok(digest)
        } else {
            Err(refused::failure(&operation, answer).await)
        }
    }

    /// Removes a manifest with all its tags; whether it was there.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails, or removes nothing.
    pub async fn delete_manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, Fault> {
        let reference = Reference::Digest(digest.clone());
        let operation = Operation::ManifestDelete { repository: repository.clone(), reference };
        Ok(known(self.asked(&operation, Outgoing::empty(), None).await)?.is_some())
    }

    /// Removes a tag and nothing else. A registry that cannot do that is given something else to point the tag to, which
    /// is then removed.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn delete_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        unique: &str,
    ) -> Result<bool, Fault> {
        if self.digest_of(repository, tag).await?.is_none() {
            return Ok(false);
        }
        let reference = Reference::Tag(tag.clone());
        let operation =
            Operation::ManifestDelete { repository: repository.clone(), reference: reference.clone() };
        match self.asked(&operation, Outgoing::empty(), None).await {
            Ok(_) if self.digest_of(repository, tag).await?.is_none() => return Ok(true),
            // A vanilla registry up to 2.8 takes digests only.
            Ok(_) | Err(Failure::Oci(_)) => {}
            Err(failure) => return Err(fault(failure)),
        }
        let nothing = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [],
            "annotations": {"untagged": unique},
        });
        let content = Bytes::from(nothing.to_string());
        let stand_in = self.put_manifest(repository, &reference, (INDEX, content)).await.map_err(fault)?;
        self.delete_manifest(repository, &stand_in).await
    }

    /// Sends an operation; anything but success is a failure.
    pub(super) async fn asked(
        &self,
        operation: &Operation,
        body: Outgoing,
        upload_query: Option<&str>,
    ) -> Result<http::Response<ForwardBody>, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(EVERY_KIND));
        let exchange = Exchange { upload_query, ..Exchange::ours(&headers) };
        let answer = self.exchange(operation, &exchange, body).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(refused::failure(operation, answer).await) }
    }

    fn upload_in(
        &self,
        repository: &RepositoryName,
        answer: &http::Response<ForwardBody>,
    ) -> Result<Upload, Fault> {
        let given = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let given = given.ok_or_else(|| Fault::UpstreamBroken("an upload without a Location".into()))?;
        let found = location::upload(given, &self.settings.url, repository).map_err(Fault::UpstreamBroken)?;
        Ok((found.id, found.query))
    }
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What is not there is nothing; any other failure of a question is the upstream's.
pub(super) fn known<T>(answer: Result<T, Failure>) -> Result<Option<T>, Fault> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Failure::Oci(error)) if is_absence(error.code) => Ok(None),
        Err(failure) => Err(fault(failure)),
    }
}

const fn is_absence(code: OciCode) -> bool {
    matches!(code, OciCode::BlobUnknown | OciCode::ManifestUnknown | OciCode::NameUnknown)
}

/// A failure that no caller can have caused.
pub fn fault(failure: Failure) -> Fault {
    match failure {
        Failure::Fault(fault) => fault,
        Failure::Limited { .. } => Fault::UpstreamUnreachable(failure.to_string()),
        Failure::Oci(_) => Fault::UpstreamBroken(failure.to_string()),
    }
}
