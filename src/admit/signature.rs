//! Who is asking, in AWS's dialect: access keys and sessions to proven callers.
//!
//! What a session's token says is what was true when it was made. Its principal, the policies of that principal, and the
//! managed policies that limit the session are looked up on every use.

use std::sync::Arc;

use quick_cache::sync::Cache;
use tokio::time::{Instant, sleep_until};

use super::authenticate::{Authenticator, REJECTION};
use super::caller::{Caller, Credential};
use super::fault::Fault;
use super::origin::Origin;
use super::proof::Authenticated;
use crate::clock::UnixTime;
use crate::credential::access_key::AccessSecret;
use crate::credential::session::{Kind, Limit, Session, Temporary};
use crate::credential::sigv4::Received;
use crate::credential::sigv4::canonical::Paths;
use crate::credential::sigv4::claim::Claim;
use crate::credential::sigv4::problem::Problem;
use crate::ids::aws::{AccessKeyId, SessionKeyId};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::policy::engine::compiled::CompiledPolicy;
use crate::policy::engine::principal::Caller as Who;
use crate::secret::Secret;
use crate::view::bundle::Bundle;
use crate::view::compile;

/// Why a registry password is rejected that was good once: only its bearer, who had it from here, is told.
pub const PASSWORD_EXPIRED: &str = "the registry password has expired";

/// How many sessions' policies are kept compiled.
pub(super) const SESSIONS: usize = 4096;

/// How many signing keys are kept.
pub(super) const SIGNING_KEYS: usize = 4096;

/// Signs for keys that nobody has, so that finding out takes as long as with keys that somebody has.
const NOBODYS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a signature proves nobody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unproven {
    /// The session is over.
    Expired,
    /// The signature is another's, or for another request.
    Signature(Problem),
    /// There is no such key or session, or it may not be used; the text is for the log.
    Unknown(&'static str),
}

/// Whom a claim names. Nothing is proven yet.
#[derive(Debug)]
pub struct Claimant {
    secret: Secret<String>,
    who: Result<Arc<Caller>, Unproven>,
    earliest: Instant,
}

impl Claimant {
    /// Who it would be. For what is decided before bodies are read, and never for more.
    #[must_use]
    pub fn would_be(&self) -> Option<&Arc<Caller>> {
        self.who.as_ref().ok()
    }
}

/// A session's policies, compiled, and what they were compiled of.
#[derive(Debug)]
pub(super) struct Compiled {
    session: Session,
    base: Arc<Bundle>,
    in_force: Vec<Arc<CompiledPolicy>>,
    bundle: Arc<Bundle>,
}

/// Sessions that were used lately.
pub(super) type Sessions = Cache<SessionKeyId, Arc<Compiled>>;

type Proven = Result<Result<Arc<Caller>, Unproven>, Fault>;

impl Authenticator {
    /// Whom a claim names.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn claimant(&self, claim: &Claim, origin: &Origin) -> Result<Claimant, Fault> {
        let earliest = Instant::now() + REJECTION;
        let found = match (AccessKeyId::parse(claim.key_id()), claim.token()) {
            (Ok(id), None) => self.key_holder(&id, origin).await?,
            (Ok(_), Some(_)) => Err(Unproven::Unknown("a session token with a long-term key")),
            (Err(_), Some(token)) => self.session_holder(claim.key_id(), token, origin).await?,
            (Err(_), None) => Err(Unproven::Unknown("no such access key")),
        };
        let (secret, who) = match found {
            Ok((secret, caller)) => (secret.secret().clone(), Ok(caller)),
            Err(because) => (Secret::from(NOBODYS), Err(because)),
        };
        Ok(Claimant { secret, who, earliest })
    }

    /// Proves the claimant by its signature. Whatever is wrong, it takes no less time than `REJECTION`.
    ///
    /// # Errors
    /// [`Unproven`]
    pub async fn signed(
        &self,
        claimant: Claimant,
        claim: &Claim,
        received: &Received<'_>,
        body: &[u8],
    ) -> Result<Arc<Caller>, Unproven> {
        let key = self.signing_keys.key(claim, &claimant.secret);
        let fits = claim.verify(&key, received, body, Paths::Normalised);
        let outcome = match (claimant.who, fits) {
            (Ok(caller), Ok(())) => {
                self.signing_keys.keep(claim, &claimant.secret, &key);
                return Ok(caller);
            }
            (Ok(_), Err(problem)) => Unproven::Signature(problem),
            (Err(because), _) => because,
        };
        sleep_until(claimant.earliest).await;
        Err(outcome)
    }

    async fn key_holder(
        &self,
        id: &AccessKeyId,
        origin: &Origin,
    ) -> Result<Result<(AccessSecret, Arc<Caller>), Unproven>, Fault> {
        let Some(state) = self.view.access_key(id).await? else {
            return Ok(Err(Unproven::Unknown("no such access key")));
        };
        let secret = self.sealer.secret(id, &state.sealed);
        let unreadable = || Fault::Internal(format!("the master key does not open the secret of {id}"));
        let secret = secret.ok_or_else(unreadable)?;
        let caller = self.key_bearer_of(&state.owner, id.clone(), None, origin).await?;
        Ok(caller.map(|caller| (secret, caller)))
    }

    async fn session_holder(
        &self,
        key_id: &str,
        token: &Secret<String>,
        origin: &Origin,
    ) -> Result<Result<(AccessSecret, Arc<Caller>), Unproven>, Fault> {
        let Some(temporary) = self.sealer.session(token.expose()) else {
            return Ok(Err(Unproven::Unknown("the session token is malformed or forged")));
        };
        if temporary.session.id.as_str() != key_id {
            return Ok(Err(Unproven::Unknown("the session token is of another access key")));
        }
        let secret = temporary.secret.clone();
        let caller = self.session_bearer(Arc::new(temporary), origin).await?;
        Ok(caller.map(|caller| (secret, caller)))
    }

    /// Reads a credential as our own tokens name it.
    pub(super) fn credential(&self, text: &str) -> Option<Credential> {
        if let Ok(id) = ApiKeyId::parse(text) {
            return Some(Credential::ApiKey(id));
        }
        if let Ok(id) = AccessKeyId::parse(text) {
            return Some(Credential::AccessKey(id));
        }
        if let Some(sealed) = self.sealer.voucher(text) {
            return Some(Credential::Vouched(Arc::new(sealed)));
        }
        if let Some(certificate) = Credential::certificate(text) {
            return Some(certificate);
        }
        self.sealer.session(text).map(|temporary| Credential::Session(Arc::new(temporary)))
    }

    /// The bearer of a password that `ecr:GetAuthorizationToken` gave.
    pub(super) async fn registry_password(
        &self,
        password: &Secret<String>,
        origin: &Origin,
    ) -> Result<Authenticated<Arc<Caller>>, Fault> {
        let Some(password) = self.sealer.registry_password(password.expose()) else {
            return Ok(Authenticated::Rejected("no registry password of ours"));
        };
        if password.expires_at <= self.clock.now() {
            return Ok(Authenticated::Rejected(PASSWORD_EXPIRED));
        }
        let Some(credential) = self.credential(password.credential.expose()) else {
            return Ok(Authenticated::Rejected("the registry password is of no credential"));
        };
        self.caller(&password.principal, &credential, Some(password.issued_at), origin).await
    }

    /// The holder of an access key as of now, if the key may be used.
    pub(super) async fn key_bearer_of(
        &self,
        principal: &PrincipalId,
        id: AccessKeyId,
        issued_at: Option<UnixTime>,
        origin: &Origin,
    ) -> Proven {
        let state = self.view.access_key(&id).await?;
        if !state.is_some_and(|state| state.active && state.owner == *principal) {
            return Ok(Err(Unproven::Unknown("the access key is inactive or deleted")));
        }
        let Some(bundle) =
            self.view.principal_at(principal, self.clock.now()).await?.filter(|bundle| bundle.active)
        else {
            return Ok(Err(Unproven::Unknown("the owner of the access key is disabled or deleted")));
        };
        Ok(self.as_of_now(bundle, Credential::AccessKey(id), issued_at, origin))
    }

    /// The bearer of a session as of now, if what it stands for is still there.
    pub(super) async fn session_bearer(&self, temporary: Arc<Temporary>, origin: &Origin) -> Proven {
        let session = &temporary.session;
        if session.account != self.account {
            return Ok(Err(Unproven::Unknown("the session is of another account")));
        }
        if session.expires_at <= self.clock.now() {
            return Ok(Err(Unproven::Expired));
        }
        let Some(base) =
            self.view.principal_at(&session.principal, self.clock.now()).await?.filter(|base| base.active)
        else {
            return Ok(Err(Unproven::Unknown("whom the session stands for is disabled or deleted")));
        };
        if let Some(key) = &session.made_with {
            let state = self.view.access_key(key).await?;
            if !state.is_some_and(|state| state.active && state.owner == session.principal) {
                return Ok(Err(Unproven::Unknown(
                    "the access key that the session was made with is inactive",
                )));
            }
        }
        let Some(bundle) = self.in_session(session, base).await? else {
            return Ok(Err(Unproven::Unknown("a policy that limits the session is gone")));
        };
        let behind = match &session.taken_on_by {
            None => None,
            Some(who) => {
                let who = self.view.principal_at(who, self.clock.now()).await?.filter(|who| who.active);
                let Some(who) = who else {
                    return Ok(Err(Unproven::Unknown(
                        "whoever has taken on the role is disabled or deleted",
                    )));
                };
                Some((who, None))
            }
        };
        let issued_at = Some(session.issued_at);
        let caller = self.as_of_now(bundle, Credential::Session(temporary), issued_at, origin);
        Ok(caller.map(|caller| Arc::new(Caller { behind, ..Arc::unwrap_or_clone(caller) })))
    }

    /// The session's own bundle; `None` if a policy that limits it is gone.
    async fn in_session(&self, session: &Session, base: Arc<Bundle>) -> Result<Option<Arc<Bundle>>, Fault> {
        let mut in_force = Vec::new();
        for limit in session.limits.iter().flatten() {
            if let Limit::Customer(id) = limit {
                let Some(policy) = self.view.policy_in_force(id).await? else { return Ok(None) };
                in_force.push(policy);
            }
        }
        let known = self.sessions.get(&session.id).filter(|known| {
            let mut pairs = known.in_force.iter().zip(&in_force);
            known.session == *session
                && Arc::ptr_eq(&known.base, &base)
                && pairs.all(|(one, other)| Arc::ptr_eq(one, other))
        });
        if let Some(known) = known {
            return Ok(Some(Arc::clone(&known.bundle)));
        }
        let Some(limits) = limits(session, &in_force)? else { return Ok(None) };
        let Some(who) = who(session, &base) else { return Ok(None) };
        let bundle = Arc::new(base.in_session(who, limits, &session.tags));
        let (session, id) = (session.clone(), session.id.clone());
        let compiled = Compiled { session, base, in_force, bundle: Arc::clone(&bundle) };
        self.sessions.insert(id, Arc::new(compiled));
        Ok(Some(bundle))
    }
}

/// The policies that limit a session; the outer `None` if one of them is none of ours any more.
fn limits(
    session: &Session,
    in_force: &[Arc<CompiledPolicy>],
) -> Result<Option<Option<Vec<Arc<CompiledPolicy>>>>, Fault> {
    let Some(given) = &session.limits else { return Ok(Some(None)) };
    let mut compiled = in_force.to_vec();
    for limit in given {
        match limit {
            Limit::Aws(arn) => {
                let Some(policy) = compile::managed_named(arn) else { return Ok(None) };
                compiled.push(policy);
            }
            Limit::Customer(_) => {}
            Limit::Inline(text) => {
                let policy = compile::session(text).map_err(|error| Fault::Internal(error.to_string()))?;
                compiled.push(policy);
            }
        }
    }
    Ok(Some(Some(compiled)))
}

/// Who acts in a session, and what people call them; `None` if the principal has no such sessions.
fn who(session: &Session, base: &Bundle) -> Option<(Who, String)> {
    let account = session.account.clone();
    match (&session.kind, base.rights.caller()) {
        (Kind::Role(name), Who::RoleSession { id, role, session: stem, .. }) => {
            let (id, role, session) = (id.clone(), role.clone(), format!("{stem}{name}").into());
            Some((Who::RoleSession { account, id, role, session }, format!("{}/{name}", base.name)))
        }
        (Kind::Federated(name), Who::User { .. }) => {
            let arn = format!("arn:aws:sts::{account}:federated-user/{name}").into();
            Some((Who::FederatedUser { account, arn }, name.clone()))
        }
        (Kind::User, user @ Who::User { .. }) => Some((user.clone(), base.name.clone())),
        (Kind::Federated(_) | Kind::Role(_) | Kind::User, _) => None,
    }
}
