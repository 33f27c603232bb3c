//! What verdicts are made from: the state of the account and of the server at one instant. Gathered elsewhere.

use std::collections::BTreeMap;

pub use super::images::{Images, TaggedImage};
use crate::clock::UnixTime;
use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;

/// Everything that goals and rules are judged by.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When.
    pub at: UnixTime,
    /// The account.
    pub account: AccountId,
    /// Its registries, in the order of the configuration.
    pub registries: Vec<Registry>,
    /// Who could hold rights: users, service IDs, trusted profiles.
    pub principals: BTreeMap<PrincipalId, Principal>,
    /// Who may do what, one entry per policy.
    pub grants: Vec<Grant>,
    /// Repositories, and documents that let in anyone.
    pub public: Vec<PublicGrant>,
    /// API keys and access keys.
    pub keys: Vec<Key>,
    /// When the key was made that signs tokens.
    pub signing_key: Option<UnixTime>,
    /// The record of what happens.
    pub audit: AuditLog,
    /// Where the server listens.
    pub listeners: Vec<Listener>,
    /// The account's allowlist; empty for from everywhere.
    pub allowed_addresses: Vec<String>,
    /// Where alerts go; `None` while that is not known.
    pub alerts: Option<Vec<AlertChannel>>,
    /// What is known of images; `None` while nothing is.
    pub images: Option<Images>,
    /// In which namespaces signatures are held against keys: `*` in all.
    pub verified: Vec<String>,
}

/// One registry, and its settings.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Its region.
    pub region: Region,
    /// Its name, then all others that it answers to.
    pub names: Vec<String>,
    /// Whether policies decide.
    pub iam_authz: bool,
    /// Whether public endpoints are refused, by this registry or the whole account.
    pub private_only: bool,
    /// Since when that is known to be so.
    pub private_since: Option<UnixTime>,
    /// Whether platform metrics are published.
    pub platform_metrics: bool,
    /// The most bytes that it holds; `None` for any number.
    pub storage_quota: Option<u64>,
    /// The most bytes that are pulled in a month; `None` for any number.
    pub traffic_quota: Option<u64>,
    /// The last push or pull over a public endpoint, as recorded.
    pub public_transfer: Option<Transfer>,
}

/// A push or pull that went through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transfer {
    /// When.
    pub at: UnixTime,
    /// By whom.
    pub by: String,
    /// From which address.
    pub from: String,
}

/// What kind of principal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A trusted profile.
    Profile,
    /// A service ID.
    ServiceId,
    /// A user.
    User,
}

/// Who could hold rights.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The id.
    pub id: PrincipalId,
    /// What kind.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// Whether it may be used.
    pub active: bool,
    /// Since when it exists.
    pub created_at: UnixTime,
    /// When it was last used, as recorded.
    pub last_used: Option<UnixTime>,
    /// The groups that it is in, by id.
    pub groups: Vec<String>,
}

/// Whom a policy is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Holder {
    /// All in a group: its id and name.
    Group(String, String),
    /// One principal.
    Principal(PrincipalId),
    /// A role: its name.
    Role(String),
}

/// Whose language a policy is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// AWS's.
    Aws,
    /// IBM's.
    Ibm,
}

/// How much of the registries a policy covers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Nothing of them.
    Nothing,
    /// A namespace, or what a pattern or condition names.
    Part,
    /// At least one registry as a whole.
    Whole,
}

/// One policy and its holder.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The policy's id or ARN.
    pub policy: String,
    /// Whose.
    pub holder: Holder,
    /// In which language.
    pub dialect: Dialect,
    /// What of the registries it covers.
    pub reach: Reach,
    /// Whether it grants the Manager role.
    pub manager: bool,
    /// Whether it grants the Administrator role.
    pub administrator: bool,
    /// Whether it allows everything.
    pub everything: bool,
    /// What the command line is told to grant the same to somebody else; empty where it has no words for it.
    pub arguments: String,
}

/// A repository whose own policy lets in anyone.
#[derive(Clone, Debug)]
pub struct PublicGrant {
    /// Its ARN.
    pub repository: String,
    /// The region and name, as `aws ecr` wants them.
    pub region: Region,
    /// The name.
    pub name: String,
}

/// What kind of key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyKind {
    /// An access key.
    AccessKey,
    /// An API key.
    ApiKey,
}

/// A key that can log in.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its public id.
    pub id: String,
    /// What kind.
    pub kind: KeyKind,
    /// Its name; that of an access key is its id.
    pub name: String,
    /// Whom it proves.
    pub owner: PrincipalId,
    /// What the owner is called.
    pub owner_name: String,
    /// When it was made.
    pub created_at: UnixTime,
    /// When it was last used, as recorded.
    pub last_used: Option<UnixTime>,
}

/// The state of the audit log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AuditLog {
    /// Whether there is one.
    pub kept: bool,
    /// Whether it can be written.
    pub healthy: bool,
    /// Whether what cannot be recorded is refused.
    pub strict: bool,
    /// How many events were lost since the server started.
    pub lost: u64,
}

/// One address that the server listens on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listener {
    /// The address.
    pub address: String,
    /// Whether it stands for a public network.
    pub public: bool,
    /// Whether only this machine reaches it.
    pub loopback: bool,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Whether it serves images, management APIs or metrics: more than health and certificates.
    pub serves: bool,
    /// Whether it serves management APIs.
    pub control: bool,
    /// Whether it serves metrics.
    pub metrics: bool,
}

/// Where alerts go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AlertChannel {
    /// Its name.
    pub name: String,
    /// Whether it is for critical, high and medium vulnerabilities of images, all three.
    pub covers: bool,
    /// When its endpoint last took a message.
    pub delivered_at: Option<UnixTime>,
    /// When a message was given up since.
    pub failed_at: Option<UnixTime>,
}

impl Facts {
    /// What a principal is called.
    #[must_use]
    pub fn name_of(&self, id: &PrincipalId) -> String {
        self.principals.get(id).map_or_else(|| id.to_string(), |principal| principal.name.clone())
    }
}
