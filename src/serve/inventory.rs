//! The control plane's hands at the upstreams: one thread of its own, so that a long survey delays no pull.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::images::Route;
use super::sites::Site;
use crate::admit::fault::Fault;
use crate::control::inventory::{Held, Inventory, Manifest};
use crate::forward::Forwarder;
use crate::forward::inventory::Read;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};

/// How many jobs are under way at once.
const AT_ONCE: usize = 8;

type Sites = Rc<Vec<(Site, Forwarder)>>;
type Job = Box<dyn FnOnce(Sites) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// Reads and changes upstreams on behalf of the control plane.
pub struct Surveyor(mpsc::Sender<Job>);

impl std::fmt::Debug for Surveyor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surveyor")
    }
}

impl Surveyor {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system's, when there is no thread or runtime to be had.
    pub fn start(routes: Vec<Route>) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(64);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("surveyor".to_owned()).spawn(move || {
            tokio::task::LocalSet::new().block_on(&runtime, work(routes, receiver));
        })?;
        Ok(Self(sender))
    }

    /// Has `job` done with the forwarder of `region`.
    async fn ask<T, F>(&self, region: &Region, job: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Forwarder) -> Result<T, Fault> + Send + 'static,
    {
        let gone = || Fault::Internal("the surveyor has ended".to_owned());
        let (sender, answer) = oneshot::channel();
        let region = region.clone();
        let job: Job = Box::new(move |sites: Sites| {
            Box::pin(async move {
                let found = sites.iter().find(|(site, _)| site.region == region);
                let done = match found {
                    Some((_, forwarder)) => job(forwarder).await,
                    None => Err(Fault::Internal(format!("no upstream for region {region}"))),
                };
                // A dropped receiver is a caller that went away: nobody to answer.
                let _ = sender.send(done);
            })
        });
        self.0.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn work(routes: Vec<Route>, mut jobs: mpsc::Receiver<Job>) {
    let made = routes.into_iter().filter_map(|(site, make)| Some((site, make().ok()?)));
    let sites: Sites = Rc::new(made.collect());
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(job) = jobs.recv().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let sites = Rc::clone(&sites);
        tokio::task::spawn_local(async move {
            job(sites).await;
            drop(place);
        });
    }
}

#[async_trait]
impl Inventory for Surveyor {
    async fn held(
        &self,
        region: &Region,
        name: &RepositoryName,
        also: &[Digest],
    ) -> Result<Vec<Held>, Fault> {
        let (name, also) = (name.clone(), also.to_vec());
        let read = self.ask(region, async move |forwarder| forwarder.held(&name, &also).await).await?;
        Ok(read.into_iter().map(held).collect())
    }

    async fn tags(&self, region: &Region, name: &RepositoryName) -> Result<Vec<(Tag, Digest)>, Fault> {
        let name = name.clone();
        self.ask(region, async move |forwarder| forwarder.tag_digests(&name).await).await
    }

    async fn manifest(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Manifest>, Fault> {
        let (name, reference) = (name.clone(), reference.clone());
        let text = self.ask(region, async move |forwarder| forwarder.text(&name, &reference).await).await?;
        let whole = |text: crate::forward::inventory::Text| Manifest {
            digest: text.digest,
            media_type: text.media_type,
            content: text.content,
        };
        Ok(text.map(whole))
    }

    async fn document(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Bytes>, Fault> {
        let (name, digest) = (name.clone(), digest.clone());
        self.ask(region, async move |forwarder| forwarder.small_blob(&name, &digest).await).await
    }

    async fn blob(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
        max: usize,
    ) -> Result<Option<Bytes>, Fault> {
        let (name, digest) = (name.clone(), digest.clone());
        self.ask(region, async move |forwarder| forwarder.blob_up_to(&name, &digest, max).await).await
    }

    async fn signatures(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<Digest>, Fault> {
        let (name, digest) = (name.clone(), digest.clone());
        let found =
            self.ask(region, async move |forwarder| forwarder.signatures(&name, &digest).await).await?;
        Ok(found.into_iter().map(|(_, signature)| signature).collect())
    }

    async fn mount(
        &self,
        region: &Region,
        name: &RepositoryName,
        from: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, Fault> {
        let (name, from, digest) = (name.clone(), from.clone(), digest.clone());
        self.ask(region, async move |forwarder| forwarder.mount(&name, &from, &digest).await).await
    }

    async fn put(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<(), Fault> {
        let (name, reference, manifest) = (name.clone(), reference.clone(), manifest.clone());
        let put = async move |forwarder: &Forwarder| {
            forwarder.put_text(&name, &reference, &manifest.media_type, manifest.content).await
        };
        self.ask(region, put).await
    }

    async fn delete(&self, region: &Region, name: &RepositoryName, digest: &Digest) -> Result<bool, Fault> {
        let (name, digest) = (name.clone(), digest.clone());
        self.ask(region, async move |forwarder| forwarder.discard_manifest(&name, &digest).await).await
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
