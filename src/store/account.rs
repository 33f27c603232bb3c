//! The account.

use async_trait::async_trait;

use super::StoreError;
use crate::clock::UnixTime;
use crate::ids::account::AccountId;

/// The account, as far as it can be configured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name, shown as `NAME's Account`.
    pub name: String,
    /// When `init` made it.
    pub created_at: UnixTime,
}

/// Reading and making the account.
#[async_trait]
pub trait Accounts {
    /// The account; `None` before `init`.
    async fn account(&self) -> Result<Option<Account>, StoreError>;

    /// Makes the account together with everything that it needs to be usable, in one transaction: killed at any
    /// instant, it is there whole or not at all. `Conflict` if there is one already.
    async fn found(&self, founding: &Founding) -> Result<(), StoreError>;
}

/// What `init` puts into an empty store.
#[derive(Debug)]
pub struct Founding {
    /// The account.
    pub account: Account,
    /// The administrator.
    pub administrator: super::identity::User,
    /// The administrator's API key.
    pub api_key: super::identity::ApiKeyRecord,
    /// The administrator's access key, if it has one from the beginning.
    pub access_key: Option<super::aws::access_key::AccessKeyRecord>,
    /// The administrator's policies.
    pub policies: Vec<super::policy::PolicyRecord>,
    /// The managed policies that the administrator holds.
    pub held: Vec<super::aws::holder::PolicyRef>,
    /// The first signing key.
    pub signing_key: super::keyring::SigningKeyRecord,
    /// Settings of every configured registry.
    pub registries: Vec<super::registry::RegistrySettings>,
}
