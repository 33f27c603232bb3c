//! What a stranger's bytes are refused with before anybody looks at what they ask for.

use http::StatusCode;

/// A request that no application gets to see: it is malformed, ambiguous or over a limit.
///
/// Both fields are constants of the program, so nothing that the client sent is ever repeated to it or to a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The status to answer with: 400, 405, 414, 417, 431 or 501.
    pub status: StatusCode,
    /// What is wrong with the request, as a short clause for the caller and for the log.
    pub reason: &'static str,
}

impl Rejection {
    /// 400 Bad Request.
    #[must_use]
    pub const fn malformed(reason: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason }
    }

    /// 405 Method Not Allowed: a method that nothing here knows, CONNECT and TRACE among them.
    #[must_use]
    pub const fn method() -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            reason: "the method is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        }
    }

    /// 414 URI Too Long.
    #[must_use]
    pub const fn target_too_long() -> Self {
        Self { status: StatusCode::URI_TOO_LONG, reason: "the request line is longer than 16 KiB" }
    }

    /// 417 Expectation Failed.
    #[must_use]
    pub const fn expectation() -> Self {
        Self {
            status: StatusCode::EXPECTATION_FAILED,
            reason: "the only expectation that is met is 100-continue, once, on a request with a body",
        }
    }

    /// 431 Request Header Fields Too Large.
    #[must_use]
    pub const fn head_too_large() -> Self {
        Self {
            status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            reason: "the request head is larger than 32 KiB or has more than 100 fields",
        }
    }

    /// 501 Not Implemented: a transfer coding other than chunked.
    #[must_use]
    pub const fn transfer_coding() -> Self {
        Self {
            status: StatusCode::NOT_IMPLEMENTED,
            reason: "the only transfer coding that is understood is chunked",
        }
    }
}
