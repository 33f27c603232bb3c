//! The one description of a finished request that log, metrics and audit are written from.
//!
//! Everything that becomes a metric label is a closed enum; text that a client chose is kept apart and never a label.

use std::sync::Arc;
use std::time::Duration;

use crate::client::address::ClientAddr;
use crate::client::certificate::{ClientCertificate, Fingerprint};
use crate::clock::UnixTime;
use crate::ids::aws::{AccessKeyId, SessionKeyId};
use crate::ids::cbr::RuleId;
use crate::ids::host::HostName;
use crate::ids::issuer::Issuer;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::ApiKeyId;
use crate::network::endpoint::Endpoint;
use crate::policy::reason::Reason;
use crate::registry::operation::{Operation, OperationKind, UploadStart};

/// The longest text of a client's that is kept of one field.
const TEXT_MAX: usize = 256;

/// Declares a closed set of label values: the variants, all of them, and their names in metrics, logs and audit.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in metrics, logs and audit events.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }
    };
}
pub(super) use labels;

labels! {
    /// How a request ended, as seen by the gate.
    Verdict {
        /// It was permitted and answered.
        Allowed = "allowed",
        /// The caller is proven and may not.
        Denied = "denied",
        /// Credentials are needed, or the token is not good any more.
        Challenged = "challenged",
        /// A key, password or refresh token was presented for exchange and refused.
        CredentialsRejected = "credentials_rejected",
        /// Permitted only because the registry is policy-free: policies would have refused it.
        WouldDeny = "would_deny",
        /// The request is wrong in itself.
        Malformed = "malformed",
        /// The host is not served here.
        Misdirected = "misdirected",
        /// Too many requests, or too many failed ones.
        Limited = "limited",
        /// Our fault or the upstream's.
        Faulted = "faulted",
        /// The client or the upstream went away before the answer was complete.
        Aborted = "aborted",
    }
}

labels! {
    /// How a token was asked for.
    TokenGrant {
        /// `GET /oauth/token` with Basic credentials, or anonymously.
        DockerGet = "docker_get",
        /// `POST /oauth/token` with `grant_type=password`.
        DockerPassword = "docker_password",
        /// `POST /oauth/token` with `grant_type=refresh_token`.
        DockerRefresh = "docker_refresh",
        /// `POST /identity/token` with an API key.
        IdentityApikey = "identity_apikey",
        /// `POST /identity/token` for a trusted profile, with another token.
        IdentityAssume = "identity_assume",
        /// `POST /identity/token` for a trusted profile, with a compute resource's token.
        IdentityCompute = "identity_compute",
        /// `POST /identity/token` with an identity provider's token.
        IdentityFederated = "identity_federated",
        /// `POST /identity/token` with a refresh token.
        IdentityRefresh = "identity_refresh",
    }
}

/// What was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum What {
    /// A call of the registry API.
    Registry(RegistryCall),
    /// A token.
    Token(TokenGrant),
    /// A call of the management API.
    Control(ControlCall),
    /// Health or metrics: never audited.
    Probe,
    /// A path, host or request that leads nowhere.
    Unroutable,
}

/// A registry call, as text for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegistryCall {
    /// The kind of call.
    pub kind: OperationKind,
    /// The configured name of the registry.
    pub host: HostName,
    /// The registry's region.
    pub region: Region,
    /// The repository, if the call is about one.
    pub repository: Option<String>,
    /// The tag or digest, if the call names one.
    pub reference: Option<String>,
}

impl RegistryCall {
    /// Describes `operation` on the registry `host`.
    #[must_use]
    pub fn new(operation: &Operation, host: &HostName, region: &Region) -> Self {
        Self {
            kind: operation.kind(),
            host: host.clone(),
            region: region.clone(),
            repository: operation.repository().map(ToString::to_string),
            reference: reference(operation),
        }
    }
}

fn reference(operation: &Operation) -> Option<String> {
    match operation {
        Operation::Catalog { .. }
        | Operation::Ping
        | Operation::TagList { .. }
        | Operation::UploadCancel(_)
        | Operation::UploadChunk { .. }
        | Operation::UploadStatus(_)
        | Operation::UploadStart { start: UploadStart::Session, .. } => None,
        Operation::ManifestDelete { reference, .. }
        | Operation::ManifestRead { reference, .. }
        | Operation::ManifestWrite { reference, .. } => Some(reference.as_str().to_owned()),
        Operation::BlobDelete { digest, .. }
        | Operation::BlobRead { digest, .. }
        | Operation::Referrers { subject: digest, .. }
        | Operation::UploadFinish { digest, .. }
        | Operation::UploadStart {
            start: UploadStart::Mount { digest, .. } | UploadStart::Monolithic { digest },
            ..
        } => Some(digest.as_str().to_owned()),
    }
}

/// A management call. What is `'static` comes from the route table, never from the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ControlCall {
    /// The method of the route.
    pub method: &'static str,
    /// The route's template, for example `/v1/serviceids/{id}`.
    pub route: &'static str,
    /// What audit events call it.
    pub activity: &'static str,
    /// The action that policies were asked for.
    pub action: Option<&'static str>,
    /// What it was done to: an id, a name, or nothing.
    pub target: String,
}

/// A proven principal, as text for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Who {
    /// The principal.
    pub principal: PrincipalId,
    /// What people call it.
    pub name: String,
    /// What proved it.
    pub credential: Option<Proof>,
}

/// What proved a principal, by its public id.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Proof {
    /// An access key.
    AccessKey(AccessKeyId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// A compute resource, by the namespace and name of its service account.
    Compute(String),
    /// An identity provider's realm.
    Realm(String),
    /// A client certificate.
    Certificate(Fingerprint),
    /// A session.
    Session(SessionKeyId),
    /// A token of this issuer for this subject.
    WebIdentity(Issuer, String),
}

impl Proof {
    /// Whether it is a key that one of ours holds.
    #[must_use]
    pub const fn is_key(&self) -> bool {
        match self {
            Self::AccessKey(_) | Self::ApiKey(_) => true,
            Self::Certificate(_)
            | Self::Compute(_)
            | Self::Realm(_)
            | Self::Session(_)
            | Self::WebIdentity(..) => false,
        }
    }
}

/// One request that was decided or refused, and its end. Made in one place, after the last byte of the answer. It goes
/// through many hands, so it is boxed from the beginning.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The id in the response, the log and the audit event.
    pub request_id: String,
    /// When it came in.
    pub started: UnixTime,
    /// How long it took, measured on a monotonic clock.
    pub duration: Duration,
    /// The network that it came in by.
    pub endpoint: Endpoint,
    /// From where.
    pub from: ClientAddr,
    /// The certificate of the connection's client, which in front of us may be a proxy.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// The client's own name for itself, cut to a length.
    pub user_agent: Option<String>,
    /// What was asked for.
    pub what: What,
    /// Who asked, if proven.
    pub who: Option<Who>,
    /// How it ended.
    pub decision: Verdict,
    /// What decided: ids of policies and names of roles, or what kept it out for where it came from.
    pub because: Vec<String>,
    /// Ids of context-based restrictions in report mode that would have refused it.
    pub would_refuse: Vec<String>,
    /// Configuration rules that the change breaks and that let it through.
    pub breaks: Vec<String>,
    /// The internal text of a refusal or fault: for the log and the audit event, never for the caller.
    pub log_message: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
    /// The digest of what was moved, once known.
    pub digest: Option<String>,
    /// Whether a mount became a plain upload because a right on its source was missing.
    pub mount_downgraded: bool,
}

impl Finished {
    /// A request of which only this is known yet: nobody is proven, nothing was moved, and it ended in `decision`.
    #[must_use]
    pub fn new(
        request_id: impl Into<String>,
        started: UnixTime,
        from: ClientAddr,
        endpoint: Endpoint,
        what: What,
    ) -> Box<Self> {
        Box::new(Self {
            request_id: request_id.into(),
            started,
            duration: Duration::ZERO,
            endpoint,
            from,
            certificate: None,
            user_agent: None,
            what,
            who: None,
            decision: Verdict::Aborted,
            because: Vec::new(),
            would_refuse: Vec::new(),
            breaks: Vec::new(),
            log_message: None,
            status: 499,
            bytes_in: 0,
            bytes_out: 0,
            digest: None,
            mount_downgraded: false,
        })
    }

    /// How it ended, and with which status.
    #[must_use]
    pub fn ended(mut self: Box<Self>, decision: Verdict, status: u16, duration: Duration) -> Box<Self> {
        self.decision = decision;
        self.status = status;
        self.duration = duration;
        self
    }

    /// Who asked.
    #[must_use]
    pub fn by(mut self: Box<Self>, who: Option<Who>) -> Box<Self> {
        self.who = who;
        self
    }

    /// The policy and the roles that decided.
    #[must_use]
    pub fn decided_by(mut self: Box<Self>, reason: &Reason) -> Box<Self> {
        self.because.push(reason.policy.clone());
        self.because.extend(reason.statement.clone());
        self.because.extend(reason.roles.iter().cloned());
        self
    }

    /// What kept it out for where it came from: a list, a rule or a setting.
    #[must_use]
    pub fn kept_out_by(mut self: Box<Self>, barrier: String) -> Box<Self> {
        self.because.push(barrier);
        self
    }

    /// The rules in report mode that would have kept it out.
    #[must_use]
    pub fn reported_by(mut self: Box<Self>, rules: &[RuleId]) -> Box<Self> {
        self.would_refuse.extend(rules.iter().map(ToString::to_string));
        self
    }

    /// What would have been refused, were findings not only reported.
    #[must_use]
    pub fn reported_for(mut self: Box<Self>, known: Option<&String>) -> Box<Self> {
        self.would_refuse.extend(known.cloned());
        self
    }

    /// The configuration rules that the change breaks.
    #[must_use]
    pub fn breaking(mut self: Box<Self>, rules: Vec<String>) -> Box<Self> {
        self.breaks = rules;
        self
    }

    /// What the log reads and the caller does not.
    #[must_use]
    pub fn saying(mut self: Box<Self>, log_message: impl std::fmt::Display) -> Box<Self> {
        self.log_message = Some(log_message.to_string());
        self
    }

    /// The client's `User-Agent`, cut to a length.
    #[must_use]
    pub fn agent(mut self: Box<Self>, text: Option<&str>) -> Box<Self> {
        self.user_agent = text.map(|text| cut(text).to_owned());
        self
    }

    /// The certificate that the client showed.
    #[must_use]
    pub fn shown(mut self: Box<Self>, certificate: Option<Arc<ClientCertificate>>) -> Box<Self> {
        self.certificate = certificate;
        self
    }

    /// How many bytes were moved, from and to the client.
    #[must_use]
    pub fn moved(mut self: Box<Self>, bytes_in: u64, bytes_out: u64) -> Box<Self> {
        self.bytes_in = bytes_in;
        self.bytes_out = bytes_out;
        self
    }
}

/// The beginning of a text, at most [`TEXT_MAX`] characters.
fn cut(text: &str) -> &str {
    let end = if text.len() > TEXT_MAX { text.char_indices().nth(TEXT_MAX) } else { None };
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

impl What {
    /// The `operation` label: one of 22 names, whatever clients send.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Registry(call) => call.kind.label(),
            Self::Token(grant) => grant.label(),
            Self::Control(_) => "control",
            Self::Probe => "probe",
            Self::Unroutable => "unroutable",
        }
    }

    /// The position of [`What::label`] among all labels; below [`What::LABELS`].
    pub(super) const fn index(&self) -> usize {
        let kinds = OperationKind::ALL.len();
        let grants = TokenGrant::ALL.len();
        match self {
            Self::Registry(call) => call.kind as usize,
            Self::Token(grant) => kinds + *grant as usize,
            Self::Control(_) => kinds + grants,
            Self::Probe => kinds + grants + 1,
            Self::Unroutable => kinds + grants + 2,
        }
    }

    /// How many labels there are.
    pub(super) const LABELS: usize = OperationKind::ALL.len() + TokenGrant::ALL.len() + 3;
}

#[cfg(test)]
pub(super) mod samples {
    //! Events for the tests of this folder.

    use std::time::Duration;

    use super::{ControlCall, Finished, RegistryCall, TokenGrant, Verdict, What, Who};
    use crate::client::address::ClientAddr;
    use crate::clock::UnixTime;
    use crate::network::endpoint::Endpoint;
    use crate::registry::operation::OperationKind;

    pub(crate) const SERVICE: &str = "iam-ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b";

    pub(crate) fn finished(what: What) -> Box<Finished> {
        let from = ClientAddr::from_socket("192.0.2.7:4711".parse().unwrap());
        let started = UnixTime::from_seconds(1_700_000_000);
        Finished::new("req-1", started, from, Endpoint::Public, what).ended(
            Verdict::Allowed,
            200,
            Duration::from_millis(12),
        )
    }

    pub(crate) fn pull() -> Box<Finished> {
        finished(What::Registry(RegistryCall {
            kind: OperationKind::ManifestRead,
            host: "us.registry.test".parse().unwrap(),
            region: "us-south".parse().unwrap(),
            repository: Some("team/app".to_owned()),
            reference: Some("v1".to_owned()),
        }))
        .by(Some(Who {
            principal: SERVICE.parse().unwrap(),
            name: "builder".to_owned(),
            credential: None,
        }))
    }

    /// One event for every label.
    pub(crate) fn every_what() -> Vec<What> {
        let registry = OperationKind::ALL.map(|kind| {
            What::Registry(RegistryCall {
                kind,
                host: "h.test".parse().unwrap(),
                region: "eu".parse().unwrap(),
                repository: None,
                reference: None,
            })
        });
        let tokens = TokenGrant::ALL.iter().copied().map(What::Token);
        let control = ControlCall {
            method: "POST",
            route: "/v1/serviceids",
            activity: "iam-identity.account-serviceid.create",
            action: Some("iam-identity.serviceid.create"),
            target: String::new(),
        };
        let rest = [What::Control(control), What::Probe, What::Unroutable];
        registry.into_iter().chain(tokens).chain(rest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::What;
    use super::samples::every_what;

    #[test]
    fn every_label_has_its_own_position() {
        let positions: Vec<usize> = every_what().iter().map(What::index).collect();
        assert_eq!(positions, (0..What::LABELS).collect::<Vec<_>>());
    }
}
