//! The upstream request, written anew from the operation.
//!
//! Nothing of the client's request line survives, and only those of its headers that are named here: never its
//! `Authorization`, `Cookie`, `Forwarded`, `X-Forwarded-*`, `Host` or framing.

use data_encoding::BASE64;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};

use super::settings::{Credentials, UpstreamSettings};
use super::{Exchange, REQUEST_ID};
use crate::admit::fault::Fault;
use crate::record::trace::tracer::TRACEPARENT;
use crate::registry::error::{OciCode, OciError};
use crate::registry::operation::{ByteRange, Operation, ReadMode, UploadStart};
use crate::registry::target::upstream_target;

/// How many headers there is room for from the beginning.
const HEADERS: usize = 6;

/// The longest `User-Agent` that is passed on.
const USER_AGENT_MAX: usize = 256;

/// What every request to one upstream says, made once.
#[derive(Debug)]
pub(super) struct Template {
    prefix: Box<str>,
    host: HeaderValue,
    authorization: Option<HeaderValue>,
}

impl Template {
    /// Prepares the constant headers.
    ///
    /// # Errors
    /// A sentence for the operator, when credentials cannot be written into a header.
    pub(super) fn new(settings: &UpstreamSettings) -> Result<Self, &'static str> {
        let host = HeaderValue::from_str(settings.url.authority())
            .map_err(|_| "the upstream's host is malformed")?;
        let wrong = |_| "the upstream's credentials hold characters that no header can carry";
        let mut authorization = match &settings.credentials {
            Credentials::Basic { user, .. } if user.contains(':') => {
                return Err("the upstream's user has a colon");
            }
            Credentials::Basic { user, password } => {
                let pair = zeroize::Zeroizing::new(format!("{user}:{}", password.expose()));
                let text = zeroize::Zeroizing::new(format!("Basic {}", BASE64.encode(pair.as_bytes())));
                Some(HeaderValue::from_str(&text).map_err(wrong)?)
            }
            Credentials::Bearer(token) => {
                let text = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
                Some(HeaderValue::from_str(&text).map_err(wrong)?)
            }
            Credentials::None => None,
        };
        if let Some(value) = &mut authorization {
            value.set_sensitive(true);
        }
        Ok(Self { prefix: settings.url.prefix().into(), host, authorization })
    }

    /// The head of the request for `operation`. `length` is the body's, when there is one and it is known; `parent` says whose part of a
    /// trace it is.
    ///
    /// # Errors
    /// [`Fault::Internal`] if the target cannot be written as a URI, which no parsed operation can cause.
    pub(super) fn compose(
        &self,
        operation: &Operation,
        exchange: &Exchange<'_>,
        length: Option<u64>,
        parent: Option<&str>,
    ) -> Result<Request<()>, Fault> {
        let mut target = upstream_target(operation, exchange.upload_query);
        target.insert_str(0, &self.prefix);
        let mut request = Request::new(());
        *request.method_mut() = method(operation);
        *request.uri_mut() = Uri::try_from(target)
            .map_err(|error| Fault::Internal(format!("target of {}: {error}", operation.kind().label())))?;
        let headers = request.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(header::HOST, self.host.clone());
        if let Some(value) = &self.authorization {
            headers.insert(header::AUTHORIZATION, value.clone());
        }
        if let Ok(value) = HeaderValue::from_str(exchange.request_id) {
            headers.insert(REQUEST_ID, value);
        }
        if let Some(value) = parent.and_then(|parent| HeaderValue::from_str(parent).ok()) {
            headers.insert(TRACEPARENT, value);
        }
        pass_user_agent(exchange.client_headers, headers);
        pass_read_headers(operation, exchange.client_headers, headers);
        describe_body(operation, exchange.client_headers, length, headers);
        Ok(request)
    }
}

/// The method that an operation is asked for with.
pub(super) fn method(operation: &Operation) -> Method {
    match operation {
        Operation::BlobDelete { .. } | Operation::ManifestDelete { .. } | Operation::UploadCancel(_) => {
            Method::DELETE
        }
        Operation::BlobRead { mode, .. } | Operation::ManifestRead { mode, .. } => match mode {
            ReadMode::Get => Method::GET,
            ReadMode::Head => Method::HEAD,
        },
        Operation::Catalog { .. }
        | Operation::Ping
        | Operation::Referrers { .. }
        | Operation::TagList { .. }
        | Operation::UploadStatus(_) => Method::GET,
        Operation::ManifestWrite { .. } | Operation::UploadFinish { .. } => Method::PUT,
        Operation::UploadChunk { .. } => Method::PATCH,
        Operation::UploadStart { .. } => Method::POST,
    }
}

/// Whether the client's body belongs to the operation; any other body is never read.
pub(super) fn carries_body(operation: &Operation) -> bool {
    match operation {
        Operation::ManifestWrite { .. }
        | Operation::UploadChunk { .. }
        | Operation::UploadFinish { .. }
        | Operation::UploadStart { start: UploadStart::Monolithic { .. }, .. } => true,
        Operation::UploadStart { start: UploadStart::Mount { .. } | UploadStart::Session, .. }
        | Operation::BlobDelete { .. }
        | Operation::BlobRead { .. }
        | Operation::Catalog { .. }
        | Operation::ManifestDelete { .. }
        | Operation::ManifestRead { .. }
        | Operation::Ping
        | Operation::Referrers { .. }
        | Operation::TagList { .. }
        | Operation::UploadCancel(_)
        | Operation::UploadStatus(_) => false,
    }
}

/// The media type of a manifest that is put. Form types are refused: a vanilla registry reads such bodies as queries.
///
/// # Errors
/// 400 when it is missing, given twice, or no type that a manifest can have.
pub(super) fn manifest_type(headers: &HeaderMap) -> Result<HeaderValue, OciError> {
    let wrong = |why: &str| {
        OciError::bad_request(OciCode::ManifestInvalid, format!("Content-Type of a manifest: {why}"))
    };
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let value = given.next().ok_or_else(|| wrong("missing"))?;
    let text = value.to_str().map_err(|_| wrong("not text"))?.to_ascii_lowercase();
    if given.next().is_some() {
        Err(wrong("given more than once"))
    } else if !text.starts_with("application/") || text.starts_with("application/x-www-form-urlencoded") {
        Err(wrong("not a manifest type such as `application/vnd.oci.image.manifest.v1+json`"))
    } else {
        Ok(value.clone())
    }
}

fn pass_user_agent(from: &HeaderMap, to: &mut HeaderMap) {
    let Some(given) = from.get(header::USER_AGENT) else { return };
    if given.len() <= USER_AGENT_MAX && is_visible(given) {
        to.insert(header::USER_AGENT, given.clone());
        return;
    }
    let text: Vec<u8> =
        given.as_bytes().iter().copied().filter(|b| matches!(b, 0x20..=0x7e)).take(USER_AGENT_MAX).collect();
    if let Ok(value) = HeaderValue::from_bytes(&text) {
        to.insert(header::USER_AGENT, value);
    }
}

/// Passes every line of `name` on, in order, if all of them are visible ASCII.
fn pass(name: &HeaderName, from: &HeaderMap, to: &mut HeaderMap) {
    for value in from.get_all(name).iter().filter(|value| is_visible(value)) {
        to.append(name.clone(), value.clone());
    }
}

fn is_visible(value: &HeaderValue) -> bool {
    value.as_bytes().iter().fold(true, |all, byte| all & matches!(byte, 0x20..=0x7e))
}

/// `Accept` in all its lines, conditions, and the range as it was parsed. Never `Accept-Encoding`: a body that the
/// upstream encodes would no longer match its digest.
fn pass_read_headers(operation: &Operation, from: &HeaderMap, to: &mut HeaderMap) {
    match operation {
        Operation::BlobRead { range, .. } => {
            pass(&header::IF_NONE_MATCH, from, to);
            if let Some(range) = range {
                let text = match range {
                    ByteRange::From(first) => format!("bytes={first}-"),
                    ByteRange::Last(length) => format!("bytes=-{length}"),
                    ByteRange::Span(first, last) => format!("bytes={first}-{last}"),
                };
                insert(to, header::RANGE, &text);
                pass(&header::IF_RANGE, from, to);
            }
        }
        Operation::ManifestRead { .. } | Operation::Referrers { .. } => {
            pass(&header::ACCEPT, from, to);
            pass(&header::IF_NONE_MATCH, from, to);
        }
        Operation::BlobDelete { .. }
        | Operation::Catalog { .. }
        | Operation::ManifestDelete { .. }
        | Operation::ManifestWrite { .. }
        | Operation::Ping
        | Operation::TagList { .. }
        | Operation::UploadCancel(_)
        | Operation::UploadChunk { .. }
        | Operation::UploadFinish { .. }
        | Operation::UploadStart { .. }
        | Operation::UploadStatus(_) => {}
    }
}

/// `Content-Type`, `Content-Length` and `Content-Range`. A body of unknown length is framed in chunks by hyper.
fn describe_body(operation: &Operation, from: &HeaderMap, length: Option<u64>, to: &mut HeaderMap) {
    if !matches!(method(operation), Method::POST | Method::PUT | Method::PATCH) {
        return;
    }
    if let Some(length) = length {
        to.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    if matches!(operation, Operation::ManifestWrite { .. }) {
        pass(&header::CONTENT_TYPE, from, to);
    } else if length != Some(0) {
        to.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    }
    if let Operation::UploadChunk { content_range: Some((first, last)), .. }
    | Operation::UploadFinish { content_range: Some((first, last)), .. } = operation
    {
        insert(to, header::CONTENT_RANGE, &format!("{first}-{last}"));
    }
}

/// Inserts a value that we wrote ourselves.
pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}
