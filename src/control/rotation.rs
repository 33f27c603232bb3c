//! The key that signs tokens is replaced when it is old; those before it are good until what they signed is over.

use std::time::Duration;

use super::Desk;
use super::problem::Problem;
use crate::admit::fault::Fault;
use crate::credential::jwt::SigningKey;
use crate::store::keyring::SigningKeyRecord;
use crate::token::mint::SEALED_FOR;

/// When a key is old.
pub const OLD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a key is good for that signs no more: longer than any token.
const OVERLAP: Duration = Duration::from_secs(4 * 24 * 60 * 60);

impl Desk {
    /// Replaces the key that signs if it is older than that, and forgets keys that are over. Returns whether it was replaced.
    ///
    /// # Errors
    /// [`Problem`] when the store fails, or no key can be made.
    pub async fn rotate_signing_key(&self, old: Duration) -> Result<bool, Problem> {
        let now = self.clock.now();
        self.store.purge_retired(now).await?;
        let keys = self.store.signing_keys().await?.0;
        let signing = keys.iter().find(|key| key.retires_at.is_none());
        if signing.is_some_and(|key| key.created_at.plus(old) > now) {
            return Ok(false);
        }
        let failed = |_| Fault::Internal("no signing key can be made".to_owned());
        let (key, private) = SigningKey::generate().map_err(failed)?;
        let record = SigningKeyRecord {
            kid: key.kid().to_owned(),
            sealed: self.master.seal(SEALED_FOR, private.expose(), &*self.entropy),
            public: key.public().to_vec(),
            created_at: now,
            retires_at: None,
        };
        self.store.rotate_in(&record, now.plus(OVERLAP)).await?;
        Ok(true)
    }
}
