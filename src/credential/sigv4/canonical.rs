//! The one form in which both sides write a request down before it is signed.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::Received;
use super::problem::Problem;

/// All but `A-Z a-z 0-9 - _ . ~` is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same, with the slashes of paths.
const ENCODED_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// How paths are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Paths {
    /// As they came: S3's way.
    AsReceived,
    /// Without empty, `.` and `..` segments: everybody else's.
    Normalised,
}

/// The path, encoded once more than it came.
#[must_use]
pub fn path(received: &str, paths: Paths) -> String {
    let path = match paths {
        Paths::AsReceived => received.to_owned(),
        Paths::Normalised => normalised(received),
    };
    let path = if path.is_empty() { "/" } else { &path };
    percent_encode(path.as_bytes(), ENCODED_PATH).to_string()
}

fn normalised(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let folder = path.ends_with('/') && !kept.is_empty();
    format!("/{}{}", kept.join("/"), if folder { "/" } else { "" })
}

/// The parameters of a query, decoded, in the order in which they came.
///
/// # Errors
/// [`Problem::MalformedQuery`] for an escape that is none, and for `+`, which is read in two ways.
pub fn parameters(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Result<String, Problem> {
    if text.contains('+') {
        return Err(Problem::MalformedQuery("Write %20 or %2B in the query string, not +."));
    }
    let escapes = text.split('%').skip(1);
    let whole =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if !escapes.into_iter().all(whole) {
        return Err(Problem::MalformedQuery("Illegal hex character in escape % pattern"));
    }
    let text = percent_encoding::percent_decode_str(text).decode_utf8();
    text.map(std::borrow::Cow::into_owned)
        .map_err(|_| Problem::MalformedQuery("The query string is not UTF-8."))
}

/// The query, sorted, without what carries the signature itself when it is in the query.
#[must_use]
pub fn query(parameters: &[(String, String)], presigned: bool) -> String {
    let encoded = |text: &str| percent_encode(text.as_bytes(), ENCODED).to_string();
    let own = |name: &str| presigned && name == "X-Amz-Signature";
    let others = parameters.iter().filter(|(name, _)| !own(name));
    let mut pairs: Vec<_> = others.map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The value of a header: the lines' values joined by commas, each trimmed and with runs of spaces made one.
fn header(received: &Received<'_>, name: &str) -> Result<String, Problem> {
    if name == "host" {
        return Ok(received.host.to_owned());
    }
    let text = |value: &http::HeaderValue| {
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| Problem::Mismatch)?;
        let words: Vec<&str> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        Ok(words.join(" "))
    };
    let lines: Result<Vec<String>, Problem> = received.headers.get_all(name).iter().map(text).collect();
    Ok(lines?.join(","))
}

/// The canonical request.
///
/// # Errors
/// [`Problem`] when a header cannot be written down.
pub(super) fn request(
    received: &Received<'_>,
    paths: Paths,
    (parameters, presigned): (&[(String, String)], bool),
    signed: &[Box<str>],
    body: &[u8],
) -> Result<String, Problem> {
    let mut text = format!("{}\n{}\n", received.method, path(received.path, paths));
    text.push_str(&query(parameters, presigned));
    text.push('\n');
    for name in signed {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}:{}", header(received, name)?);
    }
    text.push('\n');
    text.push_str(&signed.join(";"));
    text.push('\n');
    text.push_str(&hash(body));
    Ok(text)
}

/// SHA-256, in hex.
pub(super) fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}
