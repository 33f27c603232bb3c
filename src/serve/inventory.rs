//! The control plane's view of whole repositories: [`Inventory`] by way of the image reader's forwarders.

use async_trait::async_trait;
use bytes::Bytes;

use super::images::ImageReader;
use crate::admit::fault::Fault;
use crate::control::inventory::{Held, Inventory};
use crate::control::stock::{Manifest, Stock};
use crate::forward::Forwarder;
use crate::forward::inventory::Read;
use crate::forward::stock::fault;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};

#[async_trait]
impl Inventory for ImageReader {
    async fn held(
        &self,
        region: &Region,
        name: &RepositoryName,
        also: &[Digest],
    ) -> Result<Vec<Held>, Fault> {
        let (name, also) = (name.clone(), also.to_vec());
        let read =
            self.at(region, async move |forwarder: &Forwarder| forwarder.held(&name, &also).await).await?;
        Ok(read.into_iter().map(held).collect())
    }

    async fn tags(&self, region: &Region, name: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault> {
        let name = name.clone();
        self.at(region, async move |forwarder: &Forwarder| forwarder.tagged(&name).await).await
    }

    async fn manifest(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Manifest>, Fault> {
        Stock::manifest(self, region, name, reference).await
    }

    async fn document(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Bytes>, Fault> {
        let (name, digest) = (name.clone(), digest.clone());
        self.at(region, async move |forwarder: &Forwarder| forwarder.small_blob(&name, &digest).await).await
    }

    async fn blob(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
        max: usize,
    ) -> Result<Option<Bytes>, Fault> {
        let (name, digest) = (name.clone(), digest.clone());
        self.at(region, async move |forwarder: &Forwarder| forwarder.blob_up_to(&name, &digest, max).await)
            .await
    }

    async fn signatures(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<(Option<Tag>, Digest)>, Fault> {
        let (name, digest) = (name.clone(), digest.clone());
        self.at(region, async move |forwarder: &Forwarder| forwarder.signatures(&name, &digest).await).await
    }

    async fn mount(
        &self,
        region: &Region,
        name: &RepositoryName,
        from: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, Fault> {
        let (name, from, digest) = (name.clone(), from.clone(), digest.clone());
        self.at(region, async move |forwarder: &Forwarder| forwarder.mount(&name, &from, &digest).await).await
    }

    async fn put(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<(), Fault> {
        let (to, by, sent) = (name.clone(), reference.clone(), manifest.clone());
        let put = self.at(region, async move |forwarder: &Forwarder| {
            let sent = (sent.media_type.as_str(), sent.content);
            forwarder.put_manifest(&to, &by, sent).await.map(drop).map_err(fault)
        });
        put.await?;
        self.note_put((region, name), reference, manifest);
        Ok(())
    }

    async fn delete(&self, region: &Region, name: &RepositoryName, digest: &Digest) -> Result<bool, Fault> {
        let (from, gone) = (name.clone(), digest.clone());
        let done =
            self.at(region, async move |forwarder: &Forwarder| forwarder.delete_manifest(&from, &gone).await);
        let done = done.await?;
        self.note_removed((region, name), &Reference::Digest(digest.clone()));
        Ok(done)
    }
}

fn held(read: Read) -> Held {
    Held {
        digest: read.digest,
        media_type: read.media_type,
        tags: read.tags,
        created: read.created,
        labels: read.labels,
        blobs: read.blobs,
        children: read.children,
        subject: read.subject,
    }
}
