//! An answer's body that writes its request's record when it ends, however it ends.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::visit::Visit;
use crate::admit::fault::Fault;
use crate::forward::body::ForwardBody;
use crate::record::audit::{AuditUnavailable, Slot};
use crate::record::event::{Finished, Verdict};
use crate::record::recorder::Recorder;

/// The body of every answer. Dropping it before its end is an aborted request, and is recorded as one.
#[derive(Debug)]
pub struct Recorded {
    body: ForwardBody,
    pending: Option<Pending>,
    bytes_out: u64,
}

/// A record that lacks only its end.
#[derive(Debug)]
pub struct Pending {
    event: Finished,
    verdict: Verdict,
    status: u16,
    recorder: Recorder,
    slot: Option<Slot>,
    started: Instant,
    bytes_in: Rc<Cell<u64>>,
}

impl Pending {
    /// A record that will say `verdict` and `status`. Without a slot it goes to log and metrics only.
    #[must_use]
    pub fn new(
        visit: &Visit,
        event: Finished,
        verdict: Verdict,
        status: u16,
        recorder: Recorder,
        slot: Option<Slot>,
    ) -> Self {
        let (started, bytes_in) = (visit.clock_start(), visit.bytes_in());
        Self { event, verdict, status, recorder, slot, started, bytes_in }
    }

    /// Writes the record of a request that never got an answer.
    pub fn give_up(self) {
        self.write(true, 0);
    }

    fn write(self, cut_short: bool, bytes_out: u64) {
        let verdict = if cut_short { Verdict::Aborted } else { self.verdict };
        let event = self.event.ended(verdict, self.status, self.started.elapsed());
        let event = event.moved(self.bytes_in.get(), bytes_out);
        match self.slot {
            Some(slot) => self.recorder.finish(event, slot),
            None => self.recorder.observe(&event),
        }
    }

    /// Writes the record of an answer in memory, and waits until it is on the disk.
    ///
    /// # Errors
    /// [`AuditUnavailable`] when it is not.
    pub async fn write_durably(self) -> Result<(), AuditUnavailable> {
        let event = self.event.ended(self.verdict, self.status, self.started.elapsed());
        let event = event.moved(self.bytes_in.get(), 0);
        match self.slot {
            Some(slot) => self.recorder.finish_durably(event, slot).await,
            None => {
                self.recorder.observe(&event);
                Ok(())
            }
        }
    }
}

impl Recorded {
    /// Joins a body with what is to be recorded at its end, if that has not been done.
    #[must_use]
    pub fn new(body: ForwardBody, pending: Option<Pending>) -> Self {
        Self { body, pending, bytes_out: 0 }
    }

    fn finish(&mut self, cut_short: bool) {
        if let Some(pending) = self.pending.take() {
            pending.write(cut_short, self.bytes_out);
        }
    }
}

impl Body for Recorded {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let next = Pin::new(&mut self.body).poll_frame(cx);
        match &next {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.bytes_out = self.bytes_out.saturating_add(length as u64);
            }
            Poll::Ready(None) => self.finish(false),
            Poll::Ready(Some(Err(_))) => self.finish(true),
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        // The server does not ask again after the last byte: at its end, the body is whole; before it, given up.
        let cut_short = !self.body.is_end_stream();
        self.finish(cut_short);
    }
}
