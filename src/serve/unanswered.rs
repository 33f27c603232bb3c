//! A request whose client does not wait for the answer is recorded all the same.

use super::recorded::Pending;
use super::visit::Visit;
use crate::record::audit::Slot;
use crate::record::event::{Verdict, What};
use crate::record::recorder::Recorder;

/// What the record says where no status was sent: nginx's number for a client that closed the connection.
const CLIENT_GONE: u16 = 499;

/// Keeps a request's place in the audit log while its answer is being made. Dropped before [`Unanswered::answered`],
/// because the client went away or the answer panicked, it records what is known by then: the upstream may have done
/// what was asked, so nobody escapes the record by hanging up.
#[derive(Debug)]
pub struct Unanswered<'a> {
    visit: &'a Visit,
    recorder: &'a Recorder,
    slot: Option<Slot>,
}

impl<'a> Unanswered<'a> {
    /// From here on, the request is recorded.
    pub fn new(visit: &'a Visit, recorder: &'a Recorder, slot: Slot) -> Self {
        Self { visit, recorder, slot: Some(slot) }
    }

    /// There is an answer: its own record takes the place.
    #[must_use]
    pub fn answered(mut self) -> Option<Slot> {
        self.slot.take()
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        let event = self.visit.known().unwrap_or_else(|| self.visit.event(What::Unroutable));
        let event = event.saying("the client did not wait for the answer");
        Pending::new(self.visit, event, Verdict::Aborted, CLIENT_GONE, self.recorder.clone(), Some(slot))
            .give_up();
    }
}
