//! The thread that owns the file: gathers, writes, syncs, acknowledges, and never gives up while it is wanted.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::event::AuditEvent;
use super::sink::Sink;
use super::{Message, Shared};
use crate::clock::Clock;

/// The longest time that an event which nobody waits for stays away from the disk.
const SYNC_EVERY: Duration = Duration::from_millis(100);
/// How long the writer rests when there is nothing to write.
const REST: Duration = Duration::from_millis(25);
/// How long to wait before trying again, at first and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// How long a pipe may be full before the log counts as failing.
const SLOW_READER: Duration = Duration::from_millis(500);
/// How long a log that is being closed may make no progress before what is left is given up.
const LAST_TRIES: Duration = Duration::from_secs(2);

pub(super) struct Writer {
    pub(super) sink: Sink,
    pub(super) inbox: Receiver<Message>,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Arc<dyn Clock>,
    /// Events in the sink's backlog.
    held: u64,
    /// Who waits for the next sync.
    waiting: Vec<oneshot::Sender<()>>,
    last_sync: Instant,
    /// Dropped events that the log itself has admitted to.
    admitted: u64,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lines.close();
        if std::thread::panicking() {
            self.shared.set_failing("its writer has come to grief".to_owned());
        }
    }
}

/// Whether the thread goes on.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Next {
    GoOn,
    End,
}

impl Writer {
    pub(super) fn new(
        sink: Sink,
        inbox: Receiver<Message>,
        shared: Arc<Shared>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let last_sync = Instant::now();
        Self { sink, inbox, shared, clock, held: 0, waiting: Vec::new(), last_sync, admitted: 0 }
    }

    /// Runs until the log is closed or dropped.
    pub(super) fn run(mut self) {
        loop {
            let next = self.gather();
            self.settle(next);
            if next == Next::End {
                return;
            }
        }
    }

    /// Takes what there is, and rests when there is nothing. Only who waits for the disk wakes it: to wake it for every
    /// event would cost each request more than the event itself.
    fn gather(&mut self) -> Next {
        loop {
            let next = self.listen();
            // After the messages: what they are about is there by now.
            let taken = self.take_lines();
            if next == Next::End || taken || !self.waiting.is_empty() {
                return next;
            }
            if self.is_due() || self.is_asked_to_reopen() {
                return Next::GoOn;
            }
            std::thread::park_timeout(REST);
        }
    }

    /// Whether there were any.
    fn take_lines(&mut self) -> bool {
        let taken = self.shared.lines.take(|lines| self.sink.take(lines));
        self.held += taken;
        taken > 0
    }

    /// Whether what is written, or failed to be, waits for the disk long enough.
    fn is_due(&self) -> bool {
        let pending = self.sink.unsynced() || self.sink.backlog() > 0;
        pending && self.last_sync.elapsed() >= SYNC_EVERY
    }

    fn is_asked_to_reopen(&self) -> bool {
        self.shared.reopen.load(Ordering::Acquire)
    }

    fn listen(&mut self) -> Next {
        loop {
            match self.inbox.try_recv() {
                Ok(Message::Close(done)) => {
                    self.waiting.push(done);
                    return self.end();
                }
                Ok(Message::Sync(waiting)) => self.waiting.push(waiting),
                Ok(Message::Wake) => {}
                Err(TryRecvError::Disconnected) => return self.end(),
                Err(TryRecvError::Empty) => return Next::GoOn,
            }
        }
    }

    /// What is handed in from now on is lost, and is told so.
    fn end(&self) -> Next {
        self.shared.lines.close();
        Next::End
    }

    /// Tries until everything is written and, when it is time, synced.
    fn settle(&mut self, next: Next) {
        let mut pause = BACK_OFF.0;
        let mut stuck_since = Instant::now();
        loop {
            if self.shared.reopen.swap(false, Ordering::AcqRel) {
                self.reopen();
            }
            let backlog = self.sink.backlog();
            match self.attempt(next) {
                Ok(()) => return self.recovered(),
                Err(error) => {
                    if self.sink.backlog() < backlog {
                        (pause, stuck_since) = (BACK_OFF.0, Instant::now());
                    }
                    // A pipe whose reader is slower than we are is not broken yet.
                    if error.kind() != ErrorKind::WouldBlock || stuck_since.elapsed() >= SLOW_READER {
                        self.shared.set_failing(error.to_string());
                    }
                }
            }
            if next == Next::End && stuck_since.elapsed() >= LAST_TRIES {
                return self.shared.meters.dropped.inc_by(self.held);
            }
            if next == Next::GoOn && self.shared.closing.load(Ordering::Acquire) {
                return;
            }
            std::thread::park_timeout(pause);
            pause = (pause * 2).min(BACK_OFF.1);
        }
    }

    fn attempt(&mut self, next: Next) -> std::io::Result<()> {
        self.sink.flush()?;
        self.shared.release(self.held);
        self.shared.meters.written.inc_by(self.held);
        self.held = 0;
        let due = self.last_sync.elapsed() >= SYNC_EVERY || !self.waiting.is_empty() || next == Next::End;
        if due && self.sink.unsynced() {
            let before = Instant::now();
            self.sink.sync()?;
            self.last_sync = Instant::now();
            self.shared.meters.syncs.observe((self.last_sync - before).as_secs_f64());
        }
        if due {
            // Whoever waited and went away meanwhile needs no answer.
            self.waiting.drain(..).for_each(|waiting| waiting.send(()).unwrap_or_default());
        }
        Ok(())
    }

    fn reopen(&mut self) {
        match self.sink.reopen() {
            Ok(()) => {
                let text = "the audit log was opened again";
                self.sink.push(&AuditEvent::notice("portcullis.audit.reopen", self.clock.now(), text));
            }
            Err(error) => {
                tracing::error!(
                    error = error.to_string(),
                    "the audit log cannot be opened again; the old file is kept"
                );
            }
        }
    }

    /// Marks the log as healthy, and writes into it how many events are missing, if any.
    fn recovered(&mut self) {
        self.shared.set_healthy();
        let dropped = self.shared.meters.dropped.get();
        if dropped > self.admitted {
            let text = format!("{} events before this one are missing", dropped - self.admitted);
            self.sink.push(&AuditEvent::notice("portcullis.audit.gap", self.clock.now(), text));
            self.admitted = dropped;
        }
    }
}
