//! The control plane's eyes on the upstreams: one thread of its own, so that a long list delays no pull.

use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::sites::Site;
use crate::admit::fault::Fault;
use crate::clock::{Entropy, UnixTime};
use crate::control::census::{self, Ledger};
use crate::control::image::{Image, Images};
use crate::control::stock::Manifest;
use crate::forward::survey::Surveyed;
use crate::forward::{Forwarder, SetupError};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::operation::Page;
use crate::registry::reference::Reference;

/// Works on upstreams on behalf of the control plane.
#[derive(Debug)]
pub struct ImageReader {
    jobs: mpsc::Sender<Job>,
    entropy: Arc<dyn Entropy>,
    census: Arc<Ledger>,
}

/// The forwarder to one upstream, or why there is none.
type Found = Result<Rc<Forwarder>, Fault>;

/// Something to be done with the forwarder to one upstream, on the thread that has them.
struct Job {
    region: Region,
    work: Box<dyn FnOnce(Found) -> LocalBoxFuture<'static, ()> + Send>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("region", &self.region).finish_non_exhaustive()
    }
}

/// One site, and what makes a forwarder to it.
pub type Route = (Site, Box<dyn Fn() -> Result<Forwarder, SetupError> + Send>);

impl ImageReader {
    /// Starts the thread. What is changed by it is noted in `census`.
    ///
    /// # Errors
    /// The operating system's, when there is no thread or runtime to be had.
    pub fn start(
        routes: Vec<Route>,
        entropy: Arc<dyn Entropy>,
        census: Arc<Ledger>,
    ) -> std::io::Result<Self> {
        let (jobs, receiver) = mpsc::channel(64);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("image-reader".to_owned()).spawn(move || {
            tokio::task::LocalSet::new().block_on(&runtime, work_on_all(routes, receiver));
        })?;
        Ok(Self { jobs, entropy, census })
    }

    /// Has something done there, and waits for what comes of it.
    pub(super) async fn at<T: Send + 'static, E: From<Fault> + Send + 'static>(
        &self,
        region: &Region,
        work: impl AsyncFnOnce(&Forwarder) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let gone = || E::from(Fault::Internal("the image reader has ended".to_owned()));
        let (sender, answer) = oneshot::channel();
        let job = Job {
            region: region.clone(),
            work: Box::new(move |forwarder: Found| {
                let done = async move {
                    let result = match forwarder {
                        Ok(forwarder) => work(&forwarder).await,
                        Err(fault) => Err(E::from(fault)),
                    };
                    // A dropped receiver is a caller that went away: nobody to answer.
                    let _ = sender.send(result);
                };
                Box::pin(done)
            }),
        };
        self.jobs.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Notes that a manifest was put.
    pub(super) fn note_put(
        &self,
        place: (&Region, &RepositoryName),
        reference: &Reference,
        manifest: &Manifest,
    ) {
        self.census.note(census::put(place, (reference, &manifest.digest), &manifest.content));
    }

    /// Notes that something was removed.
    pub(super) fn note_removed(&self, place: (&Region, &RepositoryName), what: &Reference) {
        self.census.note(census::removed(place, what));
    }

    /// Something that nothing else is called.
    pub(super) fn unique(&self) -> String {
        self.entropy.uuid().to_string()
    }
}

#[async_trait]
impl Images for ImageReader {
    async fn repositories(&self, region: &Region) -> Result<Vec<RepositoryName>, Fault> {
        self.at(region, async |forwarder: &Forwarder| repositories(forwarder).await).await
    }

    async fn list(&self, region: &Region, repositories: &[RepositoryName]) -> Result<Vec<Image>, Fault> {
        let names = repositories.to_vec();
        self.at(region, async move |forwarder: &Forwarder| images(forwarder, &names).await).await
    }
}

async fn work_on_all(routes: Vec<Route>, mut jobs: mpsc::Receiver<Job>) {
    let made = routes.into_iter().filter_map(|(site, make)| Some((site, Rc::new(make().ok()?))));
    let forwarders: Vec<(Site, Rc<Forwarder>)> = made.collect();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(Job { region, work }) = jobs.recv().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let found = forwarders.iter().find(|(site, _)| site.region == region);
        let missing = || Fault::Internal(format!("no upstream for region {region}"));
        let found = found.map(|(_, forwarder)| Rc::clone(forwarder)).ok_or_else(missing);
        tokio::task::spawn_local(async move {
            work(found).await;
            drop(place);
        });
    }
}

/// How many lists are read at once: a long one must not keep everybody else waiting.
const AT_ONCE: usize = 8;

/// The most bytes of labels in one list. Whoever can push decides how long they are and how many images share them;
/// past this, images are listed without theirs.
const LABELS_MAX: usize = 4 << 20;

async fn repositories(forwarder: &Forwarder) -> Result<Vec<RepositoryName>, Fault> {
    let mut all = Vec::new();
    loop {
        let last = all.last().map(|name: &RepositoryName| name.as_str().to_owned());
        let page = forwarder.catalog(&Page { limit: Some(1000), last }, async |names| Ok(names)).await?;
        all.extend(page.repositories);
        if !page.more {
            return Ok(all);
        }
    }
}

async fn images(forwarder: &Forwarder, names: &[RepositoryName]) -> Result<Vec<Image>, Fault> {
    let mut all: Vec<Image> = Vec::new();
    let mut room = LABELS_MAX;
    for name in names {
        let first = all.len();
        for surveyed in forwarder.survey(name, &mut room).await? {
            let of_this = all.get_mut(first..).unwrap_or_default();
            match of_this.iter_mut().find(|image| image.digest == surveyed.digest) {
                Some(image) => image.tags.push(surveyed.tag),
                None => all.push(image(name, surveyed)),
            }
        }
    }
    Ok(all)
}

fn image(repository: &RepositoryName, surveyed: Surveyed) -> Image {
    Image {
        repository: repository.clone(),
        digest: surveyed.digest,
        tags: vec![surveyed.tag],
        created: surveyed.created.and_then(|text| UnixTime::parse(&text).ok()),
        size: surveyed.size,
        manifest_type: surveyed.media_type,
        labels: surveyed.labels,
    }
}
