//! Users, service IDs and their API keys, and what is known of every principal.

use async_trait::async_trait;

use super::StoreError;
use super::feed::Sequence;
use super::trusted_profile::TrustedProfile;
use crate::clock::UnixTime;
use crate::credential::api_key::KeyHash;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, ApiKeyId, ServiceId, UserId};
use crate::network::allow_list::AllowList;
use crate::policy::ibm::trust::Trust;

/// When a row was made and changed, and how often.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// When it was made.
    pub created_at: UnixTime,
    /// When it was last changed.
    pub modified_at: UnixTime,
    /// 1 when made, one more with every change; the number in an entity tag.
    pub version: i64,
}

impl Stamp {
    /// The stamp of a row made now.
    #[must_use]
    pub fn new(now: UnixTime) -> Self {
        Self { created_at: now, modified_at: now, version: 1 }
    }
}

/// A person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// What the person logs in as and is listed by: an e-mail address or a plain name. Unique, case-insensitively.
    pub name: String,
    /// Whether the person may use anything at all.
    pub active: bool,
    /// When.
    pub stamp: Stamp,
}

/// An identity for automation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServiceIdentity {
    /// The id.
    pub id: ServiceId,
    /// A name; not unique.
    pub name: String,
    /// Any text.
    pub description: String,
    /// Whether it refuses changes, to itself, its keys and its policies.
    pub locked: bool,
    /// When.
    pub stamp: Stamp,
}

/// What is kept of an API key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiKeyRecord {
    /// The public id.
    pub id: ApiKeyId,
    /// Whom it proves.
    pub owner: PrincipalId,
    /// A name; not unique.
    pub name: String,
    /// Any text.
    pub description: String,
    /// The keyed hash.
    pub hash: KeyHash,
    /// Whether it refuses changes. A locked key still logs in.
    pub locked: bool,
    /// Whether it refuses logins.
    pub disabled: bool,
    /// When it stops to log in, if ever.
    pub expires_at: Option<UnixTime>,
    /// Who made it.
    pub created_by: PrincipalId,
    /// When.
    pub stamp: Stamp,
}

/// Who a principal is, beyond its id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrincipalRecord {
    /// A trusted profile, and whom it trusts.
    Profile(TrustedProfile, Trust),
    /// A service ID.
    ServiceId(ServiceIdentity),
    /// A user.
    User(User),
}

/// Everything that decides what a principal may do, read at one instant.
#[derive(Clone, Debug)]
pub struct PrincipalFacts {
    /// The principal.
    pub record: PrincipalRecord,
    /// Its API keys.
    pub api_keys: Vec<ApiKeyRecord>,
    /// From where it may be used; `None` for from everywhere.
    pub allow_list: Option<AllowList>,
    /// The same of those of its keys that have a list of their own.
    pub key_lists: Vec<(ApiKeyId, AllowList)>,
    /// The groups that it is in.
    pub groups: Vec<AccessGroupId>,
    /// When the first membership ends that lasts only for a while.
    pub until: Option<UnixTime>,
    /// The policies that name it or one of its groups.
    pub policies: Vec<super::policy::PolicyRecord>,
    /// The feed's position at that instant.
    pub as_of: Sequence,
}

/// A window of a list that is ordered by creation time, then id.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How many rows to skip.
    pub offset: u32,
    /// How many rows to return at most.
    pub limit: u32,
}

/// One window of a list.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many rows there are in all.
    pub total: u32,
}

/// Reading and changing identities. Every write names the version it saw where it changes a row: [`StoreError::Stale`]
/// otherwise. Deleting an identity deletes its API keys, memberships and policies.
#[async_trait]
pub trait Identities {
    /// Everything about one principal; `None` when there is no such principal.
    async fn principal(&self, id: &PrincipalId) -> Result<Option<PrincipalFacts>, StoreError>;

    /// The owner of the key with this hash, and the key's id.
    async fn key_owner(&self, hash: &KeyHash) -> Result<Option<(PrincipalId, ApiKeyId)>, StoreError>;

    /// One user.
    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError>;
    /// Users, oldest first.
    async fn users(&self, window: Window) -> Result<Listed<User>, StoreError>;
    /// Adds a user; `Conflict` if the name is taken.
    async fn insert_user(&self, user: &User) -> Result<(), StoreError>;
    /// Removes a user.
    async fn delete_user(&self, id: &UserId) -> Result<(), StoreError>;

    /// One service ID.
    async fn service_id(&self, id: &ServiceId) -> Result<Option<ServiceIdentity>, StoreError>;
    /// Service IDs, oldest first; only those of exactly this name, if given.
    async fn service_ids(
        &self,
        name: Option<&str>,
        window: Window,
    ) -> Result<Listed<ServiceIdentity>, StoreError>;
    /// Adds a service ID.
    async fn insert_service_id(&self, row: &ServiceIdentity) -> Result<(), StoreError>;
    /// Replaces a service ID whose stored version is `row.stamp.version - 1`.
    async fn update_service_id(&self, row: &ServiceIdentity) -> Result<(), StoreError>;
    /// Removes a service ID.
    async fn delete_service_id(&self, id: &ServiceId) -> Result<(), StoreError>;

    /// One API key.
    async fn api_key(&self, id: &ApiKeyId) -> Result<Option<ApiKeyRecord>, StoreError>;
    /// API keys, oldest first; only those of `owner`, if given.
    async fn api_keys(
        &self,
        owner: Option<&PrincipalId>,
        window: Window,
    ) -> Result<Listed<ApiKeyRecord>, StoreError>;
    /// Adds an API key; `NotFound` if its owner does not exist, `Conflict` if such a key exists.
    async fn insert_api_key(&self, row: &ApiKeyRecord) -> Result<(), StoreError>;
    /// Replaces an API key whose stored version is `row.stamp.version - 1`.
    async fn update_api_key(&self, row: &ApiKeyRecord) -> Result<(), StoreError>;
    /// Disables an API key, whoever else may be changing it; `Stale` if it is locked.
    async fn disable_api_key(&self, id: &ApiKeyId, at: UnixTime) -> Result<(), StoreError>;
    /// Removes an API key.
    async fn delete_api_key(&self, id: &ApiKeyId) -> Result<(), StoreError>;
}
