//! `/identity/token`: API keys and refresh tokens to IAM access tokens, in IBM IAM's shapes.

use std::sync::Arc;

use http::StatusCode;

use super::form::Form;
use super::mint::Mint;
use super::reply::{Outcome, Reply, Result};
use crate::admit::authenticate::{Authenticated, Origin};
use crate::admit::caller::Caller;
use crate::admit::gate::{Gate, Why};
use crate::admit::network::Want;
use crate::credential::authorization::Presented;
use crate::ids::cbr::RuleId;

/// `grant_type` for an API key.
pub const APIKEY_GRANT: &str = "urn:ibm:params:oauth:grant-type:apikey";
/// `grant_type` for a refresh token.
pub const REFRESH_GRANT: &str = "refresh_token";

/// One request.
#[derive(Debug)]
pub struct Request<'a> {
    /// The `Authorization` header: the OAuth client, not the caller. `bx:bx` is the command line, which gets a refresh
    /// token.
    pub presented: Presented,
    /// The form.
    pub body: &'a str,
    /// Where it came from.
    pub origin: &'a Origin,
    /// For the error's context.
    pub request_id: &'a str,
}

/// Answers one request.
///
/// # Errors
/// [`crate::admit::fault::Fault`] when the view or the signing key is not to be had.
pub async fn exchange(gate: &Gate, mint: &Mint, request: Request<'_>) -> Result {
    let Ok(form) = Form::parse(request.body) else {
        return Ok(failed(
            &request,
            &MISSING,
            Some("The form cannot be read."),
            Outcome::Malformed("bad form"),
        ));
    };
    let field = |name: &str| form.one(name).map(|value| value.filter(|text| !text.is_empty()));
    let (Ok(grant), Ok(apikey), Ok(refresh)) = (field("grant_type"), field("apikey"), field("refresh_token"))
    else {
        let detail = Some("A property is given more than once.");
        return Ok(failed(&request, &MISSING, detail, Outcome::Malformed("repeated field")));
    };
    let (proven, unknown) = match (grant, apikey, refresh) {
        (Some(APIKEY_GRANT), Some(key), _) => {
            (gate.authenticator.api_key(key, request.origin).await?, &UNKNOWN_KEY)
        }
        (Some(REFRESH_GRANT), _, Some(token)) => {
            (gate.authenticator.refresh_token(token, request.origin).await?, &INVALID_TOKEN)
        }
        (Some(APIKEY_GRANT), None, _) => return Ok(missing(&request, "apikey")),
        (Some(REFRESH_GRANT), _, None) => return Ok(missing(&request, "refresh_token")),
        (None, _, _) => return Ok(missing(&request, "grant_type")),
        (Some(_), _, _) => {
            let detail = Some("Use the apikey or the refresh_token grant.");
            return Ok(failed(&request, &UNSUPPORTED_GRANT, detail, Outcome::Malformed("unsupported grant")));
        }
    };
    match proven {
        Authenticated::Proven(caller) => match gate.network(&caller, Want::Identity).await {
            Ok(rules) => granted(mint, &request, caller, grant.unwrap_or_default(), rules).await,
            Err(Why::Fault(fault)) => Err(fault),
            Err(Why::Refusal(refusal)) => {
                Ok(failed(&request, unknown, None, Outcome::Outside(caller, refusal)))
            }
        },
        Authenticated::Rejected(because) => Ok(failed(&request, unknown, None, Outcome::Rejected(because))),
        Authenticated::Absent => Ok(failed(&request, unknown, None, Outcome::Rejected("nothing presented"))),
    }
}

async fn granted(
    mint: &Mint,
    request: &Request<'_>,
    caller: Arc<Caller>,
    grant: &str,
    would_refuse: Vec<RuleId>,
) -> Result {
    let minted = mint.access(&caller, grant).await?;
    let wants_refresh = matches!(&request.presented, Presented::Basic { user, .. } if user == "bx");
    let refresh = if wants_refresh { mint.refresh(&caller).await?.token } else { "not_supported".to_owned() };
    let body = serde_json::json!({
        "access_token": minted.token,
        "refresh_token": refresh,
        "token_type": "Bearer",
        "expires_in": minted.expires_in.as_secs(),
        "expiration": minted.expiration,
        "scope": "ibm openid",
    });
    Ok(Reply {
        status: StatusCode::OK,
        body: body.to_string(),
        outcome: Outcome::Granted { to: Some(caller), would_refuse },
    })
}

/// One of IBM IAM's errors.
struct Failure {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

const MISSING: Failure =
    Failure { status: StatusCode::BAD_REQUEST, code: "BXNIM0109E", message: "Property missing or empty." };
const UNKNOWN_KEY: Failure = Failure {
    status: StatusCode::BAD_REQUEST,
    code: "BXNIM0415E",
    message: "Provided API key could not be found.",
};
const INVALID_TOKEN: Failure = Failure {
    status: StatusCode::BAD_REQUEST,
    code: "BXNIM0407E",
    message: "Provided refresh token is invalid.",
};
const TOO_OFTEN: &str = "BXNIM0109E";
const UNSUPPORTED_GRANT: Failure =
    Failure { status: StatusCode::BAD_REQUEST, code: "BXNIM0116E", message: "Grant type is not supported." };

fn missing(request: &Request<'_>, property: &str) -> Reply {
    let detail = format!("Property '{property}' either missing or empty.");
    failed(request, &MISSING, Some(&detail), Outcome::Malformed("property missing"))
}

/// What somebody reads who asks too often.
#[must_use]
pub fn too_often(request_id: &str) -> String {
    envelope(TOO_OFTEN, "Too many requests. Wait before you try again.", request_id).to_string()
}

fn envelope(code: &str, message: &str, request_id: &str) -> serde_json::Value {
    serde_json::json!({
        "errorCode": code,
        "errorMessage": message,
        "context": { "requestId": request_id, "requestType": "incoming.Identity_Token" },
    })
}

fn failed(request: &Request<'_>, failure: &Failure, details: Option<&str>, outcome: Outcome) -> Reply {
    let mut body = envelope(failure.code, failure.message, request.request_id);
    if let (Some(object), Some(details)) = (body.as_object_mut(), details) {
        object.insert("errorDetails".to_owned(), details.into());
    }
    Reply { status: failure.status, body: body.to_string(), outcome }
}
