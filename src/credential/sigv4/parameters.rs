//! The two places where a claim stands: the `Authorization` header, and the query of a presigned URL.

use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE};

use super::Received;
use super::canonical;
use super::problem::Problem;
use super::scope;
use crate::secret::Secret;

/// The only algorithm.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The longest session token that is looked at.
const TOKEN_MAX: usize = 16 * 1024;

/// What a claim is made of, still text.
pub(super) struct Parameters {
    pub(super) credential: String,
    pub(super) signed_headers: String,
    pub(super) signature: String,
    /// `YYYYMMDDTHHMMSSZ`
    pub(super) timestamp: String,
    pub(super) token: Option<Secret<String>>,
    /// In seconds; of a presigned URL only.
    pub(super) lifetime: Option<i64>,
}

/// Finds the claim; `None` if nothing is claimed.
pub(super) fn find(
    received: &Received<'_>,
    query: &[(String, String)],
) -> Result<Option<Parameters>, Problem> {
    let in_query = query.iter().any(|(name, _)| name == "X-Amz-Algorithm" || name == "X-Amz-Signature");
    match (received.headers.contains_key(AUTHORIZATION), in_query) {
        (false, false) => Ok(None),
        (true, false) => of_header(received.headers).map(Some),
        (false, true) => of_query(query).map(Some),
        (true, true) => Err(Problem::Incomplete(
            "Sign with the Authorization header or with query-string parameters, not with both.".to_owned(),
        )),
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut lines = headers.get_all(name).iter();
    let unreadable = || Problem::Incomplete(format!("The header '{name}' is repeated or cannot be read."));
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(line), None) => line.to_str().map(|text| Some(text.trim())).map_err(|_| unreadable()),
        (Some(_), Some(_)) => Err(unreadable()),
    }
}

fn of_header(headers: &HeaderMap) -> Result<Parameters, Problem> {
    let text = only(headers, AUTHORIZATION.as_str())?.unwrap_or_default();
    let (algorithm, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = if algorithm == ALGORITHM { rest } else { "" };
    let fields = fields(rest)?;
    let field =
        |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let timestamp = match (only(headers, "x-amz-date")?, only(headers, DATE.as_str())?) {
        (Some(date), _) => Some(date.to_owned()),
        (None, date) => date.map(of_date),
    };
    let parts = (field("Credential"), field("SignedHeaders"), field("Signature"), timestamp);
    let (Some(credential), Some(signed_headers), Some(signature), Some(timestamp)) = parts else {
        return Err(Problem::Incomplete(missing(&parts)));
    };
    let token = only(headers, "x-amz-security-token")?.map(Secret::from);
    bounded(Parameters { credential, signed_headers, signature, timestamp, token, lifetime: None })
}

/// `Name=value` between commas.
fn fields(text: &str) -> Result<Vec<(&str, &str)>, Problem> {
    let mut fields: Vec<(&str, &str)> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            let text =
                "Authorization header has a part that is not a valid key=value pair (missing equal-sign).";
            return Err(Problem::Incomplete(text.to_owned()));
        };
        if fields.iter().any(|(known, _)| *known == name) || fields.len() == 3 {
            let text = "Authorization header has a parameter that is repeated or unknown.";
            return Err(Problem::Incomplete(text.to_owned()));
        }
        fields.push((name, value));
    }
    Ok(fields)
}

type Found = (Option<String>, Option<String>, Option<String>, Option<String>);

fn missing((credential, signed_headers, signature, timestamp): &Found) -> String {
    let mut texts = Vec::new();
    for (name, part) in
        [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]
    {
        if part.is_none() {
            texts.push(format!("Authorization header requires '{name}' parameter."));
        }
    }
    if timestamp.is_none() {
        texts.push(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned(),
        );
    }
    texts.join(" ")
}

/// The time of a `Date` header, in the form of `X-Amz-Date`; as it is if it cannot be read.
fn of_date(text: &str) -> String {
    match jiff::fmt::rfc2822::parse(text) {
        Ok(zoned) => scope::basic(crate::clock::UnixTime::from_seconds(zoned.timestamp().as_second())),
        Err(_) => text.to_owned(),
    }
}

fn of_query(query: &[(String, String)]) -> Result<Parameters, Problem> {
    let parameter = |name: &str| {
        let mut found = query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone());
        match (found.next(), found.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => {
                Err(Problem::MalformedQuery("A query-string parameter of the signature is repeated."))
            }
        }
    };
    let needed = |name: &str| {
        let text = format!(
            "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
        );
        parameter(name)?.ok_or(Problem::Incomplete(text))
    };
    if needed("X-Amz-Algorithm")? != ALGORITHM {
        return Err(Problem::Incomplete(format!("Unsupported AWS 'algorithm': use {ALGORITHM}.")));
    }
    let lifetime =
        needed("X-Amz-Expires")?.parse::<i64>().ok().filter(|seconds| (1..=604_800).contains(seconds));
    let unreadable = || Problem::Incomplete("X-Amz-Expires must be a number from 1 to 604800.".to_owned());
    bounded(Parameters {
        credential: needed("X-Amz-Credential")?,
        signed_headers: needed("X-Amz-SignedHeaders")?,
        signature: needed("X-Amz-Signature")?,
        timestamp: needed("X-Amz-Date")?,
        token: parameter("X-Amz-Security-Token")?.map(Secret::new),
        lifetime: Some(lifetime.ok_or_else(unreadable)?),
    })
}

fn bounded(parameters: Parameters) -> Result<Parameters, Problem> {
    let long = parameters.token.as_ref().is_some_and(|token| token.expose().len() > TOKEN_MAX);
    if long { Err(Problem::Incomplete("The session token is too long.".to_owned())) } else { Ok(parameters) }
}

/// Headers that may stand only once: two of them are read in two ways.
pub(super) fn once(received: &Received<'_>) -> Result<(), Problem> {
    let single = |name: &str| {
        name.starts_with("x-amz-")
            || matches!(name, "authorization" | "content-length" | "content-type" | "date" | "host")
    };
    let names = received.headers.keys().map(http::HeaderName::as_str).filter(|name| single(name));
    for name in names {
        only(received.headers, name)?;
    }
    Ok(())
}

/// The query, decoded.
pub(super) fn of(received: &Received<'_>) -> Result<Vec<(String, String)>, Problem> {
    canonical::parameters(received.query)
}
