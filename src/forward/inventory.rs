//! A repository manifest by manifest, with what hangs together in it.
//!
//! It serves our own control plane and never answers a client itself.

use std::collections::{BTreeMap, HashSet};

use futures_util::StreamExt;
use futures_util::stream;
use http::StatusCode;

use super::Forwarder;
use super::document::{Configuration, Manifest};
use super::outgoing::Outgoing;
use super::stock::known;
use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, UploadStart};
use crate::registry::reference::{Digest, Reference, Tag};

/// How many questions are under way at once for one list.
const AT_ONCE: usize = 8;

/// The most manifests of one repository that are looked at: an index may name more, and they would be followed for ever.
const HELD_MAX: usize = 100_000;

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

impl Forwarder {
    /// Every manifest of the repository that its tags, indexes and `also` lead to.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn held(&self, name: &RepositoryName, also: &[Digest]) -> Result<Vec<Read>, Fault> {
        let mut tags: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
        for (tag, digest) in self.tagged(name).await? {
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
        let answer = known(self.asked(&operation, Outgoing::empty(), None).await)?;
        Ok(answer.is_some_and(|answer| answer.status() == StatusCode::CREATED))
    }

    async fn read_manifest(&self, name: &RepositoryName, digest: Digest) -> Result<Option<Read>, Fault> {
        let Some((digest, media_type, text)) = self.manifest(name, &Reference::Digest(digest)).await? else {
            return Ok(None);
        };
        let said = Manifest::of(&text);
        let mut configuration = match &said.config {
            Some(config) => self.configuration(name, config).await?,
            None => Configuration::default(),
        };
        let labels = configuration.labels();
        Ok(Some(Read {
            digest,
            media_type,
            tags: Vec::new(),
            created: configuration.created.and_then(|text| UnixTime::parse(&text).ok()),
            labels,
            blobs: said.blobs(),
            children: said.children(),
            subject: said.subject(),
        }))
    }
}
