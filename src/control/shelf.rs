//! What the registries hold, with the trash laid over it: what is hidden is not there, what is removed can be restored,
//! and what is put again comes back.
//!
//! It stands between the calls of AWS's APIs and the upstreams, and decides nothing.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::stock::{Described, LayerSession, Manifest, Stock, Unstored, Wanted, Warrant};
use super::trash::{Bin, Revived};
use crate::admit::fault::Fault;
use crate::admit::permit::{AwsControl, Permit};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};

/// The upstreams' stock, without what is in the trash.
pub struct Shelf {
    /// What the upstreams hold.
    pub stock: Arc<dyn Stock>,
    /// What of it is hidden.
    pub bin: Arc<Bin>,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shelf").field("bin", &self.bin).finish_non_exhaustive()
    }
}

#[async_trait]
impl Stock for Shelf {
    async fn tagged(&self, region: &Region, name: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault> {
        let hidden = self.bin.hidden(region, name).await?;
        let mut tagged = self.stock.tagged(region, name).await?;
        tagged.retain(|(tag, digest)| !hidden.has_tag(tag, Some(digest)));
        Ok(tagged)
    }

    async fn has_tags(&self, region: &Region, name: &RepositoryName) -> Result<bool, Fault> {
        if self.bin.hidden(region, name).await?.is_empty() {
            return self.stock.has_tags(region, name).await;
        }
        Ok(!self.tagged(region, name).await?.is_empty())
    }

    async fn digest_of(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Digest>, Fault> {
        let hidden = self.bin.hidden(region, name).await?;
        let found = self.stock.digest_of(region, name, tag).await?;
        Ok(found.filter(|digest| !hidden.has_tag(tag, Some(digest))))
    }

    async fn manifest(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Manifest>, Fault> {
        let hidden = self.bin.hidden(region, name).await?;
        let found = self.stock.manifest(region, name, reference).await?;
        Ok(found.filter(|found| match reference {
            Reference::Digest(digest) => !hidden.has_image(digest),
            Reference::Tag(tag) => !hidden.has_tag(tag, Some(&found.digest)),
        }))
    }

    async fn described(
        &self,
        region: &Region,
        name: &RepositoryName,
        mut wanted: Vec<Wanted>,
    ) -> Result<Vec<Described>, Fault> {
        let hidden = self.bin.hidden(region, name).await?;
        wanted.retain(|wanted| !hidden.has_image(&wanted.digest));
        self.stock.described(region, name, wanted).await
    }

    async fn layer_size(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<u64>, Fault> {
        // A vanilla registry serves manifests as layers, too.
        match self.bin.hidden(region, name).await?.has_image(digest) {
            true => Ok(None),
            false => self.stock.layer_size(region, name, digest).await,
        }
    }

    async fn begin_layer(
        &self,
        permit: &Permit<AwsControl>,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<LayerSession, Fault> {
        self.stock.begin_layer(permit, region, name).await
    }

    async fn extend_layer(
        &self,
        permit: &Permit<AwsControl>,
        region: &Region,
        session: LayerSession,
        first: u64,
        bytes: Bytes,
    ) -> Result<LayerSession, Unstored> {
        let length = bytes.len() as u64;
        let extended = self.stock.extend_layer(permit, region, session, first, bytes).await?;
        self.bin.usage.pushed(region, length);
        Ok(extended)
    }

    async fn finish_layer(
        &self,
        permit: &Permit<AwsControl>,
        region: &Region,
        session: LayerSession,
        digest: &Digest,
    ) -> Result<(), Unstored> {
        self.stock.finish_layer(permit, region, session, digest).await
    }

    async fn put_manifest(
        &self,
        permit: &Permit<AwsControl>,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<Digest, Unstored> {
        // Before it is put: what is deleted upstream at this moment must not take the new one along.
        if self.bin.revive(permit, region, name, &manifest.digest).await? == Revived::TooLate {
            let text = format!("{name}@{} is being deleted at this moment", manifest.digest);
            return Err(Fault::UpstreamBroken(text).into());
        }
        let digest = self.stock.put_manifest(permit, region, name, reference, manifest).await?;
        if let Reference::Tag(tag) = reference {
            self.bin.retag(permit, region, name, tag).await?;
        }
        Ok(digest)
    }

    async fn delete_image(
        &self,
        warrant: Warrant<'_>,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, Fault> {
        let gone = match warrant {
            Warrant::Permit(permit) => self.bin.discard(permit, region, name, digest).await?,
            Warrant::Lifecycle => self.bin.remove(region, name, digest).await?,
        };
        Ok(gone.is_some())
    }

    async fn delete_tag(
        &self,
        warrant: Warrant<'_>,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<bool, Fault> {
        match self.digest_of(region, name, tag).await? {
            Some(_) => self.stock.delete_tag(warrant, region, name, tag).await,
            None => Ok(false),
        }
    }
}
