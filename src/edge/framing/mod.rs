//! HTTP/1.1 framing, enforced on the raw bytes before the HTTP library reads them.
//!
//! [`StrictHttp1`] stands between the (decrypted) stream and hyper. hyper accepts several spellings that other readers
//! read otherwise; here a request has exactly one reading or is refused. Nothing is rewritten on the way, except that
//! a refused head is replaced by a harmless one, so that its answer keeps its place behind the answers before it.

mod chunks;
pub(super) mod lines;
#[cfg(test)]
mod tests;

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::exchanges::Exchanges;
use super::rejection::Rejection;
use chunks::Chunks;
use lines::{Complete, Framing, HeadReader};

/// What hyper gets to see in place of a head that is refused.
const REFUSED: &[u8] = b"GET /.malformed HTTP/1.1\r\nhost: malformed.invalid\r\nconnection: close\r\n\r\n";
/// The same in place of a `HEAD`, whose answer has no body either way (RFC 9110 §9.3.2).
const REFUSED_HEAD: &[u8] =
    b"HEAD /.malformed HTTP/1.1\r\nhost: malformed.invalid\r\nconnection: close\r\n\r\n";
/// How much is read and thrown away behind the last request of a connection.
const MAX_IGNORED: usize = 1024 * 1024;

/// Where in the client's byte stream the next byte belongs.
#[derive(Debug)]
enum Stage {
    Head(HeadReader),
    Length {
        left: u64,
        last: bool,
    },
    Chunked {
        at: Chunks,
        last: bool,
    },
    /// Behind the last request of the connection: whatever comes is not looked at.
    Ignored {
        budget: usize,
    },
    /// A head was refused: nothing more is read until the answer has gone out.
    Refused {
        stand_in: &'static [u8],
    },
    /// A body was garbled.
    Garbled,
}

/// A stream that delivers only well-formed HTTP/1 requests.
#[derive(Debug)]
pub(super) struct StrictHttp1<Io> {
    io: Io,
    exchanges: Rc<Exchanges>,
    stage: Stage,
    /// Heads delivered, the refused one included.
    heads: u64,
    /// Bytes that were read but not delivered.
    input: BytesMut,
    /// How many of them may be delivered.
    cleared: usize,
    ended: bool,
    linger: Linger,
}

#[derive(Debug)]
struct Linger {
    limit: Duration,
    until: Option<Pin<Box<Sleep>>>,
    budget: usize,
}

impl<Io> StrictHttp1<Io> {
    /// Wraps `io`. When it is closed, the client's bytes are read away for at most `linger`, because closing a socket
    /// with unread bytes resets the connection and can destroy the answer that was just sent.
    pub(super) fn new(io: Io, exchanges: Rc<Exchanges>, linger: Duration) -> Self {
        Self {
            io,
            exchanges,
            stage: Stage::Head(HeadReader::default()),
            heads: 0,
            input: BytesMut::new(),
            cleared: 0,
            ended: false,
            linger: Linger { limit: linger, until: None, budget: 8 * MAX_IGNORED },
        }
    }

    /// Takes bytes back that were delivered and not used, to be delivered again before anything else.
    pub(super) fn put_back(&mut self, unused: &[u8]) {
        if !unused.is_empty() {
            let behind = std::mem::take(&mut self.input);
            self.input.extend_from_slice(unused);
            self.input.extend_from_slice(&behind);
            self.cleared += unused.len();
        }
    }

    /// Judges `bytes`, which follow everything judged before; returns how many of them may be delivered. Zero means
    /// that a head needs more, or was refused.
    fn judge(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stage {
            Stage::Head(reader) => {
                let fresh = reader.is_fresh();
                let outcome = reader.advance(bytes);
                if fresh && !bytes.is_empty() {
                    self.exchanges.head_began();
                }
                self.head_outcome(outcome)
            }
            Stage::Length { left, last } => {
                let (here, last) = ((*left).min(bytes.len() as u64), *last);
                *left -= here;
                if *left == 0 {
                    self.stage = next_request(last);
                }
                usize::try_from(here).map_err(io::Error::other)
            }
            Stage::Chunked { at, last } => {
                let (followed, last) = (at.follow(bytes), *last);
                let Ok(here) = followed else {
                    self.stage = Stage::Garbled;
                    return Err(garbled());
                };
                if *at == Chunks::Done {
                    self.stage = next_request(last);
                }
                Ok(here)
            }
            Stage::Ignored { .. } | Stage::Refused { .. } | Stage::Garbled => Ok(0),
        }
    }

    fn head_outcome(&mut self, outcome: Result<Option<Complete>, Rejection>) -> io::Result<usize> {
        match outcome {
            Ok(None) => Ok(0),
            Ok(Some(Complete { len, framing, last })) => {
                self.heads += 1;
                self.exchanges.head_ended();
                self.stage = match framing {
                    Framing::Empty => next_request(last),
                    Framing::Length(left) => Stage::Length { left, last },
                    Framing::Chunked => Stage::Chunked { at: Chunks::START, last },
                };
                Ok(len)
            }
            Err(rejection) => {
                self.heads += 1;
                self.exchanges.head_ended();
                self.exchanges.refuse(self.heads, rejection);
                let of_head = matches!(&self.stage, Stage::Head(reader) if reader.is_of_head());
                self.stage = Stage::Refused { stand_in: if of_head { REFUSED_HEAD } else { REFUSED } };
                Ok(0)
            }
        }
    }

    /// Judges what is buffered; returns whether something can be delivered now.
    fn judge_input(&mut self) -> io::Result<bool> {
        let input = std::mem::take(&mut self.input);
        let judged = self.judge(&input);
        self.input = input;
        self.cleared = judged?;
        self.after_judging();
        Ok(self.cleared > 0)
    }

    fn after_judging(&mut self) {
        match self.stage {
            Stage::Refused { stand_in } if self.cleared == 0 => {
                self.input = BytesMut::from(stand_in);
                self.cleared = stand_in.len();
            }
            Stage::Ignored { .. } => self.input.truncate(self.cleared),
            Stage::Refused { .. }
            | Stage::Head(_)
            | Stage::Length { .. }
            | Stage::Chunked { .. }
            | Stage::Garbled => {}
        }
    }

    fn deliver(&mut self, buf: &mut ReadBuf<'_>) {
        let len = self.cleared.min(buf.remaining());
        buf.put_slice(self.input.get(..len).unwrap_or_default());
        self.input.advance(len);
        self.cleared -= len;
        if self.input.is_empty() {
            // An idle connection holds no buffer.
            self.input = BytesMut::new();
        }
    }

    /// Judges what was just read into `buf` behind its first `before` bytes; keeps back what may not be delivered.
    fn judge_read(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> io::Result<bool> {
        let fresh = buf.filled().get(before..).unwrap_or_default();
        if !self.input.is_empty() {
            self.input.extend_from_slice(fresh);
            buf.set_filled(before);
            return Ok(false);
        }
        let used = self.judge(fresh)?;
        self.input.extend_from_slice(fresh.get(used..).unwrap_or_default());
        buf.set_filled(before + used);
        self.after_judging();
        Ok(used > 0)
    }
}

fn next_request(last: bool) -> Stage {
    if last { Stage::Ignored { budget: MAX_IGNORED } } else { Stage::Head(HeadReader::default()) }
}

fn garbled() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the chunked request body is malformed")
}

impl<Io: AsyncRead + Unpin> StrictHttp1<Io> {
    /// Reads and forgets, to notice that the client went away.
    fn poll_ignore(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let Stage::Ignored { budget } = &mut self.stage else { return Poll::Pending };
            let before = buf.filled().len();
            let left = budget.saturating_sub(1);
            if left == 0 {
                return Poll::Pending;
            }
            ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
            let fresh = buf.filled().len() - before;
            buf.set_filled(before);
            *budget = left.saturating_sub(fresh);
            if fresh == 0 {
                self.ended = true;
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for StrictHttp1<Io> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.cleared > 0 || (!this.input.is_empty() && this.judge_input()?) {
                this.deliver(buf);
                return Poll::Ready(Ok(()));
            }
            match this.stage {
                Stage::Refused { .. } => return Poll::Pending,
                Stage::Garbled => return Poll::Ready(Err(garbled())),
                Stage::Ignored { .. } => return this.poll_ignore(cx, buf),
                Stage::Head(_) | Stage::Length { .. } | Stage::Chunked { .. } => {}
            }
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
            if buf.filled().len() == before {
                this.ended = true;
                return Poll::Ready(Ok(()));
            }
            if this.judge_read(buf, before)? {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncWrite for StrictHttp1<Io> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.until.is_none() {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            let until = Instant::now() + this.linger.limit;
            this.linger.until = Some(Box::pin(tokio::time::sleep_until(until)));
        }
        let mut scratch = [0; 4096];
        while !this.ended && this.linger.budget > 0 {
            if let Some(until) = &mut this.linger.until
                && until.as_mut().poll(cx).is_ready()
            {
                break;
            }
            let mut sink = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut this.io).poll_read(cx, &mut sink));
            let len = sink.filled().len();
            this.linger.budget = this.linger.budget.saturating_sub(len);
            this.ended = read.is_err() || len == 0;
        }
        Poll::Ready(Ok(()))
    }
}
