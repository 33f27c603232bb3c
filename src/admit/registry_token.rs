//! Registry tokens that come back: verified once, and remembered as long as the key that signed them is good.
//!
//! A token says which key was exchanged and for what; whether that key is still good is looked up on every request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::authenticate::{Authenticator, SKEW_SECONDS, SOMEBODY_ELSE};
use super::caller::Credential;
use super::claims::{AUDIENCE, REGISTRY, RegistryClaims};
use super::fault::Fault;
use super::origin::Origin;
use super::proof::{Authenticated, Ceiling, Proof};
use crate::client::certificate::Holder;
use crate::clock::UnixTime;
use crate::credential::jwt::VerifyingKeys;
use crate::ids::principal::PrincipalId;
use crate::registry::scope::ScopeEntry;
use crate::secret::Secret;

/// A registry token whose signature and audience are good.
#[derive(Debug)]
struct VerifiedToken {
    kid: Box<str>,
    who: Option<(PrincipalId, Credential)>,
    access: Arc<[ScopeEntry]>,
    issued_at: UnixTime,
    expires_at: UnixTime,
}

/// Weighs tokens by what they cover, which is what they take in memory and what their bearers decide on.
#[derive(Clone, Debug)]
struct ByScopes;

impl Weighter<[u8; 32], Arc<VerifiedToken>> for ByScopes {
    fn weight(&self, _: &[u8; 32], token: &Arc<VerifiedToken>) -> u64 {
        // A session is about as large as what a token for sixteen repositories covers.
        let session = matches!(token.who, Some((_, Credential::Session(_) | Credential::Vouched(_))));
        1 + u64::try_from(token.access.len()).unwrap_or(u64::MAX / 2) + if session { 16 } else { 0 }
    }
}

/// The registry tokens that were verified.
pub(super) struct VerifiedTokens {
    tokens: Cache<[u8; 32], Arc<VerifiedToken>, ByScopes>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl VerifiedTokens {
    pub(super) fn none() -> Self {
        let tokens = Cache::with_weighter(VERIFIED_TOKENS, VERIFIED_SCOPES, ByScopes);
        Self { tokens, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// How often one was known, and how often not.
    pub(super) fn events(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}

impl Authenticator {
    pub(super) async fn registry_token(
        &self,
        token: &Secret<String>,
        origin: &Origin,
    ) -> Result<Authenticated<Proof>, Fault> {
        let verified = match self.verified_registry_token(token.expose()).await? {
            Ok(verified) => verified,
            Err(because) => return Ok(Authenticated::Rejected(because)),
        };
        let expired = verified.expires_at <= self.clock.now();
        let ceiling = Ceiling::Scopes(Arc::clone(&verified.access));
        let Some((principal, credential)) = &verified.who else {
            if origin.holder() != &Holder::Unasked {
                return Ok(Authenticated::Rejected(SOMEBODY_ELSE));
            }
            return Ok(Authenticated::Proven(Proof { caller: None, ceiling, expired }));
        };
        let caller = self.caller(principal, credential, Some(verified.issued_at), origin).await?;
        Ok(caller.map(|caller| Proof { caller: Some(caller), ceiling, expired }))
    }

    /// Verifies a registry token, or remembers having done so. The cache is keyed by a hash, so it holds no tokens;
    /// only verified ones enter it, so strangers cannot fill it.
    async fn verified_registry_token(
        &self,
        token: &str,
    ) -> Result<Result<Arc<VerifiedToken>, &'static str>, Fault> {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(digest::digest(&digest::SHA256, token.as_bytes()).as_ref()) {
            *to = *from;
        }
        if let Some(known) = self.verified.tokens.get(&key) {
            let keyring = self.view.keyring().await?;
            if keyring.accepts(&known.kid, self.clock.now()) {
                self.verified.hits.fetch_add(1, Ordering::Relaxed);
                return Ok(Ok(known));
            }
        }
        self.verified.misses.fetch_add(1, Ordering::Relaxed);
        let claims = match self.verify::<RegistryClaims>(token, REGISTRY).await? {
            Ok(claims) => claims,
            Err(because) => return Ok(Err(because)),
        };
        if claims.iss != self.issuer || claims.aud != AUDIENCE {
            return Ok(Err("the token is for another installation"));
        }
        if claims.iat > self.clock.now().seconds() + SKEW_SECONDS {
            return Ok(Err("the token is not valid yet"));
        }
        let Some(verified) = self.verified_claims(token, claims) else {
            return Ok(Err("the token names no principal of ours"));
        };
        let verified = Arc::new(verified);
        self.verified.tokens.insert(key, Arc::clone(&verified));
        Ok(Ok(verified))
    }

    fn verified_claims(&self, token: &str, claims: RegistryClaims) -> Option<VerifiedToken> {
        let who = if claims.sub.is_empty() && claims.key.is_empty() {
            None
        } else {
            Some((PrincipalId::parse(&claims.sub).ok()?, self.credential(&claims.key)?))
        };
        let kid = VerifyingKeys::key_id(token)?.into();
        let (issued_at, expires_at) =
            (UnixTime::from_seconds(claims.iat), UnixTime::from_seconds(claims.exp));
        Some(VerifiedToken { kid, who, access: claims.access.into(), issued_at, expires_at })
    }
}

/// How many verified tokens are remembered, if they cover two repositories on average.
const VERIFIED_TOKENS: usize = 65_536;

/// How much they may cover in all: a token can be had for 64 repositories, and as many tokens as anybody likes.
const VERIFIED_SCOPES: u64 = 3 * 65_536;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quick_cache::sync::Cache;

    use super::{ByScopes, VERIFIED_SCOPES, VERIFIED_TOKENS, VerifiedToken};
    use crate::clock::UnixTime;
    use crate::registry::scope::ScopeEntry;

    #[test]
    fn tokens_for_many_repositories_take_the_place_of_as_many() {
        let cache = Cache::with_weighter(VERIFIED_TOKENS, VERIFIED_SCOPES, ByScopes);
        let access: Arc<[ScopeEntry]> = vec![ScopeEntry::Catalog; 64].into();
        let expires_at = UnixTime::from_seconds(0);
        for number in 0..10_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            let (kid, access) = ("k".into(), Arc::clone(&access));
            let token = VerifiedToken { kid, who: None, access, issued_at: expires_at, expires_at };
            cache.insert(key, Arc::new(token));
        }
        assert!(cache.len() <= usize::try_from(VERIFIED_SCOPES).unwrap() / 65, "{}", cache.len());
    }
}
