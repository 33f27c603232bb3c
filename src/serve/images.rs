//! The control plane's eyes on the upstreams: one thread of its own, so that a long list delays no pull.

use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::sites::Site;
use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::control::image::{Image, Images};
use crate::forward::survey::Surveyed;
use crate::forward::{Forwarder, SetupError};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::operation::Page;

/// Reads upstreams on behalf of the control plane.
#[derive(Debug)]
pub struct ImageReader(mpsc::Sender<Question>);

#[derive(Debug)]
enum Question {
    Repositories(Region, oneshot::Sender<Result<Vec<RepositoryName>, Fault>>),
    Images(Region, Vec<RepositoryName>, oneshot::Sender<Result<Vec<Image>, Fault>>),
}

/// One site, and what makes a forwarder to it.
pub type Route = (Site, Box<dyn Fn() -> Result<Forwarder, SetupError> + Send>);

impl ImageReader {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system's, when there is no thread or runtime to be had.
    pub fn start(routes: Vec<Route>) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(64);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("image-reader".to_owned()).spawn(move || {
            tokio::task::LocalSet::new().block_on(&runtime, answer_all(routes, receiver));
        })?;
        Ok(Self(sender))
    }

    async fn ask<T>(
        &self,
        question: Question,
        answer: oneshot::Receiver<Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let gone = || Fault::Internal("the image reader has ended".to_owned());
        self.0.send(question).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[async_trait]
impl Images for ImageReader {
    async fn repositories(&self, region: &Region) -> Result<Vec<RepositoryName>, Fault> {
        let (sender, receiver) = oneshot::channel();
        self.ask(Question::Repositories(region.clone(), sender), receiver).await
    }

    async fn list(&self, region: &Region, repositories: &[RepositoryName]) -> Result<Vec<Image>, Fault> {
        let (sender, receiver) = oneshot::channel();
        self.ask(Question::Images(region.clone(), repositories.to_vec(), sender), receiver).await
    }
}

async fn answer_all(routes: Vec<Route>, mut questions: mpsc::Receiver<Question>) {
    let made = routes.into_iter().filter_map(|(site, make)| Some((site, make().ok()?)));
    let forwarders: Rc<Vec<(Site, Forwarder)>> = Rc::new(made.collect());
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(question) = questions.recv().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let forwarders = Rc::clone(&forwarders);
        tokio::task::spawn_local(async move {
            answer(&forwarders, question).await;
            drop(place);
        });
    }
}

async fn answer(forwarders: &[(Site, Forwarder)], question: Question) {
    let find = |region: &Region| {
        let found = forwarders.iter().find(|(site, _)| site.region == *region);
        found
            .map(|(_, forwarder)| forwarder)
            .ok_or_else(|| Fault::Internal(format!("no upstream for region {region}")))
    };
    // A dropped receiver is a caller that went away: nobody to answer.
    match question {
        Question::Repositories(region, answer) => {
            let listed = match find(&region) {
                Ok(forwarder) => repositories(forwarder).await,
                Err(fault) => Err(fault),
            };
            let _ = answer.send(listed);
        }
        Question::Images(region, names, answer) => {
            let listed = match find(&region) {
                Ok(forwarder) => images(forwarder, &names).await,
                Err(fault) => Err(fault),
            };
            let _ = answer.send(listed);
        }
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
