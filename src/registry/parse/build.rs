//! From a route, a method and a query to the [`Operation`], checking every part against its grammar.

use http::{HeaderMap, Method, StatusCode};

use super::query::Query;
use super::route::{Route, decode_colon};
use super::{Unparsed, range, unsupported};
use crate::registry::error::OciCode;
use crate::registry::error::OciError;
use crate::registry::name::{NAME_MAX, RepositoryName};
use crate::registry::operation::{Operation, Page, ReadMode, UploadId, UploadSession, UploadStart};
use crate::registry::reference::{Digest, Reference};

/// The largest page that may be asked for.
pub(super) const PAGE_MAX: u32 = 10_000;

/// The longest lease that we hand out, with room to spare.
const LEASE_MAX: usize = 4096;

/// Builds the operation; the method is one that the route allows.
pub(super) fn operation(
    method: &Method,
    route: Route<'_>,
    query: Query,
    headers: &HeaderMap,
) -> Result<Operation, Unparsed> {
    let operation = match route {
        Route::Base => Operation::Ping,
        Route::Blob { name, digest } => blob(method, repository(name)?, path_digest(digest)?, headers),
        Route::Catalog => Operation::Catalog { page: page(query, OciCode::NameInvalid)? },
        Route::Manifest { name, reference } => manifest(method, repository(name)?, reference)?,
        Route::Referrers { name, subject } => Operation::Referrers {
            repository: repository(name)?,
            subject: path_digest(subject)?,
            artifact_type: artifact_type(query)?,
        },
        Route::Tags { name } => {
            Operation::TagList { repository: repository(name)?, page: page(query, OciCode::TagInvalid)? }
        }
        Route::Upload { name, id } => upload(method, repository(name)?, id, query, headers)?,
        Route::Uploads { name } => {
            Operation::UploadStart { repository: repository(name)?, start: start(&query)? }
        }
    };
    Ok(operation)
}

fn blob(method: &Method, repository: RepositoryName, digest: Digest, headers: &HeaderMap) -> Operation {
    match *method {
        Method::DELETE => Operation::BlobDelete { repository, digest },
        Method::HEAD => Operation::BlobRead { repository, digest, mode: ReadMode::Head, range: None },
        _ => {
            let range = range::requested(headers);
            Operation::BlobRead { repository, digest, mode: ReadMode::Get, range }
        }
    }
}

fn manifest(method: &Method, repository: RepositoryName, text: &str) -> Result<Operation, OciError> {
    let text = decode_colon(text);
    let reading = matches!(*method, Method::GET | Method::HEAD);
    let reference = Reference::parse(&text).map_err(|malformed| {
        if text.contains([':', '%']) {
            OciError::bad_request(OciCode::DigestInvalid, malformed.to_string())
        } else if reading && text.starts_with(['.', '-']) {
            // The OCI conformance suite asks for `.INVALID_MANIFEST_NAME` and expects that it does not exist.
            OciError::new(StatusCode::NOT_FOUND, OciCode::ManifestUnknown, "manifest unknown")
        } else {
            OciError::bad_request(OciCode::TagInvalid, malformed.to_string())
        }
    })?;
    Ok(match *method {
        Method::DELETE => Operation::ManifestDelete { repository, reference },
        Method::HEAD => Operation::ManifestRead { repository, reference, mode: ReadMode::Head },
        Method::PUT => Operation::ManifestWrite { repository, reference },
        _ => Operation::ManifestRead { repository, reference, mode: ReadMode::Get },
    })
}

fn upload(
    method: &Method,
    repository: RepositoryName,
    id: &str,
    query: Query,
    headers: &HeaderMap,
) -> Result<Operation, OciError> {
    let invalid = |text: String| OciError::bad_request(OciCode::BlobUploadInvalid, text);
    let id = UploadId::parse(id).map_err(|malformed| invalid(malformed.to_string()))?;
    let plain = |text: &String| {
        (1..=LEASE_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if query.lease.as_ref().is_some_and(|lease| !plain(lease)) {
        return Err(invalid("The upload's address was changed. Start the upload again.".to_owned()));
    }
    let session = UploadSession { repository, id, lease: query.lease };
    Ok(match *method {
        Method::DELETE => Operation::UploadCancel(session),
        Method::PATCH => Operation::UploadChunk { session, content_range: range::of_chunk(headers)? },
        Method::PUT => {
            let missing =
                || OciError::bad_request(OciCode::DigestInvalid, "The `digest` parameter is missing.");
            let digest = digest(&query.digest.ok_or_else(missing)?)?;
            Operation::UploadFinish { session, digest, content_range: range::of_chunk(headers)? }
        }
        _ => Operation::UploadStatus(session),
    })
}

/// A mount needs a source; without one, registries may mount from anywhere, which nobody can decide on.
fn start(query: &Query) -> Result<UploadStart, OciError> {
    let mount = query.mount.as_deref().map(digest).transpose()?;
    let whole = query.digest.as_deref().map(digest).transpose()?;
    let from = query.from.as_deref().map(repository).transpose()?;
    match (mount, from, whole) {
        (Some(_), _, Some(_)) => Err(unsupported("Use either `mount` or `digest`, not both.")),
        (Some(digest), Some(from), None) => Ok(UploadStart::Mount { digest, from }),
        (None, _, Some(digest)) => Ok(UploadStart::Monolithic { digest }),
        (_, _, None) => Ok(UploadStart::Session),
    }
}

/// `last` is a name or tag, or the beginning of one; `wrong` is the code for anything else.
fn page(query: Query, wrong: OciCode) -> Result<Page, OciError> {
    let limit = query.n.as_deref().map(limit).transpose()?;
    let slash = wrong == OciCode::NameInvalid;
    let plain = |text: &String| {
        text.len() <= NAME_MAX
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-') || (slash && b == b'/'))
    };
    let last = query.last.filter(|text| !text.is_empty());
    if last.as_ref().is_some_and(|last| !plain(last)) {
        return Err(OciError::bad_request(wrong, "The `last` parameter is not an entry of this list."));
    }
    Ok(Page { limit, last })
}

fn limit(text: &str) -> Result<u32, OciError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse::<u32>().ok().filter(|&n| digits && n <= PAGE_MAX);
    number.ok_or_else(|| {
        let message = format!("The `n` parameter must be a number from 0 to {PAGE_MAX}.");
        OciError::bad_request(OciCode::PaginationNumberInvalid, message)
    })
}

fn artifact_type(query: Query) -> Result<Option<String>, OciError> {
    let value = query.artifact_type.filter(|text| !text.is_empty());
    if value.as_ref().is_some_and(|text| text.len() > NAME_MAX || !text.bytes().all(|b| b.is_ascii_graphic()))
    {
        return Err(unsupported(
            "The `artifactType` parameter is not a media type; encode a plus sign as `%2B`.",
        ));
    }
    Ok(value)
}

fn repository(text: &str) -> Result<RepositoryName, OciError> {
    RepositoryName::parse(text)
        .map_err(|error| OciError::bad_request(OciCode::NameInvalid, error.to_string()))
}

/// A digest in a path, where its colon may be escaped.
fn path_digest(text: &str) -> Result<Digest, OciError> {
    digest(&decode_colon(text))
}

/// A digest that is already decoded.
fn digest(text: &str) -> Result<Digest, OciError> {
    Digest::parse(text).map_err(|error| OciError::bad_request(OciCode::DigestInvalid, error.to_string()))
}
