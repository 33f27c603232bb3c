//! What credentials prove: nobody, somebody, or nothing.
//!
//! It proves nothing itself; `authenticate` does.

use std::sync::Arc;

use super::caller::Caller;
use crate::registry::scope::ScopeEntry;

/// The outcome of looking at credentials.
#[derive(Debug)]
pub enum Authenticated<T> {
    /// There are none.
    Absent,
    /// They prove this.
    Proven(T),
    /// They prove nothing; the text is for the log.
    Rejected(&'static str),
}

/// What a `/v2/` request proved.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The caller; `None` for a token that was issued to nobody.
    pub caller: Option<Arc<Caller>>,
    /// The most that the credential may be used for.
    pub ceiling: Ceiling,
    /// Whether the token's time is over. Good for nothing but finishing an upload that was begun in time.
    pub expired: bool,
}

/// A limit that a credential carries with it.
#[derive(Clone, Debug)]
pub enum Ceiling {
    /// Only these scopes.
    Scopes(Arc<[ScopeEntry]>),
    /// None: an API key used directly.
    Unlimited,
}

impl<T> Authenticated<T> {
    /// Changes what is proven.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Authenticated<U> {
        match self {
            Self::Absent => Authenticated::Absent,
            Self::Proven(proven) => Authenticated::Proven(change(proven)),
            Self::Rejected(because) => Authenticated::Rejected(because),
        }
    }
}
