//! A long blob on its way to many: read from the upstream once, and taken by each client at its own speed.
//!
//! With a file behind it, whoever comes late or is slow reads from that, as far as it is written. Without one, a window of it is
//! in memory: there it waits a little for the slow, and then goes on without them. They get the rest by themselves.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::Place;
use super::object::Object;
use crate::admit::fault::Fault;

/// How much is in memory at most, and what is kept from the beginning for those who come late.
pub(super) const WINDOW: u32 = 4 << 20;

/// What is poured, and who takes it.
#[derive(Debug)]
pub(in crate::forward) struct Pour {
    pub(super) place: Place,
    pub(super) object: Object,
    source: Source,
    state: Mutex<State>,
}

/// Where those who take it find it.
#[derive(Debug)]
enum Source {
    File(Arc<File>),
    Window { _room: OwnedSemaphorePermit },
}

#[derive(Debug, Default)]
struct State {
    /// With where each begins.
    pieces: VecDeque<(u64, Bytes)>,
    /// What is there begins and ends here.
    start: u64,
    end: u64,
    over: Option<Over>,
    takers: HashMap<u64, Taker>,
    last_taker: u64,
    pourer: Option<Waker>,
}

#[derive(Debug, Default)]
struct Taker {
    at: u64,
    waker: Option<Waker>,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(super) enum Over {
    Whole,
    /// Nobody can go on with it, but there is nothing wrong with it.
    Abandoned,
    Broken(Fault),
}

/// What there is for somebody who takes it.
pub(super) enum Next {
    Piece(Bytes),
    /// Up to there it is in the file.
    File(Arc<File>, u64),
    End,
    Broken(Fault),
    /// It will not come this way.
    Alone,
}

impl Pour {
    pub(super) fn into_file(place: Place, object: Object, file: Arc<File>) -> Arc<Self> {
        Arc::new(Self { place, object, source: Source::File(file), state: Mutex::default() })
    }

    pub(super) fn through_memory(place: Place, object: Object, room: OwnedSemaphorePermit) -> Arc<Self> {
        Arc::new(Self { place, object, source: Source::Window { _room: room }, state: Mutex::default() })
    }

    /// A place among those who take it from its beginning, while that is there.
    pub(super) fn join(&self) -> Option<u64> {
        let mut state = self.state();
        if state.start > 0 || matches!(state.over, Some(Over::Abandoned | Over::Broken(_))) {
            return None;
        }
        state.last_taker += 1;
        let taker = state.last_taker;
        state.takers.insert(taker, Taker::default());
        state.wake_pourer();
        Some(taker)
    }

    pub(super) fn leave(&self, taker: u64) {
        let mut state = self.state();
        state.takers.remove(&taker);
        state.wake_pourer();
    }

    /// What comes after `at`.
    pub(super) fn poll_next(&self, taker: u64, at: u64, cx: &mut Context<'_>) -> Poll<Next> {
        let mut state = self.state();
        let next = match &self.source {
            Source::File(file) if at < state.end => Some(Next::File(Arc::clone(file), state.end)),
            Source::Window { .. } if at < state.start => return Poll::Ready(Next::Alone),
            Source::Window { .. } if at < state.end => state.piece(at).map(Next::Piece),
            Source::File(_) | Source::Window { .. } => None,
        };
        let waits = next.is_none() && state.over.is_none();
        let length = if let Some(Next::Piece(piece)) = &next { piece.len() as u64 } else { 0 };
        if let Some(place) = state.takers.get_mut(&taker) {
            place.at = at + length;
            place.waker = waits.then(|| cx.waker().clone());
        }
        state.wake_pourer();
        match (next, &state.over) {
            (Some(next), _) => Poll::Ready(next),
            (None, Some(Over::Whole)) => Poll::Ready(Next::End),
            (None, Some(Over::Abandoned)) => Poll::Ready(Next::Alone),
            (None, Some(Over::Broken(fault))) => Poll::Ready(Next::Broken(fault.clone())),
            (None, None) => Poll::Pending,
        }
    }

    /// Adds what has come.
    pub(super) fn push(&self, piece: Bytes) {
        let mut state = self.state();
        let at = state.end;
        state.end += piece.len() as u64;
        state.pieces.push_back((at, piece));
        // The beginning stays as long as all of it fits: somebody may still come.
        if state.end > u64::from(WINDOW) {
            let taken = state.slowest();
            state.forget_before(taken);
        }
        state.wake_takers();
    }

    /// The file is good up to there.
    pub(super) fn reach(&self, end: u64) {
        let mut state = self.state();
        state.end = end;
        state.wake_takers();
    }

    /// There is no more. What was said first stands.
    pub(super) fn end(&self, over: Over) {
        let mut state = self.state();
        state.over.get_or_insert(over);
        state.wake_takers();
    }

    /// Ready when there is room for more: as much as one window is, beyond the slowest.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        let slowest = state.slowest();
        if state.takers.is_empty() || state.end.saturating_sub(slowest) < u64::from(WINDOW) {
            if state.end > u64::from(WINDOW) {
                state.forget_before(slowest);
            }
            return Poll::Ready(());
        }
        state.pourer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready when nobody takes it.
    pub(super) fn poll_deserted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.takers.is_empty() {
            return Poll::Ready(());
        }
        state.pourer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready when somebody takes it.
    pub(super) fn poll_wanted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.takers.is_empty() {
            state.pourer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Goes on without those who are far behind, if that helps somebody who waits.
    pub(super) fn shed(&self) -> bool {
        let mut state = self.state();
        let somebody_waits =
            state.takers.values().any(|taker| taker.waker.is_some() && taker.at == state.end);
        if somebody_waits {
            let half = state.end.saturating_sub(u64::from(WINDOW / 2));
            state.forget_before(half);
            state.takers.retain(|_, taker| taker.at >= half);
        }
        somebody_waits
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn slowest(&self) -> u64 {
        self.takers.values().map(|taker| taker.at).min().unwrap_or(self.end)
    }

    /// What is there from `at` on, in one piece.
    fn piece(&self, at: u64) -> Option<Bytes> {
        let after = self.pieces.partition_point(|(begin, _)| *begin <= at);
        let (begin, piece) = self.pieces.get(after.checked_sub(1)?)?;
        let skip = usize::try_from(at.checked_sub(*begin)?).ok()?;
        (skip < piece.len()).then(|| piece.slice(skip..))
    }

    fn forget_before(&mut self, at: u64) {
        while self.pieces.front().is_some_and(|(begin, piece)| begin + piece.len() as u64 <= at) {
            self.pieces.pop_front();
        }
        self.start = self.pieces.front().map_or(self.end, |(begin, _)| *begin);
    }

    fn wake_takers(&mut self) {
        self.takers.values_mut().filter_map(|taker| taker.waker.take()).for_each(Waker::wake);
    }

    fn wake_pourer(&mut self) {
        if let Some(waker) = self.pourer.take() {
            waker.wake();
        }
    }
}
