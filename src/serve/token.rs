//! A call of a token endpoint.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode};

use super::Shared;
use super::outcome::{Outcome, blamed, verdict_of, who};
use super::sites::{Site, TokenEndpoint};
use super::visit::Visit;
use super::welcome::welcomed;
use crate::admit::refusal::Refusal;
use crate::credential::authorization::Presented;
use crate::edge::body::{CollectError, RequestBody};
use crate::edge::respond;
use crate::forward::body::ForwardBody;
use crate::record::event::{TokenGrant, Verdict, What};
use crate::registry::error::{OciCode, OciError};
use crate::token::form::Form;
use crate::token::reply::{self, Reply};
use crate::token::{docker, identity};

/// Answers one call.
pub async fn call(
    shared: &Shared,
    visit: &Visit,
    site: &Site,
    endpoint: TokenEndpoint,
    request: Request<RequestBody>,
) -> Outcome {
    let (parts, body) = request.into_parts();
    let form = match (endpoint, &parts.method) {
        (TokenEndpoint::Docker | TokenEndpoint::Keys, &Method::GET) => false,
        (TokenEndpoint::Docker | TokenEndpoint::Identity, &Method::POST) => true,
        (TokenEndpoint::Docker, _) => return wrong_method(visit, "GET, POST"),
        (TokenEndpoint::Identity, _) => return wrong_method(visit, "POST"),
        (TokenEndpoint::Keys, _) => return wrong_method(visit, "GET"),
    };
    if form && !is_form(&parts.headers) {
        return malformed(
            visit,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the form as application/x-www-form-urlencoded.",
        );
    }
    let body = match body.collect_limited(FORM_MAX).await {
        Ok(body) => body,
        Err(CollectError::TooLarge) => {
            return malformed(visit, StatusCode::PAYLOAD_TOO_LARGE, "The form is too large.");
        }
        Err(CollectError::Broken(_)) => {
            return malformed(visit, StatusCode::BAD_REQUEST, "The form did not arrive whole.");
        }
    };
    let Ok(text) = std::str::from_utf8(&body) else {
        return malformed(visit, StatusCode::BAD_REQUEST, "The form is not text.");
    };
    let presented = Presented::read(&parts.headers);
    let (what, reply) = match endpoint {
        TokenEndpoint::Docker => {
            let fields = if form { text } else { parts.uri.query().unwrap_or_default() };
            let grant = docker_grant(form, fields);
            let request =
                docker::Request { presented, fields, form, origin: visit.origin(), region: &site.region };
            (What::Token(grant), docker::exchange(&shared.gate, &shared.mint, request).await)
        }
        TokenEndpoint::Identity => {
            let grant = identity_grant(text);
            let (origin, request_id) = (visit.origin(), visit.request_id());
            let request = identity::Request { presented, body: text, origin, request_id };
            let reply = identity::exchange(&shared.gate, &shared.mint, &shared.foreign, request).await;
            (What::Token(grant), reply)
        }
        TokenEndpoint::Keys => (What::Probe, keys(shared).await),
    };
    ended(shared, visit, what, reply).await
}

async fn ended(shared: &Shared, visit: &Visit, what: What, reply: reply::Result) -> Outcome {
    let reply = match reply {
        Ok(reply) => welcomed(shared, &reply).await.map(|()| reply),
        Err(fault) => Err(fault),
    };
    match reply {
        Ok(reply) => {
            if let reply::Outcome::Granted { to: Some(caller), .. } = &reply.outcome {
                shared.authenticated(caller);
            }
            replied(visit, what, reply)
        }
        Err(fault) => Outcome::failed(visit, what, None, &fault),
    }
}

/// Answers a request of somebody who asks too often. Without its body, a form is on record as what most of them are.
pub fn refuse(
    visit: &Visit,
    endpoint: TokenEndpoint,
    request: &Request<RequestBody>,
    refusal: &Refusal,
) -> Outcome {
    let what = match endpoint {
        TokenEndpoint::Docker => What::Token(docker_grant(*request.method() == Method::POST, "")),
        TokenEndpoint::Identity => What::Token(TokenGrant::IdentityApikey),
        TokenEndpoint::Keys => What::Probe,
    };
    let mut outcome = Outcome::refused(visit, what, None, refusal);
    if endpoint == TokenEndpoint::Identity {
        // IAM's clients read its own words only.
        let body = identity::too_often(visit.request_id());
        outcome.response = outcome.response.map(|_| ForwardBody::Full(Bytes::from(body)));
    }
    outcome
}

async fn keys(shared: &Shared) -> reply::Result {
    let body = shared.mint.key_set().await?;
    Ok(Reply {
        status: StatusCode::OK,
        body,
        outcome: reply::Outcome::Granted { to: None, would_refuse: Vec::new() },
    })
}

fn replied(visit: &Visit, what: What, reply: Reply) -> Outcome {
    let response = respond::json(reply.status, Bytes::from(reply.body), visit.request_id());
    let event = visit.event(what);
    match reply.outcome {
        reply::Outcome::Granted { to, would_refuse } => {
            let event = event.by(to.as_deref().map(who)).reported_by(&would_refuse);
            Outcome::ready(event, Verdict::Allowed, response)
        }
        reply::Outcome::Outside(caller, refusal) => {
            let event = blamed(event.by(Some(who(&caller))), &refusal);
            Outcome::ready(event, verdict_of(&refusal), response)
        }
        reply::Outcome::Malformed(because) => {
            Outcome::ready(event.saying(because), Verdict::Malformed, response)
        }
        reply::Outcome::Rejected(because) => {
            Outcome::ready(event.saying(because), Verdict::CredentialsRejected, response)
        }
    }
}

fn docker_grant(form: bool, fields: &str) -> TokenGrant {
    let grant =
        Form::parse(fields).ok().and_then(|form| form.one("grant_type").ok().flatten().map(str::to_owned));
    match (form, grant.as_deref()) {
        (false, _) => TokenGrant::DockerGet,
        (true, Some("refresh_token")) => TokenGrant::DockerRefresh,
        (true, _) => TokenGrant::DockerPassword,
    }
}

fn identity_grant(fields: &str) -> TokenGrant {
    let form = Form::parse(fields).unwrap_or_default();
    match form.one("grant_type").ok().flatten() {
        Some(identity::ASSUME_GRANT) => TokenGrant::IdentityAssume,
        Some(identity::COMPUTE_GRANT) => TokenGrant::IdentityCompute,
        Some(identity::FEDERATED_GRANT) => TokenGrant::IdentityFederated,
        Some(identity::REFRESH_GRANT) => TokenGrant::IdentityRefresh,
        _ => TokenGrant::IdentityApikey,
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn wrong_method(visit: &Visit, allow: &'static str) -> Outcome {
    let message = "This method is not supported here.";
    let mut outcome = malformed(visit, StatusCode::METHOD_NOT_ALLOWED, message);
    outcome.response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    outcome
}

fn malformed(visit: &Visit, status: StatusCode, message: &str) -> Outcome {
    Outcome::unroutable(visit, &Refusal::Malformed(OciError::new(status, OciCode::Unsupported, message)))
}

/// The longest form; the longest password is a token of a few KiB.
const FORM_MAX: usize = 64 * 1024;
