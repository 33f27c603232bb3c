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
use crate::record::event::{Finished, Verdict};
use crate::record::{Recorder, Slot};

/// The body of every answer. Dropping it before its end is an aborted request, and is recorded as one.
#[derive(Debug)]
pub struct Recorded {
    body: ForwardBody,
    pending: Option<Pending>,
    bytes_out: u64,
}

#[derive(Debug)]
struct Pending {
    event: Finished,
    verdict: Verdict,
    status: u16,
    recorder: Recorder,
    slot: Option<Slot>,
    started: Instant,
    bytes_in: Rc<Cell<u64>>,
}

impl Recorded {
    /// Joins a body with what is to be recorded at its end.
    #[must_use]
    pub fn new(
        body: ForwardBody,
        visit: Visit,
        event: Finished,
        verdict: Verdict,
        status: u16,
        recorder: Recorder,
        slot: Option<Slot>,
    ) -> Self {
        let (started, bytes_in) = (visit.clock_start(), visit.bytes_in());
        let pending = Pending { event, verdict, status, recorder, slot, started, bytes_in };
        Self { body, pending: Some(pending), bytes_out: 0 }
    }

    fn finish(&mut self, verdict: Option<Verdict>) {
        let Some(pending) = self.pending.take() else { return };
        let Pending { event, verdict: decided, status, recorder, slot, started, bytes_in } = pending;
        let event = event.ended(verdict.unwrap_or(decided), status, started.elapsed());
        recorder.finish(event.moved(bytes_in.get(), self.bytes_out), slot);
    }
}

impl Body for Recorded {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let next = Pin::new(&mut self.body).poll_frame(cx);
        match &next {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.bytes_out = self.bytes_out.saturating_add(length as u64);
            }
            Poll::Ready(None) => self.finish(None),
            Poll::Ready(Some(Err(_))) => self.finish(Some(Verdict::Aborted)),
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
        let verdict = if self.body.is_end_stream() { None } else { Some(Verdict::Aborted) };
        self.finish(verdict);
    }
}
