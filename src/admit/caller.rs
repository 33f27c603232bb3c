//! A principal that has been proven by a credential, as of now.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::web_identity::WebIdentity;
use http::HeaderMap;
use http::header::{HeaderName, REFERER, USER_AGENT};

use crate::client::address::ClientAddr;
use crate::client::certificate::Fingerprint;
use crate::clock::UnixTime;
use crate::credential::session::{Session, Temporary};
use crate::credential::voucher::SealedVoucher;
use crate::ids::account::AccountId;
use crate::ids::aws::AccessKeyId;
use crate::ids::cbr::RuleId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::network::allow_list::Allowed;
use crate::network::endpoint::Endpoint;
use crate::view::bundle::Bundle;

/// Who is asking, proven on this very request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// What proved the principal, directly or through a token.
    pub credential: Credential,
    /// What the principal is and may do, as of now.
    pub bundle: Arc<Bundle>,
    /// Who has taken on the principal, if it was one: of trusted profiles, with which key; of sessions of roles.
    pub behind: Option<(Arc<Bundle>, Option<ApiKeyId>)>,
    /// From where.
    pub from: ClientAddr,
    /// Our end of the connection.
    pub local: IpAddr,
    /// Over which network.
    pub endpoint: Endpoint,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// When the token was issued that proved the principal, if it was one.
    pub issued_at: Option<UnixTime>,
    /// Which rules in report mode would have refused what this request has asked for so far.
    pub reported: Reported,
    /// What a call of a management API says of its client; calls of the registry say it themselves.
    pub said: Said,
}

/// What is noted while a request is answered, and read when it is put on record.
#[derive(Clone, Debug, Default)]
pub struct Reported(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    /// Context-based restrictions in report mode.
    rules: Vec<RuleId>,
    /// Configuration rules that the change breaks, in words.
    broken: Vec<String>,
}

impl Reported {
    /// Notes rules, each once.
    pub(super) fn note(&self, rules: Vec<RuleId>) {
        if rules.is_empty() {
            return;
        }
        let noted = &mut self.lock().rules;
        for rule in rules {
            if !noted.contains(&rule) {
                noted.push(rule);
            }
        }
    }

    /// Notes a configuration rule that the change breaks and that lets it through.
    pub fn breaks(&self, rule: String) {
        self.lock().broken.push(rule);
    }

    /// All restrictions in report mode that were noted.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleId> {
        self.lock().rules.clone()
    }

    /// All configuration rules that were noted.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        self.lock().broken.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the head of a call says of its client, which nobody proves.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// `User-Agent`.
    pub user_agent: Option<Box<str>>,
    /// `Referer`.
    pub referer: Option<Box<str>>,
}

impl Said {
    /// What these headers say, cut to what is compared.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            let text = headers.get(name)?.to_str().ok()?;
            // Header values that are text are ASCII.
            text.get(..text.len().min(super::context::HEADER_MAX)).map(Box::from)
        };
        Self { user_agent: text(USER_AGENT), referer: text(REFERER) }
    }
}

/// What proves principals. Each is looked up again on every use.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An access key.
    AccessKey(AccessKeyId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// The certificate that the connection was made with. It is its holder's only there, also by way of a token.
    Certificate(Fingerprint),
    /// Temporary credentials.
    Session(Arc<Temporary>),
    /// What a trusted profile was taken on with, or what an identity provider said of a person.
    Vouched(Arc<SealedVoucher>),
    /// A token of an identity provider; for one call.
    WebIdentity(Arc<WebIdentity>),
}

/// How the text of a certificate begins, where our own tokens name it.
const CERTIFICATE: &str = "Certificate-";

impl Credential {
    /// Reads back what [`Credential::text`] writes of a certificate.
    pub(super) fn certificate(text: &str) -> Option<Self> {
        Fingerprint::parse(text.strip_prefix(CERTIFICATE)?).map(Self::Certificate)
    }

    /// What kind it is, as the condition key `registry:CredentialType` says it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccessKey(_) => "AccessKey",
            Self::ApiKey(_) => "ApiKey",
            Self::Certificate(_) => "Certificate",
            Self::Session(_) => "Session",
            Self::Vouched(_) => "Voucher",
            Self::WebIdentity(_) => "WebIdentity",
        }
    }

    /// The API key, if it is one.
    #[must_use]
    pub const fn api_key(&self) -> Option<&ApiKeyId> {
        match self {
            Self::ApiKey(id) => Some(id),
            Self::AccessKey(_)
            | Self::Certificate(_)
            | Self::Session(_)
            | Self::Vouched(_)
            | Self::WebIdentity(_) => None,
        }
    }

    /// Whether it is one of AWS's dialect, whose bearer reads AWS's words.
    #[must_use]
    pub const fn is_awss(&self) -> bool {
        match self {
            Self::AccessKey(_) | Self::Session(_) | Self::WebIdentity(_) => true,
            Self::ApiKey(_) | Self::Certificate(_) | Self::Vouched(_) => false,
        }
    }

    /// The session, if it is one.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Session(temporary) => Some(&temporary.session),
            Self::AccessKey(_)
            | Self::ApiKey(_)
            | Self::Certificate(_)
            | Self::Vouched(_)
            | Self::WebIdentity(_) => None,
        }
    }

    /// As our own tokens name it: the id, or of a session its token, which is no secret without the key in
    /// it, or what was sealed.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::AccessKey(id) => id.to_string(),
            Self::ApiKey(id) => id.to_string(),
            Self::Certificate(id) => format!("{CERTIFICATE}{}", id.as_str()),
            Self::Session(temporary) => temporary.token.expose().clone(),
            // It begins a session and nothing else, so nothing of ours names it.
            Self::WebIdentity(_) => String::new(),
            Self::Vouched(sealed) => sealed.text.expose().clone(),
        }
    }
}

impl Caller {
    /// The same, with what the call says of its client.
    #[must_use]
    pub fn saying(self: Arc<Self>, headers: &HeaderMap) -> Arc<Self> {
        Arc::new(Self { said: Said::of(headers), ..Arc::unwrap_or_clone(self) })
    }

    /// The principal.
    #[must_use]
    pub fn principal(&self) -> &PrincipalId {
        &self.bundle.principal
    }

    /// What people call the principal: an e-mail address, the service ID's name, or `ROLE/SESSION`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.bundle.name
    }

    /// The lists of the principal and of its API key, where they have one. A trusted profile has none: whoever has taken it
    /// on comes with theirs.
    #[must_use]
    pub fn lists(&self) -> (Option<&Allowed>, Option<&Allowed>) {
        match &self.behind {
            Some((behind, key)) => {
                (behind.allowed.as_ref(), key.as_ref().and_then(|key| behind.allowed_of(key)))
            }
            None => {
                let key = self.credential.api_key();
                (self.bundle.allowed.as_ref(), key.and_then(|key| self.bundle.allowed_of(key)))
            }
        }
    }
}
