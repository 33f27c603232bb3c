//! A connection between two requests, kept without anything that only requests need.
//!
//! An idle HTTP/1.1 connection costs its TLS session and little else: the buffers and the state machine of the HTTP
//! library are given up after a moment of rest, and made anew when the next request begins to arrive.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::StrictHttp1;

/// A resting stream. As a future, it waits until there is a reason to stop resting.
#[derive(Debug)]
pub(super) struct Parked<Io> {
    strict: StrictHttp1<Io>,
    closing: bool,
}

/// Why a connection rests no more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Woken {
    /// It is to be closed, or the client has gone.
    Close,
    /// A request is there.
    Request,
}

impl<Io> Parked<Io> {
    /// Lets a stream rest.
    pub(super) fn new(strict: StrictHttp1<Io>) -> Self {
        Self { strict, closing: false }
    }

    /// Asks for the rest to end.
    pub(super) fn close(mut self: Pin<&mut Self>)
    where
        Io: Unpin,
    {
        self.closing = true;
    }

    /// The stream, with all that it delivered while it rested put back.
    pub(super) fn into_stream(self) -> StrictHttp1<Io> {
        self.strict
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Future for Parked<Io> {
    type Output = io::Result<Woken>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Woken>> {
        if self.closing {
            return Poll::Ready(Ok(Woken::Close));
        }
        let mut bytes = [0; 512];
        let mut read = ReadBuf::new(&mut bytes);
        std::task::ready!(Pin::new(&mut self.strict).poll_read(cx, &mut read))?;
        if read.filled().is_empty() {
            return Poll::Ready(Ok(Woken::Close));
        }
        self.strict.put_back(read.filled());
        Poll::Ready(Ok(Woken::Request))
    }
}
