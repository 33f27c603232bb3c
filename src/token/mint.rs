//! Signing: claims to tokens, with the youngest key of the keyring.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::lately::{Claimed, Lately, Signed};
use crate::admit::caller::{Caller, Credential};
use crate::admit::claims::{
    ACCESS, AUDIENCE, AccessClaims, AccountClaim, AuthnClaim, REFRESH, REGISTRY, RefreshClaims,
    RegistryClaims,
};
use crate::admit::fault::Fault;
use crate::clock::{Clock, Entropy, UnixTime};
use crate::credential::jwt::SigningKey;
use crate::credential::seal::MasterKey;
use crate::credential::voucher::Voucher;
use crate::ids::principal::PrincipalId;
use crate::registry::scope::ScopeEntry;
use crate::view::View;
use crate::view::keyring::{Keyring, Signing};

/// The purpose that signing keys are sealed for.
pub const SEALED_FOR: &str = "signing-key";

/// How long tokens live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// What clients of `/oauth/token` are told. The token is accepted for [`SLACK`] longer, because clients use a token
    /// up to its last second and treat a 401 in the middle of a push as fatal.
    pub registry: Duration,
    /// IAM access tokens.
    pub access: Duration,
    /// IAM refresh tokens.
    pub refresh: Duration,
}

/// How much longer a registry token is accepted than its client is told.
pub const SLACK: Duration = Duration::from_secs(60);

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            registry: Duration::from_secs(15 * 60),
            access: Duration::from_secs(60 * 60),
            refresh: Duration::from_secs(72 * 60 * 60),
        }
    }
}

/// Makes tokens.
pub struct Mint {
    view: Arc<View>,
    master: Arc<MasterKey>,
    issuer: String,
    lifetimes: Lifetimes,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    opened: ArcSwapOption<Opened>,
    lately: Lately,
}

/// The signing key, unsealed, and the reading of the keyring that it came from.
struct Opened {
    keyring: Arc<Keyring>,
    kid: Box<str>,
    key: SigningKey,
}

/// A token and what its bearer may be told about it.
#[derive(Debug)]
pub struct Minted {
    /// The token.
    pub token: String,
    /// How long to use it.
    pub expires_in: Duration,
    /// Until when, in Unix seconds.
    pub expiration: i64,
}

impl Mint {
    /// A mint that signs as `issuer`.
    #[must_use]
    pub fn new(
        view: Arc<View>,
        master: Arc<MasterKey>,
        issuer: String,
        lifetimes: Lifetimes,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            view,
            master,
            issuer,
            lifetimes,
            clock,
            entropy,
            opened: ArcSwapOption::empty(),
            lately: Lately::none(),
        }
    }

    /// A registry token for `caller` that covers `access` at most; without a caller, one that is good for nothing.
    ///
    /// # Errors
    /// [`Fault`] when there is no key to sign with.
    pub async fn registry(&self, caller: Option<&Caller>, access: Vec<ScopeEntry>) -> Result<Minted, Fault> {
        let now = self.clock.now();
        let claimed = Claimed::by(caller, &access);
        // Before it is signed: what changes meanwhile is a change since.
        let known = (self.view.position(), self.view.keyring().await?);
        let kept = claimed.as_ref().and_then(|claimed| self.lately.find(claimed, (known.0, &known.1), now));
        if let Some(kept) = kept {
            let expiration = kept.signed_at.plus(kept.lifetime).seconds();
            let left = u64::try_from(expiration.saturating_sub(now.seconds())).unwrap_or_default();
            let expires_in = Duration::from_secs(left);
            return Ok(Minted { token: kept.token.clone(), expires_in, expiration });
        }
        let lifetime = within(self.lifetimes.registry, caller, now);
        let claims = RegistryClaims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: caller.map(|caller| caller.principal().to_string()).unwrap_or_default(),
            jti: self.entropy.uuid().to_string(),
            iat: now.seconds(),
            exp: now.plus(lifetime).plus(SLACK).seconds(),
            key: caller.map(|caller| caller.credential.text()).unwrap_or_default(),
            access,
        };
        let token = self.sign(REGISTRY, &claims).await?;
        if let Some(claimed) = claimed {
            let signed = Signed { token: token.clone(), signed_at: now, lifetime, known };
            self.lately.keep(claimed, signed);
        }
        Ok(Minted { token, expires_in: lifetime, expiration: now.plus(lifetime).seconds() })
    }

    /// An IAM access token for `caller`.
    ///
    /// # Errors
    /// [`Fault`] when there is no key to sign with.
    pub async fn access(&self, caller: &Caller, grant_type: &str) -> Result<Minted, Fault> {
        let now = self.clock.now();
        let principal = caller.principal();
        let sub_type = match principal {
            PrincipalId::Profile(_) => Some("Profile".to_owned()),
            PrincipalId::ServiceId(_) => Some("ServiceId".to_owned()),
            PrincipalId::Role(_) | PrincipalId::User(_) => None,
        };
        let settings = self.view.network().await?;
        let longest =
            settings.identity.system_access_token_expiration_in_seconds.within(self.lifetimes.access);
        let lifetime = within(longest, Some(caller), now);
        let expiration = now.plus(lifetime).seconds();
        let claims = AccessClaims {
            iam_id: principal.clone(),
            id: principal.clone(),
            realmid: principal.realm().to_owned(),
            jti: self.entropy.uuid().to_string(),
            identifier: principal.identifier().to_owned(),
            name: caller.name().to_owned(),
            sub: match principal {
                PrincipalId::Profile(id) => id.to_string(),
                PrincipalId::ServiceId(id) => id.to_string(),
                PrincipalId::Role(_) | PrincipalId::User(_) => caller.name().to_owned(),
            },
            sub_type,
            account: AccountClaim { valid: true, bss: caller.account.clone() },
            iat: now.seconds(),
            exp: expiration,
            iss: self.issuer.clone(),
            grant_type: grant_type.to_owned(),
            scope: "ibm openid".to_owned(),
            client_id: "default".to_owned(),
            authn: authn(caller),
            key: exchanged(caller)?,
        };
        let token = self.sign(ACCESS, &claims).await?;
        Ok(Minted { token, expires_in: lifetime, expiration })
    }

    /// A refresh token for `caller`, whose login began then, or now; `None` for what is vouched for, which is vouched for anew instead.
    ///
    /// # Errors
    /// [`Fault`] when there is no key to sign with.
    pub async fn refresh(&self, caller: &Caller, began: Option<UnixTime>) -> Result<Option<Minted>, Fault> {
        let Some(key) = caller.credential.api_key().cloned() else { return Ok(None) };
        let now = self.clock.now();
        let settings = self.view.network().await?;
        let lifetime =
            settings.identity.system_refresh_token_expiration_in_seconds.within(self.lifetimes.refresh);
        let expiration = now.plus(lifetime).seconds();
        let claims = RefreshClaims {
            iss: self.issuer.clone(),
            sub: caller.principal().clone(),
            jti: self.entropy.uuid().to_string(),
            iat: now.seconds(),
            exp: expiration,
            began: Some(began.unwrap_or(now).seconds()),
            key,
        };
        let token = self.sign(REFRESH, &claims).await?;
        Ok(Some(Minted { token, expires_in: lifetime, expiration }))
    }

    /// The public keys, as a JSON Web Key Set (RFC 7517).
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn key_set(&self) -> Result<String, Fault> {
        Ok(self.view.keyring().await?.verifying.jwks().to_string())
    }

    async fn sign<T: serde::Serialize>(&self, kind: &str, claims: &T) -> Result<String, Fault> {
        let keyring = self.view.keyring().await?;
        let signing = keyring.signing(self.clock.now());
        let signing = signing.ok_or_else(|| Fault::Internal("there is no signing key".to_owned()))?;
        let same = |known: &Arc<Opened>| Arc::ptr_eq(&known.keyring, &keyring) && known.kid == signing.kid;
        let opened = match self.opened.load_full().filter(same) {
            Some(opened) => opened,
            None => self.open(&keyring, signing)?,
        };
        opened.key.sign(kind, claims).map_err(|_| Fault::Internal("signing failed".to_owned()))
    }

    fn open(&self, keyring: &Arc<Keyring>, signing: &Signing) -> Result<Arc<Opened>, Fault> {
        let private = self.master.open(SEALED_FOR, &signing.sealed);
        let private = private
            .ok_or_else(|| Fault::Internal("the master key does not open the signing key".to_owned()))?;
        let key = SigningKey::from_pkcs8(private.expose());
        let key = key.map_err(|_| Fault::Internal("the signing key is unreadable".to_owned()))?;
        let opened = Arc::new(Opened { keyring: Arc::clone(keyring), kid: signing.kid.clone(), key });
        self.opened.store(Some(Arc::clone(&opened)));
        Ok(opened)
    }
}

/// What is exchanged: IBM's tokens are given for API keys, and for what somebody is vouched for.
fn exchanged(caller: &Caller) -> Result<String, Fault> {
    match &caller.credential {
        Credential::ApiKey(_) | Credential::Vouched(_) => Ok(caller.credential.text()),
        Credential::AccessKey(_)
        | Credential::Certificate(_)
        | Credential::Session(_)
        | Credential::WebIdentity(_) => Err(Fault::Internal(
            "IAM tokens are not given for access keys, certificates and sessions".to_owned(),
        )),
    }
}

/// No longer than what was vouched for is good.
fn within(lifetime: Duration, caller: Option<&Caller>, now: UnixTime) -> Duration {
    match caller.map(|caller| &caller.credential) {
        Some(Credential::Vouched(sealed)) => {
            let left = sealed.vouched.expires_at.seconds().saturating_sub(now.seconds());
            lifetime.min(Duration::from_secs(u64::try_from(left).unwrap_or_default()))
        }
        Some(
            Credential::AccessKey(_)
            | Credential::ApiKey(_)
            | Credential::Certificate(_)
            | Credential::Session(_)
            | Credential::WebIdentity(_),
        )
        | None => lifetime,
    }
}

/// Who has taken on a trusted profile.
fn authn(caller: &Caller) -> Option<AuthnClaim> {
    let (Credential::Vouched(sealed), PrincipalId::Profile(_)) = (&caller.credential, caller.principal())
    else {
        return None;
    };
    let behind = caller.behind.as_ref().map(|(behind, _)| behind.name.clone());
    Some(match &sealed.vouched.by {
        Voucher::Compute(_, compute) => AuthnClaim {
            sub: compute.crn.clone(),
            iam_id: format!("crn-{}", compute.crn),
            sub_type: Some("CRN".to_owned()),
            name: format!("{}/{}", compute.namespace, compute.name),
        },
        Voucher::Key(owner, _) => AuthnClaim {
            sub: owner.identifier().to_owned(),
            iam_id: owner.to_string(),
            sub_type: matches!(owner, PrincipalId::ServiceId(_)).then(|| "ServiceId".to_owned()),
            name: behind.unwrap_or_default(),
        },
        Voucher::Realm(realm, _) => {
            AuthnClaim { sub: realm.clone(), iam_id: realm.clone(), sub_type: None, name: realm.clone() }
        }
    })
}

impl std::fmt::Debug for Mint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mint").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
