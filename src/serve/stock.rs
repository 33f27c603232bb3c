//! The control plane's hands on the upstreams: [`Stock`] by way of the image reader's forwarders.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};

use super::images::ImageReader;
use crate::admit::fault::Fault;
use crate::admit::permit::{AwsControl, Permit};
use crate::clock::UnixTime;
use crate::control::inventory::Inventory;
use crate::control::stock::{Described, LayerSession, Manifest, Stock, Unstored, Wanted, Warrant};
use crate::forward::stock::{Summary, fault};
use crate::forward::{Failure, Forwarder};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};

/// How many manifests are read at once for one list.
const AT_ONCE: usize = 8;

impl From<Fault> for Unstored {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

#[async_trait]
impl Stock for ImageReader {
    async fn tagged(&self, region: &Region, name: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault> {
        let name = name.clone();
        self.at(region, async move |forwarder: &Forwarder| forwarder.tagged(&name).await).await
    }

    async fn has_tags(&self, region: &Region, name: &RepositoryName) -> Result<bool, Fault> {
        let name = name.clone();
        self.at(region, async move |forwarder: &Forwarder| forwarder.has_tags(&name).await).await
    }

    async fn digest_of(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Digest>, Fault> {
        let (name, tag) = (name.clone(), tag.clone());
        self.at(region, async move |forwarder: &Forwarder| forwarder.digest_of(&name, &tag).await).await
    }

    async fn manifest(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Manifest>, Fault> {
        let (name, reference) = (name.clone(), reference.clone());
        let whole =
            self.at(region, async move |forwarder: &Forwarder| forwarder.manifest(&name, &reference).await);
        let manifest = |(digest, media_type, content)| Manifest { digest, media_type, content };
        Ok(whole.await?.map(manifest))
    }

    async fn described(
        &self,
        region: &Region,
        name: &RepositoryName,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Described>, Fault> {
        let name = name.clone();
        self.at(region, async move |forwarder: &Forwarder| {
            let asked = wanted
                .iter()
                .map(async |wanted| forwarder.summary(&name, &wanted.digest, wanted.created).await);
            let mut answers = stream::iter(asked).buffered(AT_ONCE);
            let mut found = Vec::new();
            while let Some(answer) = answers.next().await {
                found.extend(answer?.map(described));
            }
            Ok(found)
        })
        .await
    }

    async fn layer_size(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<u64>, Fault> {
        let (name, digest) = (name.clone(), digest.clone());
        self.at(region, async move |forwarder: &Forwarder| forwarder.blob_size(&name, &digest).await).await
    }

    async fn begin_layer(
        &self,
        _: &Permit<AwsControl>,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<LayerSession, Fault> {
        let repository = name.clone();
        self.at(region, async move |forwarder: &Forwarder| {
            let (id, query) = forwarder.begin_upload(&repository).await.map_err(fault)?;
            Ok(LayerSession { repository, id, query })
        })
        .await
    }

    async fn extend_layer(
        &self,
        _: &Permit<AwsControl>,
        region: &Region,
        session: LayerSession,
        first: u64,
        bytes: Bytes,
    ) -> Result<LayerSession, Unstored> {
        let LayerSession { repository, id, query } = session;
        self.at(region, async move |forwarder: &Forwarder| {
            let extended = forwarder.extend_upload(&repository, (id, query), first, bytes).await;
            let (id, query) = extended.map_err(unstored)?;
            Ok(LayerSession { repository, id, query })
        })
        .await
    }

    async fn finish_layer(
        &self,
        _: &Permit<AwsControl>,
        region: &Region,
        session: LayerSession,
        digest: &Digest,
    ) -> Result<(), Unstored> {
        let (LayerSession { repository, id, query }, digest) = (session, digest.clone());
        self.at(region, async move |forwarder: &Forwarder| {
            forwarder.finish_upload(&repository, (id, query), &digest).await.map_err(unstored)
        })
        .await
    }

    async fn put_manifest(
        &self,
        _: &Permit<AwsControl>,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<Digest, Unstored> {
        let (to, by, sent) = (name.clone(), reference.clone(), manifest.clone());
        let put = self.at(region, async move |forwarder: &Forwarder| {
            let sent = (sent.media_type.as_str(), sent.content);
            forwarder.put_manifest(&to, &by, sent).await.map_err(unstored)
        });
        let digest = put.await?;
        self.note_put((region, name), reference, manifest);
        Ok(digest)
    }

    async fn delete_image(
        &self,
        _: Warrant<'_>,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, Fault> {
        Inventory::delete(self, region, name, digest).await
    }

    async fn delete_tag(
        &self,
        _: Warrant<'_>,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<bool, Fault> {
        let (from, gone, unique) = (name.clone(), tag.clone(), self.unique());
        let done = self
            .at(region, async move |forwarder: &Forwarder| forwarder.delete_tag(&from, &gone, &unique).await);
        let done = done.await?;
        self.note_removed((region, name), &Reference::Tag(tag.clone()));
        Ok(done)
    }
}

fn described(summary: Summary) -> Described {
    Described {
        digest: summary.digest,
        media_type: summary.media_type,
        artifact_type: summary.artifact_type,
        size: summary.size,
        created: summary.created.and_then(|text| UnixTime::parse(&text).ok()),
        subject: summary.subject,
        children: summary.children,
    }
}

fn unstored(failure: Failure) -> Unstored {
    match failure {
        Failure::Oci(error) => Unstored::Refused(error),
        Failure::Fault(_) | Failure::Limited { .. } => Unstored::Fault(fault(failure)),
    }
}
