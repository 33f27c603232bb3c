//! Why not: everything that is the caller's fault.

use std::time::Duration;

use crate::policy::action::Action;
use crate::policy::model::Resource;
use crate::registry::error::OciError;

/// A refusal. What the caller reads is rendered per dialect in one place; what the log reads is `Debug`.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// A token that was issued to nobody, used for what nobody may do.
    AnonymousDenied,
    /// Credentials are needed, or the token presented is not good (any more). Answered by a challenge.
    Challenge {
        /// What was wrong with what was presented.
        because: Challenge,
        /// The Docker scope that the request would need.
        scope: Option<String>,
    },
    /// A key, password or token was presented for exchange and is wrong, unknown, disabled, expired or deleted. The
    /// caller is never told which.
    Credentials {
        /// For the log only.
        because: &'static str,
    },
    /// The caller is proven, and may not. The same whether or not the thing exists.
    Denied {
        /// What would have been needed.
        action: Action,
        /// On what.
        resource: Box<Resource>,
    },
    /// The request is wrong in itself.
    Malformed(OciError),
    /// The host is not one that this listener serves (RFC 9110 §15.5.20).
    Misdirected,
    /// There is nothing at this path, for anyone.
    NoSuchRoute,
    /// Too many requests, or too many failed ones.
    Limited {
        /// When to try again.
        retry_after: Duration,
    },
}

/// What is wrong with the credentials of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Challenge {
    /// None were given.
    Absent,
    /// The token is malformed, forged, expired, or what it stands for is gone.
    InvalidToken,
    /// The token is good, but was not asked to cover this.
    InsufficientScope,
}
