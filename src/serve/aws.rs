//! A call of AWS's APIs: proven by its signature, which covers the body, and handed to the API on the runtime where databases
//! may be waited for.
//!
//! What the head alone says comes first: whether the signature is for now, and what holds for everybody who comes from there.
//! Then the body is read, as far as this operation and this caller need it, and the signature decides. What is about the very
//! caller, such as lists and limits of its own, is decided after that: nobody else learns of it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinError;

use super::Shared;
use super::control::{replied, unread, with_reported};
use super::outcome::Outcome;
use super::sites::Site;
use super::visit::Visit;
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::gate::Why;
use crate::admit::network::{Claimed, Want};
use crate::admit::refusal::{Challenge, Refusal};
use crate::admit::signature::{Claimant, Unproven};
use crate::api::ApiReply;
use crate::api::aws::operation::Service;
use crate::api::aws::{AwsRequest, Named, body_max, error, refused};
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
    Claimed(Box<Claim>, Claimant),
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
        // Whatever the body says, it will not do.
        Err(problem) => return unheard(visit, &parts, &problem),
    };
    let (body, room) = match read(shared, &head, &parts, body).await {
        Ok(read) => read,
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
    let proven = prove(shared, site, head, named.service, &parts, &body).await;
    let Proven { who, may, would_refuse } = proven;
    let (parameters, headers) = (Bytes::copy_from_slice(asked), parts.headers);
    let request = AwsRequest {
        headers,
        body: if presigned { parameters } else { body },
        caller: may,
        origin: visit.origin().clone(),
        region: site.region.clone(),
        authority: visit
            .client_origin()
            .split_once("://")
            .map(|(_, rest)| rest.to_owned())
            .unwrap_or_default(),
        request_id: visit.request_id().to_owned(),
    };
    match respond(shared, named, request, room).await {
        Ok(reply) => {
            let outcome = replied(visit, &Method::POST, who.as_deref(), reply);
            outcome.reported_by(&with_reported(would_refuse, who.as_deref()))
        }
        Err(_) => {
            let fault = Fault::Internal("a call of AWS's APIs panicked".to_owned());
            Outcome::failed(visit, What::Unroutable, who.as_deref(), &fault)
        }
    }
}

/// Has the call answered. Once begun, a change is carried through even if the client goes away: it is written whole or not at
/// all. Room for a large body is kept as long as the body is.
async fn respond(
    shared: &Shared,
    named: Named,
    request: AwsRequest,
    room: Option<OwnedSemaphorePermit>,
) -> Result<ApiReply, JoinError> {
    let api = Arc::clone(&shared.api);
    let work = async move {
        let reply = api.respond_aws(named, request).await;
        drop(room);
        reply
    };
    shared.control.spawn(work).await
}

/// Answers a call that is refused whoever it is from, in the words of the service that it is signed for.
pub fn refuse(visit: &Visit, request: Request<RequestBody>, refusal: Refusal) -> Outcome {
    unheard(visit, &request.into_parts().0, &AwsProblem::Refused(refusal))
}

fn unheard(visit: &Visit, parts: &Parts, problem: &AwsProblem) -> Outcome {
    let claim = Claim::read(&received(parts)).ok().flatten();
    let service = claim.as_ref().and_then(|claim| Service::of_signing_name(claim.service()));
    let reply = refused(&parts.headers, service.unwrap_or(Service::Iam), visit.request_id(), problem);
    replied(visit, &Method::POST, None, reply)
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
async fn look(shared: &Shared, visit: &Visit, site: &Site, parts: &Parts) -> Result<Head, AwsProblem> {
    let service = service(parts);
    let failed = |because| Err(error::unproven(service, &Unproven::Signature(because)));
    let claim = match Claim::read(&received(parts)) {
        Ok(Some(claim)) => claim,
        Ok(None) => {
            outside(shared, visit, site, service, Claimed::Nobody).await?;
            return Ok(Head::Unsigned);
        }
        Err(because) => return failed(because),
    };
    if let Err(because) = claim.is_timely(shared.clock.now()) {
        return failed(because);
    }
    outside(shared, visit, site, service, Claimed::Somebody).await?;
    let claimant = shared.gate.authenticator.claimant(&claim, visit.origin()).await?;
    Ok(Head::Claimed(Box::new(claim), claimant))
}

/// What calls of a service are about, as far as networks matter.
fn want(service: Service, site: &Site) -> Want<'_> {
    match service {
        Service::Ecr => Want::Management(&site.region, None),
        Service::Iam | Service::Sts => Want::Identity,
    }
}

/// What keeps everybody out who comes from there.
async fn outside(
    shared: &Shared,
    visit: &Visit,
    site: &Site,
    service: Service,
    claimed: Claimed,
) -> Result<(), AwsProblem> {
    let decided = shared.gate.network_of_all(visit.origin(), want(service, site), claimed).await;
    decided.map_err(|why| match why {
        Why::Fault(fault) => AwsProblem::Fault(fault),
        Why::Refusal(refusal) => AwsProblem::Refused(refusal),
    })
}

/// Reads the body: much of it only for whom there may be, and only so many at once.
async fn read(
    shared: &Shared,
    head: &Head,
    parts: &Parts,
    body: RequestBody,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), CollectError> {
    let max = body_max(&parts.headers);
    match head {
        Head::Claimed(_, claimant) if claimant.would_be().is_some() && max > body::MAX => {
            // The semaphore is never closed.
            let room = Arc::clone(&shared.large_bodies).acquire_owned().await.ok();
            Ok((body.collect_limited(max).await?, room))
        }
        Head::Claimed(..) | Head::Unsigned => Ok((body.collect_limited(body::MAX).await?, None)),
    }
}

/// What is known of who calls, now that the body is here.
struct Proven {
    /// Who it is, if that is proven.
    who: Option<Arc<Caller>>,
    /// The same, if they may call at all: from there, so often, this service.
    may: Result<Arc<Caller>, AwsProblem>,
    would_refuse: Vec<RuleId>,
}

impl Proven {
    fn nobody(problem: AwsProblem) -> Self {
        Self { who: None, may: Err(problem), would_refuse: Vec::new() }
    }

    fn stopped(who: Arc<Caller>, problem: AwsProblem) -> Self {
        Self { who: Some(who), may: Err(problem), would_refuse: Vec::new() }
    }
}

/// Proves who asks, and decides what is about them.
async fn prove(
    shared: &Shared,
    site: &Site,
    head: Head,
    service: Service,
    parts: &Parts,
    body: &[u8],
) -> Proven {
    let (claim, claimant) = match head {
        Head::Unsigned => {
            let nobody = Refusal::Challenge { because: Challenge::Absent, scope: None };
            return Proven::nobody(AwsProblem::Refused(nobody));
        }
        Head::Claimed(claim, claimant) => (claim, claimant),
    };
    if let Err(because) = claim.check(service.signing_name(), shared.clock.now()) {
        return Proven::nobody(error::unproven(service, &Unproven::Signature(because)));
    }
    let proven = shared.gate.authenticator.signed(claimant, &claim, &received(parts), body).await;
    let caller = match proven {
        Ok(caller) => caller.saying(&parts.headers),
        Err(because) => return Proven::nobody(error::unproven(service, &because)),
    };
    let would_refuse = match shared.gate.network(&caller, want(service, site)).await {
        Ok(would_refuse) => would_refuse,
        Err(Why::Refusal(refusal)) => return Proven::stopped(caller, AwsProblem::Refused(refusal)),
        Err(Why::Fault(fault)) => return Proven::stopped(caller, AwsProblem::Fault(fault)),
    };
    let often = shared.limits.admit_caller(&caller).map_err(AwsProblem::Refused);
    match often.and_then(|()| error::fits(&caller, service)) {
        Ok(()) => Proven { who: Some(Arc::clone(&caller)), may: Ok(caller), would_refuse },
        Err(problem) => Proven { who: Some(caller), may: Err(problem), would_refuse },
    }
}
