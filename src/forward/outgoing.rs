//! The body of an upstream request, and how far it has got.
//!
//! It passes on what the client sends, never more or less than was announced. It sets no time limit of its own: whoever
//! waits for the answer reads [`Progress`] to tell a slow client from a slow upstream.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// Any error, as bodies report it.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A client's body behind one type, so that one pool serves them all. Boxed once per upload, never per answer.
pub(super) type Source = Pin<Box<dyn Body<Data = Bytes, Error = BoxError>>>;

/// The body of one upstream request.
pub(super) struct Outgoing {
    kind: Kind,
    progress: Rc<Progress>,
}

enum Kind {
    Empty,
    Full(Bytes),
    /// What the client sends; `left` is what it still owes of an announced length.
    Stream {
        source: Source,
        left: Option<u64>,
    },
}

impl Outgoing {
    /// No body.
    pub(super) fn empty() -> Self {
        Self { kind: Kind::Empty, progress: Progress::at(Stage::Sent) }
    }

    /// A body in memory.
    pub(super) fn full(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            return Self::empty();
        }
        Self { kind: Kind::Full(bytes), progress: Progress::at(Stage::Upstream) }
    }

    /// The client's body, as it comes.
    pub(super) fn stream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return Self::empty();
        }
        let left = body.size_hint().exact();
        let source: Source = Box::pin(http_body_util::BodyExt::map_err(body, Into::into));
        Self { kind: Kind::Stream { source, left }, progress: Progress::at(Stage::Upstream) }
    }

    /// How far this body has got; outlives it.
    pub(super) fn progress(&self) -> Rc<Progress> {
        Rc::clone(&self.progress)
    }

    /// Its length, if known beforehand.
    pub(super) fn length(&self) -> Option<u64> {
        self.size_hint().exact()
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let (source, left) = match &mut this.kind {
            Kind::Empty => return Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                this.kind = Kind::Empty;
                this.progress.reach(Stage::Sent);
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Kind::Stream { source, left } => (source, left),
        };
        this.progress.reach(Stage::Client);
        let next = ready!(source.as_mut().poll_frame(cx));
        let step = take(next, left);
        this.progress.reach(match &step {
            Step::Data(_) => Stage::Upstream,
            Step::End => Stage::Sent,
            Step::Broken(_) => Stage::ClientGone,
        });
        if source.is_end_stream() && matches!(step, Step::Data(_)) && left.unwrap_or(0) == 0 {
            this.progress.reach(Stage::Sent);
        }
        Poll::Ready(match step {
            Step::Data(data) => Some(Ok(Frame::data(data))),
            Step::End => None,
            Step::Broken(error) => Some(Err(error)),
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Full(_) => false,
            Kind::Stream { source, left } => source.is_end_stream() && left.unwrap_or(0) == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream { left: Some(left), .. } => SizeHint::with_exact(*left),
            Kind::Stream { left: None, .. } => SizeHint::default(),
        }
    }
}

enum Step {
    Data(Bytes),
    End,
    Broken(BoxError),
}

/// Holds a body to its announced length. Trailers end it: none is ever passed on.
fn take(next: Option<Result<Frame<Bytes>, BoxError>>, left: &mut Option<u64>) -> Step {
    match next {
        Some(Err(error)) => Step::Broken(error),
        Some(Ok(frame)) => match (frame.into_data(), left) {
            (Ok(data), None) => Step::Data(data),
            (Ok(data), Some(left)) => match left.checked_sub(data.len() as u64) {
                Some(rest) => {
                    *left = rest;
                    Step::Data(data)
                }
                None => Step::Broken("the request body is longer than announced".into()),
            },
            (Err(_), left) => end(*left),
        },
        None => end(*left),
    }
}

fn end(left: Option<u64>) -> Step {
    if left.unwrap_or(0) == 0 { Step::End } else { Step::Broken("the request body ended early".into()) }
}

/// Whom a request waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// The client, for more of the body.
    Client,
    /// Nobody any more: the client broke off.
    ClientGone,
    /// The upstream, to take what it was given.
    Upstream,
    /// The upstream, for its answer.
    Sent,
}

/// How far a request body has got, and since when.
#[derive(Debug)]
pub(super) struct Progress(Cell<(Stage, Instant)>);

impl Progress {
    fn at(stage: Stage) -> Rc<Self> {
        Rc::new(Self(Cell::new((stage, Instant::now()))))
    }

    fn reach(&self, stage: Stage) {
        self.0.set((stage, Instant::now()));
    }

    /// Whether the whole body went out.
    pub(super) fn is_sent(&self) -> bool {
        self.0.get().0 == Stage::Sent
    }

    /// Whether the client broke off.
    pub(super) fn client_gone(&self) -> bool {
        self.0.get().0 == Stage::ClientGone
    }

    /// When the upstream's patience ends, as things stand: `answer` after the body's end, `idle` after its last
    /// progress. While the client is awaited the upstream is not to blame, and the edge limits the client.
    pub(super) fn deadline(&self, answer: Duration, idle: Duration) -> Instant {
        let (stage, since) = self.0.get();
        match stage {
            Stage::Client | Stage::ClientGone => Instant::now() + idle,
            Stage::Upstream => since + idle,
            Stage::Sent => since + answer,
        }
    }
}
