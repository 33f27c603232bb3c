//! Who is asking: API keys and our own tokens to proven callers; what AWS signs and seals is in `signature`.
//!
//! Whatever the credential, what it stands for is looked up again on every request: a token proves only which key was
//! exchanged, and the key must still be good now.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::caller::{Caller, Credential, Reported, Said};
use super::claims::{ACCESS, AccessClaims, REFRESH, RefreshClaims};
use super::fault::Fault;
use super::origin::{Origin, Shown};
use super::profile::{ComputeTokens, NoComputeTokens, Wanted};
use super::proof::{Authenticated, Ceiling, Proof};
use super::registry_token::VerifiedTokens;
use super::signature::{SESSIONS, SIGNING_KEYS, Sessions, Unproven};
use crate::client::certificate::Holder;
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
use crate::secret::Secret;
use crate::view::View;
use crate::view::bundle::Bundle;

/// Proves callers.
pub struct Authenticator {
    pub(super) view: Arc<View>,
    pub(super) account: AccountId,
    pub(super) issuer: String,
    pepper: Arc<Pepper>,
    pub(super) sealer: Sealer,
    pub(super) sessions: Sessions,
    pub(super) signing_keys: SigningKeys,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) believed: Arc<Believed>,
    pub(super) compute: Arc<dyn ComputeTokens>,
    pub(super) verified: VerifiedTokens,
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
            verified: VerifiedTokens::none(),
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
        self.verified.events()
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
            Presented::Absent => Ok(Box::pin(self.certificate(origin)).await?.map(direct)),
            Presented::Unusable(because) => Ok(Authenticated::Rejected(because)),
            // Boxed: clients that log in do so once, and use a token then.
            Presented::Basic { user, password } => {
                Ok(Box::pin(self.login(user, password, origin)).await?.map(direct))
            }
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

    pub(super) async fn verify<T: serde::de::DeserializeOwned>(
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
pub(super) const SOMEBODY_ELSE: &str = "the certificate names somebody else than the other credentials";

/// How long it takes at least to be told that a key or user name is no good: longer than looking it up takes.
pub(super) const REJECTION: Duration = Duration::from_millis(50);

/// How far another replica's clock may be ahead of ours.
pub(super) const SKEW_SECONDS: i64 = 60;
