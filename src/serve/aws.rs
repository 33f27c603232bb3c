//! A call of AWS's APIs: read whole, proven by its signature, and handed to the API on the runtime where databases may be
//! waited for.

use std::sync::Arc;

use http::{Method, Request, StatusCode};

use super::Shared;
use super::control::{replied, unread};
use super::outcome::Outcome;
use super::sites::Site;
use super::visit::Visit;
use crate::admit::fault::Fault;
use crate::admit::refusal::{Challenge, Refusal};
use crate::api::aws::{AwsRequest, Named};
use crate::api::body;
use crate::control::aws::problem::AwsProblem;
use crate::edge::body::{CollectError, RequestBody};
use crate::record::event::What;

/// Answers one call.
pub async fn call(shared: &Shared, visit: &Visit, site: &Site, request: Request<RequestBody>) -> Outcome {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Outcome::unroutable(visit, &Refusal::NoSuchRoute);
    }
    let body = match body.collect_limited(body::MAX).await {
        Ok(body) => body,
        Err(CollectError::TooLarge) => {
            return unread(visit, StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        }
        Err(CollectError::Broken(_)) => {
            return unread(visit, StatusCode::BAD_REQUEST, "the body did not arrive whole");
        }
    };
    visit.bytes_in().set(body.len() as u64);
    let named = Named::read(&parts.headers, &body);
    let authority = visit.client_origin().split_once("://").map(|(_, rest)| rest.to_owned());
    let nobody = Refusal::Challenge { because: Challenge::Absent, scope: None };
    let request = AwsRequest {
        headers: parts.headers,
        body,
        caller: Err(AwsProblem::Refused(nobody)),
        region: site.region.clone(),
        authority: authority.unwrap_or_default(),
        request_id: visit.request_id().to_owned(),
    };
    let api = Arc::clone(&shared.api);
    // Once begun, a change is carried through even if the client goes away: it is written whole or not at all.
    match shared.control.spawn(async move { api.respond_aws(named, request).await }).await {
        Ok(reply) => replied(visit, &Method::POST, None, reply),
        Err(_) => {
            let fault = Fault::Internal("a call of AWS's APIs panicked".to_owned());
            Outcome::failed(visit, What::Unroutable, None, &fault)
        }
    }
}
