//! From where requests may come: settings of the account, lists of principals and keys, network zones, rules.

use async_trait::async_trait;

use super::StoreError;
use super::feed::Sequence;
use super::identity::{Listed, Stamp, Window};
use crate::credential::settings::IdentitySettings;
use crate::ids::account::AccountId;
use crate::ids::cbr::{RuleId, ZoneId};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::network::allow_list::AllowList;
use crate::network::document::{RuleDocument, ZoneDocument};
use crate::network::rule::Rule;
use crate::network::zone::Zone;

/// The settings of the account: from where it may be used, and what it says of its identities.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountSettings {
    /// The account.
    pub account: AccountId,
    /// From where; `None` for from everywhere.
    pub allow_list: Option<AllowList>,
    /// Whether images of all its registries are refused on public endpoints.
    pub private_only: bool,
    /// What it says of its identities.
    pub identity: IdentitySettings,
    /// When.
    pub stamp: Stamp,
}

/// Who has a list of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ListHolder {
    /// An API key.
    ApiKey(ApiKeyId),
    /// A user or service ID.
    Principal(PrincipalId),
}

/// A network zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneRecord {
    /// Its id.
    pub id: ZoneId,
    /// What it says; a zone in it that could not be obeyed is never stored.
    pub document: ZoneDocument,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: PrincipalId,
    /// When.
    pub stamp: Stamp,
}

/// A context-based restriction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleRecord {
    /// Its id.
    pub id: RuleId,
    /// What it says.
    pub document: RuleDocument,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: PrincipalId,
    /// When.
    pub stamp: Stamp,
}

/// All that restricts an account, read at one instant.
#[derive(Clone, Debug)]
pub struct NetworkFacts {
    /// The account's own settings; `None` before it is founded.
    pub settings: Option<AccountSettings>,
    /// Its zones.
    pub zones: Vec<Zone>,
    /// Its rules, oldest first.
    pub rules: Vec<Rule>,
    /// The feed's position at that instant.
    pub as_of: Sequence,
}

/// Reading and changing what restricts. A row that cannot be understood is [`StoreError::Corrupt`]: it may have been a
/// restriction.
#[async_trait]
pub trait Networks {
    /// Everything that restricts the account.
    async fn network(&self) -> Result<NetworkFacts, StoreError>;

    /// Replaces the settings of the account whose stored version is one less.
    async fn update_account_settings(&self, row: &AccountSettings) -> Result<(), StoreError>;

    /// A list; `None` if the holder has none, or does not exist.
    async fn allow_list(&self, of: &ListHolder) -> Result<Option<AllowList>, StoreError>;

    /// Sets or takes away a list; `NotFound` if there is no such holder.
    async fn put_allow_list(&self, of: &ListHolder, list: Option<&AllowList>) -> Result<(), StoreError>;

    /// One zone.
    async fn zone(&self, id: &ZoneId) -> Result<Option<ZoneRecord>, StoreError>;
    /// Zones, oldest first.
    async fn zones(&self, window: Window) -> Result<Listed<ZoneRecord>, StoreError>;
    /// Adds a zone; `Conflict` if the name is taken.
    async fn insert_zone(&self, row: &ZoneRecord) -> Result<(), StoreError>;
    /// Replaces a zone whose stored version is one less; `Conflict` if the name is taken.
    async fn update_zone(&self, row: &ZoneRecord) -> Result<(), StoreError>;
    /// Removes a zone.
    async fn delete_zone(&self, id: &ZoneId) -> Result<(), StoreError>;

    /// One rule.
    async fn rule(&self, id: &RuleId) -> Result<Option<RuleRecord>, StoreError>;
    /// Rules, oldest first.
    async fn rules(&self, window: Window) -> Result<Listed<RuleRecord>, StoreError>;
    /// Adds a rule.
    async fn insert_rule(&self, row: &RuleRecord) -> Result<(), StoreError>;
    /// Replaces a rule whose stored version is one less.
    async fn update_rule(&self, row: &RuleRecord) -> Result<(), StoreError>;
    /// Removes a rule.
    async fn delete_rule(&self, id: &RuleId) -> Result<(), StoreError>;
}
