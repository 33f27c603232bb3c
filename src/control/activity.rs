//! When somebody last proved who they are, and how often: counted here as it happens, written down now and then.
//!
//! No login waits for the store. What was counted within the last seconds is lost if the process is killed; it is shown,
//! and decides nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::RwLock;

use super::Desk;
use super::problem::Problem;
use crate::admit::caller::{Caller, Credential};
use crate::clock::UnixTime;
use crate::credential::voucher::Voucher;
use crate::store::profile::Authenticated;
use crate::store::{Store, StoreError};

/// What has been counted and is not written down.
#[derive(Debug, Default)]
pub struct Activity {
    counted: Mutex<HashMap<String, Authenticated>>,
    /// Held while it is written down, so that nothing is counted twice or not at all by those who read.
    turn: RwLock<()>,
}

/// How many principals and keys are remembered at once; of others the count is lost until the next writing.
const COUNTED_MAX: usize = 65_536;

impl Activity {
    /// Notes that a caller has proven who they are, and with which key.
    pub fn note(&self, caller: &Caller, now: UnixTime) {
        let key = match &caller.credential {
            Credential::ApiKey(id) => Some(id.to_string()),
            Credential::Vouched(sealed) => match &sealed.vouched.by {
                Voucher::Key(_, id) => Some(id.to_string()),
                Voucher::Compute(..) | Voucher::Realm(..) => None,
            },
            Credential::AccessKey(_)
            | Credential::Certificate(_)
            | Credential::Session(_)
            | Credential::WebIdentity(_) => None,
        };
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for entity in key.into_iter().chain([caller.principal().to_string()]) {
            if counted.len() >= COUNTED_MAX && !counted.contains_key(&entity) {
                continue;
            }
            let seen = counted.entry(entity).or_insert(Authenticated { last: now, count: 0 });
            *seen = seen.and(Authenticated { last: now, count: 1 });
        }
    }

    /// Writes down what was counted. What cannot be written is kept for the next time.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write_down(&self, store: &dyn Store) -> Result<(), StoreError> {
        let _turn = self.turn.write().await;
        let counted = std::mem::take(&mut *self.counted.lock().unwrap_or_else(PoisonError::into_inner));
        if counted.is_empty() {
            return Ok(());
        }
        let rows: Vec<(String, Authenticated)> = counted.into_iter().collect();
        let written = store.authenticated(&rows).await;
        if written.is_err() {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            for (entity, seen) in rows {
                let since = counted.entry(entity).or_insert(Authenticated { last: seen.last, count: 0 });
                *since = since.and(seen);
            }
        }
        written
    }

    fn pending(&self, entity: &str) -> Option<Authenticated> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).get(entity).copied()
    }
}

impl Desk {
    /// When a thing that the caller sees was last authenticated, and how often.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn activity(
        &self,
        entity: &(dyn std::fmt::Display + Sync),
    ) -> Result<Option<Authenticated>, Problem> {
        let entity = entity.to_string();
        let _turn = self.activity.turn.read().await;
        let written = self.store.activity(&entity).await?;
        Ok(match (written, self.activity.pending(&entity)) {
            (Some(written), Some(since)) => Some(written.and(since)),
            (written, since) => written.or(since),
        })
    }
}
