//! What is known of a request from its head, kept until its record is written.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue, ORIGIN, USER_AGENT};
use http::{Method, Request};
use tokio::time::Instant;

use crate::admit::origin::{Origin, Shown};
use crate::client::address::Provenance;
use crate::client::certificate::ClientCertificate;
use crate::clock::{Clock, Entropy, UnixTime};
use crate::edge::connection::Connection;
use crate::edge::head::Authority;
use crate::edge::respond::Asked;
use crate::record::event::{Finished, What};
use crate::record::recorder::Recorder;
use crate::record::trace::Trace;

/// Makes request ids that are unique across processes and cheap: a random prefix and a count.
#[derive(Debug)]
pub struct RequestIds {
    prefix: String,
    count: Cell<u64>,
}

impl RequestIds {
    /// Ids with a fresh prefix.
    #[must_use]
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        Self { prefix: format!("{:016x}", u64::from_be_bytes(bytes)), count: Cell::new(0) }
    }

    /// The next id.
    pub fn next(&self) -> String {
        self.count.set(self.count.get().wrapping_add(1));
        let mut id = String::with_capacity(self.prefix.len() + "-ffffffffffffffff".len());
        id.push_str(&self.prefix);
        // Writing into a string cannot fail.
        let _ = write!(id, "-{:x}", self.count.get());
        id
    }
}

/// The certificate that is the client's own: the one of a proxy that speaks for others in `X-Forwarded-For` is not.
fn shown(connection: &Connection, headers: &HeaderMap) -> Option<Shown> {
    let own = connection.client.provenance() != Provenance::Forwarded;
    let certificate = connection.certificate.clone().filter(|_| own)?;
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    let asked_for = matches!(site, None | Some(b"none" | b"same-origin"));
    Some(Shown { certificate, alone: asked_for && !headers.contains_key(ORIGIN) })
}

/// The scheme, host and port that the client used.
fn client_origin(encrypted: bool, authority: &Authority) -> String {
    let (scheme, host) = (if encrypted { "https://" } else { "http://" }, authority.host.as_str());
    let mut origin = String::with_capacity(scheme.len() + host.len() + ":65535".len());
    origin.push_str(scheme);
    origin.push_str(host);
    if let Some(port) = authority.port {
        // Writing into a string cannot fail.
        let _ = write!(origin, ":{port}");
    }
    origin
}

/// Where the page stands that makes a browser ask (Fetch Metadata, W3C).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// One request being answered.
#[derive(Debug)]
pub struct Visit {
    request_id: String,
    started: UnixTime,
    clock_start: Instant,
    origin: Origin,
    certificate: Option<Arc<ClientCertificate>>,
    client_origin: String,
    authority: Option<Authority>,
    head: bool,
    user_agent: Option<String>,
    bytes_in: Rc<Cell<u64>>,
    known: RefCell<Option<Box<Finished>>>,
    trace: Option<Rc<Trace>>,
}

impl Visit {
    /// Begins with a request's head.
    pub fn begin<B>(
        clock: &dyn Clock,
        request_id: String,
        connection: &Connection,
        request: &Request<B>,
        authority: Authority,
    ) -> Self {
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        let unread = Self::unread(clock, request_id, connection);
        let certificate = shown(connection, request.headers());
        Self {
            client_origin: client_origin(connection.encrypted, &authority),
            origin: Origin { certificate, ..unread.origin },
            authority: Some(authority),
            head: request.method() == Method::HEAD,
            user_agent: user_agent.map(str::to_owned),
            ..unread
        }
    }

    /// Begins with a request that could not be read.
    pub fn unread(clock: &dyn Clock, request_id: String, connection: &Connection) -> Self {
        Self {
            request_id,
            started: clock.now(),
            clock_start: Instant::now(),
            origin: Origin {
                from: connection.client,
                local: connection.local.ip(),
                endpoint: connection.endpoint,
                secure: connection.encrypted,
                certificate: None,
            },
            certificate: connection.certificate.clone(),
            client_origin: String::new(),
            authority: None,
            head: false,
            user_agent: None,
            bytes_in: Rc::default(),
            known: RefCell::default(),
            trace: None,
        }
    }

    /// The same, traced if it is to be.
    #[must_use]
    pub fn traced<B>(mut self, recorder: &Recorder, connection: &Connection, request: &Request<B>) -> Self {
        let Some(tracer) = recorder.tracer() else { return self };
        let vouched = connection.client.provenance() == Provenance::Forwarded;
        let context = tracer.admits(request.headers(), vouched);
        self.trace = context.map(|context| Rc::new(Trace::new(context, request.method(), self.clock_start)));
        self
    }

    /// Where it tells of itself, if it is traced.
    #[must_use]
    pub fn trace(&self) -> Option<&Rc<Trace>> {
        self.trace.as_ref()
    }

    /// The host that the request is for.
    #[must_use]
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// The scheme, host and port that the client used.
    #[must_use]
    pub fn client_origin(&self) -> &str {
        &self.client_origin
    }

    /// The id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What rendering an answer needs.
    #[must_use]
    pub fn asked(&self) -> Asked<'_> {
        Asked { origin: &self.client_origin, head: self.head, request_id: &self.request_id }
    }

    /// Counts the request's body while it is read.
    #[must_use]
    pub fn bytes_in(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.bytes_in)
    }

    /// The beginning of its record.
    #[must_use]
    pub fn event(&self, what: What) -> Box<Finished> {
        Finished::new(self.request_id.clone(), self.started, self.origin.from, self.origin.endpoint, what)
            .agent(self.user_agent.as_deref())
            .shown(self.certificate.clone())
    }

    /// Notes what is known of the request by now: it is what will be recorded if the client goes away before it is
    /// answered.
    pub fn note(&self, known: Box<Finished>) {
        *self.known.borrow_mut() = Some(known);
    }

    /// Whether it is on note who asks.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.known.borrow().as_ref().is_some_and(|known| known.who.is_some())
    }

    /// What was noted last.
    #[must_use]
    pub fn noted(&self) -> Box<Finished> {
        self.known.borrow_mut().take().unwrap_or_else(|| self.event(What::Unroutable))
    }

    /// When it began, on the monotonic clock.
    #[must_use]
    pub fn clock_start(&self) -> Instant {
        self.clock_start
    }
}
