//! An upstream in memory: manifests, tags, and what was deleted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::control::inventory::{Held, Inventory};
use crate::control::stock::Manifest;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};

type Shelf = BTreeMap<String, (Vec<Tag>, Digest)>;

/// One image in every repository: `sha256:aa…`, tagged `v1`, until it is deleted.
#[derive(Debug, Default)]
pub(super) struct OneImage(Mutex<BTreeMap<String, bool>>, Mutex<Shelf>);

pub(super) fn digest() -> Digest {
    Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap()
}

impl OneImage {
    fn tags_of(&self, name: &RepositoryName) -> Vec<Tag> {
        let gone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gone.get(name.as_str()).is_some() {
            return Vec::new();
        }
        let added = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tags = vec![Tag::parse("v1").unwrap()];
        tags.extend(added.get(name.as_str()).into_iter().flat_map(|(tags, _)| tags.clone()));
        tags
    }
}

#[async_trait]
impl Inventory for OneImage {
    async fn held(&self, _: &Region, name: &RepositoryName, _: &[Digest]) -> Result<Vec<Held>, Fault> {
        let tags = self.tags_of(name);
        let held = Held {
            digest: digest(),
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            created: Some(UnixTime::from_seconds(1_000_000)),
            labels: Vec::new(),
            blobs: vec![(digest(), 7)],
            children: Vec::new(),
            subject: None,
            tags,
        };
        Ok(if held.tags.is_empty() { Vec::new() } else { vec![held] })
    }

    async fn tags(&self, _: &Region, name: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault> {
        Ok(self.tags_of(name).into_iter().map(|tag| (tag, digest())).collect())
    }

    async fn manifest(
        &self,
        _: &Region,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Manifest>, Fault> {
        let tags = self.tags_of(name);
        let there = match reference {
            Reference::Digest(one) => *one == digest() && !tags.is_empty(),
            Reference::Tag(tag) => tags.contains(tag),
        };
        let content = Bytes::from_static(b"{ \"config\": {\"digest\": null, \"size\": 7}, \"kept\": null }");
        let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
        Ok(there.then(|| Manifest { digest: digest(), media_type, content }))
    }

    async fn document(&self, _: &Region, _: &RepositoryName, _: &Digest) -> Result<Option<Bytes>, Fault> {
        Ok(None)
    }

    async fn blob(
        &self,
        _: &Region,
        _: &RepositoryName,
        _: &Digest,
        _: usize,
    ) -> Result<Option<Bytes>, Fault> {
        Ok(None)
    }

    async fn signatures(
        &self,
        _: &Region,
        _: &RepositoryName,
        _: &Digest,
    ) -> Result<Vec<(Option<Tag>, Digest)>, Fault> {
        Ok(Vec::new())
    }

    async fn mount(
        &self,
        _: &Region,
        _: &RepositoryName,
        _: &RepositoryName,
        _: &Digest,
    ) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn put(
        &self,
        _: &Region,
        name: &RepositoryName,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<(), Fault> {
        if let Reference::Tag(tag) = reference {
            let mut added = self.1.lock().unwrap_or_else(PoisonError::into_inner);
            let row = added.entry(name.to_string()).or_insert_with(|| (Vec::new(), manifest.digest.clone()));
            row.0.push(tag.clone());
        }
        Ok(())
    }

    async fn delete(&self, _: &Region, name: &RepositoryName, _: &Digest) -> Result<bool, Fault> {
        let mut gone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(gone.insert(name.to_string(), true).is_none())
    }
}
