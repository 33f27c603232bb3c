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
pub mod visit;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};

use self::outcome::Outcome;
use self::recorded::Recorded;
use self::sites::{Site, Sites, Surface, TokenEndpoint};
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
    /// How long an upload may rest before its lease is over.
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

    async fn outcome(
        &self,
        visit: &Visit,
        connection: &Connection,
        request: Request<RequestBody>,
    ) -> Outcome {
        let shared = &*self.shared;
        match shared.sites.surface(connection, visit.authority(), request.uri().path()) {
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
        let outcome = match self.shared.recorder.begin() {
            Ok(slot) => self.outcome(&visit, connection, request).await.with(slot),
            Err(unavailable) => Outcome::faulted(&visit, &Fault::Audit(unavailable.to_string())),
        };
        outcome.recorded(visit, &self.shared).await
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
