//! `/identity/token`: what proves somebody to IAM access tokens, in IBM IAM's shapes.

use std::sync::Arc;

use http::StatusCode;

use super::foreign::{Foreign, Person};
use super::form::Form;
use super::mint::Mint;
use super::reply::{Outcome, Reply, Result};
use crate::admit::authenticate::{SESSION_INACTIVE, SESSION_OVER};
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::gate::{Gate, Why};
use crate::admit::network::Want;
use crate::admit::origin::Origin;
use crate::admit::profile::Wanted;
use crate::admit::proof::Authenticated;
use crate::clock::UnixTime;
use crate::credential::authorization::Presented;
use crate::ids::account::AccountId;
use crate::ids::cbr::RuleId;

/// `grant_type` for an API key.
pub const APIKEY_GRANT: &str = "urn:ibm:params:oauth:grant-type:apikey";
/// `grant_type` for an access token of a trusted profile, with the token of somebody whom it trusts.
pub const ASSUME_GRANT: &str = "urn:ibm:params:oauth:grant-type:assume";
/// `grant_type` for a compute resource's token.
pub const COMPUTE_GRANT: &str = "urn:ibm:params:oauth:grant-type:cr-token";
/// `grant_type` for an identity provider's token (RFC 7523 section 2.1).
pub const FEDERATED_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
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

/// What is exchanged, and for what.
enum Asked<'a> {
    /// An API key.
    ApiKey(&'a str),
    /// An access token, for one of a trusted profile.
    Assume(&'a str, Wanted),
    /// A compute resource's token, for one of a trusted profile.
    Compute(&'a str, Wanted),
    /// An identity provider's token, for one of a trusted profile or of a user.
    Federated(&'a str, Option<Wanted>),
    /// A refresh token.
    Refresh(&'a str),
}

/// Why a request is none.
enum Unasked {
    /// This property is missing or empty.
    Missing(&'static str),
    /// The request cannot be read; what the caller reads, and the log.
    Unreadable(&'static str, &'static str),
    /// There is no such grant.
    Unsupported,
}

/// Answers one request.
///
/// # Errors
/// [`crate::admit::fault::Fault`] when the view or the signing key is not to be had.
pub async fn exchange(gate: &Gate, mint: &Mint, foreign: &Foreign, request: Request<'_>) -> Result {
    let form =
        Form::parse(request.body).map_err(|_| Unasked::Unreadable("The form cannot be read.", "bad form"));
    let form = match form {
        Ok(form) => form,
        Err(unasked) => return Ok(unasked.reply(&request)),
    };
    let mut began = None;
    let (proven, unknown) = match asked(&form, gate.authenticator.account()) {
        Ok(Asked::ApiKey(key)) => (gate.authenticator.api_key(key, request.origin).await?, &UNKNOWN_KEY),
        Ok(Asked::Refresh(token)) => match gate.authenticator.refresh_token(token, request.origin).await? {
            Authenticated::Proven((caller, at)) => {
                began = Some(at);
                (Authenticated::Proven(caller), &INVALID_TOKEN)
            }
            Authenticated::Absent => (Authenticated::Absent, &INVALID_TOKEN),
            Authenticated::Rejected(because) => (Authenticated::Rejected(because), unrenewed(because)),
        },
        Ok(Asked::Assume(token, wanted)) => assume(gate, token, &wanted, request.origin).await?,
        Ok(Asked::Compute(token, wanted)) => {
            let proven = gate.authenticator.compute(token, &wanted, request.origin).await?;
            (proven, &NOT_TRUSTED)
        }
        Ok(Asked::Federated(token, wanted)) => {
            (federated(gate, foreign, token, wanted.as_ref(), request.origin).await?, &NOT_TRUSTED)
        }
        Err(unasked) => return Ok(unasked.reply(&request)),
    };
    match proven {
        Authenticated::Proven(caller) => match gate.network(&caller, Want::Identity).await {
            Ok(rules) => {
                let grant = form.one("grant_type").ok().flatten().unwrap_or_default();
                granted(mint, &request, (caller, began), grant, rules).await
            }
            Err(Why::Fault(fault)) => Err(fault),
            Err(Why::Refusal(refusal)) => {
                Ok(failed(&request, unknown, None, Outcome::Outside(caller, refusal)))
            }
        },
        Authenticated::Rejected(because) => Ok(failed(&request, unknown, None, Outcome::Rejected(because))),
        Authenticated::Absent => Ok(failed(&request, unknown, None, Outcome::Rejected("nothing presented"))),
    }
}

/// A token's bearer as a trusted profile.
async fn assume(
    gate: &Gate,
    token: &str,
    wanted: &Wanted,
    origin: &Origin,
) -> std::result::Result<(Authenticated<Arc<Caller>>, &'static Failure), Fault> {
    Ok(match gate.authenticator.access_token(token, origin).await? {
        Authenticated::Proven(caller) => {
            (gate.authenticator.take_on(&caller, wanted, origin).await?, &NOT_TRUSTED)
        }
        refused @ (Authenticated::Absent | Authenticated::Rejected(_)) => (refused, &INVALID_ACCESS_TOKEN),
    })
}

type Proven = std::result::Result<Authenticated<Arc<Caller>>, Fault>;

/// A person as a trusted profile, or as the user that they are.
async fn federated(
    gate: &Gate,
    foreign: &Foreign,
    token: &str,
    wanted: Option<&Wanted>,
    origin: &Origin,
) -> Proven {
    match (foreign.person(token).await, wanted) {
        (Ok(person), Some(wanted)) => gate.authenticator.vouched_for(person.by, wanted, origin).await,
        (Ok(Person { by, user: Some(user) }), None) => gate.authenticator.person(by, &user, origin).await,
        (Ok(Person { user: None, .. }), None) => {
            Ok(Authenticated::Rejected("the token is of nobody who is a user"))
        }
        (Err(because), _) => Ok(Authenticated::Rejected(because)),
    }
}

fn asked<'a>(form: &'a Form, account: &AccountId) -> std::result::Result<Asked<'a>, Unasked> {
    let twice = |_| Unasked::Unreadable("A property is given more than once.", "repeated field");
    let given = |name: &str| {
        let value = form.one(name).map_err(twice)?;
        Ok::<_, Unasked>(value.filter(|text| !text.is_empty()))
    };
    let needed = |name: &'static str| given(name)?.ok_or(Unasked::Missing(name));
    let profile = || {
        let (id, crn) = (given("profile_id")?, given("profile_crn")?);
        wanted((id, crn, given("profile_name")?), given("account")?, account)
    };
    match needed("grant_type")? {
        APIKEY_GRANT => Ok(Asked::ApiKey(needed("apikey")?)),
        REFRESH_GRANT => Ok(Asked::Refresh(needed("refresh_token")?)),
        ASSUME_GRANT => Ok(Asked::Assume(needed("access_token")?, profile()?)),
        COMPUTE_GRANT => Ok(Asked::Compute(needed("cr_token")?, profile()?)),
        FEDERATED_GRANT => {
            let wanted = match profile() {
                Err(Unasked::Missing(_)) => None,
                other => Some(other?),
            };
            Ok(Asked::Federated(needed("assertion")?, wanted))
        }
        _ => Err(Unasked::Unsupported),
    }
}

type Text<'a> = Option<&'a str>;

/// Which trusted profile is named: by one name and no other.
fn wanted(
    (id, crn, name): (Text<'_>, Text<'_>, Text<'_>),
    of: Text<'_>,
    account: &AccountId,
) -> std::result::Result<Wanted, Unasked> {
    let nowhere = || {
        Unasked::Unreadable("The profile's id, CRN or account is none of this account.", "no such profile")
    };
    if of.is_some_and(|of| of != account.as_str()) {
        return Err(nowhere());
    }
    match (id, crn, name) {
        (Some(id), None, None) => Wanted::user_name(id).ok_or_else(nowhere),
        (None, Some(crn), None) => Wanted::crn(crn, account).ok_or_else(nowhere),
        (None, None, Some(name)) => Ok(Wanted::Name(name.to_owned())),
        (None, None, None) => Err(Unasked::Missing("profile_id")),
        _ => Err(Unasked::Unreadable("Name the profile by its id, CRN or name, once.", "several profiles")),
    }
}

impl Unasked {
    fn reply(self, request: &Request<'_>) -> Reply {
        match self {
            Self::Missing(property) => missing(request, property),
            Self::Unreadable(text, log) => failed(request, &MISSING, Some(text), Outcome::Malformed(log)),
            Self::Unsupported => {
                let text = "Use the apikey, refresh_token, assume, cr-token or jwt-bearer grant.";
                let outcome = Outcome::Malformed("unsupported grant");
                failed(request, &UNSUPPORTED_GRANT, Some(text), outcome)
            }
        }
    }
}

async fn granted(
    mint: &Mint,
    request: &Request<'_>,
    (caller, began): (Arc<Caller>, Option<UnixTime>),
    grant: &str,
    would_refuse: Vec<RuleId>,
) -> Result {
    let minted = mint.access(&caller, grant).await?;
    let wants_refresh = matches!(&request.presented, Presented::Basic { user, .. } if user == "bx");
    let refresh = if wants_refresh { mint.refresh(&caller, began).await? } else { None };
    let refresh = refresh.map_or_else(|| "not_supported".to_owned(), |minted| minted.token);
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
const EXPIRED_TOKEN: Failure = Failure {
    status: StatusCode::BAD_REQUEST,
    code: "BXNIM0408E",
    message: "Provided refresh token is expired.",
};
const INACTIVE: Failure = Failure {
    status: StatusCode::BAD_REQUEST,
    code: "BXNIM0439E",
    message: "The session is inactive: log in again.",
};
const INVALID_ACCESS_TOKEN: Failure = Failure {
    status: StatusCode::BAD_REQUEST,
    code: "BXNIM0407E",
    message: "Provided access token is invalid.",
};
const NOT_TRUSTED: Failure = Failure {
    status: StatusCode::FORBIDDEN,
    code: "BXNIM0513E",
    message: "There is no such trusted profile, or it does not trust you.",
};
const TOO_OFTEN: &str = "BXNIM0109E";
const UNSUPPORTED_GRANT: Failure =
    Failure { status: StatusCode::BAD_REQUEST, code: "BXNIM0116E", message: "Grant type is not supported." };

/// What is read by whoever's login is not renewed.
fn unrenewed(because: &str) -> &'static Failure {
    match because {
        SESSION_OVER => &EXPIRED_TOKEN,
        SESSION_INACTIVE => &INACTIVE,
        _ => &INVALID_TOKEN,
    }
}

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
