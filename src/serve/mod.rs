//! The life of one request: surface, then registry, token, control, health or metrics, then the record of it.
//!
//! It is the list of calls and decides nothing itself but which surface is asked.

pub mod control;
pub mod images;
pub mod namespaces;
pub mod outcome;
pub mod probe;
pub mod recorded;
pub mod registry;
pub mod sites;
pub mod token;
pub mod unanswered;
pub mod visit;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response};

use tokio::task::JoinError;

use self::outcome::Outcome;
use self::recorded::Recorded;
use self::sites::{Site, Sites, Surface, TokenEndpoint};
use self::unanswered::Unanswered;
use self::visit::{RequestIds, Visit};
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
use crate::record::recorder::Recorder;
use crate::token::mint::Mint;

/// What all workers share.
#[derive(Debug)]
pub struct Shared {
    /// Decides.
    pub gate: Arc<Gate>,
    /// Signs.
    pub mint: Mint,
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
    /// How long an upload may go on after a good token was last shown for it.
    pub upload_lease: Duration,
    /// Told of the namespaces that pushes bring into being.
    pub namespaces: namespaces::Sightings,
    /// Whether we are ready, for `/readyz`.
    pub readiness: probe::Readiness,
    /// What has been counted so far.
    pub scrape: probe::Scrape,
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
            Surface::Control(site) => control::call(shared, visit, site, request).await,
            Surface::Metrics => probe::metrics(shared, visit),
            Surface::Nothing(refusal) => Outcome::unroutable(visit, &refusal),
            Surface::Health(question) => probe::health(shared, visit, question),
            Surface::Registry(site) => match self.forwarder(site) {
                Some(forwarder) => registry::call(shared, forwarder, visit, site, request).await,
                None => Outcome::unroutable(visit, &Refusal::Misdirected),
            },
            Surface::Token(endpoint, site) => token::call(shared, visit, site, endpoint, request).await,
        }
    }

    async fn answer(
        self,
        connection: Rc<Connection>,
        visit: Visit,
        request: Request<RequestBody>,
    ) -> Response<Recorded> {
        let surface = self.shared.sites.surface(&connection, visit.authority(), request.uri().path());
        if matches!(surface, Surface::Health(_) | Surface::Metrics) {
            // Never audited, and wanted most when nothing can be.
            return self.outcome(&visit, surface, request).await.recorded(&visit, &self.shared).await;
        }
        let outcome = match self.shared.recorder.begin().await {
            Ok(slot) => {
                let unanswered = Unanswered::new(&visit, &self.shared.recorder, slot);
                let outcome = self.outcome(&visit, surface, request).await;
                outcome.with(unanswered.answered())
            }
            Err(unavailable) => Outcome::faulted(&visit, &Fault::Audit(unavailable.to_string())),
        };
        outcome.recorded(&visit, &self.shared).await
    }

    /// Whether a request is carried through and recorded even if its caller does not wait for the answer.
    fn is_change(&self, connection: &Connection, visit: &Visit, request: &Request<RequestBody>) -> bool {
        let surface = || self.shared.sites.surface(connection, visit.authority(), request.uri().path());
        !matches!(*request.method(), Method::GET | Method::HEAD) && matches!(surface(), Surface::Control(_))
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
        let is_change = self.is_change(connection, &visit, &request);
        let answer = self.clone().answer(Rc::clone(connection), visit, request);
        if !is_change {
            return answer.await;
        }
        match tokio::task::spawn_local(answer).await.map_err(JoinError::try_into_panic) {
            Ok(response) => response,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The worker is ending, and the connection with it.
            Err(Err(_)) => std::future::pending().await,
        }
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
