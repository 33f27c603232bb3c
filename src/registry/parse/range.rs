//! `Range` and `Content-Range`, as far as a registry needs them.
//!
//! It decides which single range is meant. Several ranges and other units are ignored, as RFC 9110 §14.2 allows; they
//! are never passed on, because a vanilla registry answers them with multipart bodies.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::registry::error::OciCode;
use crate::registry::error::OciError;
use crate::registry::operation::ByteRange;

/// The one range of bytes that is asked for; `None` when there is none that we serve as such.
pub(super) fn requested(headers: &HeaderMap) -> Option<ByteRange> {
    let (unit, spec) = only(headers, RANGE)?.split_once('=')?;
    let (first, last) = spec.trim_matches([' ', '\t']).split_once('-')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (first, last) {
        ("", length) => number(length).map(ByteRange::Last),
        (first, "") => number(first).map(ByteRange::From),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRange::Span(first, last))
        }
    }
}

/// Where a chunk belongs: `first-last` as registries write it, or `bytes first-last/*` as HTTP does.
pub(super) fn of_chunk(headers: &HeaderMap) -> Result<Option<(u64, u64)>, OciError> {
    if !headers.contains_key(CONTENT_RANGE) {
        return Ok(None);
    }
    let range = only(headers, CONTENT_RANGE).and_then(chunk).ok_or_else(|| {
        let message = "Content-Range must be `<first>-<last>`, with the first byte not after the last.";
        OciError::new(StatusCode::RANGE_NOT_SATISFIABLE, OciCode::RangeInvalid, message)
    })?;
    let length = only(headers, CONTENT_LENGTH).and_then(number);
    if length.is_some_and(|length| length != (range.1 - range.0).saturating_add(1)) {
        let message = "Content-Range and Content-Length do not agree.";
        return Err(OciError::bad_request(OciCode::SizeInvalid, message));
    }
    Ok(Some(range))
}

fn chunk(text: &str) -> Option<(u64, u64)> {
    let span = match text.strip_prefix("bytes ") {
        Some(rest) => {
            let (span, total) = rest.split_once('/')?;
            (total == "*" || number(total).is_some()).then_some(span)?
        }
        None => text,
    };
    let (first, last) = span.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

/// The value of a header that occurs exactly once.
fn only(headers: &HeaderMap, name: http::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).into_iter().map(HeaderValue::to_str);
    match (values.next(), values.next()) {
        (Some(Ok(text)), None) => Some(text),
        _ => None,
    }
}

/// Digits only: `u64::from_str` would also take a plus sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
