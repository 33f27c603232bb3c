//! Refusals and faults to answers, in the registry's dialect: the one place that decides what a caller of `/v2/` and
//! `/oauth/token` reads when something does not go ahead.
//!
//! A denied `HEAD` is a 401 that carries its reason in the challenge, because it has no body and clients print that
//! reason; every other denied call is a 403 whose message they print verbatim.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

use crate::admit::fault::Fault;
use crate::admit::network::Barrier;
use crate::admit::refusal::{Challenge, Refusal};
use crate::registry::error::{OciCode, envelope};

/// How many headers there is room for from the beginning.
const HEADERS: usize = 8;

/// What an answer needs to know of its request.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The scheme, host and port that the client used: `https://us.registry.test:8443`. Built from configuration.
    pub origin: &'a str,
    /// Whether it was a `HEAD`.
    pub head: bool,
    /// The request's id.
    pub request_id: &'a str,
}

/// ICR's words for a denial.
pub const DENIED: &str = "You are not authorized to access the specified resource.";

/// ICR's words for images that are reached over private networks only.
pub const PRIVATE_ONLY: &str = "Private-only access is enabled on this account, but this request was over the public network. \
     You must access this account over the private network";

/// What whoever is nobody yet is told, at the beginning of every pull.
const AUTHORIZE: &str = "Authorization required. Log in with the user name iamapikey and an API key.";

/// The same as a body, written once.
static AUTHORIZE_BODY: LazyLock<Bytes> =
    LazyLock::new(|| Bytes::from(envelope(OciCode::Unauthorized, AUTHORIZE)));

/// Answers a refusal.
#[must_use]
pub fn refusal(refusal: &Refusal, asked: Asked<'_>) -> Response<Bytes> {
    match refusal {
        Refusal::AnonymousDenied => denied(AUTHORIZE, asked),
        Refusal::Challenge { because, scope } => {
            authorize(challenge(asked.origin, *because, scope.as_deref(), None), asked)
        }
        Refusal::Credentials { .. } => plain(
            StatusCode::UNAUTHORIZED,
            OciCode::Unauthorized,
            "The login credentials are not valid.",
            asked,
        ),
        Refusal::Denied(denial) => {
            let sentence = denial.sentence.as_deref().unwrap_or(DENIED);
            match &denial.known {
                Some(known) => denied(&format!("{sentence} {known}"), asked),
                None => denied(sentence, asked),
            }
        }
        Refusal::Unauthorized(_) => denied(DENIED, asked),
        Refusal::Limited { retry_after } => {
            let message = "Too many requests. Wait before you try again.";
            let mut response = plain(StatusCode::TOO_MANY_REQUESTS, OciCode::TooManyRequests, message, asked);
            response.headers_mut().insert(RETRY_AFTER, retry_after.as_secs().max(1).into());
            response
        }
        Refusal::Malformed(error) => plain(error.status, error.code, &error.message, asked),
        Refusal::Misdirected => {
            let message = "This host is not served by this listener. Use the registry's own host name.";
            plain(StatusCode::MISDIRECTED_REQUEST, OciCode::Unsupported, message, asked)
        }
        Refusal::Outside(outside) if outside.veiled => {
            authorize(challenge(asked.origin, Challenge::InvalidToken, None, None), asked)
        }
        Refusal::Outside(outside) => match outside.by {
            Barrier::PrivateOnly => denied(PRIVATE_ONLY, asked),
            Barrier::AccountList | Barrier::PrincipalList | Barrier::ApiKeyList | Barrier::Rule(_) => {
                denied(DENIED, asked)
            }
        },
        Refusal::NoSuchRoute => {
            plain(StatusCode::NOT_FOUND, OciCode::Unsupported, "There is no such endpoint.", asked)
        }
    }
}

/// Answers a fault. What went wrong is in the log under the request id, never in the answer.
#[must_use]
pub fn fault(fault: &Fault, asked: Asked<'_>) -> Response<Bytes> {
    let (status, code, sentence) = match fault {
        Fault::Audit(_) | Fault::Store(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            OciCode::Unavailable,
            "Access cannot be decided right now. Try again in a moment.",
        ),
        Fault::Internal(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            OciCode::Unknown,
            "The request failed. Report it with its id.",
        ),
        Fault::UpstreamBroken(_) => (
            StatusCode::BAD_GATEWAY,
            OciCode::Unavailable,
            "The registry behind this proxy gave an unusable answer.",
        ),
        Fault::UpstreamTimeout(_) => (
            StatusCode::GATEWAY_TIMEOUT,
            OciCode::Unavailable,
            "The registry behind this proxy did not answer in time.",
        ),
        Fault::UpstreamUnreachable(_) => (
            StatusCode::BAD_GATEWAY,
            OciCode::Unavailable,
            "The registry behind this proxy cannot be reached.",
        ),
    };
    let message = format!("{sentence} (request id {})", asked.request_id);
    let mut response = plain(status, code, &message, asked);
    if let Some(after) = fault.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, after.as_secs().into());
    }
    response
}

/// The `WWW-Authenticate` value: exactly one Bearer challenge, quoted as every client's parser needs it.
#[must_use]
pub fn challenge(origin: &str, because: Challenge, scope: Option<&str>, description: Option<&str>) -> String {
    let more = scope.map_or(0, str::len) + description.map_or(0, str::len);
    let mut text = String::with_capacity(REALM.len() + origin.len() + SERVICE.len() + more + PARAMETERS);
    text.push_str(REALM);
    text.push_str(origin);
    text.push_str(SERVICE);
    let mut parameter = |name: &str, value: &str| {
        text.push(',');
        text.push_str(name);
        text.push_str("=\"");
        text.extend(value.chars().map(quotable));
        text.push('"');
    };
    if let Some(scope) = scope {
        parameter("scope", scope);
    }
    match because {
        Challenge::Absent => {}
        Challenge::InsufficientScope => parameter("error", "insufficient_scope"),
        Challenge::InvalidToken => parameter("error", "invalid_token"),
    }
    if let Some(description) = description {
        parameter("error_description", description);
    }
    text
}

/// A character between quotes: one that would end them stands for itself no more. What a denial says may come from reports and
/// names that others have chosen.
fn quotable(one: char) -> char {
    match one {
        '"' | '\\' => '\'',
        ' '..='~' => one,
        _ => '?',
    }
}

/// How a challenge begins, what follows the origin, and how long the names of all other parameters are.
const REALM: &str = "Bearer realm=\"";
const SERVICE: &str = "/oauth/token\",service=\"registry\"";
const PARAMETERS: usize = ",scope=\"\",error=\"insufficient_scope\",error_description=\"\"".len();

fn denied(message: &str, asked: Asked<'_>) -> Response<Bytes> {
    if asked.head {
        let challenge = challenge(asked.origin, Challenge::InsufficientScope, None, Some(message));
        challenged(challenge, plain(StatusCode::UNAUTHORIZED, OciCode::Unauthorized, message, asked))
    } else {
        plain(StatusCode::FORBIDDEN, OciCode::Denied, message, asked)
    }
}

/// Asks to log in. Nothing of it is formatted but the challenge's parameters.
fn authorize(challenge: String, asked: Asked<'_>) -> Response<Bytes> {
    let body = if asked.head { Bytes::new() } else { AUTHORIZE_BODY.clone() };
    challenged(challenge, json(StatusCode::UNAUTHORIZED, body, asked.request_id))
}

fn challenged(challenge: String, mut response: Response<Bytes>) -> Response<Bytes> {
    if let Ok(value) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

/// One error, in the OCI envelope.
#[must_use]
pub fn plain(status: StatusCode, code: OciCode, message: &str, asked: Asked<'_>) -> Response<Bytes> {
    let body = if asked.head { Bytes::new() } else { Bytes::from(envelope(code, message)) };
    json(status, body, asked.request_id)
}

/// A JSON answer that nothing in between may keep.
#[must_use]
pub fn json(status: StatusCode, body: Bytes, request_id: &str) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    headers.insert(NOSNIFF, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// What old docker clients look for before they believe that they talk to a registry.
pub const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
/// The request's id, in every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NOSNIFF: HeaderName = HeaderName::from_static("x-content-type-options");

#[cfg(test)]
mod tests {
    use super::{Asked, challenge, fault, refusal};
    use crate::admit::fault::Fault;
    use crate::admit::refusal::{Challenge, Refusal};
    use crate::ids::region::Region;
    use crate::policy::resource::Resource;
    use crate::policy::table::Action;

    const GET: Asked<'_> = Asked { origin: "https://cr.test", head: false, request_id: "r1" };

    #[test]
    fn a_denied_head_says_why_in_its_challenge_and_a_denied_get_in_its_body() {
        let resource = Resource::namespace(&Region::parse("us-south").unwrap(), "team-a");
        let denied = Refusal::unallowed(Action::ImagePull, resource);
        let get = refusal(&denied, GET);
        assert_eq!(get.status(), 403);
        assert!(
            String::from_utf8_lossy(get.body()).contains("not authorized to access the specified resource")
        );
        let head = refusal(&denied, Asked { head: true, ..GET });
        assert_eq!(head.status(), 401);
        assert!(head.body().is_empty());
        assert!(
            head.headers()["www-authenticate"].to_str().unwrap().contains("error_description=\"You are not")
        );
    }

    #[test]
    fn what_a_denial_says_ends_no_quotes_and_adds_no_realm() {
        let said = "CVE-1\",realm=\"https://evil.test/t\\\u{7f}\r\n\u{e9}";
        let text = challenge("https://cr.test", Challenge::InsufficientScope, None, Some(said));
        assert_eq!(text.matches("realm=\"").count(), 1, "{text}");
        assert!(text.ends_with("error_description=\"CVE-1',realm='https://evil.test/t'????\""), "{text}");
    }

    #[test]
    fn a_challenge_is_one_quoted_bearer_challenge() {
        let text =
            challenge("https://cr.test:8443", Challenge::InvalidToken, Some("repository:a/b:pull"), None);
        let expected = "Bearer realm=\"https://cr.test:8443/oauth/token\",service=\"registry\",\
                        scope=\"repository:a/b:pull\",error=\"invalid_token\"";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_fault_tells_the_caller_nothing_but_the_request_id() {
        let response = fault(&Fault::Store("disk /var/x is full".to_owned()), GET);
        let body = String::from_utf8_lossy(response.body()).into_owned();
        assert_eq!(response.status(), 503);
        assert!(body.contains("r1") && !body.contains("/var/x"));
        assert_eq!(response.headers()["retry-after"], "5");
    }
}
