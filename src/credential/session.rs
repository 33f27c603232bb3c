//! Temporary credentials: everything about a session is in its token, sealed, so that every replica that has the master key can
//! open what another made, and none keeps any.
//!
//! A token proves what was true when it was made. Who it stands for is looked up again on every use.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::access_key::AccessSecret;
use super::seal::MasterKey;
use crate::clock::{Entropy, UnixTime};
use crate::ids::account::AccountId;
use crate::ids::aws::{AccessKeyId, ManagedPolicyId, SessionKeyId};
use crate::ids::principal::PrincipalId;
use crate::secret::Secret;

/// The longest token that is opened.
const TOKEN_MAX: usize = 16 * 1024;

/// How much of a session is its own: policies, tags, names. AWS's limit is unpublished; this is ours.
pub const PACKED_MAX: usize = 8 * 1024;

const TOKEN: &str = "session-token";
const PASSWORD: &str = "registry-password";

/// What a session is of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub enum Kind {
    /// `GetFederationToken`: under a name of its own.
    Federated(String),
    /// `AssumeRole` and its kin: under the session's name.
    Role(String),
    /// `GetSessionToken`: the user itself.
    User,
}

/// A policy that limits a session.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub enum Limit {
    /// One of AWS's, by its ARN.
    Aws(String),
    /// A customer managed policy, as it is in force.
    Customer(ManagedPolicyId),
    /// A document of the session's own.
    Inline(String),
}

/// What a session was made with.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The account.
    pub account: AccountId,
    /// Its access key.
    pub id: SessionKeyId,
    /// Whom it stands for: a role, or the user that asked for it.
    pub principal: PrincipalId,
    /// What it is of.
    pub kind: Kind,
    /// The access key that it was made with, if it ends with that key's: of users' sessions.
    pub made_with: Option<AccessKeyId>,
    /// Who has taken on the role, through whatever roles in between; `None` for a web identity, and for sessions of users. Their
    /// lists bind it, and it ends with them.
    pub taken_on_by: Option<PrincipalId>,
    /// Policies that limit it; `None` for no limit, which an empty list is not.
    pub limits: Option<Vec<Limit>>,
    /// Tags that it was given.
    pub tags: Vec<(String, String)>,
    /// Those of them that go on to the next role.
    pub transitive: Vec<String>,
    /// Who is really behind it.
    pub source_identity: Option<String>,
    /// Condition keys that it keeps, such as what a web identity's token said.
    pub context: Vec<(String, String)>,
    /// When it was made.
    pub issued_at: UnixTime,
    /// When it is over.
    pub expires_at: UnixTime,
}

/// A session, its secret, and the token that holds both.
#[derive(Clone, Debug)]
pub struct Temporary {
    /// What it was made with.
    pub session: Session,
    /// Signs requests.
    pub secret: AccessSecret,
    /// The token.
    pub token: Secret<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Sealed<T> {
    of: T,
    secret: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Password {
    principal: PrincipalId,
    credential: String,
    issued_at: UnixTime,
    expires_at: UnixTime,
}

/// A registry password: whom it stands for, by which credential.
#[derive(Clone, Debug)]
pub struct RegistryPassword {
    /// Whom.
    pub principal: PrincipalId,
    /// The credential that it was got with, as text.
    pub credential: Secret<String>,
    /// When it was made.
    pub issued_at: UnixTime,
    /// When it is over.
    pub expires_at: UnixTime,
}

/// Seals and opens tokens.
#[derive(Clone, Debug)]
pub struct Sealer(Arc<MasterKey>);

impl Sealer {
    /// With the master key, which all replicas share.
    #[must_use]
    pub const fn new(master: Arc<MasterKey>) -> Self {
        Self(master)
    }

    /// The secret of an access key, as it is kept.
    #[must_use]
    pub fn secret(&self, id: &AccessKeyId, sealed: &[u8]) -> Option<AccessSecret> {
        AccessSecret::opened(id, sealed, &self.0)
    }

    /// Begins a session with a fresh secret.
    #[must_use]
    pub fn begin(&self, session: Session, entropy: &dyn Entropy) -> Temporary {
        let secret = AccessSecret::fresh(entropy);
        let sealed = Sealed { of: session, secret: secret.expose().to_owned() };
        let token = Secret::new(self.seal(TOKEN, &sealed, entropy));
        Temporary { session: sealed.of, secret, token }
    }

    /// Opens a session's token; `None` for anything that was not sealed here.
    #[must_use]
    pub fn session(&self, token: &str) -> Option<Temporary> {
        let sealed: Sealed<Session> = self.open(TOKEN, token)?;
        let secret = AccessSecret::parse(&sealed.secret)?;
        Some(Temporary { session: sealed.of, secret, token: Secret::from(token) })
    }

    /// A password for the registry: no colon, and short enough for every credential helper.
    #[must_use]
    pub fn password(&self, password: &RegistryPassword, entropy: &dyn Entropy) -> Secret<String> {
        let RegistryPassword { principal, credential, issued_at, expires_at } = password.clone();
        let credential = credential.expose().clone();
        Secret::new(self.seal(PASSWORD, &Password { principal, credential, issued_at, expires_at }, entropy))
    }

    /// Opens a password for the registry; `None` for anything that was not sealed here.
    #[must_use]
    pub fn registry_password(&self, text: &str) -> Option<RegistryPassword> {
        let Password { principal, credential, issued_at, expires_at } = self.open(PASSWORD, text)?;
        let credential = Secret::new(credential);
        Some(RegistryPassword { principal, credential, issued_at, expires_at })
    }

    pub(super) fn seal<T: Serialize>(&self, purpose: &str, what: &T, entropy: &dyn Entropy) -> String {
        // Texts and numbers always serialise; an empty text would open as nothing.
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(what).unwrap_or_default());
        BASE64URL_NOPAD.encode(&self.0.seal(purpose, &plain, entropy))
    }

    pub(super) fn open<T: serde::de::DeserializeOwned>(&self, purpose: &str, text: &str) -> Option<T> {
        if text.len() > TOKEN_MAX {
            return None;
        }
        let sealed = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        serde_json::from_slice(self.0.open(purpose, &sealed)?.expose()).ok()
    }
}

impl Session {
    /// How much of [`PACKED_MAX`] it takes, in percent, rounded up.
    #[must_use]
    pub fn packed(&self) -> usize {
        let limit = |limit: &Limit| match limit {
            Limit::Aws(text) | Limit::Inline(text) => text.len(),
            Limit::Customer(id) => id.as_str().len(),
        };
        let pairs = self.tags.iter().chain(&self.context).map(|(key, value)| key.len() + value.len());
        let limits = self.limits.iter().flatten().map(limit).sum::<usize>();
        let size = limits + pairs.sum::<usize>() + self.transitive.iter().map(String::len).sum::<usize>();
        (size * 100).div_ceil(PACKED_MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Kind, Limit, RegistryPassword, Sealer, Session};
    use crate::clock::{SequenceEntropy, UnixTime};
    use crate::credential::seal::MasterKey;
    use crate::ids::account::AccountId;
    use crate::ids::aws::{RoleId, SessionKeyId};
    use crate::ids::principal::PrincipalId;
    use crate::secret::Secret;

    fn session(limits: Option<Vec<Limit>>) -> Session {
        let (entropy, account) = (SequenceEntropy::seeded(3), AccountId::parse("123456789012").unwrap());
        Session {
            id: SessionKeyId::fresh(&account, &entropy),
            principal: PrincipalId::Role(RoleId::fresh(&account, &entropy)),
            account,
            kind: Kind::Role("build-7".to_owned()),
            made_with: None,
            taken_on_by: None,
            limits,
            tags: vec![("team".to_owned(), "a".to_owned())],
            transitive: Vec::new(),
            source_identity: Some("ada".to_owned()),
            context: Vec::new(),
            issued_at: UnixTime::from_seconds(1000),
            expires_at: UnixTime::from_seconds(4600),
        }
    }

    fn sealer(seed: u64) -> Sealer {
        Sealer::new(Arc::new(MasterKey::fresh(&SequenceEntropy::seeded(seed))))
    }

    #[test]
    fn what_one_replica_seals_another_opens_and_nobody_else() {
        let entropy = SequenceEntropy::seeded(1);
        let begun = sealer(1).begin(session(Some(Vec::new())), &entropy);
        let opened = sealer(1).session(begun.token.expose()).unwrap();
        assert_eq!(opened.session, begun.session);
        assert_eq!(opened.secret, begun.secret);
        assert!(sealer(2).session(begun.token.expose()).is_none());
        let mut forged = begun.token.expose().clone();
        let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
        forged.push(last);
        assert!(sealer(1).session(&forged).is_none());
        assert!(!format!("{begun:?}").contains(begun.secret.expose()));
        assert!(!format!("{begun:?}").contains(begun.token.expose()));
    }

    #[test]
    fn a_token_is_no_password_and_a_password_no_token() {
        let entropy = SequenceEntropy::seeded(1);
        let begun = sealer(1).begin(session(None), &entropy);
        let password = RegistryPassword {
            principal: begun.session.principal.clone(),
            credential: begun.token.clone(),
            issued_at: UnixTime::from_seconds(1000),
            expires_at: UnixTime::from_seconds(4600),
        };
        let text = sealer(1).password(&password, &entropy);
        assert!(sealer(1).session(text.expose()).is_none());
        assert!(sealer(1).registry_password(begun.token.expose()).is_none());
        let opened = sealer(1).registry_password(text.expose()).unwrap();
        assert_eq!(opened.credential, Secret::clone(&begun.token));
        assert!(text.expose().len() < 2_560 && !text.expose().contains(':'), "{}", text.expose().len());
    }

    #[test]
    fn what_a_session_carries_is_measured() {
        assert_eq!(session(None).packed(), 1);
        assert_eq!(session(Some(vec![Limit::Inline("x".repeat(8192))])).packed(), 101);
    }
}
