//! What is wrong with a signature, in AWS's words.

use std::fmt;

/// What is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// Something is missing or cannot be read.
    Incomplete(String),
    /// The query cannot be read in one way only.
    MalformedQuery(&'static str),
    /// It is not for now, not for here, or does not cover what it must.
    Refused(String),
    /// It was made with another secret, or for another request.
    Mismatch,
}

/// What AWS's codes tell apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// `IncompleteSignature`
    Incomplete,
    /// `MalformedQueryString`
    Query,
    /// `SignatureDoesNotMatch`
    Signature,
}

impl Problem {
    /// What AWS's codes tell apart.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Incomplete(_) => Class::Incomplete,
            Self::MalformedQuery(_) => Class::Query,
            Self::Mismatch | Self::Refused(_) => Class::Signature,
        }
    }
}

/// What AWS says of a signature that does not fit.
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete(text) | Self::Refused(text) => f.write_str(text),
            Self::MalformedQuery(text) => f.write_str(text),
            Self::Mismatch => f.write_str(MISMATCH),
        }
    }
}

impl std::error::Error for Problem {}
