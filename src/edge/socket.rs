//! The TCP stream itself, watched for whether the client takes what it is sent.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::exchanges::Exchanges;

/// A TCP stream that notes its progress.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    exchanges: Rc<Exchanges>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, exchanges: Rc<Exchanges>) -> Self {
        Self { stream, exchanges }
    }

    /// Waits for the first bytes and copies them, without taking them.
    pub(super) async fn peek(&self, first: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(first).await
    }
}

/// How many bytes a write took; `None` when it would have had to wait.
fn taken(written: &Poll<io::Result<usize>>) -> Option<usize> {
    match written {
        Poll::Pending => None,
        Poll::Ready(Ok(count)) => Some(*count),
        Poll::Ready(Err(_)) => Some(0),
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.exchanges.wrote(taken(&written));
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.exchanges.wrote(taken(&written));
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
