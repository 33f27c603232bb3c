//! The upstream's errors, as ours: what may concern the client is said anew, everything else is a fault.
//!
//! It never passes an upstream's body, challenge or `detail` on: they leak paths and realms.

use std::time::Duration;

use http::{Response, StatusCode, header};

use super::Failure;
use super::body::{ForwardBody, read};
use crate::admit::fault::Fault;
use crate::registry::error::{OciCode, OciError};
use crate::registry::operation::{Operation, OperationKind};

/// The longest error body that is looked at.
const BODY_MAX: usize = 64 * 1024;
/// The longest message that is passed on, in characters.
const MESSAGE_MAX: usize = 1024;
/// The wait that a 429 without `Retry-After` asks for, and the longest that is believed.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3600));

/// Says what an answer other than success means.
pub(super) async fn failure(operation: &Operation, answer: Response<ForwardBody>) -> Failure {
    let status = answer.status();
    match status.as_u16() {
        400 | 404 | 405 | 409 | 410 | 412 | 413 | 415 | 416 | 422 => {
            let body = read(answer.into_body(), BODY_MAX).await.unwrap_or_default();
            told(status, &body).unwrap_or_else(|| plain(operation, status)).into()
        }
        401 | 403 => Fault::UpstreamBroken(format!(
            "it refuses the proxy itself ({status}): check upstream credentials"
        ))
        .into(),
        429 => Failure::Limited { retry_after: retry_after(&answer) },
        503 => Fault::UpstreamUnreachable(format!("it answers {status}")).into(),
        504 => Fault::UpstreamTimeout(format!("it answers {status}")).into(),
        _ => Fault::UpstreamBroken(format!("it answers {status} to {}", operation.kind().label())).into(),
    }
}

fn retry_after(answer: &Response<ForwardBody>) -> Duration {
    let seconds =
        answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(RETRY.0, Duration::from_secs).min(RETRY.1)
}

/// The first error of an OCI error body, if it is one and its code is known.
fn told(status: StatusCode, body: &[u8]) -> Option<OciError> {
    #[derive(serde::Deserialize)]
    struct Envelope {
        errors: Vec<Entry>,
    }
    #[derive(serde::Deserialize)]
    struct Entry {
        code: String,
        #[serde(default)]
        message: String,
    }
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    let first = envelope.errors.into_iter().next()?;
    let code = code(&first.code)?;
    let message: String = first.message.chars().filter(|c| !c.is_control()).take(MESSAGE_MAX).collect();
    Some(OciError::new(status, code, message))
}

/// Codes that say something about the request. `DENIED` and `UNAUTHORIZED` are ours alone to say.
fn code(text: &str) -> Option<OciCode> {
    const KNOWN: [OciCode; 15] = [
        OciCode::BlobUnknown,
        OciCode::BlobUploadInvalid,
        OciCode::BlobUploadUnknown,
        OciCode::DigestInvalid,
        OciCode::ManifestBlobUnknown,
        OciCode::ManifestInvalid,
        OciCode::ManifestUnknown,
        OciCode::NameInvalid,
        OciCode::NameUnknown,
        OciCode::PaginationNumberInvalid,
        OciCode::RangeInvalid,
        OciCode::SizeInvalid,
        OciCode::TagInvalid,
        OciCode::Unknown,
        OciCode::Unsupported,
    ];
    KNOWN.into_iter().find(|code| code.as_str() == text)
}

/// What a status means by itself: for `HEAD`, and for upstreams that answer in plain text.
fn plain(operation: &Operation, status: StatusCode) -> OciError {
    let (code, message) = match (status.as_u16(), operation.kind()) {
        (404, OperationKind::BlobRead | OperationKind::BlobDelete) => {
            (OciCode::BlobUnknown, "blob unknown to registry")
        }
        (404, OperationKind::ManifestRead | OperationKind::ManifestDelete) => {
            (OciCode::ManifestUnknown, "manifest unknown")
        }
        // Clients fall back to the referrers tag on this, but not if it reads as an unknown repository.
        (404, OperationKind::Referrers) => (OciCode::Unsupported, "the registry has no referrers API"),
        (
            404,
            OperationKind::UploadCancel
            | OperationKind::UploadChunk
            | OperationKind::UploadFinish
            | OperationKind::UploadStatus,
        ) => (OciCode::BlobUploadUnknown, "blob upload unknown to registry"),
        (404, _) => (OciCode::NameUnknown, "repository name not known to registry"),
        (405, _) => (OciCode::Unsupported, "the registry does not support this operation"),
        (413, _) => (OciCode::SizeInvalid, "the registry refuses content of this size"),
        (416, _) => (OciCode::RangeInvalid, "the range cannot be satisfied"),
        (_, _) => (OciCode::Unknown, "the registry refuses this request"),
    };
    OciError::new(status, code, message)
}

#[cfg(test)]
mod tests {
    use super::told;
    use http::StatusCode;

    #[test]
    fn only_a_known_code_is_believed_and_its_detail_is_not_passed_on() {
        let body =
            br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"a\u0000b","detail":{"path":"/var/lib"}}]}"#;
        let error = told(StatusCode::NOT_FOUND, body).unwrap();
        assert_eq!(error.body(), r#"{"errors":[{"code":"MANIFEST_UNKNOWN","detail":null,"message":"ab"}]}"#);
        for other in ["<html>", "{}", r#"{"errors":[]}"#, r#"{"errors":[{"code":"DENIED","message":"x"}]}"#] {
            assert!(told(StatusCode::NOT_FOUND, other.as_bytes()).is_none(), "{other}");
        }
    }
}
