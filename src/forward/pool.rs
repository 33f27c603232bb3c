//! One worker's idle connections to its upstream, the most recently used first.
//!
//! It decides which connection may carry another exchange. Only one whose request went out whole and whose answer was
//! read to its end may; every other is cut off, which is also how the upstream learns that a client went away.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::connect::Fresh;
use super::outgoing::{Outgoing, Progress};

/// Idle connections of one worker. Never shared between threads, so it needs no lock.
#[derive(Debug)]
pub(super) struct Pool {
    idle: RefCell<Vec<Parked>>,
    sweeping: Cell<bool>,
    limits: Limits,
}

/// What the pool keeps, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many connections.
    pub(super) idle: usize,
    /// How long one may stay idle.
    pub(super) keepalive: Duration,
    /// How old one may become.
    pub(super) age: Duration,
}

#[derive(Debug)]
struct Parked {
    line: Line,
    since: Instant,
}

/// A connection: its sending half, and the task that drives it. Dropping it cuts the connection off at once.
#[derive(Debug)]
struct Line {
    sender: SendRequest<Outgoing>,
    task: AbortHandle,
    born: Instant,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pool {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self { idle: RefCell::default(), sweeping: Cell::new(false), limits })
    }

    /// The connection that was used last and is still good.
    pub(super) fn take(self: &Rc<Self>) -> Option<Held> {
        let now = Instant::now();
        let mut idle = self.idle.borrow_mut();
        idle.retain(|parked| self.is_good(parked, now));
        let at = idle.iter().rposition(|parked| parked.line.sender.is_ready())?;
        let line = idle.remove(at).line;
        Some(Held { line, pool: Rc::downgrade(self), progress: None })
    }

    /// Takes charge of a fresh connection and drives it on this thread.
    pub(super) fn adopt(self: &Rc<Self>, (sender, connection): Fresh<Outgoing>) -> Held {
        // Errors of the connection reach whoever waits for an answer on it; an idle one just ends.
        let task = tokio::task::spawn_local(async { connection.await.ok() }).abort_handle();
        Held { line: Line { sender, task, born: Instant::now() }, pool: Rc::downgrade(self), progress: None }
    }

    /// How many connections are idle.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.idle.borrow().len()
    }

    fn is_good(&self, parked: &Parked, now: Instant) -> bool {
        !parked.line.sender.is_closed()
            && now.saturating_duration_since(parked.since) < self.limits.keepalive
            && now.saturating_duration_since(parked.line.born) < self.limits.age
    }

    fn park(self: &Rc<Self>, line: Line) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < self.limits.idle && !line.sender.is_closed() {
            idle.push(Parked { line, since: Instant::now() });
            if !self.sweeping.replace(true) {
                tokio::task::spawn_local(sweep(Rc::downgrade(self), self.limits.keepalive));
            }
        }
    }
}

/// Closes connections that have been idle for too long, also when no request comes any more; ends with the last.
async fn sweep(pool: Weak<Pool>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(pool) = pool.upgrade() else { return };
        let now = Instant::now();
        let mut idle = pool.idle.borrow_mut();
        idle.retain(|parked| pool.is_good(parked, now));
        if idle.is_empty() {
            pool.sweeping.set(false);
            return;
        }
    }
}

/// A connection that carries an exchange. Dropping it cuts the connection off; [`Held::release`] keeps it.
#[derive(Debug)]
pub(super) struct Held {
    line: Line,
    pool: Weak<Pool>,
    progress: Option<Rc<Progress>>,
}

impl Held {
    /// The sending half, for a request whose body is followed by `progress`.
    pub(super) fn sender(&mut self, progress: Rc<Progress>) -> &mut SendRequest<Outgoing> {
        self.progress = Some(progress);
        &mut self.line.sender
    }

    /// Gives the connection back after the answer's end. It is kept only if the request went out whole: an upstream
    /// that answered early has not read the rest.
    pub(super) fn release(self) {
        let whole = self.progress.as_ref().is_none_or(|progress| progress.is_sent());
        if let (true, Some(pool)) = (whole, self.pool.upgrade()) {
            pool.park(self.line);
        }
    }
}
