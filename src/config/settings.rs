//! The settings after checking: typed, complete, and without secrets.
//!
//! Paths are relative to the working directory. What a key means is said in `config/default.toml` too.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::acme::Challenge;
use crate::client::certificate::Naming;
use crate::compliance::goal::Profile;
use crate::credential::believed::Believed;
use crate::ids::account::AccountId;
use crate::ids::host::HostName;
use crate::ids::issuer::Origin;
use crate::ids::region::Region;
use crate::network::decide::PrivateSource;
use crate::network::endpoint::Endpoint;
use crate::network::set::AddressSet;
use crate::record::audit::{Destination, OnFailure};
use crate::record::log::{Format, Level};
use crate::registry::name::Namespace;
use crate::store::postgres::address::Server;

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `[account]`.
    pub account: Account,
    /// `[store]`.
    pub store: Store,
    /// `[[registry]]`: at least one; names, aliases and regions are unique.
    pub registries: Vec<Registry>,
    /// `[[listener]]`: at least one; addresses do not collide.
    pub listeners: Vec<Listener>,
    /// `[token]`.
    pub token: Token,
    /// `[audit]`.
    pub audit: Audit,
    /// `[telemetry]`, if there is a collector.
    pub telemetry: Option<Telemetry>,
    /// `[allowlist]`.
    pub allowlist: Allowlist,
    /// `[federation]`.
    pub federation: Federation,
    /// `[compliance]`.
    pub compliance: Compliance,
    /// `[cache]`.
    pub cache: Cache,
    /// `[trash]`.
    pub trash: Trash,
    /// `[alerts]`.
    pub alerts: Alerts,
    /// `[findings]`.
    pub findings: FindingsSettings,
    /// `[limits]`.
    pub limits: Limits,
    /// `[acme]`.
    pub acme: Option<Acme>,
    /// `[log]`.
    pub log: Log,
    /// How many event loops there are: the number of cores if `workers` is 0.
    pub workers: usize,
}

/// The account that owns everything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// 12 digits.
    pub id: AccountId,
    /// What people call it.
    pub name: String,
    /// Whether a new store begins policy-free; without effect on one that exists.
    pub policy_free: bool,
}

/// In which database identities and policies are kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StorePlace {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// A database that several replicas share, and the file with its password, which is read when it is connected to.
    Postgres(Box<Server>, Option<PathBuf>),
}

impl StorePlace {
    /// Reads `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// What is wrong; never with the text itself, for it may hold a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text.strip_prefix("sqlite:") {
            Some("") => Err("must name a file: sqlite:PATH"),
            Some(path) => Ok(Self::Sqlite(path.into())),
            None if !text.starts_with("postgres") => {
                Err("must be sqlite:PATH or postgres://USER@HOST/DATABASE")
            }
            None => Server::parse(text).map(|server| Self::Postgres(Box::new(server), None)),
        }
    }
}

impl std::fmt::Display for StorePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(server, _) => write!(f, "{server}"),
        }
    }
}

/// Where identities and policies are kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Store {
    /// Where.
    pub place: StorePlace,
    /// The key that seals secrets in the store; made by `init`.
    pub master_key_file: PathBuf,
    /// How long known callers are served when changes cannot be learnt.
    pub max_staleness: Duration,
}

/// One registry that is fronted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registry {
    /// The host that clients use.
    pub name: HostName,
    /// Other hosts for it.
    pub aliases: Vec<HostName>,
    /// The host on the private network.
    pub private_name: Option<HostName>,
    /// The region; unique.
    pub region: Region,
    /// What stands behind it.
    pub upstream: Upstream,
    /// Whether the first permitted push makes a namespace.
    pub create_on_push: bool,
}

/// Where traces go, and who is traced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Telemetry {
    /// The collector.
    pub endpoint: UpstreamAddress,
    /// The only authorities that are trusted there; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
    /// One request in so many.
    pub sample_one_in: u64,
}

/// A vanilla registry, and how to talk to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upstream {
    /// Where it is.
    pub address: UpstreamAddress,
    /// Our own credentials there.
    pub credentials: UpstreamCredentials,
    /// The only authorities that are trusted; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate there.
    pub client_certificate: Option<CertificateFiles>,
    /// For connecting, TLS included.
    pub connect_timeout: Duration,
    /// From the end of the request to the head of the answer.
    pub first_byte_timeout: Duration,
    /// For the longest pause within a body.
    pub idle_timeout: Duration,
}

/// Where an upstream is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UpstreamAddress {
    /// Without TLS.
    Http(HostName, u16),
    /// With TLS.
    Https(HostName, u16),
    /// On this machine.
    Unix(PathBuf),
}

/// Our own credentials at an upstream: where the secret is, never the secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UpstreamCredentials {
    /// A user name and the file with the password.
    Basic(String, PathBuf),
    /// The file with a token.
    Bearer(PathBuf),
    /// None.
    None,
}

/// A certificate chain and its key, both as PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFiles {
    /// The chain, our own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The authority that signs certificates of listeners with `tls = { acme = true }`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acme {
    /// The URL of its directory.
    pub directory: String,
    /// Whom it may write to, as URLs.
    pub contact: Vec<String>,
    /// What the certificate is for.
    pub names: Vec<HostName>,
    /// Where account, certificate and key are kept.
    pub folder: PathBuf,
    /// The only authorities that are trusted when it is asked; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
    /// How names are proven.
    pub challenge: Challenge,
}

/// What a listener asks its clients for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificates {
    /// The authorities that are believed, as PEM.
    pub ca: PathBuf,
    /// What they have revoked, as PEM.
    pub crl: Option<PathBuf>,
    /// Whether nobody comes in without a certificate.
    pub required: bool,
    /// By which name a certificate says whose it is, if it stands for its holder.
    pub identity: Option<Naming>,
}

/// One address that is listened on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listener {
    /// The address; port 0 takes any.
    pub address: SocketAddr,
    /// Which network it stands for.
    pub endpoint: Endpoint,
    /// What is served, without repetition.
    pub surfaces: Vec<Surface>,
    /// Certificates, chosen by the name that the client asks for; the first when it asks for none. Empty: no TLS.
    pub tls: Vec<CertificateFiles>,
    /// Whether one of them comes from the authority of `[acme]`.
    pub acme: bool,
    /// The certificates that clients are asked for.
    pub client_certificates: Option<ClientCertificates>,
    /// Whether connections begin with a PROXY header.
    pub proxy_protocol: bool,
    /// Whose word on the client's address is believed.
    pub trusted_proxies: AddressSet,
}

/// Something that a listener serves.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Surface {
    /// `/.well-known/acme-challenge/`.
    Acme,
    /// The management APIs.
    Control,
    /// `/livez` and `/readyz`.
    Health,
    /// `/metrics`.
    Metrics,
    /// `/v2/` and tokens.
    Registry,
}

impl Surface {
    /// The words of the configuration.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("registry", Self::Registry),
        ("control", Self::Control),
        ("metrics", Self::Metrics),
        ("health", Self::Health),
        ("acme", Self::Acme),
    ];

    /// The word for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Acme => "acme",
            Self::Control => "control",
            Self::Health => "health",
            Self::Metrics => "metrics",
            Self::Registry => "registry",
        }
    }
}

/// Tokens that we mint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// How long one is good for.
    pub lifetime: Duration,
}

/// The audit log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Audit {
    /// Where events go.
    pub destination: Destination,
    /// What becomes of requests that cannot be recorded.
    pub on_failure: OnFailure,
}

/// Allowlists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Allowlist {
    /// Which address they hold on private networks.
    pub private_source: PrivateSource,
}

/// How issuers of identity tokens are asked for their keys.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Federation {
    /// The only authorities that are trusted on the public Internet; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
    /// `[[federation.internal]]`: issuers that may be anywhere.
    pub internal: Vec<InternalIssuer>,
    /// `[[federation.cluster]]` and `[[federation.realm]]`: those whom trusted profiles and access groups may believe.
    pub believed: Believed,
}

/// Where an issuer is that the operator vouches for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InternalIssuer {
    /// Its origin; unique.
    pub origin: Origin,
    /// The only authorities that are trusted there; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
    /// The file with a token to show there.
    pub token_file: Option<PathBuf>,
}

/// Where alerts may go, and which there are beside those of findings and goals.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alerts {
    /// The only authorities that are trusted on the public Internet; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether they may go to this machine.
    pub loopback: bool,
    /// How many refusals in five minutes are a spike; `None` for none.
    pub denied_access: Option<u32>,
    /// `[[alerts.internal]]`: receivers that may be anywhere.
    pub internal: Vec<InternalReceiver>,
}

/// Where a receiver of alerts is that the operator vouches for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InternalReceiver {
    /// Its origin; unique.
    pub origin: Origin,
    /// The only authorities that are trusted there; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
}

/// What the account is judged by.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Compliance {
    /// The profiles that come with the program, then those of the operator's own.
    pub profiles: Vec<Profile>,
}

/// What is remembered of what upstreams say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cache {
    /// Whether anything is.
    pub content: bool,
    /// The bytes of all of it.
    pub max_bytes: u64,
    /// The longest blob that is.
    pub max_blob_bytes: usize,
    /// How long it is believed what a tag points to.
    pub tag_staleness: Duration,
    /// How long it is believed that a repository has what it had.
    pub content_staleness: Duration,
    /// The folder where layers are kept, if they are.
    pub disk: Option<PathBuf>,
    /// The bytes of all of them.
    pub disk_max_bytes: u64,
}

/// What becomes of deleted images.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Trash {
    /// How long they can be restored; `None` if they are deleted upstream at once.
    pub keep: Option<Duration>,
}

/// Where reports about images come from, and what comes of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FindingsSettings {
    /// Whether what policies refuse because of what is known of an image is let through and reported.
    pub only_reported: bool,
    /// Whether reports that are pushed to the registry are read.
    pub referrers: bool,
    /// The command that scans an image, argument by argument; empty if there is none.
    pub scanner: Vec<String>,
    /// How long it may take.
    pub scanner_timeout: Duration,
    /// Whether every pushed image is scanned.
    pub scan_on_push: bool,
    /// Keys that signatures of images are held against.
    pub signers: Vec<SignerSetting>,
}

/// A key that signatures of images are held against.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignerSetting {
    /// In which namespace; `None` for all.
    pub namespace: Option<Namespace>,
    /// The key in PEM; one that cannot be used is a mistake.
    pub pem: String,
}

/// Limits on clients.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Open connections of each listener.
    pub max_connections: usize,
    /// Open connections of each listener that one client may have; `None` for any number.
    pub max_connections_per_address: Option<usize>,
    /// Requests of one client in a second; `None` for any number.
    pub requests_per_address: Option<u32>,
    /// Registry and management calls of one principal in a second; `None` for any number.
    pub requests_per_principal: Option<u32>,
    /// Failed logins of one client in a minute; `None` for any number.
    pub failed_logins_per_address: Option<u32>,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// For a request's head.
    pub header_timeout: Duration,
    /// For the pause between two requests.
    pub idle_timeout: Duration,
    /// For the longest pause within a body.
    pub body_idle_timeout: Duration,
    /// How long running requests may take after a signal to end.
    pub drain_grace: Duration,
    /// How long an upload may rest between two of its requests.
    pub upload_lease: Duration,
}

/// The operational log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Log {
    /// The least important lines.
    pub level: Level,
    /// Their form.
    pub format: Format,
}
