//! Signing keys, sealed.

use async_trait::async_trait;

use super::StoreError;
use super::feed::Sequence;
use crate::clock::UnixTime;

/// A signing key as stored: the private half only sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SigningKeyRecord {
    /// The key id in token headers.
    pub kid: String,
    /// The private key (PKCS#8), sealed under the master key.
    pub sealed: Vec<u8>,
    /// The public key (SEC1 uncompressed point).
    pub public: Vec<u8>,
    /// When it was made; the youngest signs.
    pub created_at: UnixTime,
    /// When tokens that it signed stop being accepted; `None` while it signs.
    pub retires_at: Option<UnixTime>,
}

/// Reading and changing the signing keys.
#[async_trait]
pub trait Keyring {
    /// All keys, youngest first, and the feed's position.
    async fn signing_keys(&self) -> Result<(Vec<SigningKeyRecord>, Sequence), StoreError>;
    /// Adds a key and gives all others the same time to retire, unless they retire earlier, in one transaction.
    /// `Conflict` if there is a key of that id; `Stale` unless the one that does not retire yet is still `instead_of`, or there is none.
    async fn rotate_in(
        &self,
        key: &SigningKeyRecord,
        instead_of: Option<&str>,
        others_retire_at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Removes keys that have retired before `now`.
    async fn purge_retired(&self, now: UnixTime) -> Result<(), StoreError>;
}
