//! What is not the caller's fault: ours, or the upstream's.

use std::time::Duration;

/// A fault. The text is for the log; callers read a fixed sentence and the request id.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// The audit log cannot be written, and requests may not pass unrecorded.
    #[error("audit log unavailable: {0}")]
    Audit(String),
    /// Something that cannot happen did.
    #[error("internal: {0}")]
    Internal(String),
    /// The view cannot learn of changes, or the store cannot be reached.
    #[error("store unavailable: {0}")]
    Store(String),
    /// The upstream answered with something that cannot be passed on.
    #[error("bad answer from upstream: {0}")]
    UpstreamBroken(String),
    /// The upstream did not answer in time.
    #[error("upstream timed out: {0}")]
    UpstreamTimeout(String),
    /// The upstream cannot be reached.
    #[error("upstream unreachable: {0}")]
    UpstreamUnreachable(String),
}

impl Fault {
    /// When it makes sense to try the same request again; `None` when it may already have had an effect.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Audit(_) | Self::Store(_) | Self::UpstreamUnreachable(_) => Some(Duration::from_secs(5)),
            Self::Internal(_) | Self::UpstreamBroken(_) | Self::UpstreamTimeout(_) => None,
        }
    }
}

impl From<crate::view::Unavailable> for Fault {
    fn from(unavailable: crate::view::Unavailable) -> Self {
        Self::Store(unavailable.0)
    }
}
