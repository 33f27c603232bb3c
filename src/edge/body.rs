//! Request bodies as applications read them: bounded in the time that they may stand still, and without trailers.
//!
//! A body is never buffered here beyond what an application asks for.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

/// What a body must bring within the stall limit to count as moving.
const LEAST_PROGRESS: usize = 4096;

/// Why a body ends early.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BodyError {
    /// It stood still for too long. The answer, if any is still possible, is 408.
    #[error("the request body stood still for too long")]
    Stalled,
    /// Its framing is malformed. The answer is 400.
    #[error("the request body is malformed")]
    Malformed,
    /// The client went away, or reset the stream.
    #[error("the client went away in the middle of the request body")]
    Gone,
}

/// Why a body cannot be had in one piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CollectError {
    /// It is longer than the caller takes. The answer is 413.
    #[error("the request body is too large")]
    TooLarge,
    /// It ended early.
    #[error(transparent)]
    Broken(#[from] BodyError),
}

/// Where a body's bytes come from.
#[derive(Debug)]
enum Source {
    Client(Incoming),
    Memory(Bytes),
    Ended,
}

/// The body of a request.
#[derive(Debug)]
pub struct RequestBody {
    source: Source,
    patience: Patience,
    leftover: Option<Leftover>,
    asked: bool,
}

/// Where a body that is dropped unread is left for the connection to clear away.
#[derive(Clone, Debug, Default)]
pub(super) struct Leftover(Arc<Mutex<Option<RequestBody>>>);

impl Leftover {
    /// Takes what was left, if anything.
    pub(super) fn take(&self) -> Option<RequestBody> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl RequestBody {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::over(Source::Ended, Duration::MAX)
    }

    /// A body that is at hand already.
    #[must_use]
    pub fn full(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::empty() } else { Self::over(Source::Memory(bytes), Duration::MAX) }
    }

    /// The body that a client is sending; it may stand still for `stall`.
    pub(super) fn from_client(incoming: Incoming, stall: Duration) -> Self {
        if incoming.is_end_stream() { Self::empty() } else { Self::over(Source::Client(incoming), stall) }
    }

    fn over(source: Source, stall: Duration) -> Self {
        Self { source, patience: Patience::new(stall), leftover: None, asked: false }
    }

    /// Arranges that what is not read will be found in the returned place.
    pub(super) fn keep_leftover(&mut self) -> Leftover {
        let leftover = Leftover::default();
        self.leftover = Some(leftover.clone());
        leftover
    }

    /// Whether anybody has asked for its bytes, which is what tells a client that waits for `100 Continue` to send.
    pub(super) fn was_asked(&self) -> bool {
        self.asked
    }

    /// Reads the whole body into memory, if it is at most `max` bytes long.
    ///
    /// # Errors
    /// [`CollectError`]; a declared length above `max` is refused before anything is read.
    pub async fn collect_limited(mut self, max: usize) -> Result<Bytes, CollectError> {
        if self.size_hint().lower() > max as u64 {
            return Err(CollectError::TooLarge);
        }
        let mut first = Bytes::new();
        let mut more = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if first.len() + more.len() + data.len() > max {
                return Err(CollectError::TooLarge);
            }
            // Most bodies are one piece, which then needs no copy.
            if first.is_empty() {
                first = data;
            } else {
                more.extend_from_slice(&data);
            }
        }
        if more.is_empty() {
            return Ok(first);
        }
        Ok([first, more.freeze()].concat().into())
    }

    /// Reads and forgets at most `max_bytes` for at most `max_time`; tells whether the end was reached.
    pub async fn drain(mut self, max_bytes: u64, max_time: Duration) -> bool {
        if self.size_hint().lower() > max_bytes {
            return false;
        }
        self.leftover = None;
        let read = async {
            let mut left = max_bytes;
            while let Some(frame) = self.frame().await {
                let Ok(frame) = frame else { return false };
                let len = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(rest) = left.checked_sub(len) else { return false };
                left = rest;
            }
            true
        };
        tokio::time::timeout(max_time, read).await.unwrap_or(false)
    }

    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let Source::Client(incoming) = &mut self.source else { return Poll::Ready(None) };
        loop {
            let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(cx) else {
                return self.patience.poll_exhausted(cx).map(|()| Some(Err(BodyError::Stalled)));
            };
            match frame {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(classify(&error)))),
                // Trailers are nothing that anybody may act on (S-28, S-51): dropped.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.patience.moved(data.len());
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

fn classify(error: &hyper::Error) -> BodyError {
    let mut source = error.source();
    while let Some(cause) = source {
        let io = cause.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return BodyError::Malformed;
        }
        source = cause.source();
    }
    BodyError::Gone
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        this.asked = true;
        let data = match &mut this.source {
            Source::Ended => None,
            Source::Memory(bytes) => Some(Ok(std::mem::take(bytes))),
            Source::Client(_) => ready!(this.poll_client(cx)),
        };
        let over = !matches!((&data, &this.source), (Some(Ok(_)), Source::Client(_)));
        if over {
            this.source = Source::Ended;
        }
        Poll::Ready(data.map(|result| result.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Client(incoming) => incoming.is_end_stream(),
            Source::Memory(_) => false,
            Source::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Client(incoming) => incoming.size_hint(),
            Source::Memory(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Source::Ended => SizeHint::with_exact(0),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(leftover) = self.leftover.take() else { return };
        if self.is_end_stream() {
            return;
        }
        let source = std::mem::replace(&mut self.source, Source::Ended);
        let left =
            Self { source, patience: Patience::new(self.patience.limit), leftover: None, asked: self.asked };
        *leftover.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
    }
}

/// Counts the time that a body is waited for: [`LEAST_PROGRESS`] bytes buy it back. Time in which nobody asks for
/// more, because the other side of the proxy is slow, is not the client's fault and does not count.
#[derive(Debug)]
struct Patience {
    limit: Duration,
    spent: Duration,
    waiting_since: Option<Instant>,
    moved: usize,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self { limit, spent: Duration::ZERO, waiting_since: None, moved: 0, alarm: None }
    }

    fn moved(&mut self, bytes: usize) {
        if let Some(since) = self.waiting_since.take() {
            self.spent += since.elapsed();
        }
        self.moved += bytes;
        if self.moved >= LEAST_PROGRESS {
            (self.moved, self.spent) = (0, Duration::ZERO);
        }
    }

    /// Ready when the client has been waited for too long.
    fn poll_exhausted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let since = *self.waiting_since.get_or_insert(now);
        let end = since + self.limit.saturating_sub(self.spent);
        loop {
            if Instant::now() >= end {
                return Poll::Ready(());
            }
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
            // One timer is reused: ringing early costs less than being set anew for every piece of a body.
            if alarm.deadline() > end || alarm.is_elapsed() {
                alarm.as_mut().reset(end);
            }
            ready!(alarm.as_mut().poll(cx));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::{CollectError, RequestBody};

    #[tokio::test]
    async fn a_body_is_collected_up_to_its_limit_and_no_further() {
        let body = || RequestBody::full(Bytes::from_static(b"hello"));
        assert_eq!(body().collect_limited(5).await.unwrap(), "hello");
        assert_eq!(body().collect_limited(4).await, Err(CollectError::TooLarge));
        assert_eq!(RequestBody::empty().collect_limited(0).await.unwrap(), "");
    }

    #[tokio::test]
    async fn only_a_body_that_is_short_enough_is_drained() {
        let body = || RequestBody::full(Bytes::from_static(b"hello"));
        assert!(body().drain(5, Duration::from_secs(1)).await);
        assert!(!body().drain(4, Duration::from_secs(1)).await);
    }

    #[test]
    fn a_body_dropped_unread_is_found_again() {
        let mut body = RequestBody::full(Bytes::from_static(b"hello"));
        let leftover = body.keep_leftover();
        drop(body);
        assert!(leftover.take().is_some_and(|left| !left.was_asked()));
    }
}
