//! The life of one request: surface, then registry, token, control, health or metrics, then the record of it.
//!
//! It is the list of calls and decides nothing itself but which surface is asked.

mod asked;
pub mod aws;
pub mod control;
pub mod images;
pub mod inventory;
pub mod limits;
pub mod outcome;
pub mod overlay;
pub mod probe;
pub mod pushed;
pub mod recorded;
pub mod registry;
pub mod shapes;
pub mod sightings;
pub mod sites;
pub mod stock;
pub mod token;
pub mod visit;
mod welcome;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};

use self::limits::Limits;
use self::outcome::Outcome;
use self::recorded::{Recorded, Unanswered};
use self::sites::{Site, Sites, Surface, TokenEndpoint};
use self::visit::{RequestIds, Visit};
use crate::acme::proof::Pages;
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::gate::Gate;
use crate::admit::refusal::Refusal;
use crate::api::Api;
use crate::clock::Clock;
use crate::edge::application::Application;
use crate::edge::body::RequestBody;
use crate::edge::connection::Connection;
use crate::edge::head::Authority;
use crate::edge::rejection::Rejection;
use crate::forward::Forwarder;
use crate::forward::cache::ContentCache;
use crate::record::metrics::TurnedAway;
use crate::record::recorder::Recorder;
use crate::token::foreign::Foreign;
use crate::token::mint::Mint;

/// What all workers share.
#[derive(Debug)]
pub struct Shared {
    /// Decides.
    pub gate: Arc<Gate>,
    /// Signs.
    pub mint: Mint,
    /// Verifies what others have signed.
    pub foreign: Arc<Foreign>,
    /// Remembers.
    pub recorder: Recorder,
    /// The control plane.
    pub api: Arc<Api>,
    /// Where the control plane runs: workers never wait for a database.
    pub control: tokio::runtime::Handle,
    /// Which names and surfaces are served where.
    pub sites: Sites,
    /// Wall-clock time.
    pub clock: Arc<dyn Clock>,
    /// Room for the bodies of AWS calls that are large.
    pub large_bodies: Arc<tokio::sync::Semaphore>,
    /// How long an upload may rest before its lease is over.
    pub upload_lease: Duration,
    /// How often an address may ask, and guess.
    pub limits: Limits,
    /// What an ACME authority finds that looks whether our names are ours.
    pub proofs: Arc<Pages>,
    /// What is deleted, and what is used.
    pub bin: Arc<crate::control::trash::Bin>,
    /// Told of manifests that are pushed.
    pub pushed: pushed::Told,
    /// What upstreams said lately, if it is remembered.
    pub content: Option<Arc<ContentCache>>,
    /// What manifests are.
    pub shapes: shapes::Shapes,
    /// Told of what pushes, pulls and deletions bring about.
    pub sightings: sightings::Sightings,
    /// Whether we are ready, for `/readyz`.
    pub readiness: probe::Readiness,
    /// What has been counted so far.
    pub scrape: probe::Scrape,
}

impl Shared {
    /// Counts that somebody has proven who they are, otherwise than by one of our own tokens.
    pub fn authenticated(&self, caller: &Caller) {
        self.api.desk().activity.note(caller, self.clock.now());
    }
}

/// One worker's application.
#[derive(Clone, Debug)]
pub struct App {
    shared: Arc<Shared>,
    forwarders: Rc<Vec<Forwarder>>,
    ids: Rc<RequestIds>,
}

impl App {
    /// An application with one forwarder per registry, in the order of [`Sites`].
    #[must_use]
    pub fn new(shared: Arc<Shared>, forwarders: Vec<Forwarder>, ids: RequestIds) -> Self {
        Self { shared, forwarders: Rc::new(forwarders), ids: Rc::new(ids) }
    }

    async fn outcome(&self, visit: &Visit, surface: Surface<'_>, request: Request<RequestBody>) -> Outcome {
        let shared = &*self.shared;
        match surface {
            Surface::Acme => probe::proof(shared, visit, request.uri().path()),
            // Boxed: a future is as large as the largest of what it may come to, and most requests come to none of these.
            Surface::Aws(site) => Box::pin(aws::call(shared, visit, site, request)).await,
            Surface::Control(site) => Box::pin(control::call(shared, visit, site, request)).await,
            Surface::Metrics => probe::metrics(shared, visit).await,
            Surface::Nothing(refusal) => Outcome::unroutable(visit, &refusal),
            Surface::Health(question) => probe::health(shared, visit, question),
            Surface::Registry(site) => match self.forwarder(site) {
                Some(forwarder) => registry::call(shared, forwarder, visit, site, request).await,
                None => Outcome::unroutable(visit, &Refusal::Misdirected),
            },
            Surface::Token(endpoint, site) => {
                Box::pin(token::call(shared, visit, site, endpoint, request)).await
            }
        }
    }

    /// Refuses a request whoever it is from, before anything of its body is read.
    async fn refuse(
        &self,
        visit: &Visit,
        surface: Surface<'_>,
        request: Request<RequestBody>,
        refusal: Refusal,
    ) -> Outcome {
        match surface {
            Surface::Control(site) => control::refuse(&self.shared, visit, site, request, refusal).await,
            Surface::Registry(site) => registry::refuse(visit, site, &request, &refusal),
            Surface::Token(endpoint, _) => token::refuse(visit, endpoint, &request, &refusal),
            Surface::Aws(_) => aws::refuse(visit, request, refusal),
            Surface::Acme | Surface::Health(_) | Surface::Metrics | Surface::Nothing(_) => {
                Outcome::unroutable(visit, &refusal)
            }
        }
    }

    /// Answers, and records what was done however far it gets.
    async fn answer(
        &self,
        visit: &Rc<Visit>,
        surface: Surface<'_>,
        request: Request<RequestBody>,
    ) -> Response<Recorded> {
        let shared = &*self.shared;
        let slot = match shared.recorder.begin().await {
            Ok(slot) => slot,
            Err(unavailable) => {
                return Outcome::faulted(visit, &Fault::Audit(unavailable.to_string()))
                    .unaudited(visit, shared);
            }
        };
        let unanswered = Unanswered::new(Rc::clone(visit), shared.recorder.clone(), slot);
        let (from, attempt) = (visit.origin().from.ip(), shared.limits.attempt(&surface, &request));
        let watch = shared.limits.watch(visit, attempt);
        let outcome = match shared.limits.admit(from, attempt) {
            Ok(()) => self.outcome(visit, surface, request).await,
            Err(retry_after) => {
                Box::pin(self.refuse(visit, surface, request, Refusal::Limited { retry_after })).await
            }
        };
        watch.over(&outcome);
        outcome.with(unanswered.answered()).recorded(visit, shared).await
    }

    /// The same, to the end even if the client hangs up: a change that is carried through is recorded as what it is.
    async fn answer_detached(
        &self,
        visit: &Rc<Visit>,
        connection: &Rc<Connection>,
        request: Request<RequestBody>,
    ) -> Response<Recorded> {
        let (app, held, connection) = (self.clone(), Rc::clone(visit), Rc::clone(connection));
        let work = tokio::task::spawn_local(async move {
            let path = request.uri().path();
            let surface = app.shared.sites.surface(&connection, held.authority(), path);
            app.answer(&held, surface, request).await
        });
        work.await.unwrap_or_else(|_| {
            let fault = Fault::Internal("answering panicked".to_owned());
            Outcome::faulted(visit, &fault).unaudited(visit, &self.shared)
        })
    }

    fn forwarder(&self, site: &Site) -> Option<&Forwarder> {
        self.forwarders.get(site.index)
    }
}

impl Application for App {
    type Body = Recorded;

    async fn respond(
        &self,
        connection: &Rc<Connection>,
        request: Request<RequestBody>,
        authority: Authority,
    ) -> Response<Recorded> {
        let visit = Visit::begin(&*self.shared.clock, self.ids.next(), connection, &request, authority);
        let visit = visit.traced(&self.shared.recorder, connection, &request);
        let visit = Rc::new(visit);
        match self.shared.sites.surface(connection, visit.authority(), request.uri().path()) {
            surface @ (Surface::Acme | Surface::Health(_) | Surface::Metrics) => {
                // Answered whatever else fails: they are how it is noticed.
                self.outcome(&visit, surface, request).await.unaudited(&visit, &self.shared)
            }
            surface @ (Surface::Nothing(_) | Surface::Registry(_)) => {
                self.answer(&visit, surface, request).await
            }
            Surface::Aws(_) | Surface::Control(_) | Surface::Token(..) => {
                self.answer_detached(&visit, connection, request).await
            }
        }
    }

    fn turned_away(&self, because: TurnedAway) {
        self.shared.recorder.metrics().turned_away(because);
    }

    fn reject(&self, connection: &Rc<Connection>, rejection: Rejection) -> Response<Recorded> {
        let visit = Visit::unread(&*self.shared.clock, self.ids.next(), connection);
        Outcome::rejected(&visit, rejection).unaudited(&visit, &self.shared)
    }
}

/// What a token endpoint is called.
impl TokenEndpoint {
    /// The path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Docker => "/oauth/token",
            Self::Identity => "/identity/token",
            Self::Keys => "/identity/keys",
        }
    }
}
