//! A repository manifest by manifest, and the few changes that we make there on our own account.
//!
//! It serves our own control plane and never answers a client itself.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use serde::Deserialize;

use super::answer::Answer;
use super::body::read;
use super::outgoing::Outgoing;
use super::survey::EVERY_KIND;
use super::{Exchange, Failure, Forwarder, digest, refused};
use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, Page, ReadMode, UploadStart};
use crate::registry::reference::{Digest, Reference, Tag};

/// The longest manifest or configuration that is read.
const DOCUMENT_MAX: usize = 4 << 20;

/// How many questions are under way at once for one list.
const AT_ONCE: usize = 8;

/// The most manifests of one repository that are looked at: an index may name more, and they would be followed for ever.
const HELD_MAX: usize = 100_000;

/// A manifest as it came.
#[derive(Clone, Debug)]
pub struct Text {
    /// What it hashes to.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The text.
    pub content: Bytes,
}

/// What a manifest says.
#[derive(Clone, Debug)]
pub struct Read {
    /// What it hashes to.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The tags that point to it.
    pub tags: Vec<Tag>,
    /// When its configuration says that it was built.
    pub created: Option<UnixTime>,
    /// The labels of its configuration.
    pub labels: Vec<(String, String)>,
    /// Its configuration and layers, and their sizes.
    pub blobs: Vec<(Digest, u64)>,
    /// The manifests that it is an index of.
    pub children: Vec<Digest>,
    /// The manifest that it refers to.
    pub subject: Option<Digest>,
}

#[derive(Default, Deserialize)]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
    subject: Option<Descriptor>,
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
    labels: Option<BTreeMap<String, String>>,
}

impl Forwarder {
    /// Every manifest of the repository that its tags, indexes and `also` lead to.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn held(&self, name: &RepositoryName, also: &[Digest]) -> Result<Vec<Read>, Fault> {
        let mut tags: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
        for (tag, digest) in self.tag_digests(name).await? {
            tags.entry(digest).or_default().push(tag);
        }
        let mut known: HashSet<Digest> = HashSet::new();
        let mut next: Vec<Digest> =
            tags.keys().chain(also).filter(|one| known.insert((*one).clone())).cloned().collect();
        let mut all = Vec::new();
        while !next.is_empty() && all.len() < HELD_MAX {
            let mut reads =
                stream::iter(next).map(|digest| self.read_manifest(name, digest)).buffered(AT_ONCE);
            let mut found = Vec::new();
            while let Some(read) = reads.next().await {
                found.extend(read?);
            }
            drop(reads);
            let children = found.iter().flat_map(|read: &Read| &read.children);
            next = children.filter(|child| known.insert((*child).clone())).cloned().collect();
            all.append(&mut found);
        }
        for read in &mut all {
            read.tags = tags.remove(&read.digest).unwrap_or_default();
        }
        Ok(all)
    }

    /// The tags of the repository, and what they point to. One that has vanished meanwhile is left out.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn tag_digests(&self, name: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault> {
        let tags = match self.tags(name, &Page::default()).await {
            Ok(page) => page.tags,
            Err(failure) => return absent(failure).map(|()| Vec::new()),
        };
        let mut heads = stream::iter(tags).map(|tag| self.head(name, tag)).buffered(AT_ONCE);
        let mut found = Vec::new();
        while let Some(head) = heads.next().await {
            found.extend(head?);
        }
        Ok(found)
    }

    async fn head(&self, name: &RepositoryName, tag: Tag) -> Result<Option<(Tag, Digest)>, Fault> {
        let reference = Reference::Tag(tag.clone());
        let operation = Operation::ManifestRead {
            repository: name.clone(),
            reference: reference.clone(),
            mode: ReadMode::Head,
        };
        let Some(answer) = self.ours(&operation, &accept_all(), Outgoing::empty()).await? else {
            return Ok(None);
        };
        let named = answer.headers().get("docker-content-digest").and_then(|value| value.to_str().ok());
        match named.and_then(|text| Digest::parse(text).ok()) {
            Some(digest) => Ok(Some((tag, digest))),
            // An upstream need not say it.
            None => Ok(self.text(name, &reference).await?.map(|text| (tag, text.digest))),
        }
    }

    /// One manifest, if it is there.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn text(&self, name: &RepositoryName, reference: &Reference) -> Result<Option<Text>, Fault> {
        let (repository, reference) = (name.clone(), reference.clone());
        let operation = Operation::ManifestRead { repository, reference, mode: ReadMode::Get };
        let Some(answer) = self.ours(&operation, &accept_all(), Outgoing::empty()).await? else {
            return Ok(None);
        };
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = kind.unwrap_or_default().to_owned();
        let content = read(answer.into_body(), DOCUMENT_MAX).await;
        let content =
            content.map_err(|_| Fault::UpstreamBroken("a manifest broke off or is too long".into()))?;
        let wrong = || Fault::Internal("a digest that does not parse".into());
        let digest = digest::sha256(&content).ok_or_else(wrong)?;
        Ok(Some(Text { digest, media_type, content }))
    }

    /// A small blob, if it is there and not too long.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn small_blob(&self, name: &RepositoryName, digest: &Digest) -> Result<Option<Bytes>, Fault> {
        self.blob_up_to(name, digest, DOCUMENT_MAX).await
    }

    /// A blob, if it is there and has no more than `max` bytes.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn blob_up_to(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        max: usize,
    ) -> Result<Option<Bytes>, Fault> {
        let (repository, digest) = (name.clone(), digest.clone());
        let operation = Operation::BlobRead { repository, digest, mode: ReadMode::Get, range: None };
        let Some(answer) = self.ours(&operation, &HeaderMap::new(), Outgoing::empty()).await? else {
            return Ok(None);
        };
        Ok(read(answer.into_body(), max).await.ok())
    }

    /// Copies a blob from another repository; `false` if the upstream begins an upload instead.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn mount(
        &self,
        name: &RepositoryName,
        from: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, Fault> {
        let start = UploadStart::Mount { digest: digest.clone(), from: from.clone() };
        let operation = Operation::UploadStart { repository: name.clone(), start };
        let answer = self.ours(&operation, &HeaderMap::new(), Outgoing::empty()).await?;
        Ok(answer.is_some_and(|answer| answer.status() == StatusCode::CREATED))
    }

    /// Puts a manifest in place.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails or refuses.
    pub async fn put_text(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        media_type: &str,
        content: Bytes,
    ) -> Result<(), Fault> {
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_str(media_type);
        headers.insert(header::CONTENT_TYPE, kind.map_err(|error| Fault::Internal(error.to_string()))?);
        let operation = Operation::ManifestWrite { repository: name.clone(), reference: reference.clone() };
        match self.ours(&operation, &headers, Outgoing::full(content)).await? {
            Some(_) => Ok(()),
            None => Err(Fault::UpstreamBroken("it does not take back a manifest of its own".into())),
        }
    }

    /// Deletes a manifest with all its tags; `false` if it is not there.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails or does not delete.
    pub async fn discard_manifest(&self, name: &RepositoryName, digest: &Digest) -> Result<bool, Fault> {
        let (repository, reference) = (name.clone(), Reference::Digest(digest.clone()));
        let operation = Operation::ManifestDelete { repository, reference };
        let headers = HeaderMap::new();
        let answer = self.exchange(&operation, &Exchange::ours(&headers), Outgoing::empty()).await;
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(true),
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => Ok(false),
            Ok(answer) => {
                Err(Fault::UpstreamBroken(format!("it does not delete a manifest: {}", answer.status())))
            }
            Err(Failure::Fault(fault)) => Err(fault),
            Err(failure @ (Failure::Limited { .. } | Failure::Oci(_))) => {
                Err(Fault::UpstreamBroken(failure.to_string()))
            }
        }
    }

    async fn read_manifest(&self, name: &RepositoryName, digest: Digest) -> Result<Option<Read>, Fault> {
        let Some(text) = self.text(name, &Reference::Digest(digest.clone())).await? else { return Ok(None) };
        let said: Manifest = serde_json::from_slice(&text.content).unwrap_or_default();
        let configuration = match said.config.as_ref().and_then(|config| Digest::parse(&config.digest).ok()) {
            Some(config) => self.small_blob(name, &config).await?,
            None => None,
        };
        let configuration =
            configuration.and_then(|text| serde_json::from_slice::<Configuration>(&text).ok());
        let configuration = configuration.unwrap_or_default();
        let blob = |one: &Descriptor| Digest::parse(&one.digest).ok().map(|digest| (digest, one.size));
        let child = |one: &Descriptor| Digest::parse(&one.digest).ok();
        Ok(Some(Read {
            digest,
            media_type: text.media_type,
            tags: Vec::new(),
            created: configuration.created.and_then(|text| UnixTime::parse(&text).ok()),
            labels: configuration
                .config
                .and_then(|runtime| runtime.labels)
                .unwrap_or_default()
                .into_iter()
                .collect(),
            blobs: said.config.iter().chain(&said.layers).filter_map(blob).collect(),
            children: said.manifests.iter().filter_map(child).collect(),
            subject: said.subject.as_ref().and_then(child),
        }))
    }

    /// Asks on our own account; `None` if what is asked for is not there.
    async fn ours(
        &self,
        operation: &Operation,
        headers: &HeaderMap,
        body: Outgoing,
    ) -> Result<Option<Answer>, Fault> {
        match self.exchange(operation, &Exchange::ours(headers), body).await {
            Ok(answer) if answer.status().is_success() => Ok(Some(answer)),
            Ok(answer) => absent(refused::failure(operation, answer).await).map(|()| None),
            Err(failure) => absent(failure).map(|()| None),
        }
    }
}

/// What the upstream refuses because it is not there is nothing; that it asks for patience is a fault, not an absence.
fn absent(failure: Failure) -> Result<(), Fault> {
    match failure {
        Failure::Fault(fault) => Err(fault),
        Failure::Limited { .. } => Err(Fault::UpstreamBroken(failure.to_string())),
        Failure::Oci(error) if error.status == StatusCode::NOT_FOUND => Ok(()),
        Failure::Oci(error) => Err(Fault::UpstreamBroken(error.to_string())),
    }
}

fn accept_all() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static(EVERY_KIND));
    headers
}
