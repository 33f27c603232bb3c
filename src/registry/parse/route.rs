//! Which route a path is, read from the right as a vanilla registry reads it.
//!
//! It decides where the repository name ends. It never checks the name itself, and it never repairs a path.

use super::Unparsed;
use crate::registry::error::OciCode;
use crate::registry::error::OciError;

/// A route with its parts, not yet checked against their grammars.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Route<'a> {
    Base,
    Blob { name: &'a str, digest: &'a str },
    Catalog,
    Manifest { name: &'a str, reference: &'a str },
    Referrers { name: &'a str, subject: &'a str },
    Tags { name: &'a str },
    Upload { name: &'a str, id: &'a str },
    Uploads { name: &'a str },
}

impl Route<'_> {
    /// What the route can be called with, as an `Allow` header lists it.
    pub(super) const fn methods(&self) -> &'static str {
        match self {
            Self::Base => "GET, HEAD",
            Self::Blob { .. } => "DELETE, GET, HEAD",
            Self::Catalog | Self::Referrers { .. } | Self::Tags { .. } => "GET",
            Self::Manifest { .. } => "DELETE, GET, HEAD, PUT",
            Self::Upload { .. } => "DELETE, GET, HEAD, PATCH, PUT",
            Self::Uploads { .. } => "POST",
        }
    }
}

/// Finds the route of `path`.
///
/// `manifests`, `blobs`, `uploads`, `tags`, `list` and `referrers` are legal in names, so only the last segments decide;
/// that reading is unique because a digest needs a colon and no other last segment may have one.
pub(super) fn find(path: &str) -> Result<Route<'_>, Unparsed> {
    refuse_odd_bytes(path)?;
    refuse_odd_segments(path)?;
    let Some(rest) = path.strip_prefix("/v2/") else { return Err(Unparsed::NoSuchRoute) };
    let route = match rest {
        "" => Some(Route::Base),
        "_catalog" => Some(Route::Catalog),
        _ => match rest.strip_suffix("/blobs/uploads/") {
            Some(name) => Some(Route::Uploads { name }),
            None => rest.rsplit_once('/').and_then(|(head, last)| named(head, last)),
        },
    };
    let route = route.ok_or(Unparsed::NoSuchRoute);
    let digest_place =
        matches!(route, Ok(Route::Blob { .. } | Route::Manifest { .. } | Route::Referrers { .. }));
    if path.contains('%') && !digest_place {
        return Err(odd_path("A path must not be percent-encoded.").into());
    }
    route
}

/// Reads `<name>/<word>/<last>`, or `<name>/blobs/uploads/<last>`.
fn named<'a>(head: &'a str, last: &'a str) -> Option<Route<'a>> {
    if last.is_empty() {
        return None;
    }
    if let Some(name) = head.strip_suffix("/blobs/uploads") {
        return Some(Route::Upload { name, id: last });
    }
    let (name, word) = head.rsplit_once('/')?;
    match (word, last) {
        ("blobs", "uploads") => None,
        ("blobs", digest) => Some(Route::Blob { name, digest }),
        ("manifests", reference) => Some(Route::Manifest { name, reference }),
        ("referrers", subject) => Some(Route::Referrers { name, subject }),
        ("tags", "list") => Some(Route::Tags { name }),
        _ => None,
    }
}

/// Lets only `[A-Za-z0-9._/:=-]` through, and `%3A` in the last segment, which some clients write for a digest's colon.
fn refuse_odd_bytes(path: &str) -> Result<(), OciError> {
    let (head, last) = path.rsplit_once('/').ok_or_else(|| odd_path("A path must begin with a slash."))?;
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b':' | b'=' | b'-'))
    };
    if !plain(head) {
        return Err(odd_path(
            "A repository name may only contain lower-case letters, digits, `.`, `_`, `-`, `/`.",
        ));
    }
    if !plain(&decode_colon(last)) {
        let code = if last.contains(':') { OciCode::DigestInvalid } else { OciCode::NameInvalid };
        return Err(OciError::bad_request(
            code,
            "The last part of the path has a character that is not allowed.",
        ));
    }
    Ok(())
}

/// Refuses empty and dot segments; a trailing slash is right only where the protocol has one.
fn refuse_odd_segments(path: &str) -> Result<(), OciError> {
    let Some(inner) = path.strip_prefix('/') else { return Err(odd_path("A path must begin with a slash.")) };
    let slash_belongs = !inner.starts_with("v2/") || inner == "v2/" || inner.ends_with("/blobs/uploads/");
    let inner = if slash_belongs { inner.strip_suffix('/').unwrap_or(inner) } else { inner };
    let odd = |segment: &str| matches!(segment, "" | "." | "..");
    if !inner.is_empty() && inner.split('/').any(odd) {
        return Err(odd_path("A path must not have empty segments, dot segments or a trailing slash."));
    }
    Ok(())
}

/// Decodes `%3A` and `%3a`, once.
pub(super) fn decode_colon(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('%') { text.replace("%3A", ":").replace("%3a", ":").into() } else { text.into() }
}

fn odd_path(message: &str) -> OciError {
    OciError::bad_request(OciCode::NameInvalid, message)
}
