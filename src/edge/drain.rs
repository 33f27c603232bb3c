//! The orderly end: everybody is told to finish, and counted until they have.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The two signals that end a server, the count of its connections, and of those that are parked. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Drain {
    stop: CancellationToken,
    cut: CancellationToken,
    live: Arc<AtomicUsize>,
    parked: watch::Sender<usize>,
}

impl Drain {
    /// Counts a parked connection until the returned value is dropped.
    pub(super) fn count_parked(&self) -> CountedParked<'_> {
        self.parked.send_modify(|count| *count = count.saturating_add(1));
        CountedParked(&self.parked)
    }

    /// The count of parked connections.
    pub(super) fn parked(&self) -> watch::Receiver<usize> {
        self.parked.subscribe()
    }

    /// Tells everybody to finish what is begun and begin nothing new.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Ends everything now; returns how many connections were still open.
    pub(super) fn cut(&self) -> usize {
        let open = self.live.load(Ordering::Acquire);
        self.stop.cancel();
        self.cut.cancel();
        open
    }

    /// Whether [`Drain::stop`] was called.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Waits for [`Drain::stop`].
    pub(super) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Waits for [`Drain::cut`].
    pub(super) async fn was_cut(&self) {
        self.cut.cancelled().await;
    }

    /// Counts a connection until the returned value is dropped.
    pub(super) fn count(&self) -> Counted {
        self.live.fetch_add(1, Ordering::AcqRel);
        Counted(Arc::clone(&self.live))
    }

    /// The count of open connections.
    pub(super) fn live(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.live)
    }
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One connection that is parked.
#[derive(Debug)]
pub(super) struct CountedParked<'a>(&'a watch::Sender<usize>);

impl Drop for CountedParked<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
