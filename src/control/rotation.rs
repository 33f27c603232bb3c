//! The key that signs tokens is replaced when it is old, or when somebody says so; those before it are good until what they
//! signed is over.
//!
//! Of any number of replicas that try at once, one does it: a key takes the place of the one that was seen, or of none.

use std::sync::Arc;
use std::time::Duration;

use super::compliance::rule::account;
use super::problem::Problem;
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::credential::jwt::SigningKey;
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::keyring::SigningKeyRecord;
use crate::token::mint::SEALED_FOR;
use crate::view::keyring::KNOWN_TO_ALL;

/// When a key is old.
pub const OLD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a key is good for that signs no more: longer than any token.
const OVERLAP: Duration = Duration::from_secs(4 * 24 * 60 * 60);

/// A key that was made.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// Its id.
    pub kid: String,
    /// From when on it signs: not before every replica knows it.
    pub signs_from: UnixTime,
    /// Until when what the others signed is accepted at most.
    pub others_good_until: UnixTime,
}

impl Desk {
    /// Replaces the key that signs if it is older than that, and forgets keys that are over. `None` if it was not replaced,
    /// or another replica was faster.
    ///
    /// # Errors
    /// [`Problem`] when the store fails, or no key can be made.
    pub async fn rotate_signing_key(&self, old: Duration) -> Result<Option<Rotated>, Problem> {
        let now = self.clock.now();
        self.store.purge_retired(now).await?;
        let keys = self.store.signing_keys().await?.0;
        let signing = keys.iter().find(|key| key.retires_at.is_none());
        if signing.is_some_and(|key| key.created_at.plus(old) > now) {
            return Ok(None);
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
        let others_good_until = now.plus(OVERLAP);
        match self.store.rotate_in(&record, signing.map(|key| key.kid.as_str()), others_good_until).await {
            Ok(()) => {
                Ok(Some(Rotated { kid: record.kid, signs_from: now.plus(KNOWN_TO_ALL), others_good_until }))
            }
            Err(StoreError::Stale) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the key that signs now, because the caller says so.
    ///
    /// # Errors
    /// [`Problem`]; [`Problem::Stale`] if another replica has replaced it at the same moment.
    pub async fn rotate_signing_key_for(&self, caller: &Arc<Caller>) -> Result<Done<Rotated>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let made = self.rotate_signing_key(Duration::ZERO).await?;
        Ok(Done::new(made.ok_or(StoreError::Stale)?, permit))
    }
}
