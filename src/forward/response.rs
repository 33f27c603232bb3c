//! The client's answer, written anew from the upstream's.
//!
//! Only headers that are named here survive, each in its own grammar. `Location` points at the client's own origin, or,
//! for a blob in an object store, where the operator allows. An answer that does not fit the operation is a fault.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::Body as _;

use super::body::{ForwardBody, read};
use super::lists::TagPage;
use super::request::insert;
use super::settings::UpstreamSettings;
use super::{ContentDigest, Exchange, Failure, location, manifest, refused};
use crate::admit::fault::Fault;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{ByteRange, Operation, Page, ReadMode, UploadSession, UploadStart};
use crate::registry::reference::{Digest, Reference};

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
const CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// How much of a body that nobody wants is read, so that its connection can be used again.
const DRAIN_MAX: usize = 64 * 1024;
/// The longest list of referrers.
const REFERRERS_MAX: usize = 16 << 20;
/// The longest `Warning` that is passed on (OCI distribution-spec 1.1, "Warnings").
const WARNING_MAX: usize = 4096;

/// Content by digest never changes; still only the client itself may keep it, since others were not authorised.
const IMMUTABLE: &str = "private, max-age=31536000";
/// What a tag points at is asked for anew each time.
const REVALIDATE: &str = "private, no-cache";
const NO_STORE: &str = "no-store";

type Answer = Response<ForwardBody>;

/// Renders the answer to any operation but lists and manifest writes.
///
/// # Errors
/// [`Failure`] when the upstream refuses, fails, or answers something that the operation does not allow.
pub(super) async fn render(
    operation: &Operation,
    exchange: &Exchange<'_>,
    settings: &UpstreamSettings,
    answer: Answer,
) -> Result<Answer, Failure> {
    if !is_expected(operation, answer.status()) {
        return Err(unexpected(operation, answer).await);
    }
    match operation {
        Operation::BlobRead { digest, range, .. } => Ok(blob(settings, digest, *range, answer).await?),
        Operation::ManifestRead { reference, mode, .. } => Ok(read_manifest(reference, *mode, answer).await?),
        Operation::Referrers { .. } => Ok(referrers(answer).await?),
        Operation::Ping => {
            drain(answer).await;
            Ok(json(StatusCode::OK, "{}".into()))
        }
        Operation::BlobDelete { .. } | Operation::ManifestDelete { .. } => {
            drain(answer).await;
            Ok(fresh(StatusCode::ACCEPTED, NO_STORE))
        }
        Operation::UploadCancel(_) => {
            drain(answer).await;
            Ok(fresh(StatusCode::NO_CONTENT, NO_STORE))
        }
        Operation::UploadChunk { session, .. } | Operation::UploadStatus(session) => {
            let UploadSession { repository, .. } = session;
            Ok(upload(exchange, settings, repository, answer).await?)
        }
        Operation::UploadStart { repository, start } => match (start, answer.status()) {
            (UploadStart::Mount { digest, .. } | UploadStart::Monolithic { digest }, StatusCode::CREATED) => {
                Ok(blob_created(exchange, repository, digest, answer).await?)
            }
            (UploadStart::Mount { .. } | UploadStart::Monolithic { .. } | UploadStart::Session, _) => {
                Ok(upload(exchange, settings, repository, answer).await?)
            }
        },
        Operation::UploadFinish { session, digest, .. } => {
            Ok(blob_created(exchange, &session.repository, digest, answer).await?)
        }
        Operation::Catalog { .. } | Operation::ManifestWrite { .. } | Operation::TagList { .. } => {
            Err(Fault::Internal(format!("{} is rendered elsewhere", operation.kind().label())).into())
        }
    }
}

/// The statuses that count as success, per operation.
fn is_expected(operation: &Operation, status: StatusCode) -> bool {
    let status = status.as_u16();
    match operation {
        Operation::BlobRead { range, .. } => {
            matches!(status, 200 | 304 | 307) || (status == 206 && range.is_some())
        }
        Operation::ManifestRead { .. } => matches!(status, 200 | 304),
        Operation::ManifestWrite { .. } | Operation::UploadFinish { .. } => status == 201,
        Operation::BlobDelete { .. } | Operation::ManifestDelete { .. } | Operation::UploadCancel(_) => {
            matches!(status, 200 | 202 | 204)
        }
        Operation::Catalog { .. }
        | Operation::Ping
        | Operation::Referrers { .. }
        | Operation::TagList { .. } => status == 200,
        Operation::UploadChunk { .. } => matches!(status, 202 | 204),
        Operation::UploadStart { start: UploadStart::Session, .. } => status == 202,
        Operation::UploadStart {
            start: UploadStart::Mount { .. } | UploadStart::Monolithic { .. }, ..
        } => {
            matches!(status, 201 | 202)
        }
        Operation::UploadStatus(_) => status == 204,
    }
}

/// What an answer other than the expected ones means.
async fn unexpected(operation: &Operation, answer: Answer) -> Failure {
    let status = answer.status();
    if status.is_client_error() || status.is_server_error() {
        refused::failure(operation, answer).await
    } else {
        broken(format!("it answers {status} to {}", operation.kind().label())).into()
    }
}

/// Renders the answer to a manifest that hashes to `digest`.
///
/// # Errors
/// As [`render`]; also when the upstream stored it by another digest.
pub(super) async fn manifest_written(
    operation: &Operation,
    exchange: &Exchange<'_>,
    answer: Answer,
    digest: Digest,
) -> Result<Answer, Failure> {
    if !is_expected(operation, answer.status()) {
        return Err(unexpected(operation, answer).await);
    }
    let stored = named_digest(answer.headers())?;
    if stored.is_some_and(|stored| same_algorithm(&stored, &digest) && stored != digest) {
        return Err(broken("it stored the manifest by another digest").into());
    }
    let repository = operation.repository().map(RepositoryName::as_str).unwrap_or_default();
    let place = format!("{}/v2/{repository}/manifests/{digest}", exchange.origin);
    let mut response = fresh(StatusCode::CREATED, NO_STORE);
    let headers = response.headers_mut();
    insert(headers, header::LOCATION, &place);
    keep(answer.headers(), headers, &SUBJECT, |text| Digest::parse(text).is_ok());
    keep(answer.headers(), headers, &header::WARNING, is_warning);
    drain(answer).await;
    identify(&mut response, digest);
    Ok(response)
}

/// Renders a list of tags. `Link` repeats only what was asked for.
pub(super) fn tag_list(repository: &RepositoryName, page: &Page, tags: &TagPage) -> Answer {
    let body = serde_json::json!({ "name": repository.as_str(), "tags": tags.tags });
    let mut response = json(StatusCode::OK, body.to_string());
    if let (true, Some(last), Some(limit)) = (tags.more, tags.tags.last(), page.limit) {
        let link = format!("</v2/{repository}/tags/list?last={last}&n={limit}>; rel=\"next\"");
        insert(response.headers_mut(), header::LINK, &link);
    }
    response
}

async fn blob(
    settings: &UpstreamSettings,
    digest: &Digest,
    range: Option<ByteRange>,
    answer: Answer,
) -> Result<Answer, Fault> {
    if answer.status() == StatusCode::TEMPORARY_REDIRECT {
        return redirect(settings, answer).await;
    }
    if named_digest(answer.headers())?.is_some_and(|named| same_algorithm(&named, digest) && named != *digest)
    {
        return Err(broken("it serves another blob than the one asked for"));
    }
    let mut response = content(&answer, IMMUTABLE)?;
    if response.status() == StatusCode::PARTIAL_CONTENT {
        let text = one(answer.headers(), &header::CONTENT_RANGE).unwrap_or_default();
        let length = answer.body().size_hint().exact();
        if range.is_none() || !is_content_range(text, length) {
            return Err(broken("its partial answer does not say which part it is"));
        }
        insert(response.headers_mut(), header::CONTENT_RANGE, text);
    }
    let from = answer.headers();
    keep(from, response.headers_mut(), &header::ACCEPT_RANGES, |text| text == "bytes");
    identify(&mut response, digest.clone());
    Ok(response.map(|_| answer.into_body()))
}

/// A redirect of a blob read to an object store: its URL is signed, so not a byte of it may change.
async fn redirect(settings: &UpstreamSettings, answer: Answer) -> Result<Answer, Fault> {
    let target = one(answer.headers(), &header::LOCATION).unwrap_or_default();
    if !location::may_redirect(target, &settings.url, &settings.redirect_hosts) {
        return Err(broken("it redirects a blob to where it may not: see `redirect_hosts`"));
    }
    let mut response = fresh(StatusCode::TEMPORARY_REDIRECT, NO_STORE);
    insert(response.headers_mut(), header::LOCATION, target);
    drain(answer).await;
    Ok(response)
}

async fn read_manifest(reference: &Reference, mode: ReadMode, answer: Answer) -> Result<Answer, Fault> {
    let named = named_digest(answer.headers())?;
    let digest = match (reference, named) {
        (Reference::Digest(asked), Some(named)) if same_algorithm(asked, &named) && *asked != named => {
            return Err(broken("it serves another manifest than the one asked for"));
        }
        (Reference::Digest(asked), _) => Some(asked.clone()),
        (Reference::Tag(_), named) => named,
    };
    let lasting = if matches!(reference, Reference::Digest(_)) { IMMUTABLE } else { REVALIDATE };
    let mut response = content(&answer, lasting)?;
    keep(answer.headers(), response.headers_mut(), &header::WARNING, is_warning);
    if let Some(digest) = digest {
        identify(&mut response, digest);
    }
    if mode == ReadMode::Head || answer.status() == StatusCode::NOT_MODIFIED {
        return Ok(response);
    }
    let media_type = one(answer.headers(), &header::CONTENT_TYPE).unwrap_or_default().to_owned();
    let body = manifest::verify(reference, &media_type, answer.into_body()).await?;
    Ok(response.map(|_| body))
}

async fn referrers(answer: Answer) -> Result<Answer, Fault> {
    if answer.headers().contains_key(header::LINK) {
        return Err(broken("it pages its referrers, and a cut list would hide signatures"));
    }
    let mut response = content(&answer, REVALIDATE)?;
    keep(answer.headers(), response.headers_mut(), &FILTERS_APPLIED, |text| text == "artifactType");
    let body = read(answer.into_body(), REFERRERS_MAX)
        .await
        .map_err(|_| broken("its list of referrers broke off"))?;
    Ok(response.map(|_| ForwardBody::Full(body)))
}

/// An upload that goes on: its `Location` is ours, and carries the lease.
async fn upload(
    exchange: &Exchange<'_>,
    settings: &UpstreamSettings,
    repository: &RepositoryName,
    answer: Answer,
) -> Result<Answer, Fault> {
    let status =
        if answer.status() == StatusCode::NO_CONTENT { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED };
    let given =
        one(answer.headers(), &header::LOCATION).ok_or_else(|| broken("an upload without a Location"))?;
    let found = location::upload(given, &settings.url, repository).map_err(Fault::UpstreamBroken)?;
    let lease = (exchange.lease)(&found.id, &found.query);
    let id = found.id.as_str();
    let mut response = fresh(status, NO_STORE);
    let headers = response.headers_mut();
    let place = format!("{}/v2/{repository}/blobs/uploads/{id}?lease={lease}", exchange.origin);
    insert(headers, header::LOCATION, &place);
    insert(headers, UPLOAD_UUID, id);
    keep(answer.headers(), headers, &header::RANGE, is_span);
    keep(answer.headers(), headers, &CHUNK_MIN_LENGTH, |text| text.parse::<u64>().is_ok());
    drain(answer).await;
    Ok(response)
}

/// A blob that is now in place.
async fn blob_created(
    exchange: &Exchange<'_>,
    repository: &RepositoryName,
    digest: &Digest,
    answer: Answer,
) -> Result<Answer, Fault> {
    if named_digest(answer.headers())?.is_some_and(|named| same_algorithm(&named, digest) && named != *digest)
    {
        return Err(broken("it stored the blob by another digest"));
    }
    drain(answer).await;
    let mut response = fresh(StatusCode::CREATED, NO_STORE);
    let place = format!("{}/v2/{repository}/blobs/{digest}", exchange.origin);
    insert(response.headers_mut(), header::LOCATION, &place);
    identify(&mut response, digest.clone());
    Ok(response)
}

/// A response without a body, and the headers that every one of ours has.
fn fresh(status: StatusCode, cache: &'static str) -> Answer {
    let mut response = Response::new(ForwardBody::Empty);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    response
}

fn json(status: StatusCode, text: String) -> Answer {
    let mut response = fresh(status, REVALIDATE).map(|_| ForwardBody::Full(text.into()));
    let length = response.body().size_hint().exact().unwrap_or(0);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The headers of content, still without its body.
fn content(answer: &Answer, cache: &'static str) -> Result<Answer, Fault> {
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
fn identify(response: &mut Answer, digest: Digest) {
    insert(response.headers_mut(), CONTENT_DIGEST, digest.as_str());
    response.extensions_mut().insert(ContentDigest(digest));
}

/// Reads a small rest of a body that nobody wants; a longer one costs its connection.
async fn drain(answer: Answer) {
    read(answer.into_body(), DRAIN_MAX).await.ok();
}

/// The value of a header that stands there once, in visible ASCII.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn keep(from: &HeaderMap, to: &mut HeaderMap, name: &HeaderName, accept: impl Fn(&str) -> bool) {
    if let Some(text) = one(from, name).filter(|text| accept(text)) {
        insert(to, name.clone(), text);
    }
}

/// The digest that an answer claims for itself; `None` when it claims none, or one of an algorithm we do not know.
fn named_digest(headers: &HeaderMap) -> Result<Option<Digest>, Fault> {
    if headers.get_all(&CONTENT_DIGEST).iter().nth(1).is_some() {
        return Err(broken("it names two digests"));
    }
    Ok(one(headers, &CONTENT_DIGEST).and_then(|text| Digest::parse(text).ok()))
}

/// A registry may know content by `sha256` although it was asked for by `sha512`.
fn same_algorithm(one: &Digest, other: &Digest) -> bool {
    one.as_str().split(':').next() == other.as_str().split(':').next()
}

/// Media types that no browser renders or runs.
fn is_harmless(media_type: &str) -> bool {
    let text = media_type.to_ascii_lowercase();
    text.starts_with("application/")
        && !["html", "xml", "javascript", "ecmascript"].iter().any(|word| text.contains(word))
}

fn is_warning(text: &str) -> bool {
    text.len() <= WARNING_MAX && text.starts_with("299 - \"")
}

/// `first-last`, as upload answers say how far they are.
fn is_span(text: &str) -> bool {
    text.split_once('-').is_some_and(|(first, last)| [first, last].iter().all(|n| n.parse::<u64>().is_ok()))
}

/// `bytes first-last/total`, of exactly `length` bytes.
fn is_content_range(text: &str, length: Option<u64>) -> bool {
    let parsed = text.strip_prefix("bytes ").and_then(|rest| {
        let (span, total) = rest.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let known = total == "*" || total.parse::<u64>().is_ok();
        let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
        (known && first <= last).then(|| last - first)
    });
    parsed.is_some_and(|span| length.is_none_or(|length| span.checked_add(1) == Some(length)))
}

fn broken(why: impl Into<String>) -> Fault {
    Fault::UpstreamBroken(why.into())
}
