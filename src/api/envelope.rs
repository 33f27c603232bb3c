//! Replies: each API's way to say what went wrong, and the headers that all have.
//!
//! Callers read what to do; what the log needs stays in the event.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, present};
use super::routes::{Dialect, dialect_of};
use super::{ApiReply, ApiRequest, Event, Verdict};
use crate::admit::fault::Fault;
use crate::admit::refusal::{Challenge, Refusal};
use crate::control::problem::{Noun, Problem};

/// What an error says, before an API has put it into its own words.
#[derive(Debug)]
struct Said {
    status: StatusCode,
    kind: Kind,
    message: String,
    retry_after: Option<u64>,
    about: Option<Noun>,
    details: Option<Value>,
}

/// The kinds of errors that the APIs have codes for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    BadToken,
    Conflict,
    Forbidden,
    Invalid,
    Limited,
    MediaType,
    Method,
    NoToken,
    NotFound,
    OtherAccount,
    Stale,
    Unavailable,
}

/// The marker of an `Account` header that names another account (CRG0009E).
pub(super) const OTHER_ACCOUNT: &str = "You are not authorized to access the specified account.";

/// What is said of a policy that is there already.
const DUPLICATE: &str = "The policy wasn't created because an access policy with identical attributes and roles already exists. \
     Choose a unique set of attributes and roles, or update the existing policy.";

/// The reply to a call that was done.
pub(super) fn success(request: &ApiRequest, answer: Answer, event: Event) -> ApiReply {
    let body = match answer.body {
        None if request.method != Method::HEAD => answer.text.unwrap_or_default(),
        Some(value) if request.method != Method::HEAD => Bytes::from(present(value).to_string()),
        Some(_) | None => Bytes::new(),
    };
    let mut headers = common(!body.is_empty());
    if let Some(tag) = answer.etag.and_then(|tag| HeaderValue::from_str(&format!("\"{tag}\"")).ok()) {
        headers.insert(ETAG, tag);
    }
    ApiReply { status: answer.status, headers, body, event }
}

/// The reply to a call that was not done.
pub(super) fn failure(dialect: Dialect, request: &ApiRequest, problem: &Problem, event: Event) -> ApiReply {
    let mut said = say(problem);
    if let Problem::Duplicate(Some((id, tag))) = problem {
        said.details = Some(json!({"conflicts_with": {"etag": tag, "policy": id}}));
    }
    render(dialect, request, &said, event)
}

/// A problem with one entry of a list, in the words of groups: status, code and message.
pub(super) fn in_list(request: &ApiRequest, problem: &Problem) -> (StatusCode, &'static str, String) {
    let said = say(problem);
    (said.status, policy_code(request, &said), said.message)
}

/// A problem with one entry of a list, in Container Registry's words.
pub(super) fn in_registry_list(problem: &Problem) -> (String, String) {
    let said = say(problem);
    let (code, message) = registry_words(&said);
    (code.to_owned(), message.to_owned())
}

/// 404: there is nothing at this path.
pub(super) fn no_route(request: &ApiRequest) -> ApiReply {
    let said = Said {
        status: StatusCode::NOT_FOUND,
        kind: Kind::NotFound,
        message: "There is no such endpoint: check the path, or the documentation for what this version has."
            .into(),
        retry_after: None,
        about: None,
        details: None,
    };
    render(dialect_of(&request.path), request, &said, nowhere("no such route"))
}

/// 405: the path is there, for other methods.
pub(super) fn wrong_method(request: &ApiRequest, allowed: &[&Method]) -> ApiReply {
    let list = allowed.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
    let said = Said {
        status: StatusCode::METHOD_NOT_ALLOWED,
        kind: Kind::Method,
        message: format!("This endpoint does not have that method: use {list}."),
        retry_after: None,
        about: None,
        details: None,
    };
    let mut reply = render(dialect_of(&request.path), request, &said, nowhere("method not allowed"));
    if let Ok(value) = HeaderValue::from_str(&list) {
        reply.headers.insert(ALLOW, value);
    }
    reply
}

fn nowhere(why: &str) -> Event {
    let verdict = Verdict::Rejected(why.to_owned());
    Event {
        route: None,
        activity: None,
        action: None,
        resource: None,
        target: None,
        introduced: None,
        verdict,
    }
}

fn render(dialect: Dialect, request: &ApiRequest, said: &Said, event: Event) -> ApiReply {
    let body = match request.method == Method::HEAD {
        true => Bytes::new(),
        false => Bytes::from(present(envelope(dialect, request, said)).to_string()),
    };
    let mut headers = common(!body.is_empty());
    if said.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = said.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    ApiReply { status: said.status, headers, body, event }
}

fn common(has_body: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if has_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers
}

fn say(problem: &Problem) -> Said {
    let said = |status, kind, message: String| Said {
        status,
        kind,
        message,
        retry_after: None,
        about: None,
        details: None,
    };
    match problem {
        Problem::Conflict(text) => said(StatusCode::CONFLICT, Kind::Conflict, text.clone()),
        Problem::Duplicate(_) => said(StatusCode::CONFLICT, Kind::Conflict, DUPLICATE.to_owned()),
        Problem::Fault(fault) => say_fault(fault),
        Problem::Hidden { noun, name, .. } | Problem::NotFound(noun, name) => {
            let text = match noun {
                Noun::Policy => format!("Policy with Id {name} not found."),
                other => {
                    format!("There is no {} {name} that you can see: check the name or id.", other.words())
                }
            };
            Said { about: Some(*noun), ..said(StatusCode::NOT_FOUND, Kind::NotFound, text) }
        }
        Problem::Invalid(text) => said(StatusCode::BAD_REQUEST, Kind::Invalid, text.clone()),
        Problem::Locked(noun) => {
            let text =
                format!("The {} is locked, so nothing of it can be changed: unlock it first.", noun.words());
            said(StatusCode::CONFLICT, Kind::Conflict, text)
        }
        Problem::OtherAccount => said(StatusCode::FORBIDDEN, Kind::OtherAccount, OTHER_ACCOUNT.to_owned()),
        Problem::Refused(refusal) => say_refusal(refusal),
        Problem::Stale => {
            let text = "Someone has changed it since you read it: read it again, and send its new ETag as `If-Match`.";
            said(StatusCode::PRECONDITION_FAILED, Kind::Stale, text.to_owned())
        }
        Problem::TooLarge => {
            let text = "The body is larger than 1 MiB: send a smaller one.";
            said(StatusCode::PAYLOAD_TOO_LARGE, Kind::Invalid, text.to_owned())
        }
        Problem::Unreadable(text) => {
            said(StatusCode::UNSUPPORTED_MEDIA_TYPE, Kind::MediaType, (*text).to_owned())
        }
    }
}

fn say_refusal(refusal: &Refusal) -> Said {
    let said = |status, kind, message: &str| Said {
        status,
        kind,
        message: message.to_owned(),
        retry_after: None,
        about: None,
        details: None,
    };
    match refusal {
        Refusal::AnonymousDenied | Refusal::Challenge { because: Challenge::Absent, .. } => {
            let text =
                "No authorization header found: log in, and send the token as `Authorization: Bearer`.";
            said(StatusCode::UNAUTHORIZED, Kind::NoToken, text)
        }
        Refusal::Challenge { because: Challenge::InvalidToken | Challenge::InsufficientScope, .. }
        | Refusal::Credentials { .. } => {
            let text = "The provided token or key is not valid, or not any more: log in again.";
            said(StatusCode::UNAUTHORIZED, Kind::BadToken, text)
        }
        Refusal::Denied(denial) => Said {
            status: StatusCode::FORBIDDEN,
            kind: Kind::Forbidden,
            message: format!(
                "You are not authorized to do this: it needs the action {}. Ask an administrator for it.",
                denial.action.name()
            ),
            retry_after: None,
            about: None,
            details: None,
        },
        Refusal::Unauthorized(denial) => said(StatusCode::FORBIDDEN, Kind::Forbidden, &denial.sentence),
        Refusal::Limited { retry_after } => Said {
            retry_after: Some(retry_after.as_secs().max(1)),
            ..said(StatusCode::TOO_MANY_REQUESTS, Kind::Limited, "Too many requests: try again later.")
        },
        Refusal::Malformed(_) => said(StatusCode::BAD_REQUEST, Kind::Invalid, "The request is malformed."),
        Refusal::Misdirected => {
            let text = "This host is not served here: use a configured name.";
            said(StatusCode::MISDIRECTED_REQUEST, Kind::NotFound, text)
        }
        Refusal::Outside(outside) if outside.veiled => {
            let text = "The provided token or key is not valid, or not any more: log in again.";
            said(StatusCode::UNAUTHORIZED, Kind::BadToken, text)
        }
        Refusal::Outside(_) => {
            let text = "You are not authorized to do this from this network address: ask an administrator which are allowed.";
            said(StatusCode::FORBIDDEN, Kind::Forbidden, text)
        }
        Refusal::NoSuchRoute => said(StatusCode::NOT_FOUND, Kind::NotFound, "There is no such endpoint."),
    }
}

fn say_fault(fault: &Fault) -> Said {
    let status = match fault {
        Fault::Audit(_) | Fault::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Fault::UpstreamBroken(_) | Fault::UpstreamUnreachable(_) => StatusCode::BAD_GATEWAY,
        Fault::UpstreamTimeout(_) => StatusCode::GATEWAY_TIMEOUT,
    };
    Said {
        status,
        kind: Kind::Unavailable,
        message:
            "The service cannot do this at the moment: try again, and if it stays, report the request id."
                .into(),
        retry_after: fault.retry_after().map(|wait| wait.as_secs()),
        about: None,
        details: None,
    }
}

fn envelope(dialect: Dialect, request: &ApiRequest, said: &Said) -> Value {
    let (trace, status) = (&request.request_id, said.status.as_u16());
    match dialect {
        Dialect::Identity => json!({
            "context": {
                "transaction_id": trace,
                "operation": request.method.as_str(),
                "url": format!("https://{}", request.authority),
            },
            "status_code": status,
            "errors": [{
                "code": said.status.canonical_reason().unwrap_or("error").to_ascii_lowercase().replace(' ', "_"),
                "message_code": identity_code(said.kind),
                "message": said.message,
            }],
            "trace": trace,
        }),
        Dialect::Native => json!({
            "errors": [{"code": policy_code(request, said), "message": said.message}],
            "request_id": trace,
        }),
        Dialect::Policies => json!({
            "trace": trace,
            "errors": [{"code": policy_code(request, said), "message": said.message, "details": said.details}],
            "status_code": status,
        }),
        Dialect::Registry => {
            let (code, message) = registry_words(said);
            json!({"code": code, "message": message, "request-id": trace})
        }
        Dialect::Users => json!({
            "trace": trace,
            "errors": [{"code": status, "message": said.message, "more_info": " "}],
        }),
    }
}

/// The identity service's codes where they are known; `BXNIM0109E` stands for all that is wrong in a
/// request, `BXNIM0415E` for all that is not there.
const fn identity_code(kind: Kind) -> &'static str {
    match kind {
        Kind::BadToken => "BXNIM0407E",
        Kind::NoToken => "BXNIM0308E",
        Kind::Forbidden | Kind::OtherAccount => "BXNIM0513E",
        Kind::NotFound => "BXNIM0415E",
        Kind::Conflict
        | Kind::Invalid
        | Kind::Limited
        | Kind::MediaType
        | Kind::Method
        | Kind::Stale
        | Kind::Unavailable => "BXNIM0109E",
    }
}

/// The codes of policies, roles and groups; `insufficent` is how IBM spells it.
fn policy_code(request: &ApiRequest, said: &Said) -> &'static str {
    let about_roles = request.path.starts_with("/v2/roles");
    match said.kind {
        Kind::BadToken | Kind::NoToken => "invalid_token",
        Kind::Conflict | Kind::Stale if about_roles => "role_conflict_error",
        Kind::Conflict | Kind::Stale if request.path.starts_with("/v2/groups") => "conflict",
        Kind::Conflict | Kind::Stale => "policy_conflict_error",
        Kind::Forbidden | Kind::OtherAccount => "insufficent_permissions",
        Kind::Invalid | Kind::MediaType => "invalid_body",
        Kind::Limited => "too_many_requests",
        Kind::Method | Kind::Unavailable => "request_not_processed",
        Kind::NotFound => match said.about {
            Some(Noun::Policy) => "policy_not_found",
            Some(Noun::Role) => "role_not_found",
            Some(_) | None => "not_found",
        },
    }
}

/// Container Registry's codes where they are known; the others follow the status.
fn registry_words(said: &Said) -> (&str, &str) {
    const FORBIDDEN: &str = "You are not authorized to access the specified resource.";
    match said.kind {
        Kind::BadToken | Kind::NoToken => ("CRG0014E", said.message.as_str()),
        // A conflict that has a code of its own begins with it.
        Kind::Conflict => match said.message.split_once(' ') {
            Some((code @ ("CRT0500E" | "CRI0302E" | "CRI0304E"), text)) => (code, text),
            Some(_) | None => ("CRG0409E", &said.message),
        },
        Kind::Forbidden => ("CRG0020E", FORBIDDEN),
        Kind::Invalid => ("CRG0400E", &said.message),
        Kind::Limited => ("CRG0429E", &said.message),
        Kind::MediaType => ("CRG0415E", &said.message),
        Kind::Method => ("CRG0405E", &said.message),
        Kind::NotFound => ("CRG0404E", &said.message),
        Kind::OtherAccount => ("CRG0009E", &said.message),
        Kind::Stale => ("CRG0412E", &said.message),
        Kind::Unavailable => ("CRG0500E", &said.message),
    }
}
