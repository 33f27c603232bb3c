//! Answers of one kind: those that are kept, and those that are being loaded.
//!
//! What is being loaded is kept apart, so that questions to which there is no answer cannot drive out good ones.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::SetOnce;

use super::Unavailable;
use super::ledger::Mark;

/// One answer, or the promise of one.
#[derive(Debug)]
pub(super) struct Slot<V> {
    /// Whether it may still be given.
    pub(super) mark: Mark,
    outcome: SetOnce<Result<V, Unavailable>>,
    weight: AtomicU64,
}

impl<V: Clone> Slot<V> {
    /// Waits for the answer.
    pub(super) async fn outcome(&self) -> Result<V, Unavailable> {
        self.outcome.wait().await.clone()
    }

    fn fresh(&self) -> Option<V> {
        let found = self.outcome.get().filter(|_| !self.mark.is_stale())?;
        found.as_ref().ok().cloned()
    }
}

/// What a question leads to.
pub(super) enum Joined<V> {
    /// The answer is known.
    Known(V),
    /// Nobody loads it: the caller must.
    Lead(Arc<Slot<V>>),
    /// Somebody loads it already.
    Wait(Arc<Slot<V>>),
}

/// Weighs by what the load said.
#[derive(Clone, Debug)]
struct BySlot;

impl<K, V> Weighter<K, Arc<Slot<V>>> for BySlot {
    fn weight(&self, _: &K, slot: &Arc<Slot<V>>) -> u64 {
        slot.weight.load(Ordering::Relaxed).max(1)
    }
}

/// Answers of one kind, by question.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    kept: Cache<K, Arc<Slot<V>>, BySlot>,
    flights: Mutex<HashMap<K, Arc<Slot<V>>>>,
}

impl<K: Clone + Eq + Hash, V: Clone> Table<K, V> {
    /// A table that keeps answers of up to `capacity` in weight.
    pub(super) fn new(capacity: u64) -> Self {
        let items = usize::try_from(capacity / 8).unwrap_or(usize::MAX).clamp(32, 1 << 20);
        Self { kept: Cache::with_weighter(items, capacity, BySlot), flights: Mutex::default() }
    }

    /// The answer, if it is kept and still good.
    pub(super) fn recall(&self, key: &K) -> Option<V> {
        self.kept.get(key)?.fresh()
    }

    /// Does not give this answer again.
    pub(super) fn withdraw(&self, key: &K) {
        if let Some(slot) = self.kept.get(key) {
            slot.mark.set();
        }
    }

    /// The answer, or a place among those who wait for it.
    pub(super) fn join(&self, key: &K) -> Joined<V> {
        if let Some(found) = self.recall(key) {
            return Joined::Known(found);
        }
        let mut flights = self.flights();
        // Again, now that no load can end in between.
        if let Some(found) = self.recall(key) {
            return Joined::Known(found);
        }
        if let Some(flight) = flights.get(key).filter(|flight| !flight.mark.is_stale()) {
            return Joined::Wait(flight.clone());
        }
        let slot = Slot { mark: Mark::default(), outcome: SetOnce::new(), weight: AtomicU64::new(1) };
        let slot = Arc::new(slot);
        flights.insert(key.clone(), slot.clone());
        Joined::Lead(slot)
    }

    /// Gives the answer to those who wait, and keeps it if it may be given again.
    pub(super) fn settle(&self, key: &K, slot: &Arc<Slot<V>>, found: V, weight: u64) {
        slot.weight.store(weight, Ordering::Relaxed);
        let _ = slot.outcome.set(Ok(found));
        if !slot.mark.is_stale() {
            self.kept.insert(key.clone(), slot.clone());
        }
    }

    /// Ends a load: nobody joins it any more, and those who wait for an answer that never came get `otherwise`.
    pub(super) fn land(&self, key: &K, slot: &Arc<Slot<V>>, otherwise: Unavailable) {
        let mut flights = self.flights();
        if flights.get(key).is_some_and(|flight| Arc::ptr_eq(flight, slot)) {
            flights.remove(key);
        }
        drop(flights);
        let _ = slot.outcome.set(Err(otherwise));
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<K, Arc<Slot<V>>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
