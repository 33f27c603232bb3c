//! Who is asking: API keys and our own tokens to proven callers; what AWS signs and seals is in `signature`.
//!
//! Whatever the credential, what it stands for is looked up again on every request: a token proves only which key was
//! exchanged, and the key must still be good now.

use std::future::ready;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::digest;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::{Instant, sleep_until};

use super::caller::{Caller, Credential, Reported, Said};
use super::claims::{ACCESS, AUDIENCE, AccessClaims, REFRESH, REGISTRY, RefreshClaims, RegistryClaims};
use super::fault::Fault;
use super::profile::{ComputeTokens, NoComputeTokens, Wanted};
use super::signature::{SESSIONS, SIGNING_KEYS, Sessions, Unproven};
use crate::client::address::ClientAddr;
use crate::client::certificate::{ClientCertificate, Fingerprint, Holder};
use crate::clock::{Clock, Entropy, UnixTime};
use crate::credential::api_key::{ApiKey, Pepper};
use crate::credential::authorization::Presented;
use crate::credential::believed::Believed;
use crate::credential::jwt::VerifyingKeys;
use crate::credential::session::Sealer;
use crate::credential::settings::Session;
use crate::credential::sigv4::keys::SigningKeys;
use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::network::endpoint::Endpoint;
use crate::registry::scope::ScopeEntry;
use crate::secret::Secret;
use crate::view::View;
use crate::view::bundle::Bundle;

/// Where a request came from, as far as the gate cares.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The client.
    pub from: ClientAddr,
    /// Our end of the connection.
    pub local: IpAddr,
    /// The listener's network.
    pub endpoint: Endpoint,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// The client's own certificate, if it has shown one.
    pub certificate: Option<Shown>,
}

/// A certificate that was shown in the handshake, and proven to be held.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The certificate.
    pub certificate: Arc<ClientCertificate>,
    /// Whether it may stand for its holder where nothing else is presented. A browser shows it whoever made the page that
    /// asks.
    pub alone: bool,
}

impl Origin {
    /// Whom the connection's certificate stands for.
    fn holder(&self) -> &Holder {
        self.certificate.as_ref().map_or(&Holder::Unasked, |shown| &shown.certificate.holder)
    }

    /// Whether that is the connection's certificate.
    fn shows(&self, id: &Fingerprint) -> bool {
        self.certificate.as_ref().is_some_and(|shown| shown.certificate.fingerprint == *id)
    }
}

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

/// Proves callers.
pub struct Authenticator {
    pub(super) view: Arc<View>,
    pub(super) account: AccountId,
    issuer: String,
    pepper: Arc<Pepper>,
    pub(super) sealer: Sealer,
    pub(super) sessions: Sessions,
    pub(super) signing_keys: SigningKeys,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) believed: Arc<Believed>,
    pub(super) compute: Arc<dyn ComputeTokens>,
    verified: Cache<[u8; 32], Arc<VerifiedToken>, ByScopes>,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
}

impl Authenticator {
    /// An authenticator that believes what `view` says and accepts tokens of `issuer`.
    #[must_use]
    pub fn new(
        view: Arc<View>,
        account: AccountId,
        issuer: String,
        (pepper, sealer): (Arc<Pepper>, Sealer),
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
    ) -> Self {
        let (cache_hits, cache_misses) = (AtomicU64::new(0), AtomicU64::new(0));
        Self {
            view,
            account,
            issuer,
            pepper,
            sealer,
            sessions: Sessions::new(SESSIONS),
            signing_keys: SigningKeys::new(SIGNING_KEYS),
            clock,
            entropy,
            believed: Arc::default(),
            compute: Arc::new(NoComputeTokens),
            verified: Cache::with_weighter(VERIFIED_TOKENS, VERIFIED_SCOPES, ByScopes),
            cache_hits,
            cache_misses,
        }
    }

    /// The same, that believes these issuers, and verifies tokens of compute resources so. Without this, it believes none.
    #[must_use]
    pub fn believing(self, believed: Arc<Believed>, compute: Arc<dyn ComputeTokens>) -> Self {
        Self { believed, compute, ..self }
    }

    /// The account whose principals are proven.
    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// Hits and misses of the cache of verified tokens.
    #[must_use]
    pub fn cache_events(&self) -> (u64, u64) {
        (self.cache_hits.load(Ordering::Relaxed), self.cache_misses.load(Ordering::Relaxed))
    }

    /// Proves the caller of a `/v2/` request, by registry token, by API key or IAM token as a Basic password, or by
    /// certificate.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn registry(
        &self,
        presented: &Presented,
        origin: &Origin,
    ) -> Result<Authenticated<Proof>, Fault> {
        let direct = |caller| Proof { caller: Some(caller), ceiling: Ceiling::Unlimited, expired: false };
        match presented {
            Presented::Absent => Ok(self.certificate(origin).await?.map(direct)),
            Presented::Unusable(because) => Ok(Authenticated::Rejected(because)),
            Presented::Basic { user, password } => Ok(self.login(user, password, origin).await?.map(direct)),
            Presented::Bearer(token) => self.registry_token(token, origin).await,
        }
    }

    /// Proves the caller of a management call by IAM access token, by an API key as a Basic password, or by certificate.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn control(
        &self,
        presented: &Presented,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        match presented {
            Presented::Absent => self.certificate(origin).await,
            Presented::Unusable(because) => Ok(Authenticated::Rejected(because)),
            Presented::Basic { user, .. } if user == REGISTRY_USER => {
                Ok(Authenticated::Rejected("a registry password is good for the registry only"))
            }
            Presented::Basic { user, password } => self.login(user, password, origin).await,
            Presented::Bearer(token) => self.access_token(token.expose(), origin).await,
        }
    }

    /// Proves a caller by a registry user name, which says what kind of secret the password is.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn login(
        &self,
        user: &str,
        password: &Secret<String>,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        match user {
            "iamapikey" => self.api_key(password.expose(), origin).await,
            "iambearer" => slow_to_reject(self.access_token(password.expose(), origin)).await,
            "iamrefresh" => {
                let renewed = slow_to_reject(self.refresh_token(password.expose(), origin)).await?;
                Ok(renewed.map(|(caller, _)| caller))
            }
            REGISTRY_USER => slow_to_reject(self.registry_password(password, origin)).await,
            _ => {
                let Some(profile) = Wanted::user_name(user) else {
                    let because = "the user name is none of those that say what the password is";
                    return slow_to_reject(ready(Ok(Authenticated::Rejected(because)))).await;
                };
                slow_to_reject(self.profile_login(&profile, password, origin)).await
            }
        }
    }

    /// Proves a caller by an API key.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn api_key(&self, key: &str, origin: &Origin) -> Result<Authenticated<Arc<Caller>>, Fault> {
        slow_to_reject(self.key_bearer(key, origin)).await
    }

    pub(super) async fn key_bearer(
        &self,
        key: &str,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        let Some(key) = ApiKey::presented(key) else {
            return Ok(Authenticated::Rejected("the key is empty, too long or not printable"));
        };
        match self.view.key_owner(&self.pepper.hash(&key)).await? {
            Some((principal, id)) => self.caller(&principal, &Credential::ApiKey(id), None, origin).await,
            None => Ok(Authenticated::Rejected("no such API key")),
        }
    }

    /// Proves a caller by an IAM access token.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn access_token(
        &self,
        token: &str,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        let claims = match self.verify::<AccessClaims>(token, ACCESS).await? {
            Ok(claims) => claims,
            Err(because) => return Ok(Authenticated::Rejected(because)),
        };
        let now = self.clock.now().seconds();
        if claims.iss != self.issuer || claims.account.bss != self.account {
            return Ok(Authenticated::Rejected("the token is for another installation"));
        }
        if claims.exp <= now || claims.iat > now + SKEW_SECONDS {
            return Ok(Authenticated::Rejected("the token has expired or is not valid yet"));
        }
        let issued_at = Some(UnixTime::from_seconds(claims.iat));
        let Some(credential) = self.exchanged(&claims.key) else {
            return Ok(Authenticated::Rejected("the token was given for nothing that tokens are given for"));
        };
        self.caller(&claims.iam_id, &credential, issued_at, origin).await
    }

    /// Proves a caller by a refresh token, and says when the login began that it renews.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn refresh_token(
        &self,
        token: &str,
        origin: &Origin,
    ) -> Result<Authenticated<(Arc<Caller>, UnixTime)>, Fault> {
        let claims = match self.verify::<RefreshClaims>(token, REFRESH).await? {
            Ok(claims) => claims,
            Err(because) => return Ok(Authenticated::Rejected(because)),
        };
        let now = self.clock.now().seconds();
        if claims.iss != self.issuer {
            return Ok(Authenticated::Rejected("the refresh token is for another installation"));
        }
        let began = claims.began.unwrap_or(claims.iat);
        let settings = self.view.network().await?;
        match settings.identity.session(now.saturating_sub(began), now.saturating_sub(claims.iat)) {
            Session::Lasting if claims.exp > now => {}
            Session::Lasting | Session::Over => return Ok(Authenticated::Rejected(SESSION_OVER)),
            Session::Inactive => return Ok(Authenticated::Rejected(SESSION_INACTIVE)),
        }
        let issued_at = Some(UnixTime::from_seconds(claims.iat));
        let caller = self.caller(&claims.sub, &Credential::ApiKey(claims.key), issued_at, origin).await?;
        Ok(caller.map(|caller| (caller, UnixTime::from_seconds(began))))
    }

    async fn registry_token(
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
        if let Some(known) = self.verified.get(&key) {
            let keyring = self.view.keyring().await?;
            if keyring.accepts(&known.kid, self.clock.now()) {
                self.cache_hits.fetch_add(1, Ordering::Relaxed);
                return Ok(Ok(known));
            }
        }
        self.cache_misses.fetch_add(1, Ordering::Relaxed);
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
        self.verified.insert(key, Arc::clone(&verified));
        Ok(Ok(verified))
    }

    async fn verify<T: serde::de::DeserializeOwned>(
        &self,
        token: &str,
        kind: &str,
    ) -> Result<Result<T, &'static str>, Fault> {
        let keyring = self.view.keyring().await?;
        let accepted =
            VerifyingKeys::key_id(token).is_some_and(|kid| keyring.accepts(&kid, self.clock.now()));
        if !accepted {
            return Ok(Err("the token is not signed by a key of ours"));
        }
        Ok(keyring.verifying.verify::<T>(token, kind).map_err(|_| "the token is malformed or forged"))
    }

    /// The principal as of now, if `credential` is still good for it.
    pub(super) async fn caller(
        &self,
        principal: &PrincipalId,
        credential: &Credential,
        issued_at: Option<UnixTime>,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        let proven = match credential {
            Credential::AccessKey(id) => self.key_bearer_of(principal, id.clone(), issued_at, origin).await?,
            Credential::ApiKey(_) => {
                let Some(bundle) = self.view.principal_at(principal, self.clock.now()).await? else {
                    return Ok(Authenticated::Rejected("the principal has been deleted"));
                };
                let good = credential.api_key().is_some_and(|key| bundle.accepts(key, self.clock.now()));
                let gone = Unproven::Unknown("the API key or its owner is disabled, expired or deleted");
                match good {
                    true => self.as_of_now(bundle, credential.clone(), issued_at, origin),
                    false => Err(gone),
                }
            }
            Credential::Certificate(id) if origin.shows(id) => {
                match self.view.principal(principal).await?.filter(|bundle| bundle.active) {
                    Some(bundle) => self.as_of_now(bundle, credential.clone(), issued_at, origin),
                    None => Err(Unproven::Unknown("the certificate's holder is disabled or deleted")),
                }
            }
            Credential::Certificate(_) => {
                Err(Unproven::Unknown("the token was given for a certificate that is not shown here"))
            }
            Credential::Session(temporary) if temporary.session.principal == *principal => {
                self.session_bearer(Arc::clone(temporary), origin).await?
            }
            Credential::Session(_) => Err(Unproven::Unknown("the session stands for somebody else")),
            Credential::WebIdentity(_) => Err(Unproven::Unknown("a web identity is good for one call")),
            Credential::Vouched(sealed) if sealed.vouched.principal == *principal => {
                self.vouched(Arc::clone(sealed), issued_at, origin).await?
            }
            Credential::Vouched(_) => Err(Unproven::Unknown("the token was given for somebody else")),
        };
        Ok(match proven {
            Ok(caller) => Authenticated::Proven(caller),
            Err(Unproven::Unknown(because)) => Authenticated::Rejected(because),
            Err(Unproven::Expired) => Authenticated::Rejected("the session is over"),
            Err(Unproven::Signature(_)) => Authenticated::Rejected("the signature does not match"),
        })
    }

    /// The principal, unless the connection's certificate names somebody else: then it is nobody.
    pub(super) fn as_of_now(
        &self,
        bundle: Arc<Bundle>,
        credential: Credential,
        issued_at: Option<UnixTime>,
        origin: &Origin,
    ) -> Result<Arc<Caller>, Unproven> {
        match origin.holder() {
            Holder::Unasked => {}
            Holder::Principal(holder) if *holder == bundle.principal => {}
            Holder::Nobody | Holder::Principal(_) => return Err(Unproven::Unknown(SOMEBODY_ELSE)),
        }
        let Origin { from, local, endpoint, secure, certificate: _ } = *origin;
        let account = self.account.clone();
        let (behind, reported) = (None, Reported::default());
        Ok(Arc::new(Caller {
            account,
            credential,
            bundle,
            behind,
            from,
            local,
            endpoint,
            secure,
            issued_at,
            reported,
            said: Said::default(),
        }))
    }

    /// Proves a caller who presents nothing but the certificate of the connection.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn certificate(&self, origin: &Origin) -> Result<Authenticated<Arc<Caller>>, Fault> {
        let Some(Shown { certificate, alone: true }) = &origin.certificate else {
            return Ok(Authenticated::Absent);
        };
        match &certificate.holder {
            Holder::Unasked => Ok(Authenticated::Absent),
            Holder::Nobody => Ok(Authenticated::Rejected("the certificate names nobody of ours")),
            Holder::Principal(principal) => {
                let credential = Credential::Certificate(certificate.fingerprint.clone());
                self.caller(principal, &credential, None, origin).await
            }
        }
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

/// Lets no rejection out early. A key that was never given out takes a reading of the store, a disabled one may be
/// known already, and a user name is only compared: after this time, all of them look the same.
async fn slow_to_reject<T>(
    answer: impl Future<Output = Result<Authenticated<T>, Fault>>,
) -> Result<Authenticated<T>, Fault> {
    let earliest = Instant::now() + REJECTION;
    let answer = answer.await;
    if matches!(answer, Ok(Authenticated::Rejected(_))) {
        sleep_until(earliest).await;
    }
    answer
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

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("account", &self.account).finish_non_exhaustive()
    }
}

/// The user name that registry passwords of `ecr:GetAuthorizationToken` belong to.
pub const REGISTRY_USER: &str = "AWS";

/// A refresh token whose time is over, or that of the login that it renews.
pub const SESSION_OVER: &str = "the refresh token has expired, or the session that it renews";

/// A refresh token that was not used for longer than the account says.
pub const SESSION_INACTIVE: &str = "the session was not renewed for longer than the account says";

/// For the log.
const SOMEBODY_ELSE: &str = "the certificate names somebody else than the other credentials";

/// How many verified tokens are remembered, if they cover two repositories on average.
const VERIFIED_TOKENS: usize = 65_536;

/// How much they may cover in all: a token can be had for 64 repositories, and as many tokens as anybody likes.
const VERIFIED_SCOPES: u64 = 3 * 65_536;

/// How long it takes at least to be told that a key or user name is no good: longer than looking it up takes.
pub(super) const REJECTION: Duration = Duration::from_millis(50);

/// How far another replica's clock may be ahead of ours.
const SKEW_SECONDS: i64 = 60;

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
