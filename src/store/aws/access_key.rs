//! Access keys.

use async_trait::async_trait;

use super::AwsError;
use crate::clock::UnixTime;
use crate::ids::aws::AccessKeyId;
use crate::ids::principal::PrincipalId;
use crate::store::StoreError;
use crate::store::identity::{Listed, Window};

/// What is kept of an access key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessKeyRecord {
    /// `AKIA…`
    pub id: AccessKeyId,
    /// Whom it proves.
    pub owner: PrincipalId,
    /// The secret, sealed under the master key: signatures are checked with the secret itself.
    pub sealed: Vec<u8>,
    /// Whether it may be used.
    pub active: bool,
    /// When and for what it was last used. Only [`AccessKeys::access_key_used`] changes it.
    pub last_used: Option<LastUsed>,
    /// When it was made.
    pub created_at: UnixTime,
}

/// A use of an access key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastUsed {
    /// When.
    pub at: UnixTime,
    /// The region that the signature named.
    pub region: String,
    /// The service that it named.
    pub service: String,
}

/// Reading and changing access keys. Every change but that of the last use touches the owner.
#[async_trait]
pub trait AccessKeys {
    /// One key.
    async fn access_key(&self, id: &AccessKeyId) -> Result<Option<AccessKeyRecord>, StoreError>;
    /// Keys of one owner, oldest first.
    async fn access_keys(
        &self,
        owner: &PrincipalId,
        window: Window,
    ) -> Result<Listed<AccessKeyRecord>, StoreError>;
    /// Adds a key; `NotFound` if its owner does not exist, `Conflict` if there is a key of that id.
    async fn insert_access_key(&self, row: &AccessKeyRecord) -> Result<(), AwsError>;
    /// Lets a key be used, or not.
    async fn activate_access_key(&self, id: &AccessKeyId, active: bool) -> Result<(), StoreError>;
    /// Removes a key.
    async fn delete_access_key(&self, id: &AccessKeyId) -> Result<(), StoreError>;
    /// Notes a use, unless a later one is known. Decides nothing, so it touches nothing; a commit all the same, so not for
    /// every request.
    async fn access_key_used(&self, id: &AccessKeyId, used: &LastUsed) -> Result<(), StoreError>;
}
