//! The client's answer, written anew from the upstream's.
//!
//! Only headers that are named here survive, each in its own grammar. `Location` points at the client's own origin, or,
//! for a blob in an object store, where the operator allows. An answer that does not fit the operation is a fault.

use http::StatusCode;
use http::header::{self, HeaderName};
use http_body::Body as _;

use super::answer::{
    Answer, REVALIDATE, broken, content, drain, fresh, identify, is_content_range, is_span, is_warning, json,
    keep, named_digest, one, same_algorithm,
};
use super::body::{ForwardBody, read};
use super::lists::TagPage;
use super::request::insert;
use super::settings::UpstreamSettings;
use super::{Exchange, Failure, location, manifest, refused};
use crate::admit::fault::Fault;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{ByteRange, Operation, Page, ReadMode, UploadSession, UploadStart};
use crate::registry::reference::{Digest, Reference};

const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
const CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// The longest list of referrers.
const REFERRERS_MAX: usize = 16 << 20;

/// Content by digest never changes; still only the client itself may keep it, since others were not authorised.
pub(super) const IMMUTABLE: &str = "private, max-age=31536000";
const NO_STORE: &str = "no-store";

/// Renders the answer to any operation but lists and manifest writes. What is neither a manifest nor a blob is boxed, so
/// that those carry no room for it.
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
        return Err(Box::pin(unexpected(operation, answer)).await);
    }
    match operation {
        Operation::BlobRead { digest, range, .. } => Ok(blob(settings, digest, *range, answer).await?),
        Operation::ManifestRead { reference, mode, .. } => Ok(read_manifest(reference, *mode, answer).await?),
        Operation::Referrers { .. } => Ok(Box::pin(referrers(answer)).await?),
        Operation::Ping => {
            Box::pin(drain(answer)).await;
            Ok(json(StatusCode::OK, "{}".into()))
        }
        Operation::BlobDelete { .. } | Operation::ManifestDelete { .. } => {
            Box::pin(drain(answer)).await;
            Ok(fresh(StatusCode::ACCEPTED, NO_STORE))
        }
        Operation::UploadCancel(_) => {
            Box::pin(drain(answer)).await;
            Ok(fresh(StatusCode::NO_CONTENT, NO_STORE))
        }
        Operation::UploadChunk { session, .. } | Operation::UploadStatus(session) => {
            let UploadSession { repository, .. } = session;
            Ok(Box::pin(upload(exchange, settings, repository, answer)).await?)
        }
        Operation::UploadStart { repository, start } => match (start, answer.status()) {
            (UploadStart::Mount { digest, .. } | UploadStart::Monolithic { digest }, StatusCode::CREATED) => {
                Ok(Box::pin(blob_created(exchange, repository, digest, answer)).await?)
            }
            (UploadStart::Mount { .. } | UploadStart::Monolithic { .. } | UploadStart::Session, _) => {
                Ok(Box::pin(upload(exchange, settings, repository, answer)).await?)
            }
        },
        Operation::UploadFinish { session, digest, .. } => {
            Ok(Box::pin(blob_created(exchange, &session.repository, digest, answer)).await?)
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
        return Box::pin(redirect(settings, answer)).await;
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
