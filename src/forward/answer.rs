//! The parts that answers are made of: fresh responses, and headers picked one by one in their own grammar.
//!
//! Nothing here knows an operation; `response` puts the parts together.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::Body as _;

use super::ContentDigest;
use super::body::{ForwardBody, read};
use super::request::insert;
use crate::admit::fault::Fault;
use crate::registry::reference::Digest;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// How many headers there is room for from the beginning: as many as a manifest has.
const HEADERS: usize = 12;
/// How much of a body that nobody wants is read, so that its connection can be used again.
const DRAIN_MAX: usize = 64 * 1024;
/// The longest `Warning` that is passed on (OCI distribution-spec 1.1, "Warnings").
const WARNING_MAX: usize = 4096;
/// What a tag points at is asked for anew each time.
pub(super) const REVALIDATE: &str = "private, no-cache";

pub(super) type Answer = Response<ForwardBody>;

/// A response without a body, and the headers that every one of ours has.
pub(super) fn fresh(status: StatusCode, cache: &'static str) -> Answer {
    let mut response = Response::new(ForwardBody::Empty);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    response
}

pub(super) fn json(status: StatusCode, text: String) -> Answer {
    let mut response = fresh(status, REVALIDATE).map(|_| ForwardBody::Full(text.into()));
    let length = response.body().size_hint().exact().unwrap_or(0);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The headers of content, still without its body.
pub(super) fn content(answer: &Answer, cache: &'static str) -> Result<Answer, Fault> {
    let from = answer.headers();
    let mut response = fresh(answer.status(), cache);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    keep(from, headers, &header::ETAG, |_| true);
    keep(from, headers, &header::LAST_MODIFIED, |_| true);
    if answer.status() == StatusCode::NOT_MODIFIED {
        return Ok(response);
    }
    if from.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        return Err(broken("it encodes content that was asked for as it is"));
    }
    keep(from, headers, &header::CONTENT_LENGTH, |text| text.parse::<u64>().is_ok());
    let media_type = one(from, &header::CONTENT_TYPE).filter(|text| is_harmless(text));
    insert(headers, header::CONTENT_TYPE, media_type.unwrap_or("application/octet-stream"));
    Ok(response)
}

/// Names what the response is about, to the client and to the audit.
pub(super) fn identify(response: &mut Answer, digest: Digest) {
    insert(response.headers_mut(), CONTENT_DIGEST, digest.as_str());
    response.extensions_mut().insert(ContentDigest(digest));
}

/// Reads a small rest of a body that nobody wants; a longer one costs its connection.
pub(super) async fn drain(answer: Answer) {
    read(answer.into_body(), DRAIN_MAX).await.ok();
}

/// The value of a header that stands there once, in visible ASCII.
pub(super) fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

pub(super) fn keep(from: &HeaderMap, to: &mut HeaderMap, name: &HeaderName, accept: impl Fn(&str) -> bool) {
    if let Some(text) = one(from, name).filter(|text| accept(text)) {
        insert(to, name.clone(), text);
    }
}

/// The digest that an answer claims for itself; `None` when it claims none, or one of an algorithm we do not know.
pub(super) fn named_digest(headers: &HeaderMap) -> Result<Option<Digest>, Fault> {
    if headers.get_all(&CONTENT_DIGEST).iter().nth(1).is_some() {
        return Err(broken("it names two digests"));
    }
    Ok(one(headers, &CONTENT_DIGEST).and_then(|text| Digest::parse(text).ok()))
}

/// A registry may know content by `sha256` although it was asked for by `sha512`.
pub(super) fn same_algorithm(one: &Digest, other: &Digest) -> bool {
    one.as_str().split(':').next() == other.as_str().split(':').next()
}

/// Media types that no browser renders or runs.
fn is_harmless(media_type: &str) -> bool {
    let text = media_type.to_ascii_lowercase();
    text.starts_with("application/")
        && !["html", "xml", "javascript", "ecmascript"].iter().any(|word| text.contains(word))
}

pub(super) fn is_warning(text: &str) -> bool {
    text.len() <= WARNING_MAX && text.starts_with("299 - \"")
}

/// `first-last`, as upload answers say how far they are.
pub(super) fn is_span(text: &str) -> bool {
    text.split_once('-').is_some_and(|(first, last)| [first, last].iter().all(|n| n.parse::<u64>().is_ok()))
}

/// `bytes first-last/total`, of exactly `length` bytes.
pub(super) fn is_content_range(text: &str, length: Option<u64>) -> bool {
    let parsed = text.strip_prefix("bytes ").and_then(|rest| {
        let (span, total) = rest.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let known = total == "*" || total.parse::<u64>().is_ok();
        let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
        (known && first <= last).then(|| last - first)
    });
    parsed.is_some_and(|span| length.is_none_or(|length| span.checked_add(1) == Some(length)))
}

pub(super) fn broken(why: impl Into<String>) -> Fault {
    Fault::UpstreamBroken(why.into())
}
