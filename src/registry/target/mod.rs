//! The upstream's path and query, written anew from an [`Operation`]; and the check of what an upstream names in return.
//!
//! It decides how an operation is spelt, in one spelling only. It never sees what the client sent, and it never adds a
//! parameter that was not decided on.

use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, Page, UploadId, UploadSession, UploadStart};
use crate::registry::parse::parse;
use crate::registry::parse::query::Query;

/// Everything but the unreserved characters of RFC 3986 is escaped in a query value.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest query that we keep for an upstream; a vanilla registry's has about 220 bytes.
const UPLOAD_QUERY_MAX: usize = 2048;

/// Writes path and query for the upstream.
///
/// `upload_query` is the query of the upload's address as the upstream gave it, passed through [`upload_query`] when it
/// came; it is opaque and appended byte for byte. Operations that continue no upload ignore it.
#[must_use]
pub fn upstream_target(operation: &Operation, upload_query: Option<&str>) -> String {
    let opaque = upload_query.filter(|text| !text.is_empty()).map(str::to_owned);
    match operation {
        Operation::Ping => "/v2/".to_owned(),
        Operation::Catalog { page } => with_query("/v2/_catalog".to_owned(), of_page(page)),
        Operation::TagList { repository, page } => {
            with_query(format!("/v2/{repository}/tags/list"), of_page(page))
        }
        Operation::BlobDelete { repository, digest } | Operation::BlobRead { repository, digest, .. } => {
            format!("/v2/{repository}/blobs/{digest}")
        }
        Operation::ManifestDelete { repository, reference }
        | Operation::ManifestRead { repository, reference, .. }
        | Operation::ManifestWrite { repository, reference } => {
            format!("/v2/{repository}/manifests/{}", reference.as_str())
        }
        Operation::Referrers { repository, subject, artifact_type } => {
            let filter = artifact_type.as_deref().map(|text| pair("artifactType", text));
            with_query(format!("/v2/{repository}/referrers/{subject}"), filter)
        }
        Operation::UploadStart { repository, start } => {
            with_query(format!("/v2/{repository}/blobs/uploads/"), of_start(start))
        }
        Operation::UploadCancel(session)
        | Operation::UploadChunk { session, .. }
        | Operation::UploadStatus(session) => with_query(of_session(session), opaque),
        Operation::UploadFinish { session, digest, .. } => {
            with_query(of_session(session), opaque.into_iter().chain([pair("digest", digest.as_str())]))
        }
    }
}

/// Reads the path of an upload from an upstream's `Location`: only what [`parse`] itself would take for one, so that a
/// hostile upstream cannot send a client, or us, anywhere else.
#[must_use]
pub fn upload_location(path: &str) -> Option<(RepositoryName, UploadId)> {
    match parse(&Method::GET, path, None, &HeaderMap::new()) {
        Ok(Operation::UploadStatus(session)) => Some((session.repository, session.id)),
        Ok(_) | Err(_) => None,
    }
}

/// Checks the query of an upstream's upload address before it is kept: short, plain, and without the parameters that
/// would mount a blob or outrank the `digest` that we append.
#[must_use]
pub fn upload_query(query: &str) -> Option<&str> {
    let parsed =
        Query::parse(query).ok().filter(|_| query.len() <= UPLOAD_QUERY_MAX && !query.contains('#'))?;
    let decisive = parsed.digest.is_some() || parsed.from.is_some() || parsed.mount.is_some();
    (!decisive).then_some(query)
}

fn of_session(session: &UploadSession) -> String {
    format!("/v2/{}/blobs/uploads/{}", session.repository, session.id.as_str())
}

fn of_start(start: &UploadStart) -> Vec<String> {
    match start {
        UploadStart::Mount { digest, from } => {
            vec![pair("mount", digest.as_str()), pair("from", from.as_str())]
        }
        UploadStart::Monolithic { digest } => vec![pair("digest", digest.as_str())],
        UploadStart::Session => Vec::new(),
    }
}

fn of_page(page: &Page) -> impl Iterator<Item = String> {
    let limit = page.limit.map(|n| format!("n={n}"));
    limit.into_iter().chain(page.last.as_deref().map(|last| pair("last", last)))
}

fn pair(key: &str, value: &str) -> String {
    format!("{key}={}", utf8_percent_encode(value, ESCAPED))
}

fn with_query(path: String, pairs: impl IntoIterator<Item = String>) -> String {
    pairs.into_iter().enumerate().fold(path, |target, (at, pair)| {
        let separator = if at == 0 { '?' } else { '&' };
        format!("{target}{separator}{pair}")
    })
}

#[cfg(test)]
mod tests;
