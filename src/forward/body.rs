//! The body of an answer on its way to the client.
//!
//! It passes bytes on as they come and ends cleanly only where the upstream's answer ended cleanly: a truncated,
//! overlong or stalled answer is an error, so that no client takes half a blob for a whole one. It never looks inside.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::cache::disk::reading::Reading;
use super::cache::follower::Follower;
use super::pool::Held;
use crate::admit::fault::Fault;

/// An answer's body. Not `Send`: it belongs to the worker whose connection it reads from.
#[derive(Debug)]
pub enum ForwardBody {
    /// No body.
    Empty,
    /// A body in memory, until it has been taken.
    Full(Bytes),
    /// A part of a file.
    Kept(Reading),
    /// What others get at the same time.
    Shared(Box<Follower>),
    /// The upstream's body, as it comes.
    Stream(Streaming),
}

/// A body that is being read from an upstream connection.
#[derive(Debug)]
pub struct Streaming {
    incoming: Incoming,
    held: Option<Held>,
    idle: Duration,
    last: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl ForwardBody {
    /// A body that `held` delivers, with at most `idle` between two pieces.
    pub(super) fn stream(incoming: Incoming, held: Held, idle: Duration) -> Self {
        let mut streaming = Streaming { incoming, held: Some(held), idle, last: Instant::now(), timer: None };
        if streaming.release_at_end() { Self::Empty } else { Self::Stream(streaming) }
    }
}

impl Body for ForwardBody {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Kept(reading) => reading.poll_piece(cx).map(|next| next.map(|read| read.map(Frame::data))),
            Self::Shared(follower) => {
                follower.poll_piece(cx).map(|next| next.map(|read| read.map(Frame::data)))
            }
            Self::Stream(streaming) => {
                streaming.poll_data(cx).map(|next| next.map(|read| read.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(_) => false,
            Self::Kept(reading) => reading.left() == 0,
            Self::Shared(follower) => follower.left() == 0,
            Self::Stream(streaming) => streaming.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Kept(reading) => SizeHint::with_exact(reading.left()),
            Self::Shared(follower) => SizeHint::with_exact(follower.left()),
            Self::Stream(streaming) => streaming.incoming.size_hint(),
        }
    }
}

impl Streaming {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.last = Instant::now();
                    // Trailers carry nothing that a registry's client reads.
                    if let Ok(data) = frame.into_data() {
                        self.release_at_end();
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.held = None;
                    return Poll::Ready(Some(Err(Fault::UpstreamBroken(format!("body: {error}")))));
                }
                Poll::Ready(None) => {
                    if let Some(held) = self.held.take() {
                        held.release();
                    }
                    return Poll::Ready(None);
                }
                Poll::Pending => return self.poll_stalled(cx).map(|fault| Some(Err(fault))),
            }
        }
    }

    /// Ready when nothing has come for too long. The timer is moved only when it fires, not with every piece.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        let idle = self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        while timer.as_mut().poll(cx).is_ready() {
            let due = self.last + idle;
            if due <= Instant::now() {
                self.held = None;
                return Poll::Ready(Fault::UpstreamTimeout(format!("body: nothing came for {idle:?}")));
            }
            timer.as_mut().reset(due);
        }
        Poll::Pending
    }

    /// Gives the connection back as soon as the last byte has been read: whoever writes an answer of known length
    /// does not ask for what follows its end.
    fn release_at_end(&mut self) -> bool {
        let ended = self.incoming.is_end_stream();
        if let (true, Some(held)) = (ended, self.held.take_if(|_| ended)) {
            held.release();
        }
        ended
    }
}

/// Why a body could not be read into memory.
#[derive(Debug)]
pub(super) enum Unread<E> {
    /// It broke off.
    Broken(E),
    /// It is longer than allowed.
    TooLong,
}

/// Reads a body of at most `limit` bytes. A longer one is given up where the limit is passed, or before the first byte
/// if its announced length says so.
pub(super) async fn read<B: Body<Data = Bytes>>(body: B, limit: usize) -> Result<Bytes, Unread<B::Error>> {
    if usize::try_from(body.size_hint().lower()).is_ok_and(|announced| announced <= limit) {
        read_pieces(body, limit).await
    } else {
        Err(Unread::TooLong)
    }
}

async fn read_pieces<B: Body<Data = Bytes>>(body: B, limit: usize) -> Result<Bytes, Unread<B::Error>> {
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(data) = frame.map_err(Unread::Broken)?.into_data() else { continue };
        if whole.len() + first.len() + data.len() > limit {
            return Err(Unread::TooLong);
        }
        if first.is_empty() && whole.is_empty() {
            // One piece is the usual case, and needs no copy.
            first = data;
            continue;
        }
        whole.extend_from_slice(&std::mem::take(&mut first));
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}
