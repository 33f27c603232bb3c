//! STAND-IN for `registry::target`: to be deleted at the merge, its two functions imported from there instead.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, Page, UploadId, UploadSession, UploadStart};

const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

fn value(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

/// The path and query that `operation` is asked for with.
pub(super) fn upstream_target(operation: &Operation, upload_query: Option<&str>) -> String {
    match operation {
        Operation::BlobDelete { repository, digest } | Operation::BlobRead { repository, digest, .. } => {
            format!("/v2/{repository}/blobs/{digest}")
        }
        Operation::Catalog { page } => format!("/v2/_catalog{}", paging(page)),
        Operation::ManifestDelete { repository, reference }
        | Operation::ManifestRead { repository, reference, .. }
        | Operation::ManifestWrite { repository, reference } => {
            format!("/v2/{repository}/manifests/{}", reference.as_str())
        }
        Operation::Ping => "/v2/".into(),
        Operation::Referrers { repository, subject, artifact_type } => {
            let filter = artifact_type.as_deref().map(|t| format!("?artifactType={}", value(t)));
            format!("/v2/{repository}/referrers/{subject}{}", filter.unwrap_or_default())
        }
        Operation::TagList { repository, page } => format!("/v2/{repository}/tags/list{}", paging(page)),
        Operation::UploadCancel(session)
        | Operation::UploadChunk { session, .. }
        | Operation::UploadStatus(session) => upload(session, upload_query, None),
        Operation::UploadFinish { session, digest, .. } => {
            upload(session, upload_query, Some(digest.as_str()))
        }
        Operation::UploadStart { repository, start } => {
            let query = match start {
                UploadStart::Mount { digest, from } => {
                    format!("?mount={}&from={}", value(digest.as_str()), value(from.as_str()))
                }
                UploadStart::Monolithic { digest } => format!("?digest={}", value(digest.as_str())),
                UploadStart::Session => String::new(),
            };
            format!("/v2/{repository}/blobs/uploads/{query}")
        }
    }
}

fn upload(session: &UploadSession, query: Option<&str>, digest: Option<&str>) -> String {
    let query = query.filter(|q| !q.is_empty()).map(str::to_owned);
    let digest = digest.map(|d| format!("digest={}", value(d)));
    let query: Vec<_> = query.into_iter().chain(digest).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/v2/{}/blobs/uploads/{}{mark}{}", session.repository, session.id.as_str(), query.join("&"))
}

fn paging(page: &Page) -> String {
    let n = page.limit.map(|n| format!("n={n}"));
    let last = page.last.as_deref().map(|last| format!("last={}", value(last)));
    let query: Vec<_> = n.into_iter().chain(last).collect();
    if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) }
}

/// The repository and upload that a path names, if it is one of an upload.
pub(super) fn upload_location(path: &str) -> Option<(RepositoryName, UploadId)> {
    let (rest, id) = path.strip_prefix("/v2/")?.rsplit_once('/')?;
    let name = rest.strip_suffix("/blobs/uploads")?;
    Some((RepositoryName::parse(name).ok()?, UploadId::parse(id).ok()?))
}
