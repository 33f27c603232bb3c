//! From a permitted operation to the upstream's answer: both written anew.
//!
//! It takes a [`Permit`] and nothing else says what is asked for; of the client's own request it passes on a named list
//! of headers and the body's bytes. It never decides who may do what, never follows a redirect, and never lets an
//! answer end cleanly that did not. One [`Forwarder`] belongs to one worker: nothing here is `Send`, locked or shared.

mod answer;
pub mod body;
pub mod cache;
pub mod collector;
pub mod connect;
mod digest;
mod document;
pub mod hooks;
pub mod inventory;
pub mod issuers;
pub mod lists;
mod location;
pub mod manifest;
mod outgoing;
mod pool;
mod refused;
mod request;
mod response;
mod send;
pub mod settings;
mod signature;
pub mod stock;
pub mod survey;
mod vouched;
mod wire;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::Response;
use http::header::{HeaderMap, HeaderName};
use http_body::Body;
use std::rc::Rc;
use std::time::Duration;

use self::body::ForwardBody;
use self::connect::Dialer;
use self::outgoing::{BoxError, Outgoing};
use self::pool::{Limits, Pool};
use self::request::Template;
use self::send::Sender;
use self::settings::UpstreamSettings;
use crate::admit::fault::Fault;
use crate::admit::permit::Permit;
use crate::record::trace::Trace;
use crate::registry::error::{OciCode, OciError};
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, Page, UploadId};
use crate::registry::reference::{Digest, Reference, Tag};

/// The header that ties the upstream's log to ours.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One worker's way to one upstream. Everything it does must run within a `tokio::task::LocalSet` or local runtime. A clone is
/// the same way.
#[derive(Clone, Debug)]
pub struct Forwarder {
    settings: Rc<UpstreamSettings>,
    template: Rc<Template>,
    sender: Rc<Sender>,
}

/// What one exchange needs besides the operation.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The client's headers, to pick from.
    pub client_headers: &'a HeaderMap,
    /// The origin that the client used, `https://host[:port]`: what `Location` is written on.
    pub origin: &'a str,
    /// The id of this request in log and audit.
    pub request_id: &'a str,
    /// The trace that the request belongs to, if it is looked at.
    pub trace: Option<&'a Trace>,
    /// The upstream's own query of the upload, from the verified lease.
    pub upload_query: Option<&'a str>,
    /// Seals an upload and the upstream's query of it into a lease, in characters that a query may hold.
    pub lease: &'a dyn Fn(&UploadId, &str) -> String,
}

impl std::fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}

/// The digest of what an exchange moved, as an extension of its response: for the audit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContentDigest(pub Digest);

/// Why there is no answer to pass on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// Our fault, or the upstream's.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The upstream has too many requests to answer (its 429).
    #[error("upstream limits requests for {retry_after:?}")]
    Limited {
        /// When to try again.
        retry_after: Duration,
    },
    /// The request is wrong, or what it asks for is not there.
    #[error(transparent)]
    Oci(#[from] OciError),
}

/// Why a forwarder cannot be made. The text is for the operator.
#[derive(Clone, Debug, thiserror::Error)]
#[error("upstream {upstream}: {why}")]
pub struct SetupError {
    upstream: String,
    why: String,
}

impl Forwarder {
    /// Reads certificates and prepares everything that does not change. Connects to nothing yet.
    ///
    /// # Errors
    /// [`SetupError`] for files that cannot be used and credentials that fit in no header.
    pub fn new(settings: UpstreamSettings) -> Result<Self, SetupError> {
        let wrong = |why: String| SetupError { upstream: settings.url.to_string(), why };
        let template = Template::new(&settings).map_err(|why| wrong(why.into()))?;
        let dialer = Dialer::new(&settings.url, &settings.tls, settings.connect_timeout)
            .map_err(|error| wrong(error.to_string()))?;
        let limits = Limits {
            idle: settings.max_idle_per_worker,
            keepalive: settings.idle_keepalive,
            age: settings.max_connection_age,
        };
        let sender = Sender { dialer, pool: Pool::new(limits), idle: settings.idle_timeout };
        Ok(Self { settings: Rc::new(settings), template: Rc::new(template), sender: Rc::new(sender) })
    }

    /// Carries out what `permit` permits. `body` is read only if the operation has one, and only as fast as the
    /// upstream takes it; dropping the future or the answer cuts the upstream off.
    ///
    /// # Errors
    /// [`Failure`]. `Catalog` is a [`Fault::Internal`]: it needs a filter, see [`Forwarder::catalog`].
    pub async fn forward<B>(
        &self,
        permit: &Permit<Operation>,
        exchange: Exchange<'_>,
        body: B,
    ) -> Result<Response<ForwardBody>, Failure>
    where
        B: Body<Data = Bytes> + 'static,
        B::Error: Into<BoxError>,
    {
        let operation = permit.of();
        match operation {
            Operation::Catalog { .. } => {
                Err(Fault::Internal("a catalog was forwarded unfiltered".into()).into())
            }
            Operation::TagList { repository, page } => {
                Box::pin(self.tag_list(repository, page, |_| true)).await
            }
            Operation::ManifestWrite { reference, .. } => {
                let sent = Box::pin(self.take_manifest(reference, exchange.client_headers, body)).await?;
                Box::pin(self.push_manifest(permit, exchange, sent)).await
            }
            Operation::BlobRead { .. } | Operation::ManifestRead { .. } => {
                self.read(operation, &exchange).await
            }
            Operation::BlobDelete { .. }
            | Operation::ManifestDelete { .. }
            | Operation::Ping
            | Operation::Referrers { .. }
            | Operation::UploadCancel(_)
            | Operation::UploadChunk { .. }
            | Operation::UploadFinish { .. }
            | Operation::UploadStart { .. }
            | Operation::UploadStatus(_) => {
                let body =
                    if request::carries_body(operation) { Outgoing::stream(body) } else { Outgoing::empty() };
                Box::pin(self.pass(operation, &exchange, body)).await
            }
        }
    }

    /// Asks the upstream, whatever is in memory, and answers as it does.
    async fn straight(
        &self,
        operation: &Operation,
        exchange: &Exchange<'_>,
    ) -> Result<Response<ForwardBody>, Failure> {
        self.pass(operation, exchange, Outgoing::empty()).await
    }

    async fn pass(
        &self,
        operation: &Operation,
        exchange: &Exchange<'_>,
        body: Outgoing,
    ) -> Result<Response<ForwardBody>, Failure> {
        let answer = self.exchange(operation, exchange, body).await?;
        response::render(operation, exchange, &self.settings, answer).await
    }

    /// Reads a manifest that a client puts at `reference`, and checks what can be checked without the upstream.
    ///
    /// # Errors
    /// [`Failure`] for one that is too long, broken off, or not what its digest says.
    pub async fn take_manifest<B: Body<Data = Bytes>>(
        &self,
        reference: &Reference,
        headers: &HeaderMap,
        body: B,
    ) -> Result<manifest::Sent, Failure> {
        manifest::take(reference, headers, body).await
    }

    /// Puts in place what was taken.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn push_manifest(
        &self,
        permit: &Permit<Operation>,
        exchange: Exchange<'_>,
        sent: manifest::Sent,
    ) -> Result<Response<ForwardBody>, Failure> {
        let operation = permit.of();
        let answer = self.exchange(operation, &exchange, Outgoing::full(sent.content)).await?;
        let written = response::manifest_written(operation, &exchange, answer, sent.digest).await;
        if let (Some(shelf), Err(Failure::Oci(error))) = (&self.settings.shelf, &written) {
            shelf.refused(operation, error.code);
        }
        written
    }

    /// The tags that are `shown`.
    ///
    /// # Errors
    /// [`Failure`], as [`Forwarder::tags`].
    pub async fn tag_list(
        &self,
        repository: &RepositoryName,
        page: &Page,
        shown: impl Fn(&Tag) -> bool,
    ) -> Result<Response<ForwardBody>, Failure> {
        let tags = self.tags_shown(repository, page, shown).await?;
        Ok(response::tag_list(repository, page, &tags))
    }

    /// Asks whether the upstream is a registry that answers: 200, or the 401 of one that wants credentials.
    ///
    /// # Errors
    /// The [`Fault`] that a request would meet.
    pub async fn probe(&self) -> Result<(), Fault> {
        let headers = HeaderMap::new();
        match self.exchange(&Operation::Ping, &Exchange::ours(&headers), Outgoing::empty()).await {
            Ok(answer) if matches!(answer.status().as_u16(), 200 | 401) => Ok(()),
            Ok(answer) => Err(Fault::UpstreamBroken(format!("GET /v2/ answers {}", answer.status()))),
            Err(Failure::Fault(fault)) => Err(fault),
            Err(failure @ (Failure::Limited { .. } | Failure::Oci(_))) => {
                Err(Fault::UpstreamBroken(failure.to_string()))
            }
        }
    }

    /// Sends `operation` and returns the bare answer, whatever its status.
    async fn exchange(
        &self,
        operation: &Operation,
        exchange: &Exchange<'_>,
        body: Outgoing,
    ) -> Result<Response<ForwardBody>, Failure> {
        let length = body.length();
        let patience = match operation {
            Operation::UploadChunk { .. }
            | Operation::UploadFinish { .. }
            | Operation::UploadStart { .. } => self.settings.upload_timeout,
            Operation::BlobDelete { .. }
            | Operation::BlobRead { .. }
            | Operation::Catalog { .. }
            | Operation::ManifestDelete { .. }
            | Operation::ManifestRead { .. }
            | Operation::ManifestWrite { .. }
            | Operation::Ping
            | Operation::Referrers { .. }
            | Operation::TagList { .. }
            | Operation::UploadCancel(_)
            | Operation::UploadStatus(_) => self.settings.first_byte_timeout,
        };
        let _change = self.settings.shelf.as_ref().and_then(|shelf| shelf.change(operation));
        let parent = exchange.trace.map(|trace| trace.calls(self.settings.url.authority()));
        let compose = || self.template.compose(operation, exchange, length, parent.as_deref());
        let answer = self.sender.send(&compose, body, patience).await;
        if let Some(trace) = exchange.trace {
            trace.answered(answer.as_ref().ok().map(|answer| answer.status().as_u16()));
        }
        answer
    }
}

impl<'a> Exchange<'a> {
    /// An exchange of our own, on behalf of no single request.
    fn ours(headers: &'a HeaderMap) -> Self {
        let lease = &|_: &UploadId, _: &str| String::new();
        Self { client_headers: headers, origin: "", request_id: "", trace: None, upload_query: None, lease }
    }
}

/// The refusal of manifests beyond [`manifest::MANIFEST_MAX`].
fn too_large() -> OciError {
    let message = "a manifest may have at most 4 MiB";
    OciError::new(http::StatusCode::PAYLOAD_TOO_LARGE, OciCode::SizeInvalid, message)
}
