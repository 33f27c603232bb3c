//! A call of the registry API: parse, admit, forward.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, HeaderValue, LINK};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::Shared;
use super::asked::Asked;
use super::outcome::{Outcome, decided, who};
use super::overlay::Under;
use super::sites::{LAYERS, Site};
use super::visit::Visit;
use crate::admit::authenticate::REGISTRY_USER;
use crate::admit::fault::Fault;
use crate::admit::refusal::Refusal;
use crate::admit::registry::{Admission, Asking, NewNamespaces};
use crate::credential::authorization::Presented;
use crate::credential::lease::Lease;
use crate::edge::body::{BodyError, RequestBody};
use crate::edge::respond;
use crate::forward::lists::CatalogPage;
use crate::forward::{ContentDigest, Exchange, Failure, Forwarder};
use crate::record::event::{Finished, RegistryCall, Verdict, What};
use crate::record::metrics::UpstreamError;
use crate::registry::error::OciCode;
use crate::registry::operation::{Operation, Page, UploadId};
use crate::registry::parse::{Unparsed, parse};

/// Answers one call.
pub async fn call(
    shared: &Shared,
    forwarder: &Forwarder,
    visit: &Visit,
    site: &Site,
    request: Request<RequestBody>,
) -> Outcome {
    let (parts, body) = request.into_parts();
    let Some((read, presented)) = read(shared, site, &parts) else {
        return Outcome::unroutable(visit, &Refusal::AnonymousDenied);
    };
    let operation = match read {
        Ok(operation) => operation,
        Err(unparsed) => return refused_parse(visit, unparsed),
    };
    let what = What::Registry(RegistryCall::new(&operation, &site.name, &site.region));
    visit.note(visit.event(what));
    let new = if site.create_on_push { NewNamespaces::Made } else { NewNamespaces::Refused };
    let asking = Asking {
        presented: &presented,
        origin: visit.origin(),
        region: &site.region,
        new,
        headers: &parts.headers,
    };
    let upstream = Asked { forwarder, shared, region: &site.region };
    let asked = visit.trace().map(|trace| (trace, Instant::now()));
    let admitted = shared.gate.admit(operation, asking, &upstream).await;
    if let Some((trace, asked)) = asked {
        trace.decided(asked);
    }
    let admission = match admitted {
        Ok(admission) => admission,
        Err(stopped) => return Outcome::stopped(visit, visit.noted().what, &stopped),
    };
    let caller = admission.permit.caller();
    if let Err(refusal) = shared.limits.admit_caller(caller) {
        return Outcome::refused(visit, visit.noted().what, Some(caller), &refusal);
    }
    if matches!(presented, Presented::Basic { .. }) {
        shared.authenticated(caller);
    }
    let mut event = visit.noted().by(Some(who(caller)));
    event.mount_downgraded = admission.mount_downgraded;
    let event = event.reported_by(&admission.would_refuse);
    let event = event.reported_for(admission.findings_would_refuse.as_ref());
    let (event, verdict) = decided(event, admission.permit.grounds());
    visit.note(event);
    match answer(shared, forwarder, visit, site, &admission, &parts.headers, body).await {
        Ok(response) => {
            shared.sightings.note(&admission, site, &response, shared.clock.now());
            answered(visit.noted(), verdict, response)
        }
        Err(failure) => not_answered(shared, visit, &admission, verdict, failure),
    }
}

/// What is said of an admitted call that came to nothing.
fn not_answered(
    shared: &Shared,
    visit: &Visit,
    admission: &Admission,
    verdict: Verdict,
    failure: Failure,
) -> Outcome {
    let (event, caller) = (visit.noted(), Some(admission.permit.caller()));
    match failure {
        Failure::Fault(fault) => {
            if let Some(kind) = upstream_error(&fault) {
                shared.recorder.metrics().upstream_error(kind);
            }
            Outcome::failed(visit, event.what, caller, &fault).reported_by(&admission.would_refuse)
        }
        Failure::Limited { retry_after } => {
            let refusal = Refusal::Limited { retry_after };
            Outcome::refused(visit, event.what, caller, &refusal).reported_by(&admission.would_refuse)
        }
        Failure::Oci(error) => {
            let (event, verdict) = match error.code {
                // A quota that is used up, or what the upstream denies.
                OciCode::Denied => (event.saying(&error), Verdict::Denied),
                _ => (event, verdict),
            };
            let response = respond::refusal(&Refusal::Malformed(error), visit.asked());
            Outcome::ready(event, verdict, response)
        }
    }
}

/// Answers a call that is refused whoever it is from.
pub fn refuse(visit: &Visit, site: &Site, request: &Request<RequestBody>, refusal: &Refusal) -> Outcome {
    let what = match parse(request.method(), request.uri().path(), request.uri().query(), request.headers()) {
        Ok(operation) => What::Registry(RegistryCall::new(&operation, &site.name, &site.region)),
        Err(_) => What::Unroutable,
    };
    Outcome::refused(visit, what, None, refusal)
}

/// What a call asks for, and what it brings along; `None` for a ticket that is no good.
fn read(shared: &Shared, site: &Site, parts: &Parts) -> Option<(Result<Operation, Unparsed>, Presented)> {
    let Some(ticket) = parts.uri.path().strip_prefix(LAYERS) else {
        let read = parse(&parts.method, parts.uri.path(), parts.uri.query(), &parts.headers);
        return Some((read, Presented::read(&parts.headers)));
    };
    let ticket = shared.gate.authenticator.layer_ticket(ticket, &site.region)?;
    // The same call as if the bearer had made it with the password.
    let path = format!("/v2/{}/blobs/{}", ticket.repository, ticket.digest);
    let presented = Presented::Basic { user: REGISTRY_USER.to_owned(), password: ticket.password };
    Some((parse(&Method::GET, &path, None, &parts.headers), presented))
}

/// How the upstream failed, if it is the upstream's fault.
pub(super) const fn upstream_error(fault: &Fault) -> Option<UpstreamError> {
    match fault {
        Fault::Audit(_) | Fault::Internal(_) | Fault::Store(_) => None,
        Fault::UpstreamBroken(_) => Some(UpstreamError::Broken),
        Fault::UpstreamTimeout(_) => Some(UpstreamError::Timeout),
        Fault::UpstreamUnreachable(_) => Some(UpstreamError::Unreachable),
    }
}

fn answered(
    mut event: Box<Finished>,
    verdict: Verdict,
    response: Response<crate::forward::body::ForwardBody>,
) -> Outcome {
    event.digest = response.extensions().get::<ContentDigest>().map(|digest| digest.0.to_string());
    Outcome::new(event, verdict, response)
}

fn refused_parse(visit: &Visit, unparsed: Unparsed) -> Outcome {
    let allow = match &unparsed {
        Unparsed::MethodNotAllowed { allow } => Some(*allow),
        Unparsed::Malformed(_) | Unparsed::NoSuchRoute => None,
    };
    let mut outcome = Outcome::unroutable(visit, &Refusal::Malformed(unparsed.into_error()));
    if let Some(allow) = allow {
        outcome.response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    }
    outcome
}

async fn answer(
    shared: &Shared,
    forwarder: &Forwarder,
    visit: &Visit,
    site: &Site,
    admission: &Admission,
    headers: &http::HeaderMap,
    body: RequestBody,
) -> Result<Response<crate::forward::body::ForwardBody>, Failure> {
    let permit = &admission.permit;
    match permit.of() {
        Operation::Ping => {
            Ok(ready(respond::json(StatusCode::OK, Bytes::from_static(b"{}"), visit.request_id())))
        }
        Operation::Catalog { page } => {
            Box::pin(catalog(shared, forwarder, visit, site, admission, page)).await.map(ready)
        }
        operation => {
            let lease = |upload: &UploadId, upstream_query: &str| {
                let Some(repository) = operation.repository() else { return String::new() };
                shared.gate.lease(&Lease {
                    principal: permit.caller().principal().clone(),
                    region: site.region.clone(),
                    repository: repository.clone(),
                    upload: upload.clone(),
                    upstream_query: upstream_query.to_owned(),
                    expires_at: shared.clock.now().plus(shared.upload_lease),
                })
            };
            let exchange = Exchange {
                client_headers: headers,
                origin: visit.client_origin(),
                request_id: visit.request_id(),
                trace: visit.trace().map(Rc::as_ref),
                upload_query: admission.lease.as_ref().map(|lease| lease.upstream_query.as_str()),
                lease: &lease,
            };
            let body = Counted { body, bytes: visit.bytes_in() };
            let mut response =
                Under { shared, forwarder, visit, site }.forward(permit, exchange, body).await?;
            if let Ok(id) = HeaderValue::from_str(visit.request_id()) {
                response.headers_mut().insert(respond::REQUEST_ID, id);
            }
            Ok(response)
        }
    }
}

/// The repositories that the caller may see, with a `Link` to the next page that names no other.
async fn catalog(
    shared: &Shared,
    forwarder: &Forwarder,
    visit: &Visit,
    site: &Site,
    admission: &Admission,
    page: &Page,
) -> Result<Response<Bytes>, Failure> {
    let visibility = shared.gate.visibility(admission.permit.caller_shared(), &site.region).await?;
    // Walking the whole registry for somebody who may see nothing of it is work for nothing.
    let listed = match visibility.shows_anything() {
        true => forwarder.catalog(page, async |names| visibility.shown(names).await).await?,
        false => CatalogPage { repositories: Vec::new(), more: false },
    };
    let names: Vec<&str> = listed.repositories.iter().map(|name| name.as_str()).collect();
    let body = serde_json::json!({ "repositories": names }).to_string();
    let mut response = respond::json(StatusCode::OK, Bytes::from(body), visit.request_id());
    if let (true, Some(last)) = (listed.more, names.last()) {
        let encoded = last.replace('/', "%2F");
        let limit = page.limit.unwrap_or(crate::forward::lists::CATALOG_DEFAULT);
        let link = format!("</v2/_catalog?last={encoded}&n={limit}>; rel=\"next\"");
        if let Ok(value) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(LINK, value);
        }
    }
    Ok(response)
}

fn ready(response: Response<Bytes>) -> Response<crate::forward::body::ForwardBody> {
    response.map(crate::forward::body::ForwardBody::Full)
}

/// A request's body, counted.
#[derive(Debug)]
struct Counted {
    body: RequestBody,
    bytes: Rc<Cell<u64>>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let next = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &next {
            let length = frame.data_ref().map_or(0, Bytes::len) as u64;
            self.bytes.set(self.bytes.get().saturating_add(length));
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
