//! One question to the upstream for all who want the same answer at once.
//!
//! Whoever comes first leads: a task of its own asks, whether or not the first client stays. It goes on as long as anybody
//! waits and ends with the last. However it ends, those who wait are told: they are never left hanging.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Task;
use super::change::Count;
use super::object::Object;
use super::pour::Pour;
use crate::forward::Failure;
use crate::forward::settings::UpstreamUrl;
use crate::record::metrics::CacheEvent;

/// What is asked, of whom, and what had changed by then.
pub(super) type Ticket = (Task, UpstreamUrl, Count);

/// The questions under way.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Ticket, Flight>>);

#[derive(Debug)]
struct Flight {
    began: Instant,
    waiting: Arc<Waiting>,
}

type Waiting = watch::Sender<Option<Landed>>;

/// What came of it, for everybody.
#[derive(Clone, Debug)]
pub(super) enum Landed {
    /// It is here, and that was what it took.
    Object(Arc<Object>, CacheEvent),
    /// It is coming, for everybody who joins in time.
    Poured(Arc<Pour>),
    /// It is there, and everybody has to get it.
    Streamed,
    /// It cannot be had.
    Failed(Failure),
}

/// A place in a flight.
pub(super) enum Boarded {
    Lead(Lead, Landing),
    Follow(Landing),
}

/// The one who asks. Dropped without having landed, it sends those who wait to ask themselves.
#[derive(Debug)]
pub(super) struct Lead {
    flights: Arc<Flights>,
    ticket: Ticket,
    waiting: Arc<Waiting>,
}

/// The one who waits.
#[derive(Debug)]
pub(super) struct Landing(watch::Receiver<Option<Landed>>);

impl Flights {
    /// Follows a flight that began `within` that time, or leads one.
    pub(super) fn board(self: &Arc<Self>, ticket: Ticket, within: Duration) -> Boarded {
        let mut under_way = self.under_way();
        if let Some(flight) = under_way.get(&ticket).filter(|flight| flight.began.elapsed() < within) {
            return Boarded::Follow(Landing(flight.waiting.subscribe()));
        }
        let (waiting, landing) = watch::channel(None);
        let waiting = Arc::new(waiting);
        under_way.insert(ticket.clone(), Flight { began: Instant::now(), waiting: Arc::clone(&waiting) });
        Boarded::Lead(Lead { flights: Arc::clone(self), ticket, waiting }, Landing(landing))
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Ticket, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead {
    pub(super) const fn task(&self) -> &Task {
        &self.ticket.0
    }

    /// Tells everybody. Whoever comes from now on does not board any more.
    pub(super) fn land(self, landed: Landed) {
        self.leave();
        self.waiting.send_replace(Some(landed));
    }

    /// Returns when nobody waits any more.
    pub(super) async fn deserted(&self) {
        self.waiting.closed().await;
    }

    fn leave(&self) {
        let mut under_way = self.flights.under_way();
        // A flight that took too long to be joined has been succeeded by another.
        let own = |flight: &Flight| Arc::ptr_eq(&flight.waiting, &self.waiting);
        if under_way.get(&self.ticket).is_some_and(own) {
            under_way.remove(&self.ticket);
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Landing {
    /// What came of it; `None` if its leader vanished.
    pub(super) async fn landed(mut self) -> Option<Landed> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}
