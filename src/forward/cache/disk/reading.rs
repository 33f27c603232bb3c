//! A part of a file on its way to a client: one piece at a time, as fast as it is taken.

use std::fs::File;
use std::future::Future as _;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use super::Stored;
use crate::admit::fault::Fault;

/// How much is read at once.
const PIECE: u64 = 256 * 1024;

/// Bytes of a file that are still to be read. The disk is waited for elsewhere, never on the event loop.
#[derive(Debug)]
pub struct Reading {
    file: Arc<File>,
    at: u64,
    end: u64,
    under_way: Option<JoinHandle<io::Result<Bytes>>>,
    /// What keeps its room.
    _stored: Option<Arc<Stored>>,
}

impl Reading {
    /// From `at` to before `end`.
    pub(in crate::forward) fn of(stored: Arc<Stored>, at: u64, end: u64) -> Self {
        Self { file: Arc::clone(&stored.file), at, end, under_way: None, _stored: Some(stored) }
    }

    /// The same, of a file that is being written.
    pub(in crate::forward) const fn growing(file: Arc<File>, at: u64, end: u64) -> Self {
        Self { file, at, end, under_way: None, _stored: None }
    }

    pub(in crate::forward) const fn left(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    pub(in crate::forward) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        if self.left() == 0 {
            return Poll::Ready(None);
        }
        let (at, length) = (self.at, usize::try_from(self.left().min(PIECE)).unwrap_or(0));
        let file = &self.file;
        let task = self.under_way.get_or_insert_with(|| {
            let file = Arc::clone(file);
            spawn_blocking(move || {
                let mut piece = vec![0; length];
                file.read_exact_at(&mut piece, at)?;
                Ok(piece.into())
            })
        });
        let read = ready!(Pin::new(task).poll(cx));
        self.under_way = None;
        let fault = |error: &dyn std::fmt::Display| Fault::Internal(format!("a file of cache.disk: {error}"));
        Poll::Ready(Some(match read {
            Ok(Ok(piece)) => {
                self.at += piece.len() as u64;
                Ok(piece)
            }
            Ok(Err(error)) => Err(fault(&error)),
            Err(error) => Err(fault(&error)),
        }))
    }
}
