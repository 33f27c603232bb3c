//! Lines on their way to the writer: made into text by whoever hands them in, and taken by the writer all at once.
//!
//! An event thus costs its worker no allocation, and no memory goes from one thread to be freed by another.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::event::AuditEvent;

/// How much room one thread keeps for the line that it is writing.
const SCRATCH_KEPT: usize = 16 * 1024;

thread_local! {
    /// The line that this thread is writing, so that nobody waits for it to be made.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Whole lines that the writer has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    events: u64,
    closed: bool,
}

/// The writer has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Closed;

impl Lines {
    /// Adds the line of an event.
    ///
    /// # Errors
    /// [`Closed`].
    pub(super) fn push(&self, event: &AuditEvent<'_>) -> Result<(), Closed> {
        SCRATCH.with_borrow_mut(|line| {
            line.clear();
            append(line, event);
            let added = self.add(line);
            line.shrink_to(SCRATCH_KEPT);
            added
        })
    }

    fn add(&self, line: &[u8]) -> Result<(), Closed> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Closed);
        }
        waiting.text.extend_from_slice(line);
        waiting.events += 1;
        Ok(())
    }

    /// Hands what there is to `take`, which leaves the room for it empty; returns how many events it was.
    pub(super) fn take(&self, take: impl FnOnce(&mut Vec<u8>)) -> u64 {
        let mut waiting = self.lock();
        if waiting.events > 0 {
            take(&mut waiting.text);
        }
        std::mem::take(&mut waiting.events)
    }

    /// Nothing more is added from now on.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds one line to `text`.
pub(super) fn append(text: &mut Vec<u8>, event: &AuditEvent<'_>) {
    let start = text.len();
    match serde_json::to_writer(&mut *text, event) {
        Ok(()) => text.push(b'\n'),
        Err(error) => {
            text.truncate(start);
            tracing::error!(error = error.to_string(), "an audit event cannot be written as JSON");
        }
    }
}
