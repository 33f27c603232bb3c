//! A call of AWS's APIs: proven by its signature, which covers the body, and handed to the API on the runtime where databases
//! may be waited for.
//!
//! What the head alone says comes first: whether the signature is for now, and whether whom it names may come from here.
//! Then the body is read, as far as this operation and this caller need it, and the signature decides.

use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::request::Parts;
use http::{Method, Request, StatusCode};

use super::Shared;
use super::control::{replied, unread};
use super::outcome::Outcome;
use super::sites::Site;
use super::visit::Visit;
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::gate::Why;
use crate::admit::network::Want;
use crate::admit::refusal::{Challenge, Refusal};
use crate::admit::signature::{Claimant, Unproven};
use crate::api::aws::operation::Service;
use crate::api::aws::{AwsRequest, Named, body_max, error};
use crate::api::body;
use crate::control::aws::problem::AwsProblem;
use crate::credential::sigv4::Received;
use crate::credential::sigv4::claim::Claim;
use crate::edge::body::{CollectError, RequestBody};
use crate::ids::cbr::RuleId;
use crate::record::event::What;

/// How many bodies that are larger than any document may be in memory at once.
pub const LARGE_BODIES: usize = 8;

/// What the head says of who asks.
enum Head {
    /// Nobody signs: for the few operations that need no signature.
    Unsigned,
    /// Somebody claims to; nothing is proven.
    Claimed(Box<Claim>, Claimant, Vec<RuleId>),
    /// Whatever the body says, it will not do.
    Hopeless(AwsProblem),
}

/// Answers one call.
pub async fn call(shared: &Shared, visit: &Visit, site: &Site, request: Request<RequestBody>) -> Outcome {
    let (parts, body) = request.into_parts();
    let presigned = parts.method == Method::GET && parts.uri.query().is_some();
    if parts.method != Method::POST && !presigned {
        return Outcome::unroutable(visit, &Refusal::NoSuchRoute);
    }
    let head = match look(shared, visit, site, &parts).await {
        Ok(head) => head,
        Err(fault) => Head::Hopeless(AwsProblem::Fault(fault)),
    };
    let body = match read(shared, &head, &parts, body).await {
        Ok(body) => body,
        Err(CollectError::TooLarge) => {
            return unread(visit, StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        }
        Err(CollectError::Broken(_)) => {
            return unread(visit, StatusCode::BAD_REQUEST, "the body did not arrive whole");
        }
    };
    visit.bytes_in().set(body.len() as u64);
    let asked = if presigned { parts.uri.query().unwrap_or_default().as_bytes() } else { &body };
    let named = Named::read(&parts.headers, asked);
    let (caller, would_refuse) = prove(shared, head, named.service, &parts, &body).await;
    let caller = caller.and_then(|caller| {
        shared.limits.admit_caller(&caller).map_err(AwsProblem::Refused)?;
        error::fits(&caller, named.service)?;
        Ok(caller)
    });
    let known = caller.as_ref().ok().cloned();
    let (parameters, headers) = (Bytes::copy_from_slice(asked), parts.headers);
    let request = AwsRequest {
        headers,
        body: if presigned { parameters } else { body },
        caller,
        origin: visit.origin().clone(),
        region: site.region.clone(),
        authority: visit
            .client_origin()
            .split_once("://")
            .map(|(_, rest)| rest.to_owned())
            .unwrap_or_default(),
        request_id: visit.request_id().to_owned(),
    };
    let api = Arc::clone(&shared.api);
    // Once begun, a change is carried through even if the client goes away: it is written whole or not at all.
    match shared.control.spawn(async move { api.respond_aws(named, request).await }).await {
        Ok(reply) => {
            let mut outcome = replied(visit, &Method::POST, known.as_deref(), reply);
            outcome.event = outcome.event.reported_by(&would_refuse);
            outcome
        }
        Err(_) => {
            let fault = Fault::Internal("a call of AWS's APIs panicked".to_owned());
            Outcome::failed(visit, What::Unroutable, known.as_deref(), &fault)
        }
    }
}

/// The request as it was signed.
fn received(parts: &Parts) -> Received<'_> {
    let header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = header.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
    Received {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        host: host.unwrap_or_default(),
        headers: &parts.headers,
    }
}

/// The service that the head names; Query calls name theirs in the body.
fn service(parts: &Parts) -> Service {
    if Named::is_json(&parts.headers) { Service::Ecr } else { Service::Iam }
}

/// Decides what can be decided before the body is read.
async fn look(shared: &Shared, visit: &Visit, site: &Site, parts: &Parts) -> Result<Head, Fault> {
    let service = service(parts);
    let failed = |because| Ok(Head::Hopeless(error::unproven(service, &Unproven::Signature(because))));
    let claim = match Claim::read(&received(parts)) {
        Ok(Some(claim)) => claim,
        Ok(None) => return Ok(Head::Unsigned),
        Err(because) => return failed(because),
    };
    if let Err(because) = claim.is_timely(shared.clock.now()) {
        return failed(because);
    }
    let claimant = shared.gate.authenticator.claimant(&claim, visit.origin()).await?;
    let Some(caller) = claimant.would_be() else {
        return Ok(Head::Claimed(Box::new(claim), claimant, Vec::new()));
    };
    let want = match service {
        Service::Ecr => Want::Management(&site.region, None),
        Service::Iam | Service::Sts => Want::Identity,
    };
    match shared.gate.network(caller, want).await {
        Ok(would_refuse) => Ok(Head::Claimed(Box::new(claim), claimant, would_refuse)),
        Err(Why::Refusal(refusal)) => Ok(Head::Hopeless(AwsProblem::Refused(refusal))),
        Err(Why::Fault(fault)) => Err(fault),
    }
}

/// Reads the body: much of it only for whom there may be, and only so many at once.
async fn read(shared: &Shared, head: &Head, parts: &Parts, body: RequestBody) -> Result<Bytes, CollectError> {
    let max = body_max(&parts.headers);
    match head {
        Head::Hopeless(_) => Ok(Bytes::new()),
        Head::Claimed(_, claimant, _) if claimant.would_be().is_some() && max > body::MAX => {
            // The semaphore is never closed.
            let _room = shared.large_bodies.acquire().await;
            body.collect_limited(max).await
        }
        Head::Claimed(..) | Head::Unsigned => body.collect_limited(body::MAX).await,
    }
}

/// Proves who asks, now that the body is here.
async fn prove(
    shared: &Shared,
    head: Head,
    service: Service,
    parts: &Parts,
    body: &[u8],
) -> (Result<Arc<Caller>, AwsProblem>, Vec<RuleId>) {
    let (claim, claimant, would_refuse) = match head {
        Head::Unsigned => {
            let nobody = Refusal::Challenge { because: Challenge::Absent, scope: None };
            return (Err(AwsProblem::Refused(nobody)), Vec::new());
        }
        Head::Claimed(claim, claimant, would_refuse) => (claim, claimant, would_refuse),
        Head::Hopeless(problem) => return (Err(problem), Vec::new()),
    };
    if let Err(because) = claim.check(service.signing_name(), shared.clock.now()) {
        return (Err(error::unproven(service, &Unproven::Signature(because))), Vec::new());
    }
    let proven = shared.gate.authenticator.signed(claimant, &claim, &received(parts), body).await;
    (proven.map_err(|because| error::unproven(service, &because)), would_refuse)
}
