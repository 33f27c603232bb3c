//! Why not: everything that is the caller's fault.

use std::fmt;
use std::time::Duration;

use super::network::Outside;
use crate::policy::engine::question::Class;
use crate::policy::reason::{Denial, Reason};
use crate::policy::resource::Resource;
use crate::policy::table::{Action, ActionId};
use crate::registry::error::OciError;

/// A refusal. What the caller reads is rendered per dialect in one place; what logs read is `Display`.
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
    Denied(Box<Denial>),
    /// The request is wrong in itself.
    Malformed(OciError),
    /// The host is not one that this listener serves (RFC 9110 §15.5.20).
    Misdirected,
    /// The caller is proven, and may not come from where it comes from.
    Outside(Box<Outside>),
    /// There is nothing at this path, for anyone.
    NoSuchRoute,
    /// Too many requests, or too many failed ones.
    Limited {
        /// When to try again.
        retry_after: Duration,
    },
    /// The caller is proven, and may not do what it asked for in AWS's words.
    Unauthorized(Box<Unauthorized>),
}

/// A denial of a call of AWS's APIs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unauthorized {
    /// What would have been needed.
    pub action: ActionId,
    /// The ARN that it was decided on; `*` for an action without a resource.
    pub resource: String,
    /// An explicit deny, or what kind of policy does not allow it.
    pub class: Class,
    /// The statement that denies.
    pub because: Option<Reason>,
    /// What the caller reads.
    pub sentence: String,
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

impl Refusal {
    /// No policy allows it.
    #[must_use]
    pub fn unallowed(action: Action, resource: Resource) -> Self {
        Self::Denied(Box::new(Denial::unallowed(action, resource)))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnonymousDenied => f.write_str("nobody may do this without credentials"),
            Self::Challenge { because: Challenge::Absent, .. } => f.write_str("no credentials"),
            Self::Challenge { because: Challenge::InvalidToken, .. } => {
                f.write_str("the token is malformed, forged or expired, or what it stands for is gone")
            }
            Self::Challenge { because: Challenge::InsufficientScope, scope } => {
                write!(f, "the token does not cover {}", scope.as_deref().unwrap_or("this"))
            }
            Self::Credentials { because } => f.write_str(because),
            Self::Denied(denial) => denial.fmt(f),
            Self::Malformed(error) => write!(f, "malformed: {error}"),
            Self::Misdirected => f.write_str("the host is not one that is served here"),
            Self::Outside(outside) => outside.fmt(f),
            Self::NoSuchRoute => f.write_str("there is nothing at this path"),
            Self::Limited { .. } => f.write_str("too many requests"),
            Self::Unauthorized(denial) => f.write_str(&denial.sentence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, Refusal};
    use crate::policy::resource::Resource;
    use crate::policy::table::Action;

    #[test]
    fn logs_read_sentences() {
        let (region, name) = ("us-south".parse().unwrap(), "team-a/app".parse().unwrap());
        let resource = Resource::repository(&region, &name);
        assert_eq!(
            Refusal::unallowed(Action::ImagePush, resource).to_string(),
            "no policy allows container-registry.image.push on team-a/app in us-south"
        );
        let challenge = |because, scope| Refusal::Challenge { because, scope }.to_string();
        assert_eq!(challenge(Challenge::Absent, None), "no credentials");
        let scope = Some("repository:team-a/app:pull".to_owned());
        assert_eq!(
            challenge(Challenge::InsufficientScope, scope),
            "the token does not cover repository:team-a/app:pull"
        );
    }
}
