//! The registry's error codes and their JSON envelope (OCI distribution-spec 1.1, "Error codes").

use http::StatusCode;

/// A code that clients understand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "each is the specification's code of the same name")]
pub enum OciCode {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    PaginationNumberInvalid,
    RangeInvalid,
    SizeInvalid,
    TagInvalid,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unknown,
    Unsupported,
}

impl OciCode {
    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::Denied => "DENIED",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::PaginationNumberInvalid => "PAGINATION_NUMBER_INVALID",
            Self::RangeInvalid => "RANGE_INVALID",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::TagInvalid => "TAG_INVALID",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unknown => "UNKNOWN",
            Self::Unsupported => "UNSUPPORTED",
        }
    }
}

/// A request that is wrong in itself, whoever makes it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{status} {}: {message}", code.as_str())]
pub struct OciError {
    /// The HTTP status.
    pub status: StatusCode,
    /// The code.
    pub code: OciCode,
    /// What the caller reads.
    pub message: String,
}

impl OciError {
    /// Makes an error.
    #[must_use]
    pub fn new(status: StatusCode, code: OciCode, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 400 with `code`.
    #[must_use]
    pub fn bad_request(code: OciCode, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The JSON envelope: `{"errors":[{"code","message","detail":null}]}`. The first element decides what clients
    /// print, so there is only one; `detail` stays null because clients print it raw.
    #[must_use]
    pub fn body(&self) -> String {
        envelope(self.code, &self.message)
    }
}

/// Renders the envelope for one error.
#[must_use]
pub fn envelope(code: OciCode, message: &str) -> String {
    serde_json::json!({ "errors": [{ "code": code.as_str(), "message": message, "detail": null }] })
        .to_string()
}
