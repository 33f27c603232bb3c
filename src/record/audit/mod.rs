//! The audit log: one JSON line per decision and per management call.
//!
//! The right to record is taken before anything is done ([`AuditLog::try_reserve`]) and used when it is over, so that
//! nothing passes unrecorded when the log cannot be written. A thread of its own writes; no request waits for the disk,
//! except those that must survive a crash before they are acknowledged ([`Slot::write_durably`]). It never drops an event
//! silently: dropped ones are counted, and the log says so when it can be written again.
//!
//! Only events that wait for the disk count against its capacity. Requests under way do not: their number is for the
//! edge to limit, and whoever keeps many of them open must not be able to shut everybody else out.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use self::event::AuditEvent;
use self::lines::Lines;
use self::meters::Meters;
pub use self::sink::Destination;
use self::sink::Sink;
use self::writer::Writer;
use super::metrics::{Metrics, MetricsError};
use crate::clock::Clock;

pub mod event;
mod lines;
mod meters;
mod shown;
mod sink;
mod writer;

/// How many events may wait for the disk before no more are promised a place.
const CAPACITY: usize = 8192;
/// The longest that anyone waits for the disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// What becomes of requests that cannot be recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnFailure {
    /// They are refused.
    Refuse,
    /// They pass; events that do not fit into memory are dropped and counted.
    Continue,
}

/// The audit log cannot take an event, so what it would be about must not happen.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the audit log cannot be written: {0}")]
pub struct AuditUnavailable(String);

/// How the log is kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Condition {
    /// Whether there is one.
    pub kept: bool,
    /// Whether what cannot be recorded is refused.
    pub strict: bool,
    /// How many events were lost since the start.
    pub lost: u64,
}

/// The audit log. Clones are the same log.
#[derive(Clone, Debug)]
pub struct AuditLog(Option<Arc<Queue>>);

#[derive(Debug)]
struct Queue {
    outbox: Sender<Message>,
    shared: Arc<Shared>,
    on_failure: OnFailure,
    writer: std::thread::Thread,
}

/// What the log and its writer both know.
#[derive(Debug)]
struct Shared {
    /// Events that were handed in and are not written yet.
    outstanding: AtomicUsize,
    failing: AtomicBool,
    failure: Mutex<String>,
    reopen: AtomicBool,
    closing: AtomicBool,
    lines: Lines,
    meters: Meters,
}

/// What the writer is told besides lines. Whoever tells it has handed in the lines that it is about.
enum Message {
    Close(oneshot::Sender<()>),
    /// Somebody waits until all lines are on the disk.
    Sync(oneshot::Sender<()>),
    Wake,
}

/// The promise that the log takes one event.
#[derive(Debug)]
#[must_use = "an event must be written into the place that was reserved for it"]
pub struct Slot(Option<Arc<Queue>>);

impl AuditLog {
    /// Opens the log and writes a first line. A full disk, or a pipe without a reader, is no error here: the log is then
    /// unavailable until it can be written.
    ///
    /// # Errors
    /// Whatever keeps the file from being opened at all: a missing directory, missing rights.
    pub fn open(destination: Destination, on_failure: OnFailure, clock: Arc<dyn Clock>) -> io::Result<Self> {
        if destination == Destination::None {
            return Ok(Self(None));
        }
        let shared = Arc::new(Shared::new()?);
        let mut sink = Sink::open(destination)?;
        let text = format!("portcullis {} opened this log", env!("CARGO_PKG_VERSION"));
        sink.push(&AuditEvent::notice("portcullis.audit.start", clock.now(), text));
        match sink.flush().and_then(|()| sink.sync()) {
            Ok(()) => shared.set_healthy(),
            Err(error) => shared.set_failing(error.to_string()),
        }
        let (outbox, inbox) = channel();
        let writer = Writer::new(sink, inbox, Arc::clone(&shared), clock);
        let thread = std::thread::Builder::new().name("audit".to_owned()).spawn(|| writer.run())?;
        let writer = thread.thread().clone();
        Ok(Self(Some(Arc::new(Queue { outbox, shared, on_failure, writer }))))
    }

    /// Promises to take one event. Never waits.
    ///
    /// # Errors
    /// [`AuditUnavailable`] when the log is failing or has too many events waiting, and events must not be lost.
    pub fn try_reserve(&self) -> Result<Slot, AuditUnavailable> {
        let Some(queue) = &self.0 else { return Ok(Slot(None)) };
        let shared = &queue.shared;
        let may_lose = queue.on_failure == OnFailure::Continue;
        if !may_lose && shared.failing.load(Ordering::Acquire) {
            shared.meters.refused.inc();
            return Err(shared.unavailable());
        }
        if shared.outstanding.load(Ordering::Acquire) < CAPACITY {
            Ok(Slot(Some(Arc::clone(queue))))
        } else if may_lose {
            shared.meters.dropped.inc();
            Ok(Slot(None))
        } else {
            shared.meters.refused.inc();
            Err(AuditUnavailable(format!("{CAPACITY} events are waiting to be written")))
        }
    }

    /// Whether the log can be written, as far as is known.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.0.as_ref().is_none_or(|queue| !queue.shared.failing.load(Ordering::Acquire))
    }

    /// Whether there is a log at all, whether what it cannot take is refused, and how many events it has lost.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.0.as_ref().map_or(Condition::default(), |queue| Condition {
            kept: true,
            strict: queue.on_failure == OnFailure::Refuse,
            lost: queue.shared.meters.dropped.get(),
        })
    }

    /// Whether requests pass: the log can be written, or need not be.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.is_healthy() || self.0.as_ref().is_some_and(|queue| queue.on_failure == OnFailure::Continue)
    }

    /// Opens the file again, after its path was moved away. Returns at once; if it fails, the old file is kept.
    pub fn reopen(&self) {
        if let Some(queue) = &self.0 {
            queue.shared.reopen.store(true, Ordering::Release);
            queue.wake();
        }
    }

    /// Writes and syncs everything that was handed in before, and ends. Returns whether all of it is on the disk.
    pub async fn close(&self) -> bool {
        let Some(queue) = &self.0 else { return true };
        let (done, closed) = oneshot::channel();
        queue.shared.closing.store(true, Ordering::Release);
        let sent = queue.outbox.send(Message::Close(done)).is_ok();
        queue.writer.unpark();
        sent && matches!(tokio::time::timeout(PATIENCE, closed).await, Ok(Ok(())))
    }

    /// Shows the log's own metrics.
    pub(super) fn show_in(&self, metrics: &Metrics) -> Result<(), MetricsError> {
        self.0.as_ref().map_or(Ok(()), |queue| queue.shared.meters.show_in(metrics))
    }
}

impl Queue {
    fn wake(&self) {
        // A writer that has ended needs no waking.
        drop(self.outbox.send(Message::Wake));
        self.writer.unpark();
    }
}

impl Slot {
    /// Hands the event in. It is on the disk within about 100 ms, or the log says what is missing.
    pub fn write(self, event: &AuditEvent<'_>) {
        self.send(event, None);
    }

    /// Hands the event in and waits until it is on the disk.
    ///
    /// # Errors
    /// [`AuditUnavailable`] when that takes longer than 5 s or cannot be done, and events must not be lost.
    pub async fn write_durably(self, event: &AuditEvent<'_>) -> Result<(), AuditUnavailable> {
        let Some(queue) = self.0.clone() else { return Ok(()) };
        let (durable, written) = oneshot::channel();
        self.send(event, Some(durable));
        match (tokio::time::timeout(PATIENCE, written).await, queue.on_failure) {
            (Ok(Ok(())), _) | (_, OnFailure::Continue) => Ok(()),
            (Ok(Err(_)) | Err(_), OnFailure::Refuse) => Err(queue.shared.unavailable()),
        }
    }

    fn send(self, event: &AuditEvent<'_>, durable: Option<oneshot::Sender<()>>) {
        let Some(queue) = self.0 else { return };
        // Counted first: the writer may be done with it before this line is left.
        queue.shared.outstanding.fetch_add(1, Ordering::AcqRel);
        if queue.shared.lines.push(event).is_err() {
            queue.shared.release(1);
            queue.shared.meters.dropped.inc();
        } else if let Some(waiting) = durable {
            // A writer that has ended since drops the sender, which is an answer too.
            drop(queue.outbox.send(Message::Sync(waiting)));
            queue.writer.unpark();
        }
    }
}

impl Shared {
    fn new() -> io::Result<Self> {
        Ok(Self {
            outstanding: AtomicUsize::new(0),
            failing: AtomicBool::new(false),
            failure: Mutex::new(String::new()),
            reopen: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            lines: Lines::default(),
            meters: Meters::new().map_err(io::Error::other)?,
        })
    }

    /// Forgets events that are written, or never will be.
    fn release(&self, count: u64) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let before = self.outstanding.fetch_sub(count, Ordering::AcqRel);
        self.meters.queued.set(i64::try_from(before.saturating_sub(count)).unwrap_or(i64::MAX));
    }

    fn set_failing(&self, error: String) {
        if !self.failing.swap(true, Ordering::AcqRel) {
            tracing::error!(error, "the audit log cannot be written; trying again until it can");
        }
        self.meters.healthy.set(0);
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    fn set_healthy(&self) {
        if self.failing.swap(false, Ordering::AcqRel) {
            tracing::info!("the audit log can be written again");
        }
        self.meters.healthy.set(1);
    }

    fn unavailable(&self) -> AuditUnavailable {
        AuditUnavailable(self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

#[cfg(test)]
mod tests;
