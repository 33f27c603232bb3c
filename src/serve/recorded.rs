//! An answer's body that writes its request's record when it ends, however it ends.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::overlay::PullMeter;
use super::registry::upstream_error;
use super::visit::Visit;
use crate::admit::fault::Fault;
use crate::forward::body::ForwardBody;
use crate::record::audit::{AuditUnavailable, Slot};
use crate::record::event::{Finished, Verdict};
use crate::record::recorder::Recorder;
use crate::record::trace::Trace;

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
    event: Box<Finished>,
    verdict: Verdict,
    status: u16,
    recorder: Recorder,
    slot: Option<Slot>,
    started: Instant,
    bytes_in: Rc<Cell<u64>>,
    head: bool,
    meter: Option<PullMeter>,
    trace: Option<Rc<Trace>>,
}

impl Pending {
    /// A record that will say `verdict` and `status`. Without a slot it goes to log and metrics only.
    #[must_use]
    pub fn new(
        visit: &Visit,
        event: Box<Finished>,
        verdict: Verdict,
        status: u16,
        recorder: Recorder,
        slot: Option<Slot>,
    ) -> Self {
        let (started, bytes_in, head) = (visit.clock_start(), visit.bytes_in(), visit.asked().head);
        let trace = visit.trace().cloned();
        Self { event, verdict, status, recorder, slot, started, bytes_in, head, meter: None, trace }
    }

    /// One that counts what goes out as traffic.
    #[must_use]
    pub fn metered(mut self, meter: Option<PullMeter>) -> Self {
        self.meter = meter;
        self
    }

    /// What was refused stays refused: who hangs up early must not be able to turn a denial into an abort. The body of
    /// the answer to a HEAD is never taken.
    fn write(self, end: End<'_>, bytes_out: u64) {
        if let Some(meter) = &self.meter {
            meter.count(bytes_out);
        }
        let mut event = self.event;
        let ended = match end {
            End::Whole => Verdict::Allowed,
            End::GivenUp if self.head => Verdict::Allowed,
            End::GivenUp => Verdict::Aborted,
            End::Broken(fault) => {
                if let Some(kind) = upstream_error(fault) {
                    self.recorder.metrics().upstream_error(kind);
                }
                event = event.saying(fault);
                Verdict::Faulted
            }
        };
        let verdict = if self.verdict == Verdict::Allowed { ended } else { self.verdict };
        let event = event.ended(verdict, self.status, self.started.elapsed());
        let event = event.moved(self.bytes_in.get(), bytes_out);
        if let Some(trace) = &self.trace {
            self.recorder.trace(trace, &event);
        }
        match self.slot {
            Some(slot) => self.recorder.finish(&event, slot),
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
        if let Some(trace) = &self.trace {
            self.recorder.trace(trace, &event);
        }
        match self.slot {
            Some(slot) => self.recorder.finish_durably(&event, slot).await,
            None => {
                self.recorder.observe(&event);
                Ok(())
            }
        }
    }
}

/// How an answer's body ended.
#[derive(Clone, Copy, Debug)]
enum End<'a> {
    /// With its last byte.
    Whole,
    /// Before that, because its client did not take more.
    GivenUp,
    /// Before that, because there was no more to be had.
    Broken(&'a Fault),
}

/// A request that has no answer yet. Dropping it, because its client went away, records it as it is known then.
#[derive(Debug)]
pub struct Unanswered {
    visit: Rc<Visit>,
    recorder: Recorder,
    slot: Option<Slot>,
}

impl Unanswered {
    /// Watches over the time until a request is answered.
    #[must_use]
    pub fn new(visit: Rc<Visit>, recorder: Recorder, slot: Slot) -> Self {
        Self { visit, recorder, slot: Some(slot) }
    }

    /// There is an answer now, and its record is written with it.
    #[must_use]
    pub fn answered(mut self) -> Option<Slot> {
        self.slot.take()
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            let (event, recorder) = (self.visit.noted(), self.recorder.clone());
            Pending::new(&self.visit, event, Verdict::Aborted, GONE, recorder, Some(slot))
                .write(End::Whole, 0);
        }
    }
}

/// The status in the record of a request whose client did not wait for one.
const GONE: u16 = 499;

impl Recorded {
    /// Joins a body with what is to be recorded at its end, if that has not been done.
    #[must_use]
    pub fn new(body: ForwardBody, pending: Option<Pending>) -> Self {
        Self { body, pending, bytes_out: 0 }
    }

    fn finish(&mut self, end: End<'_>) {
        if let Some(pending) = self.pending.take() {
            pending.write(end, self.bytes_out);
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
            Poll::Ready(None) => self.finish(End::Whole),
            Poll::Ready(Some(Err(fault))) => self.finish(End::Broken(fault)),
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
        let end = if self.body.is_end_stream() { End::Whole } else { End::GivenUp };
        self.finish(end);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::{Pending, Recorded};
    use crate::client::address::ClientAddr;
    use crate::clock::SystemClock;
    use crate::edge::connection::Connection;
    use crate::forward::body::ForwardBody;
    use crate::network::endpoint::Endpoint;
    use crate::record::audit::{AuditLog, Destination, OnFailure};
    use crate::record::event::{Verdict, What};
    use crate::record::recorder::Recorder;
    use crate::serve::visit::Visit;

    #[tokio::test]
    async fn hanging_up_turns_what_was_allowed_into_an_abort_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.jsonl");
        let clock = Arc::new(SystemClock);
        let log = AuditLog::open(Destination::File(path.clone()), OnFailure::Refuse, clock).unwrap();
        let recorder = Recorder::new(log.clone()).unwrap();
        let address = "192.0.2.7:4711".parse().unwrap();
        let connection = Connection {
            listener: 0,
            endpoint: Endpoint::Public,
            client: ClientAddr::from_socket(address),
            local: address,
            server_name: None,
            certificate: None,
            encrypted: true,
        };
        let verdicts = [Verdict::Allowed, Verdict::Denied, Verdict::CredentialsRejected, Verdict::WouldDeny];
        for verdict in verdicts {
            let visit = Visit::unread(&SystemClock, verdict.label().to_owned(), &connection);
            let slot = recorder.begin().await.unwrap();
            let event = visit.event(What::Unroutable);
            let pending = Pending::new(&visit, event, verdict, 200, recorder.clone(), Some(slot));
            drop(Recorded::new(ForwardBody::Full(Bytes::from_static(b"x")), Some(pending)));
        }
        assert!(log.close().await);
        let text = std::fs::read_to_string(path).unwrap();
        let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let decisions: Vec<_> =
            events.filter_map(|event| event["decision"].as_str().map(str::to_owned)).collect();
        assert_eq!(decisions, ["aborted", "denied", "credentials_rejected", "would_deny"]);
    }
}
