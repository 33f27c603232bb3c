//! What one connection is in the middle of, and for how long it may be.
//!
//! Every layer of a connection notes here what it sees (bytes leaving, heads arriving, answers being asked for more);
//! one timer per connection looks at the notes. It reads no bytes and closes nothing itself.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::rejection::Rejection;
use super::settings::Settings;

/// What a client must take within the stall limit to count as taking its answers.
const LEAST_PROGRESS: usize = 4096;

/// The notes of one connection.
#[derive(Debug)]
pub(super) struct Exchanges {
    begun: Cell<u64>,
    in_flight: Cell<usize>,
    quiet_since: Cell<Instant>,
    head_since: Cell<Option<Instant>>,
    refused: Cell<Option<(u64, Rejection)>>,
    /// Since when the socket takes no more.
    blocked_since: Cell<Option<Instant>>,
    /// When the socket had last taken [`LEAST_PROGRESS`], and how many bytes it took since.
    last_write: Cell<Instant>,
    written: Cell<usize>,
    /// Answers of which the client has yet to take what was handed over.
    with_client: Cell<usize>,
    last_taken: Cell<Instant>,
}

/// When a connection's patience ends, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Patience {
    /// The connection may stay as long as it likes.
    Endless,
    /// Then it is closed in good order.
    CloseAt(Instant),
    /// Then it is cut.
    CutAt(Instant),
}

impl Exchanges {
    pub(super) fn new() -> Rc<Self> {
        let now = Instant::now();
        Rc::new(Self {
            begun: Cell::new(0),
            in_flight: Cell::new(0),
            quiet_since: Cell::new(now),
            head_since: Cell::new(None),
            refused: Cell::new(None),
            blocked_since: Cell::new(None),
            last_write: Cell::new(now),
            written: Cell::new(0),
            with_client: Cell::new(0),
            last_taken: Cell::new(now),
        })
    }

    /// The first byte of a head was read.
    pub(super) fn head_began(&self) {
        self.head_since.set(Some(Instant::now()));
    }

    /// The head is complete, or refused.
    pub(super) fn head_ended(&self) {
        self.head_since.set(None);
    }

    /// The head with this number, counted from 1, is to be answered with `rejection`.
    pub(super) fn refuse(&self, number: u64, rejection: Rejection) {
        self.refused.set(Some((number, rejection)));
    }

    /// The socket took so many bytes, or would take none. A few prove nothing: they may be answers to pings, which
    /// HTTP/2 sends whether or not the client takes what it asked for.
    pub(super) fn wrote(&self, taken: Option<usize>) {
        if let Some(bytes) = taken {
            self.blocked_since.set(None);
            let written = self.written.get().saturating_add(bytes);
            self.written.set(if written < LEAST_PROGRESS { written } else { 0 });
            if written >= LEAST_PROGRESS {
                self.last_write.set(Instant::now());
            }
        } else if self.blocked_since.get().is_none() {
            self.blocked_since.set(Some(Instant::now()));
        }
    }

    /// Whether no request has come yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.begun.get() == 0
    }

    /// Whether nothing is going on: at least one request has been answered, to its last byte, and none has begun to
    /// arrive. Since when, if so.
    pub(super) fn resting_since(&self) -> Option<Instant> {
        let idle = self.in_flight.get() == 0 && self.head_since.get().is_none() && !self.is_untouched();
        (idle && self.blocked_since.get().is_none()).then(|| self.quiet_since.get())
    }

    /// A request begins. It lasts until the returned value is dropped.
    pub(super) fn begin(self: &Rc<Self>) -> InFlight {
        self.begun.set(self.begun.get() + 1);
        self.in_flight.set(self.in_flight.get() + 1);
        InFlight { exchanges: Rc::clone(self), number: self.begun.get(), with_client: false }
    }

    /// How long the connection may stay as it is.
    pub(super) fn patience(&self, settings: &Settings) -> Patience {
        if let Some(since) = self.blocked_since.get() {
            return Patience::CutAt(since + settings.write_stall);
        }
        if self.in_flight.get() > 0 {
            if self.with_client.get() == 0 {
                return Patience::Endless;
            }
            return Patience::CutAt(self.last_taken.get().max(self.last_write.get()) + settings.write_stall);
        }
        let quiet = self.quiet_since.get();
        match self.head_since.get() {
            Some(since) => Patience::CutAt(since.max(quiet) + settings.header),
            // Nothing was asked, so there is nobody to say farewell to.
            None if self.is_untouched() => Patience::CutAt(quiet + settings.first_byte),
            None => Patience::CloseAt(quiet + settings.idle),
        }
    }
}

/// A request in progress, until its answer is handed over completely or given up.
#[derive(Debug)]
pub(super) struct InFlight {
    exchanges: Rc<Exchanges>,
    number: u64,
    with_client: bool,
}

impl InFlight {
    /// Why this request must be refused, if its head was no good.
    pub(super) fn rejection(&self) -> Option<Rejection> {
        self.exchanges
            .refused
            .get()
            .filter(|(number, _)| *number == self.number)
            .map(|(_, rejection)| rejection)
    }

    fn set_with_client(&mut self, with_client: bool) {
        let count = &self.exchanges.with_client;
        match (self.with_client, with_client) {
            (false, true) => count.set(count.get() + 1),
            (true, false) => count.set(count.get().saturating_sub(1)),
            (true, true) | (false, false) => {}
        }
        self.with_client = with_client;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.set_with_client(false);
        self.exchanges.in_flight.set(self.exchanges.in_flight.get().saturating_sub(1));
        self.exchanges.quiet_since.set(Instant::now());
    }
}

pin_project_lite::pin_project! {
    /// An answer's body that keeps its request in progress while it lasts.
    #[derive(Debug)]
    pub(super) struct Answer<B> {
        #[pin]
        body: B,
        in_flight: InFlight,
    }
}

impl<B> Answer<B> {
    /// The answer is the client's to take from now on: with HTTP/2, nobody asks for its body before the client has
    /// made room for it.
    pub(super) fn new(body: B, mut in_flight: InFlight) -> Self {
        in_flight.exchanges.last_taken.set(Instant::now());
        in_flight.set_with_client(true);
        Self { body, in_flight }
    }
}

impl<B: Body> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        // Being asked for more means that what was handed over has been taken.
        this.in_flight.set_with_client(false);
        let frame = ready!(this.body.poll_frame(cx));
        this.in_flight.exchanges.last_taken.set(Instant::now());
        this.in_flight.set_with_client(true);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::{Exchanges, Patience};
    use crate::edge::rejection::Rejection;
    use crate::edge::settings::Settings;

    #[tokio::test]
    async fn patience_depends_on_whose_turn_it_is() {
        let settings = Settings::default();
        let exchanges = Exchanges::new();
        let cut = |why: &str| assert!(matches!(exchanges.patience(&settings), Patience::CutAt(_)), "{why}");
        cut("nothing asked yet");
        let mut first = exchanges.begin();
        let second = exchanges.begin();
        assert_eq!(exchanges.patience(&settings), Patience::Endless, "the application's turn");
        first.set_with_client(true);
        cut("the client has something to take");
        drop(first);
        assert_eq!(
            exchanges.patience(&settings),
            Patience::Endless,
            "the other request is not the client's turn"
        );
        drop(second);
        assert!(matches!(exchanges.patience(&settings), Patience::CloseAt(_)), "idle");
        exchanges.head_began();
        cut("a head has begun");
        exchanges.head_ended();
        exchanges.wrote(None);
        cut("the socket is full");
        exchanges.wrote(Some(1));
        assert!(matches!(exchanges.patience(&settings), Patience::CloseAt(_)), "idle again");
    }

    #[tokio::test]
    async fn only_the_request_with_that_number_is_refused() {
        let exchanges = Exchanges::new();
        exchanges.refuse(2, Rejection::malformed("why"));
        let statuses = [(); 3].map(|()| exchanges.begin().rejection().map(|rejection| rejection.status));
        assert_eq!(statuses, [None, Some(StatusCode::BAD_REQUEST), None]);
    }
}
