//! The upstream of one registry, as the gate asks it, with the trash laid over: what is hidden is not there.

use std::sync::Arc;

use super::Shared;
use crate::admit::fault::Fault;
use crate::admit::findings::{Resolved, Upstream};
use crate::forward::Forwarder;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};
use crate::registry::shape::{Nature, Shape};

/// How many signatures one manifest may hold, and how long each may be, to be taken for signatures.
const SIGNATURES_MAX: usize = 32;
const SIGNATURE_MAX: usize = 4 << 20;

/// The upstream.
pub(super) struct Asked<'a> {
    pub(super) forwarder: &'a Forwarder,
    pub(super) shared: &'a Shared,
    pub(super) region: &'a Region,
}

impl Asked<'_> {
    async fn shape(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<Arc<Shape>>, Fault> {
        let (shapes, place) = (&self.shared.shapes, (self.region, repository));
        let known = match shapes.of(place, digest) {
            Some(known) => known,
            None => {
                let reference = Reference::Digest(digest.clone());
                let found = self.forwarder.manifest(repository, &reference).await?;
                let Some((_, stored, text)) = found else { return Ok(None) };
                let odd = || Fault::UpstreamBroken(format!("what {digest} is cannot be told"));
                Arc::new(Shape::read_as(&stored, &text).ok_or_else(odd)?)
            }
        };
        shapes.learn(place, digest, Arc::clone(&known));
        Ok(Some(known))
    }

    /// What a manifest is. One that is configured to be run and calls all its layers signatures is looked into, because not every
    /// runtime looks at what layers are called: JSON is nothing that any of them unpacks.
    async fn nature(&self, repository: &RepositoryName, shape: &Shape) -> Result<Nature, Fault> {
        if shape.nature != Nature::Signature || !shape.runs {
            return Ok(shape.nature);
        }
        if shape.layers.len() > SIGNATURES_MAX {
            return Ok(Nature::Image);
        }
        for layer in &shape.layers {
            let bytes = self.forwarder.blob_up_to(repository, &layer.digest, SIGNATURE_MAX).await?;
            let is_json =
                |bytes: &bytes::Bytes| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
            if !bytes.as_ref().is_some_and(is_json) {
                return Ok(Nature::Image);
            }
        }
        Ok(Nature::Signature)
    }

    async fn has_signature(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, Fault> {
        let hidden = self.shared.gate.overlay(self.region, repository).await?.hidden;
        let beside = self.forwarder.signatures(repository, digest).await?;
        Ok(beside.iter().any(|one| hidden.shows(one)))
    }
}

impl Upstream for Asked<'_> {
    async fn exists(&self, repository: &RepositoryName, tag: &Tag) -> Result<bool, Fault> {
        let hidden = self.shared.gate.overlay(self.region, repository).await?.hidden;
        // One that is hidden is not there, unless it was put on again behind our back.
        Ok(!hidden.has_tag(tag, None) && self.forwarder.has_tag(repository, tag).await?)
    }

    async fn resolved(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Resolved>, Fault> {
        let hidden = self.shared.gate.overlay(self.region, repository).await?.hidden;
        let digest = match reference {
            Reference::Digest(digest) => Some(digest.clone()),
            Reference::Tag(tag) => {
                let found = self.forwarder.digest_of(repository, tag).await?;
                found.filter(|digest| !hidden.has_tag(tag, Some(digest)))
            }
        };
        let Some(digest) = digest.filter(|digest| !hidden.has_image(digest)) else { return Ok(None) };
        let Some(shape) = self.shape(repository, &digest).await? else { return Ok(None) };
        let nature = self.nature(repository, &shape).await?;
        let children = match nature {
            Nature::Index => shape.children.clone(),
            Nature::Artifact | Nature::Image | Nature::Signature => Vec::new(),
        };
        Ok(Some(Resolved { digest, nature, children }))
    }

    async fn signed(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, Fault> {
        if self.has_signature(repository, digest).await? {
            return Ok(true);
        }
        for parent in self.shared.shapes.parents((self.region, repository), digest).iter() {
            // It may have been deleted since.
            let there = self.forwarder.manifest(repository, &Reference::Digest(parent.clone())).await?;
            if there.is_some() && self.has_signature(repository, parent).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
