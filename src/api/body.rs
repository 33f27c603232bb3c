//! JSON bodies: typed, bounded, without duplicate or unknown members, and only when they say that they are JSON.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::control::problem::Problem;

/// The largest body.
pub const MAX: usize = 1 << 20;

/// Reads a body. Every wire type denies unknown fields, and typed reading refuses duplicates; nesting is bounded by
/// serde_json (128) and by the types.
///
/// # Errors
/// [`Problem::Unreadable`] for another content type (a browser can send those across origins), [`Problem::Invalid`] for
/// anything that is not exactly such a document.
pub fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    if !is_json(headers) {
        return Err(Problem::Unreadable("send the body as JSON, with `Content-Type: application/json`"));
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        // Without this, a list of a type's values in the order of its members would be read as one.
        return Err(Problem::Invalid("the body is not a JSON object".to_owned()));
    }
    serde_json::from_slice(body)
        .map_err(|error| Problem::Invalid(format!("the body is not as expected: {error}")))
}

/// Reads a body that is a list.
///
/// # Errors
/// As [`read`].
pub fn read_list<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<Vec<T>, Problem> {
    if !is_json(headers) {
        return Err(Problem::Unreadable("send the body as JSON, with `Content-Type: application/json`"));
    }
    serde_json::from_slice(body)
        .map_err(|error| Problem::Invalid(format!("the body is not as expected: {error}")))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(CONTENT_TYPE).into_iter();
    let (Some(only), None) = (given.next(), given.next()) else { return false };
    let Ok(text) = only.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 =
        |part: &str| matches!(part.to_ascii_lowercase().as_str(), "charset=utf-8" | "charset=\"utf-8\"");
    json && parts.all(utf8)
}
