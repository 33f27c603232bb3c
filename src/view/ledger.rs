//! Which answers depend on what, and which changes have been applied: the place where a load and a change meet.
//!
//! A load reads the store first and registers its answer later; a change may be applied in between. Both happen under
//! one lock here, so one sees the other: a change that comes after the registration marks the answer stale, and a
//! registration that comes after a change finds it among the recent ones, is refused, and the load starts again.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::store::feed::{Change, ChangeKey, Sequence};

/// How many applied changes are remembered. A load that took longer than so many changes starts again.
const RECENT: usize = 4096;

/// Set once something that the answer depends on has changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Mark(Arc<AtomicBool>);

impl Mark {
    /// Whether the answer must not be given any more.
    pub(super) fn is_stale(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Withdraws the answer.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What an answer depends on.
#[derive(Debug)]
pub(super) enum Depends {
    /// On everything: it is given to those who wait for it, and not kept.
    OnEverything,
    /// On these keys.
    On(Vec<ChangeKey>),
}

/// Where the ledger stood when a load began.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Moment {
    epoch: u64,
    /// Everything up to here had been applied, so the load reads it or something newer.
    pub(super) applied: Sequence,
}

/// The changes that do not follow on those applied before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Gap;

/// The ledger.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Counts the times that everything was dropped.
    epoch: u64,
    applied: Sequence,
    recent: VecDeque<Change>,
    dependents: HashMap<ChangeKey, Vec<Weak<AtomicBool>>>,
    /// How many entries `dependents` has, and at how many it is cleared of those that nobody holds any more.
    registered: usize,
    sweep_at: usize,
}

impl Ledger {
    /// Where the ledger stands.
    pub(super) fn moment(&self) -> Moment {
        let state = self.lock();
        Moment { epoch: state.epoch, applied: state.applied }
    }

    /// Registers an answer that was read at `as_of` by a load that began at `began`, and calls `publish` while no
    /// change can be applied. `false`, and nothing is done, if the answer is outdated already.
    pub(super) fn register(
        &self,
        (began, as_of): (Moment, Sequence),
        depends: &Depends,
        mark: &Mark,
        publish: impl FnOnce(),
    ) -> bool {
        let mut state = self.lock();
        if state.epoch != began.epoch || state.outdated(as_of, depends) {
            return false;
        }
        match depends {
            Depends::On(keys) => state.enter(keys, mark),
            Depends::OnEverything => mark.set(),
        }
        publish();
        true
    }

    /// Applies changes, and says how many answers they made stale.
    pub(super) fn apply(&self, changes: Vec<Change>) -> Result<u64, Gap> {
        let mut state = self.lock();
        let mut dropped = 0;
        for change in changes {
            if change.sequence.0 != state.applied.0 + 1 {
                return Err(Gap);
            }
            state.applied = change.sequence;
            dropped += state.withdraw(&change.key);
            if state.recent.len() == RECENT {
                state.recent.pop_front();
            }
            state.recent.push_back(change);
        }
        Ok(dropped)
    }

    /// Drops every answer and goes on from `position`.
    pub(super) fn reset(&self, position: Sequence) -> u64 {
        let mut state = self.lock();
        let keys: Vec<_> = state.dependents.keys().cloned().collect();
        let dropped = keys.iter().map(|key| state.withdraw(key)).sum();
        *state = State { epoch: state.epoch + 1, applied: position, ..State::default() };
        dropped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way, so a poisoned state is a whole one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether something that the answer depends on may have changed after `as_of`.
    fn outdated(&self, as_of: Sequence, depends: &Depends) -> bool {
        let oldest = self.recent.front().map_or(self.applied, |change| Sequence(change.sequence.0 - 1));
        let mut since = self.recent.iter().rev().take_while(|change| change.sequence > as_of);
        as_of < oldest
            || match depends {
                Depends::OnEverything => as_of < self.applied,
                Depends::On(keys) => since.any(|change| keys.contains(&change.key)),
            }
    }

    fn enter(&mut self, keys: &[ChangeKey], mark: &Mark) {
        for key in keys {
            self.dependents.entry(key.clone()).or_default().push(Arc::downgrade(&mark.0));
        }
        self.registered += keys.len();
        if self.registered > self.sweep_at {
            self.sweep();
        }
    }

    /// Forgets answers that have left the cache or are stale, so that the ledger is never much larger than the cache.
    fn sweep(&mut self) {
        let live = |mark: &Weak<AtomicBool>| mark.upgrade().is_some_and(|mark| !mark.load(Ordering::Acquire));
        self.dependents.retain(|_, marks| {
            marks.retain(live);
            !marks.is_empty()
        });
        self.registered = self.dependents.values().map(Vec::len).sum();
        self.sweep_at = self.registered * 2 + 1024;
    }

    /// Makes stale what depends on `key`.
    fn withdraw(&mut self, key: &ChangeKey) -> u64 {
        let marks = self.dependents.remove(key).unwrap_or_default();
        self.registered -= marks.len();
        let fresh = |mark: &Arc<AtomicBool>| !mark.swap(true, Ordering::AcqRel);
        marks.iter().filter_map(Weak::upgrade).filter(fresh).map(|_| 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Depends, Gap, Ledger, Mark, RECENT};
    use crate::ids::region::Region;
    use crate::store::feed::{Change, ChangeKey, Sequence};

    fn key(name: &str) -> ChangeKey {
        ChangeKey::Registry(Region::parse(name).unwrap())
    }

    fn change(at: i64, name: &str) -> Change {
        Change { sequence: Sequence(at), key: key(name) }
    }

    fn register(ledger: &Ledger, as_of: i64, name: &str) -> Option<Mark> {
        let mark = Mark::default();
        let when = (ledger.moment(), Sequence(as_of));
        ledger.register(when, &Depends::On(vec![key(name)]), &mark, || ()).then_some(mark)
    }

    #[test]
    fn a_change_after_the_registration_makes_the_answer_stale_and_no_other() {
        let ledger = Ledger::default();
        let (a, b) = (register(&ledger, 0, "a").unwrap(), register(&ledger, 0, "b").unwrap());
        assert_eq!(ledger.apply(vec![change(1, "a"), change(2, "a")]), Ok(1));
        assert!(a.is_stale() && !b.is_stale());
    }

    #[test]
    fn a_registration_after_the_change_is_refused_unless_it_was_read_later() {
        let ledger = Ledger::default();
        ledger.apply(vec![change(1, "a"), change(2, "b")]).unwrap();
        assert!(register(&ledger, 0, "a").is_none());
        assert!(register(&ledger, 1, "a").is_some() && register(&ledger, 0, "c").is_some());
        assert!(register(&ledger, 9, "b").is_some(), "read after changes that are still to be applied");
    }

    #[test]
    fn an_answer_that_depends_on_everything_is_outdated_by_anything_and_never_kept() {
        let ledger = Ledger::default();
        let (began, mark) = (ledger.moment(), Mark::default());
        assert!(ledger.register((began, Sequence(0)), &Depends::OnEverything, &mark, || ()));
        assert!(mark.is_stale());
        ledger.apply(vec![change(1, "z")]).unwrap();
        assert!(!ledger.register((began, Sequence(0)), &Depends::OnEverything, &Mark::default(), || ()));
    }

    #[test]
    fn what_was_read_before_the_oldest_remembered_change_is_outdated() {
        let ledger = Ledger::default();
        let many = (1..=i64::try_from(RECENT).unwrap() + 1).map(|at| change(at, "a")).collect();
        ledger.apply(many).unwrap();
        assert!(register(&ledger, 0, "b").is_none() && register(&ledger, 1, "b").is_some());
    }

    #[test]
    fn a_gap_is_noticed_and_a_reset_drops_all_and_outdates_loads_under_way() {
        let ledger = Ledger::default();
        let (a, began) = (register(&ledger, 0, "a").unwrap(), ledger.moment());
        assert_eq!(ledger.apply(vec![change(2, "b")]), Err(Gap));
        assert_eq!(ledger.reset(Sequence(7)), 1);
        assert!(a.is_stale());
        let late = Depends::On(vec![key("c")]);
        assert!(!ledger.register((began, Sequence(99)), &late, &Mark::default(), || ()));
        assert!(register(&ledger, 6, "c").is_none());
        let c = register(&ledger, 7, "c").unwrap();
        assert_eq!(ledger.apply(vec![change(8, "c")]), Ok(1));
        assert!(c.is_stale());
    }

    #[test]
    fn answers_that_nobody_holds_do_not_pile_up() {
        let ledger = Ledger::default();
        let kept = register(&ledger, 0, "kept").unwrap();
        for _ in 0..100_000 {
            register(&ledger, 0, "gone").unwrap();
        }
        assert!(ledger.0.lock().unwrap().registered < 2000);
        assert_eq!(ledger.apply(vec![change(1, "kept")]), Ok(1));
        assert!(kept.is_stale());
    }
}
