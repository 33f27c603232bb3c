//! Tags that one replica is writing, held so that all others see it: a row for each, which its replica renews as long as the push goes on.
//!
//! The row of a replica that died is no longer believed after two minutes; until then nobody writes the tag.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::admit::fault::Fault;
use crate::admit::held::{Place, SharedHold, SharedHolds};
use crate::clock::{Clock, Entropy};
use crate::store::tag_hold::TagHold;
use crate::store::{Store, StoreError};

/// How long a hold is believed that is not renewed: longer than clocks differ, and much longer than a manifest takes to be put.
const BELIEVED: Duration = Duration::from_secs(120);

/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(30);

/// The holds of this replica.
pub struct StoredHolds {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    replica: String,
    /// Where the store is asked: whoever pushes has a worker of its own.
    control: Handle,
}

impl StoredHolds {
    /// None are held yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        control: Handle,
    ) -> Self {
        let replica = entropy.uuid().simple().to_string();
        Self { store, clock, entropy, replica, control }
    }
}

impl std::fmt::Debug for StoredHolds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredHolds").field("replica", &self.replica).finish_non_exhaustive()
    }
}

#[async_trait]
impl SharedHolds for StoredHolds {
    async fn hold(&self, place: &Place) -> Result<Option<Box<dyn SharedHold>>, Fault> {
        let (region, repository, tag) = place.clone();
        let id = self.entropy.uuid().simple().to_string();
        let row = TagHold { region, repository, tag, replica: self.replica.clone(), id };
        let (store, clock, taken) = (Arc::clone(&self.store), Arc::clone(&self.clock), row.clone());
        let take = async move {
            let now = clock.now();
            store.hold_tag(&taken, now, now.plus(BELIEVED)).await
        };
        let held = match self.control.spawn(take).await {
            Ok(held) => held.map_err(|error| Fault::Store(error.to_string()))?,
            Err(error) => return Err(Fault::Internal(error.to_string())),
        };
        if !held {
            return Ok(None);
        }
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let renewing = self.control.spawn(renew(Arc::clone(&store), clock, row.clone())).abort_handle();
        Ok(Some(Box::new(Held { store, row, renewing, control: self.control.clone() })))
    }
}

async fn renew(store: Arc<dyn Store>, clock: Arc<dyn Clock>, row: TagHold) {
    loop {
        tokio::time::sleep(RENEWED).await;
        let now = clock.now();
        match store.hold_tag(&row, now, now.plus(BELIEVED)).await {
            Ok(true) => {}
            Ok(false) => tracing::error!(?row, "another replica writes a tag that is held"),
            Err(error) => tracing::warn!(%error, "a tag that is written is not held any longer"),
        }
    }
}

/// One of them.
struct Held {
    store: Arc<dyn Store>,
    row: TagHold,
    renewing: AbortHandle,
    control: Handle,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("row", &self.row).finish_non_exhaustive()
    }
}

impl SharedHold for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewing.abort();
        let (store, row) = (Arc::clone(&self.store), self.row.clone());
        self.control.spawn(async move {
            let released: Result<(), StoreError> = store.release_tag(&row).await;
            if let Err(error) = released {
                tracing::warn!(%error, "a tag is held for longer than it is written");
            }
        });
    }
}
