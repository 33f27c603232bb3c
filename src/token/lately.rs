//! Registry tokens that were signed lately, for those who may have the very same.
//!
//! Everything is decided anew for each request; what is saved is the signature under the same claims. A token is given out again
//! only while most of its time is left, and as long as nothing has changed since it was signed, anywhere in the account: it says
//! when it was signed, and policies may ask for that.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::admit::caller::{Caller, Credential};
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::registry::scope::ScopeEntry;
use crate::view::Position;
use crate::view::keyring::Keyring;

/// How many are remembered. A token is at most about 8 KiB long.
const TOKENS: usize = 4096;

/// The tokens.
pub(super) struct Lately(Cache<Claimed, Arc<Signed>>);

/// What a token says besides when it was signed.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Claimed {
    principal: PrincipalId,
    key: ApiKeyId,
    access: String,
}

/// A token.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) token: String,
    pub(super) signed_at: UnixTime,
    pub(super) lifetime: Duration,
    /// What was known when it was signed, and with which keys.
    pub(super) known: (Position, Arc<Keyring>),
}

impl Claimed {
    /// `None` for callers that prove themselves otherwise than by an API key: what they are given ends with what they have shown.
    pub(super) fn by(caller: Option<&Caller>, access: &[ScopeEntry]) -> Option<Self> {
        let caller = caller?;
        let Credential::ApiKey(key) = &caller.credential else { return None };
        let access = serde_json::to_string(access).ok()?;
        Some(Self { principal: caller.principal().clone(), key: key.clone(), access })
    }
}

impl Lately {
    pub(super) fn none() -> Self {
        Self(Cache::new(TOKENS))
    }

    /// One that says so, and is as good as new.
    pub(super) fn find(
        &self,
        claimed: &Claimed,
        (position, keyring): (Position, &Arc<Keyring>),
        now: UnixTime,
    ) -> Option<Arc<Signed>> {
        self.0.get(claimed).filter(|signed| {
            let (then, keys) = &signed.known;
            *then == position && Arc::ptr_eq(keys, keyring) && signed.is_fresh(now)
        })
    }

    pub(super) fn keep(&self, claimed: Claimed, signed: Signed) {
        self.0.insert(claimed, Arc::new(signed));
    }
}

impl Signed {
    /// Whether more than four fifths of its time are left.
    fn is_fresh(&self, now: UnixTime) -> bool {
        let fifth = i64::try_from(self.lifetime.as_secs() / 5).unwrap_or(0);
        (0..fifth).contains(&now.seconds().saturating_sub(self.signed_at.seconds()))
    }
}
