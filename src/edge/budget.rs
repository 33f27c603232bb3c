//! How many HTTP/2 frames a client may send that move nothing.
//!
//! A SETTINGS or PING frame costs its sender 9 bytes and us an answer; a PRIORITY frame means nothing any more (RFC 9113
//! section 5.3.2). The HTTP library bounds resets, empty DATA and CONTINUATION by itself, and answers these for ever. Here a
//! connection that sends many more than anybody needs is ended (D-13). Frames are counted, never changed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// What a client sends first (RFC 9113 section 3.4).
const PREFACE: usize = 24;
const HEADER: usize = 9;
/// How many such frames at once, and how long each counts. Clients send a few at the start, then pings every few seconds; some
/// measure their bandwidth with several pings a second.
const MOST: u32 = 1000;
const FORGIVEN_AFTER: Duration = Duration::from_millis(10);

/// A stream that ends when its client sends too much that moves nothing.
#[derive(Debug)]
pub(super) struct Budgeted<Io> {
    io: Io,
    frames: Frames,
    spent: u32,
    since: Instant,
}

/// Where in the client's frames the next byte belongs.
#[derive(Debug)]
struct Frames {
    /// Bytes that are no frame's header: the rest of the preface, or of a payload.
    skip: usize,
    header: [u8; HEADER],
    /// How many bytes of the header are there.
    filled: usize,
}

impl Frames {
    const START: Self = Self { skip: PREFACE, header: [0; HEADER], filled: 0 };

    /// How many frames that move nothing begin in `bytes`, which follow all that was seen before.
    fn idle(&mut self, mut bytes: &[u8]) -> u32 {
        let mut idle = 0;
        while !bytes.is_empty() {
            if self.skip > 0 {
                let here = self.skip.min(bytes.len());
                self.skip -= here;
                bytes = bytes.get(here..).unwrap_or_default();
                continue;
            }
            let here = (HEADER - self.filled).min(bytes.len());
            let (own, rest) = bytes.split_at(here);
            if let Some(room) = self.header.get_mut(self.filled..self.filled + here) {
                room.copy_from_slice(own);
            }
            self.filled += here;
            bytes = rest;
            if self.filled == HEADER {
                let [high, middle, low, kind, ..] = self.header;
                self.filled = 0;
                self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                idle += u32::from(is_idle(kind));
            }
        }
        idle
    }
}

/// Whether frames of a kind move nothing: all but DATA, HEADERS, RST_STREAM, WINDOW_UPDATE and CONTINUATION.
const fn is_idle(kind: u8) -> bool {
    !matches!(kind, 0 | 1 | 3 | 8 | 9)
}

impl<Io> Budgeted<Io> {
    pub(super) fn new(io: Io) -> Self {
        Self { io, frames: Frames::START, spent: 0, since: Instant::now() }
    }

    fn spend(&mut self, bytes: &[u8]) -> io::Result<()> {
        let idle = self.frames.idle(bytes);
        if idle == 0 {
            return Ok(());
        }
        let forgiven = self.since.elapsed().as_millis() / FORGIVEN_AFTER.as_millis();
        if forgiven > 0 {
            self.spent = self.spent.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
            self.since = Instant::now();
        }
        self.spent = self.spent.saturating_add(idle);
        if self.spent > MOST { Err(io::Error::other("too many frames that move nothing")) } else { Ok(()) }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Budgeted<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        Poll::Ready(self.spend(buf.filled().get(before..).unwrap_or_default()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Budgeted<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Budgeted, Frames, MOST};

    fn frame(kind: u8, length: usize) -> Vec<u8> {
        let size = u32::try_from(length).unwrap().to_be_bytes();
        [&size[1..], &[kind, 0, 0, 0, 0, 0], &vec![6; length]].concat()
    }

    #[test]
    fn frames_are_found_however_the_bytes_come() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let kinds = [4, 8, 1, 0, 6, 3, 9, 2, 0, 0xf7, 6];
        let frames = kinds.iter().zip([0, 4, 300, 16_384, 8, 4, 0, 5, 0, 9, 8]);
        let all = [preface, frames.flat_map(|(kind, length)| frame(*kind, length)).collect()].concat();
        for size in [1, 7, 9, 24, 1000, all.len()] {
            let mut found = Frames::START;
            let idle: u32 = all.chunks(size).map(|bytes| found.idle(bytes)).sum();
            assert_eq!(idle, 5, "in pieces of {size}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_ends_and_a_steady_trickle_does_not() {
        let mut connection = Budgeted::new(());
        connection.spend(&[0; 24]).unwrap();
        let ping = frame(6, 8);
        for _ in 0..10 * MOST {
            connection.spend(&ping).unwrap();
            tokio::time::advance(Duration::from_millis(20)).await;
        }
        for _ in 0..100 * MOST {
            connection.spend(&frame(8, 4)).unwrap();
        }
        let flood = (0..2 * MOST).take_while(|_| connection.spend(&ping).is_ok()).count();
        assert!((MOST - 2..=MOST).contains(&u32::try_from(flood).unwrap()), "{flood}");
    }
}
