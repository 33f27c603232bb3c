//! What went wrong, in the two forms that AWS's services have: XML for Query, JSON for JSON 1.1.

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use super::operation::Service;
use super::xml::Xml;
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::refusal::Refusal;
use crate::admit::signature::Unproven;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::credential::session::Kind;
use crate::credential::sigv4::problem::{Class, Problem};

/// What is wrong with who asks, in the words of a service.
#[must_use]
pub fn unproven(service: Service, unproven: &Unproven) -> AwsProblem {
    let json = service.namespace().is_none();
    let either = |of_json, of_query| if json { of_json } else { of_query };
    match unproven {
        Unproven::Expired => AwsProblem::Unproven {
            code: either(AwsCode::ExpiredTokenException, AwsCode::ExpiredToken),
            message: "The security token included in the request is expired".to_owned(),
            because: "the session is over",
        },
        Unproven::Unknown(because) => AwsProblem::Unproven {
            code: either(AwsCode::UnrecognizedClientException, AwsCode::InvalidClientTokenId),
            message: INVALID_TOKEN.to_owned(),
            because,
        },
        Unproven::Signature(problem) => signature(problem, either),
    }
}

fn signature(problem: &Problem, either: impl Fn(AwsCode, AwsCode) -> AwsCode) -> AwsProblem {
    let message = problem.to_string();
    let code = match problem.class() {
        Class::Incomplete => either(AwsCode::IncompleteSignatureException, AwsCode::IncompleteSignature),
        Class::Query => either(AwsCode::ValidationException, AwsCode::MalformedQueryString),
        Class::Signature => either(AwsCode::InvalidSignatureException, AwsCode::SignatureDoesNotMatch),
    };
    match problem {
        Problem::Mismatch => AwsProblem::Unproven { code, message, because: "the signature does not match" },
        // Clocks that are wrong and clients that are broken are no guesses.
        Problem::Incomplete(_) | Problem::MalformedQuery(_) | Problem::Refused(_) => {
            AwsProblem::Said { code, message }
        }
    }
}

/// Whether a caller's kind of credential is good for a service: those that a user can make for itself, without saying who it
/// really is, are not for managing identities.
///
/// # Errors
/// What AWS says then.
pub fn fits(caller: &Caller, service: Service) -> Result<(), AwsProblem> {
    let of_user = match caller.credential.session().map(|session| &session.kind) {
        Some(Kind::Federated(_) | Kind::User) => true,
        Some(Kind::Role(_)) | None => false,
    };
    if !of_user || service != Service::Iam {
        return Ok(());
    }
    Err(AwsProblem::said(AwsCode::InvalidClientTokenId, INVALID_TOKEN))
}

/// What is wrong with a token, whatever it is.
pub const INVALID_TOKEN: &str = "The security token included in the request is invalid.";

/// An error, ready to be sent.
pub(super) struct Rendered {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    pub(super) retry_after: Option<u64>,
}

/// Puts a problem into the words of a service.
pub(super) fn render(service: Service, problem: &AwsProblem, request_id: &str) -> Rendered {
    let (code, message, retry_after) = said(service, problem);
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = match service.namespace() {
        Some(namespace) => xml(namespace, code, &message, request_id),
        None => json!({"__type": code.name(), "message": message}).to_string(),
    };
    Rendered { status, body: body.into(), retry_after }
}

fn xml(namespace: &str, code: AwsCode, message: &str, request_id: &str) -> String {
    let mut error = Xml::new();
    error.element("Error", |xml| {
        xml.text("Type", if code.status() < 500 { "Sender" } else { "Receiver" });
        xml.text("Code", code.name()).text("Message", message);
    });
    error.text("RequestId", request_id);
    format!("<ErrorResponse xmlns=\"{namespace}\">{}</ErrorResponse>", error.as_str())
}

fn said(service: Service, problem: &AwsProblem) -> (AwsCode, String, Option<u64>) {
    let json = service.namespace().is_none();
    match problem {
        AwsProblem::Said { code, message } | AwsProblem::Unproven { code, message, .. } => {
            (*code, message.clone(), None)
        }
        AwsProblem::Fault(fault) => {
            let text = "The service cannot do this at the moment: try again, and if it stays, report the request id.";
            (failed(json, fault), text.to_owned(), fault.retry_after().map(|wait| wait.as_secs()))
        }
        AwsProblem::Refused(refusal) => refused(json, refusal),
    }
}

const fn failed(json: bool, fault: &Fault) -> AwsCode {
    match fault {
        Fault::Audit(_) | Fault::Store(_) => AwsCode::ServiceUnavailable,
        Fault::Internal(_)
        | Fault::UpstreamBroken(_)
        | Fault::UpstreamTimeout(_)
        | Fault::UpstreamUnreachable(_) => {
            if json {
                AwsCode::ServerException
            } else {
                AwsCode::ServiceFailure
            }
        }
    }
}

fn refused(json: bool, refusal: &Refusal) -> (AwsCode, String, Option<u64>) {
    let either = |of_json, of_query| if json { of_json } else { of_query };
    let denied = either(AwsCode::AccessDeniedException, AwsCode::AccessDenied);
    let token = either(AwsCode::UnrecognizedClientException, AwsCode::InvalidClientTokenId);
    match refusal {
        Refusal::Unauthorized(denial) => (denied, denial.sentence.clone(), None),
        // As a wrong secret reads: that the right one was tried from elsewhere tells nobody that it is right.
        Refusal::Outside(outside) if outside.veiled => {
            let code = either(AwsCode::InvalidSignatureException, AwsCode::SignatureDoesNotMatch);
            (code, Problem::Mismatch.to_string(), None)
        }
        Refusal::Denied(_) | Refusal::Outside(_) => {
            let text = "You are not authorized to do this from this network address, or to what it is about.";
            (denied, text.to_owned(), None)
        }
        Refusal::AnonymousDenied | Refusal::Challenge { .. } => {
            let code =
                either(AwsCode::MissingAuthenticationTokenException, AwsCode::MissingAuthenticationToken);
            (code, "Request is missing Authentication Token".to_owned(), None)
        }
        Refusal::Credentials { .. } => (token, INVALID_TOKEN.to_owned(), None),
        Refusal::Limited { retry_after } => {
            let code = either(AwsCode::ThrottlingException, AwsCode::Throttling);
            (code, "Rate exceeded".to_owned(), Some(retry_after.as_secs().max(1)))
        }
        Refusal::Malformed(_) | Refusal::Misdirected | Refusal::NoSuchRoute => {
            (either(AwsCode::ValidationException, AwsCode::ValidationError), refusal.to_string(), None)
        }
    }
}
