//! `/oauth/token`: the Docker token protocol, `GET` with Basic and `POST` with a form.
//!
//! A scope that the caller may not have is left out of the token, never an error: clients probe, and the registry
//! tells them at the time of use. No refresh token is ever issued here: docker would store it in place of the key, and
//! could not follow its rotation.

use std::sync::Arc;

use http::StatusCode;

use super::form::{Form, Unreadable};
use super::mint::Mint;
use super::reply::{Outcome, Reply, Result};
use crate::admit::caller::Caller;
use crate::admit::gate::{Gate, Why};
use crate::admit::network::Want;
use crate::admit::origin::Origin;
use crate::admit::proof::Authenticated;
use crate::admit::signature::PASSWORD_EXPIRED;
use crate::credential::authorization::Presented;
use crate::ids::region::Region;
use crate::registry::error::{OciCode, envelope};
use crate::registry::scope::{Scope, ScopeEntry};
use crate::secret::Secret;

/// One request.
#[derive(Debug)]
pub struct Request<'a> {
    /// The `Authorization` header.
    pub presented: Presented,
    /// The query of a `GET`, or the body of a `POST`.
    pub fields: &'a str,
    /// Which of the two.
    pub form: bool,
    /// Where it came from.
    pub origin: &'a Origin,
    /// Which registry it is for.
    pub region: &'a Region,
}

/// Answers one request.
///
/// # Errors
/// [`crate::admit::fault::Fault`] when the view or the signing key is not to be had.
pub async fn exchange(gate: &Gate, mint: &Mint, request: Request<'_>) -> Result {
    let form = match Form::parse(request.fields).and_then(|form| check(&request, form)) {
        Ok(form) => form,
        Err(unreadable) => return Ok(malformed(unreadable.0)),
    };
    let caller = match authenticate(gate, &request, &form).await? {
        Ok(caller) => caller,
        Err(because) => return Ok(rejected(because)),
    };
    let mut would_refuse = Vec::new();
    let access = match &caller {
        Some(caller) => {
            would_refuse = match gate.network(caller, Want::Identity).await {
                Ok(would_refuse) => would_refuse,
                Err(Why::Fault(fault)) => return Err(fault),
                Err(Why::Refusal(refusal)) => {
                    let outcome = Outcome::Outside(Arc::clone(caller), refusal);
                    return Ok(Reply { outcome, ..rejected("outside") });
                }
            };
            let wanted = Scope::parse(form.all("scope")).into_entries();
            fitting(gate.narrow(caller, wanted, request.region).await?)
        }
        None => Vec::new(),
    };
    let minted = mint.registry(caller.as_deref(), access.clone()).await?;
    let seconds = minted.expires_in.as_secs();
    // No `issued_at`: without it every client counts from receipt, and a wrong client clock does no harm.
    let mut body = serde_json::json!({
        "token": minted.token, "access_token": minted.token, "expires_in": seconds,
    });
    if let (true, Some(object)) = (request.form, body.as_object_mut()) {
        object.insert("scope".to_owned(), spelled(&access).into());
    }
    Ok(Reply {
        status: StatusCode::OK,
        body: body.to_string(),
        outcome: Outcome::Granted { to: caller, would_refuse },
    })
}

/// Refuses what two readers could understand differently.
fn check(request: &Request<'_>, form: Form) -> std::result::Result<Form, Unreadable> {
    for name in ["service", "account", "client_id", "grant_type", "username", "password", "refresh_token"] {
        form.one(name)?;
    }
    let credentials = form.has("password") || form.has("refresh_token");
    if credentials && !request.form {
        return Err(Unreadable(
            "credentials do not belong in a query: send them in the Authorization header",
        ));
    }
    if credentials && !matches!(request.presented, Presented::Absent) {
        return Err(Unreadable("credentials are given twice: use the Authorization header or the form"));
    }
    match form.one("service")? {
        None | Some("" | "registry") => Ok(form),
        Some(_) => Err(Unreadable("this is the token service of service `registry`")),
    }
}

/// The caller, nobody, or why not.
async fn authenticate(
    gate: &Gate,
    request: &Request<'_>,
    form: &Form,
) -> std::result::Result<std::result::Result<Option<Arc<Caller>>, &'static str>, crate::admit::fault::Fault> {
    let field = |name| form.one(name).ok().flatten().unwrap_or_default();
    let password;
    let (user, secret) = match (&request.presented, request.form, field("grant_type")) {
        (Presented::Unusable(because), _, _) => return Ok(Err(because)),
        (Presented::Bearer(_), _, _) => return Ok(Err("a token cannot be exchanged for a token")),
        (Presented::Basic { user, password }, _, _) => (user.as_str(), password),
        (Presented::Absent, false, _) => {
            return Ok(match gate.authenticator.certificate(request.origin).await? {
                Authenticated::Proven(caller) => Ok(Some(caller)),
                Authenticated::Rejected(because) => Err(because),
                Authenticated::Absent => Ok(None),
            });
        }
        (Presented::Absent, true, "password") => {
            password = Secret::from(field("password"));
            (field("username"), &password)
        }
        (Presented::Absent, true, "refresh_token") => return Ok(Err("no refresh tokens are issued here")),
        (Presented::Absent, true, _) => {
            return Ok(Err("the grant type is neither password nor refresh_token"));
        }
    };
    if !matches!(form.one("account"), Ok(None | Some(""))) && field("account") != user {
        return Ok(Err("the account parameter names another user than the credentials"));
    }
    let proven = gate.authenticator.login(user, secret, request.origin).await?;
    match proven {
        Authenticated::Proven(caller) => Ok(Ok(Some(caller))),
        Authenticated::Rejected(because) => Ok(Err(because)),
        Authenticated::Absent => Ok(Ok(None)),
    }
}

/// As many entries, from the first on, as a token that fits into a header can carry.
fn fitting(access: Vec<ScopeEntry>) -> Vec<ScopeEntry> {
    let mut room = ACCESS_MAX;
    let fits = |entry: &ScopeEntry| {
        let length = serde_json::to_string(entry).map_or(ACCESS_MAX, |text| text.len() + 1);
        let left = room.checked_sub(length);
        room = left.unwrap_or(0);
        left.is_some()
    };
    access.into_iter().take_while(fits).collect()
}

fn spelled(access: &[ScopeEntry]) -> String {
    access.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn rejected(because: &'static str) -> Reply {
    let body = match because {
        PASSWORD_EXPIRED => envelope(OciCode::Denied, EXPIRED),
        _ => envelope(OciCode::Unauthorized, NOT_VALID),
    };
    Reply { status: StatusCode::UNAUTHORIZED, body, outcome: Outcome::Rejected(because) }
}

fn malformed(because: &'static str) -> Reply {
    let body = envelope(OciCode::Unsupported, because);
    Reply { status: StatusCode::BAD_REQUEST, body, outcome: Outcome::Malformed(because) }
}

/// ICR's words for any credential that is no good, whatever is wrong with it.
pub const NOT_VALID: &str = "The login credentials are not valid, or your IBM Cloud account is not active.";

/// ECR's words for a password whose time is over. Its status is 403, at which podman and skopeo would not show them.
const EXPIRED: &str = "Your authorization token has expired. Reauthenticate and try again.";

/// The longest `access` claim, as JSON: with the other claims, in base64, it stays below what a header may hold.
const ACCESS_MAX: usize = 5 * 1024;
