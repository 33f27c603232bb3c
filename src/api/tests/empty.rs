//! An upstream that holds nothing and takes nothing.

use async_trait::async_trait;
use bytes::Bytes;

use crate::admit::fault::Fault;
use crate::admit::permit::{AwsControl, Permit};
use crate::control::stock::{Described, LayerSession, Manifest, Stock, Unstored, Wanted, Warrant};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};

/// The upstream.
pub(super) struct Empty;

fn full() -> Fault {
    Fault::UpstreamUnreachable("it takes nothing".to_owned())
}

#[async_trait]
impl Stock for Empty {
    async fn tagged(&self, _: &Region, _: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault> {
        Ok(Vec::new())
    }

    async fn has_tags(&self, _: &Region, _: &RepositoryName) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn digest_of(&self, _: &Region, _: &RepositoryName, _: &Tag) -> Result<Option<Digest>, Fault> {
        Ok(None)
    }

    async fn manifest(
        &self,
        _: &Region,
        _: &RepositoryName,
        _: &Reference,
    ) -> Result<Option<Manifest>, Fault> {
        Ok(None)
    }

    async fn described(
        &self,
        _: &Region,
        _: &RepositoryName,
        _: Vec<Wanted>,
    ) -> Result<Vec<Described>, Fault> {
        Ok(Vec::new())
    }

    async fn layer_size(&self, _: &Region, _: &RepositoryName, _: &Digest) -> Result<Option<u64>, Fault> {
        Ok(None)
    }

    async fn begin_layer(
        &self,
        _: &Permit<AwsControl>,
        _: &Region,
        _: &RepositoryName,
    ) -> Result<LayerSession, Fault> {
        Err(full())
    }

    async fn extend_layer(
        &self,
        _: &Permit<AwsControl>,
        _: &Region,
        _: LayerSession,
        _: u64,
        _: Bytes,
    ) -> Result<LayerSession, Unstored> {
        Err(Unstored::Fault(full()))
    }

    async fn finish_layer(
        &self,
        _: &Permit<AwsControl>,
        _: &Region,
        _: LayerSession,
        _: &Digest,
    ) -> Result<(), Unstored> {
        Err(Unstored::Fault(full()))
    }

    async fn put_manifest(
        &self,
        _: &Permit<AwsControl>,
        _: &Region,
        _: &RepositoryName,
        _: &Reference,
        _: &Manifest,
    ) -> Result<Digest, Unstored> {
        Err(Unstored::Fault(full()))
    }

    async fn delete_image(
        &self,
        _: Warrant<'_>,
        _: &Region,
        _: &RepositoryName,
        _: &Digest,
    ) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn delete_tag(
        &self,
        _: Warrant<'_>,
        _: &Region,
        _: &RepositoryName,
        _: &Tag,
    ) -> Result<bool, Fault> {
        Ok(false)
    }
}
