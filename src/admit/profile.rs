//! Taking on a trusted profile: whoever proves to be somebody that the profile trusts acts as the profile.
//!
//! What it was taken on with is sealed into the token. On every use all of it is looked at again: that the profile is still
//! there and trusts whoever that is, and that they and their key are still good. One profile cannot take on another.

use std::sync::Arc;

use async_trait::async_trait;

use super::authenticate::Authenticator;
use super::caller::{Caller, Credential};
use super::fault::Fault;
use super::origin::Origin;
use super::proof::Authenticated;
use super::signature::Unproven;
use crate::clock::UnixTime;
use crate::credential::voucher::{SealedVoucher, Vouched, Voucher};
use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{ApiKeyId, ProfileId};
use crate::secret::Secret;
use crate::view::bundle::Bundle;

/// Verifies tokens of compute resources. Their issuers may have to be asked, which the gate cannot.
#[async_trait]
pub trait ComputeTokens: Send + Sync + std::fmt::Debug {
    /// The compute resource that a token was made for.
    ///
    /// # Errors
    /// Why it proves nothing, for the log.
    async fn compute(&self, token: &str) -> Result<Voucher, &'static str>;
}

/// No such token proves anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoComputeTokens;

#[async_trait]
impl ComputeTokens for NoComputeTokens {
    async fn compute(&self, _: &str) -> Result<Voucher, &'static str> {
        Err("no cluster is believed")
    }
}

/// Which profile is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// The one of that id.
    Id(ProfileId),
    /// The one of that name.
    Name(String),
}

impl Wanted {
    /// Reads the user name of a registry login: the profile's id, or its iam_id.
    #[must_use]
    pub fn user_name(text: &str) -> Option<Self> {
        ProfileId::parse(text.strip_prefix("iam-").unwrap_or(text)).ok().map(Self::Id)
    }

    /// Reads a profile's CRN, which must be of this account.
    #[must_use]
    pub fn crn(text: &str, account: &AccountId) -> Option<Self> {
        let prefix = format!("crn:v1:bluemix:public:iam-identity::a/{account}::profile:");
        ProfileId::parse(text.strip_prefix(&prefix)?).ok().map(Self::Id)
    }
}

/// What is said to whoever may not take on a profile, whether or not there is one.
const NOT_TRUSTED: &str = "there is no such trusted profile, or it does not trust whoever asks";

impl Authenticator {
    /// Proves a caller by a profile's id as the user name: the password is an API key of somebody whom it trusts, or the
    /// token of a compute resource. No API key has a dot in it, and every token has two.
    pub(super) async fn profile_login(
        &self,
        profile: &Wanted,
        password: &Secret<String>,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        if password.expose().contains('.') {
            return self.compute(password.expose(), profile, origin).await;
        }
        let by = match self.key_bearer(password.expose(), origin).await? {
            Authenticated::Proven(caller) => caller,
            refused @ (Authenticated::Absent | Authenticated::Rejected(_)) => return Ok(refused),
        };
        self.take_on(&by, profile, origin).await
    }

    /// Lets a compute resource take on a profile, by its token.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn compute(
        &self,
        token: &str,
        profile: &Wanted,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        match self.compute.compute(token).await {
            Ok(by) => self.vouched_for(by, profile, origin).await,
            Err(because) => Ok(Authenticated::Rejected(because)),
        }
    }

    /// Lets a proven caller take on a profile.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn take_on(
        &self,
        caller: &Arc<Caller>,
        profile: &Wanted,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        let by = match (&caller.credential, caller.principal()) {
            (Credential::ApiKey(key), owner @ (PrincipalId::ServiceId(_) | PrincipalId::User(_))) => {
                Voucher::Key(owner.clone(), key.clone())
            }
            (Credential::Vouched(sealed), PrincipalId::User(_)) => sealed.vouched.by.clone(),
            (
                Credential::AccessKey(_)
                | Credential::ApiKey(_)
                | Credential::Certificate(_)
                | Credential::Session(_)
                | Credential::Vouched(_)
                | Credential::WebIdentity(_),
                _,
            ) => return Ok(Authenticated::Rejected("a trusted profile is taken on with an API key's token")),
        };
        self.vouched_for(by, profile, origin).await
    }

    /// Lets whoever was proven take on a profile.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn vouched_for(
        &self,
        by: Voucher,
        profile: &Wanted,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        let id = match profile {
            Wanted::Id(id) => Some(id.clone()),
            Wanted::Name(name) => self.view.profile_named(name).await?,
        };
        let Some(principal) = id.map(PrincipalId::Profile) else {
            return Ok(Authenticated::Rejected(NOT_TRUSTED));
        };
        let issued_at = self.clock.now();
        let bundle = self.view.principal_at(&principal, self.clock.now()).await?;
        let trust = bundle.as_ref().and_then(|bundle| bundle.trust.as_ref());
        let session = trust.and_then(|trust| trust.session(&by)).map_or(SESSION, i64::from);
        let expires_at = UnixTime::from_seconds(issued_at.seconds().saturating_add(session));
        let vouched = Vouched { principal: principal.clone(), by, issued_at, expires_at };
        let sealed = Arc::new(self.sealer.vouch(vouched, &*self.entropy));
        self.caller(&principal, &Credential::Vouched(sealed), None, origin).await
    }

    /// The user of that name, whom an identity provider vouches for.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn person(
        &self,
        by: Voucher,
        user: &str,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        let Some(id) = self.view.user_named(user).await? else {
            return Ok(Authenticated::Rejected("there is no such user"));
        };
        let (principal, issued_at) = (PrincipalId::User(id), self.clock.now());
        let expires_at = UnixTime::from_seconds(issued_at.seconds().saturating_add(SESSION));
        let vouched = Vouched { principal: principal.clone(), by, issued_at, expires_at };
        let sealed = Arc::new(self.sealer.vouch(vouched, &*self.entropy));
        self.caller(&principal, &Credential::Vouched(sealed), None, origin).await
    }

    /// What an IAM token was given for: an API key, or what was vouched for.
    pub(super) fn exchanged(&self, text: &str) -> Option<Credential> {
        let key = ApiKeyId::parse(text).ok().map(Credential::ApiKey);
        key.or_else(|| self.sealer.voucher(text).map(|sealed| Credential::Vouched(Arc::new(sealed))))
    }

    /// Whom a voucher stands for as of now, if it is still good.
    pub(super) async fn vouched(
        &self,
        sealed: Arc<SealedVoucher>,
        issued_at: Option<UnixTime>,
        origin: &Origin,
    ) -> Result<Result<Arc<Caller>, Unproven>, Fault> {
        let Vouched { principal, by, .. } = &sealed.vouched;
        let Some(bundle) =
            self.view.principal_at(principal, self.clock.now()).await?.filter(|bundle| bundle.active)
        else {
            return Ok(Err(Unproven::Unknown(NOT_TRUSTED)));
        };
        if !self.believed.stands(by) || !stands(&bundle, by) {
            return Ok(Err(Unproven::Unknown(NOT_TRUSTED)));
        }
        let behind = match by {
            Voucher::Compute(..) | Voucher::Realm(..) => None,
            Voucher::Key(owner, key) => {
                let now = self.clock.now();
                let behind = self.view.principal_at(owner, self.clock.now()).await?;
                let Some(behind) = behind.filter(|behind| behind.accepts(key, now)) else {
                    let gone =
                        "whoever has taken on the profile, or their API key, is disabled, expired or deleted";
                    return Ok(Err(Unproven::Unknown(gone)));
                };
                Some((behind, Some(key.clone())))
            }
        };
        // Where a certificate says whose the connection is, it is theirs who have taken on the profile.
        let holder = behind.as_ref().map_or_else(|| Arc::clone(&bundle), |(behind, _)| Arc::clone(behind));
        let caller = self.as_of_now(holder, Credential::Vouched(Arc::clone(&sealed)), issued_at, origin);
        Ok(caller.map(|caller| Arc::new(Caller { bundle, behind, ..Arc::unwrap_or_clone(caller) })))
    }
}

/// Whether a principal may be taken on so: a profile by whom it trusts, a person by their identity provider.
fn stands(bundle: &Bundle, by: &Voucher) -> bool {
    match (&bundle.principal, &bundle.trust) {
        (PrincipalId::Profile(_), Some(trust)) => trust.accepts(by),
        (PrincipalId::User(_), None) => matches!(by, Voucher::Realm(..)),
        (
            PrincipalId::Profile(_) | PrincipalId::Role(_) | PrincipalId::ServiceId(_) | PrincipalId::User(_),
            _,
        ) => false,
    }
}

/// For how many seconds tokens are given for a profile that was taken on.
const SESSION: i64 = 60 * 60;
