//! Turns a request line and its headers into an [`Operation`], strictly.
//!
//! It decides what a request means and refuses whatever could mean two things: an upstream decodes, merges and cleans
//! more than we would. It never decides whether the call is allowed, and it reads no body.

mod build;
pub(in crate::registry) mod query;
mod range;
mod route;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode};

use super::error::{OciCode, OciError};
use super::operation::Operation;

/// The longest path and query together, in bytes.
pub const TARGET_MAX: usize = 8192;

/// The methods that any registry route knows, as an `Allow` header lists them.
const METHODS: &str = "DELETE, GET, HEAD, PATCH, POST, PUT";

/// Why a request is no [`Operation`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unparsed {
    /// It addresses the registry, wrongly.
    Malformed(OciError),
    /// The route exists, but not with this method.
    MethodNotAllowed {
        /// The value of the `Allow` header.
        allow: &'static str,
    },
    /// The path is well formed and is none of the registry's.
    NoSuchRoute,
}

impl Unparsed {
    /// The answer to the caller; a 405 also wants its `Allow` header.
    #[must_use]
    pub fn into_error(self) -> OciError {
        match self {
            Self::Malformed(error) => error,
            Self::MethodNotAllowed { allow } => {
                let message = format!("This method is not supported here. Use one of: {allow}.");
                OciError::new(StatusCode::METHOD_NOT_ALLOWED, OciCode::Unsupported, message)
            }
            Self::NoSuchRoute => {
                let message = "There is no such registry call. Check the path and its trailing slash.";
                OciError::new(StatusCode::NOT_FOUND, OciCode::Unsupported, message)
            }
        }
    }
}

impl From<OciError> for Unparsed {
    fn from(error: OciError) -> Self {
        Self::Malformed(error)
    }
}

/// Parses one request. `path` and `query` are as they stand in the request line, not decoded.
///
/// # Errors
/// [`Unparsed`] for every request that is not exactly one registry call.
pub fn parse(
    method: &Method,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Operation, Unparsed> {
    if path.len() + query.map_or(0, |text| text.len() + 1) > TARGET_MAX {
        let message = format!("The request target is longer than {TARGET_MAX} bytes.");
        return Err(OciError::new(StatusCode::URI_TOO_LONG, OciCode::Unsupported, message).into());
    }
    if !METHODS.split(", ").any(|known| known == method.as_str()) {
        return Err(Unparsed::MethodNotAllowed { allow: METHODS });
    }
    let route = route::find(path)?;
    let allow = route.methods();
    if !allow.split(", ").any(|known| known == method.as_str()) {
        return Err(Unparsed::MethodNotAllowed { allow });
    }
    refuse_form(headers)?;
    refuse_body_of_read(method, headers)?;
    let query = query::Query::parse(query.unwrap_or_default())?;
    build::operation(method, route, query, headers)
}

/// Refuses form bodies: a vanilla registry merges their `mount`, `from` and `digest` into the query.
fn refuse_form(headers: &HeaderMap) -> Result<(), OciError> {
    for value in headers.get_all(CONTENT_TYPE) {
        let text = value.to_str().map_err(|_| unsupported("The Content-Type is not plain ASCII."))?;
        let form = |part: &str| {
            let part = part.trim().to_ascii_lowercase();
            part == "application/x-www-form-urlencoded" || part.starts_with("multipart/")
        };
        if text.split([';', ',']).any(form) {
            return Err(unsupported("Form bodies are not accepted. Put parameters into the query."));
        }
    }
    Ok(())
}

/// Refuses a `GET` or `HEAD` that carries a body, where two parsers may disagree on what follows.
fn refuse_body_of_read(method: &Method, headers: &HeaderMap) -> Result<(), OciError> {
    let read = matches!(*method, Method::GET | Method::HEAD);
    let length = headers.get_all(CONTENT_LENGTH).iter().any(|value| value.as_bytes() != b"0");
    if read && (length || headers.contains_key(TRANSFER_ENCODING)) {
        return Err(unsupported("A GET or HEAD request must not carry a body."));
    }
    Ok(())
}

fn unsupported(message: &str) -> OciError {
    OciError::bad_request(OciCode::Unsupported, message)
}

#[cfg(test)]
mod tests;
