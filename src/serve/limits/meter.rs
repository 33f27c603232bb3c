//! How often something happened, per key, in bounded memory: a token bucket that keeps one number per key.
//!
//! The number is when the key's debt will be paid off (the generic cell rate algorithm). A key without debt is not kept, so
//! forgetting those changes nothing; only when more keys are in debt than there is room for, the least indebted are let off.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many locks, so that event loops seldom wait for each other.
const SHARDS: usize = 16;
/// Keys that are kept per lock.
const ROOM: usize = 4096;

/// Counts against a rate. Times are from any fixed moment on.
#[derive(Debug)]
pub(super) struct Meter<K> {
    /// How long one event is paid off.
    cost: Duration,
    /// How much debt there may be.
    most: Duration,
    shards: [Mutex<HashMap<K, Duration>>; SHARDS],
    choose: RandomState,
}

impl<K: Copy + Eq + Hash> Meter<K> {
    /// `events` in each `span`, evenly or all at once; at least one.
    pub(super) fn new(events: u32, span: Duration) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { cost: span / events.max(1), most: span, shards, choose: RandomState::new() }
    }

    /// Counts one event, if the rate allows it.
    ///
    /// # Errors
    /// How long until it will.
    pub(super) fn take(&self, key: K, now: Duration) -> Result<(), Duration> {
        let Some(mut debts) = self.shard(key) else { return Ok(()) };
        let owed = debt(&debts, &key, now) + self.cost;
        allow(owed, self.most)?;
        owe(&mut debts, key, now, owed);
        Ok(())
    }

    /// Whether the rate allows one event more, which is not counted.
    ///
    /// # Errors
    /// How long until it will.
    pub(super) fn look(&self, key: K, now: Duration) -> Result<(), Duration> {
        self.shard(key).map_or(Ok(()), |debts| allow(debt(&debts, &key, now) + self.cost, self.most))
    }

    /// Counts one event that has happened. Debt ends somewhere: nobody waits longer than twice the span.
    pub(super) fn charge(&self, key: K, now: Duration) {
        if let Some(mut debts) = self.shard(key) {
            let owed = (debt(&debts, &key, now) + self.cost).min(2 * self.most);
            owe(&mut debts, key, now, owed);
        }
    }

    fn shard(&self, key: K) -> Option<MutexGuard<'_, HashMap<K, Duration>>> {
        let number = usize::try_from(self.choose.hash_one(key)).unwrap_or_default() % SHARDS;
        self.shards.get(number).map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn debt<K: Eq + Hash>(debts: &HashMap<K, Duration>, key: &K, now: Duration) -> Duration {
    debts.get(key).map_or(Duration::ZERO, |paid_off| paid_off.saturating_sub(now))
}

/// Whether there may be so much debt; if not, how long until it is paid down.
fn allow(owed: Duration, most: Duration) -> Result<(), Duration> {
    match owed.checked_sub(most) {
        Some(wait) if !wait.is_zero() => Err(wait),
        Some(_) | None => Ok(()),
    }
}

fn owe<K: Eq + Hash>(debts: &mut HashMap<K, Duration>, key: K, now: Duration, owed: Duration) {
    if debts.len() >= ROOM && !debts.contains_key(&key) {
        debts.retain(|_, paid_off| *paid_off > now);
        // Whoever owes much is kept as long as possible: half of the room goes to the most indebted.
        let mut all: Vec<Duration> = debts.values().copied().collect();
        if all.len() >= ROOM {
            let (_, middle, _) = all.select_nth_unstable(ROOM / 2);
            let middle = *middle;
            debts.retain(|_, paid_off| *paid_off > middle);
        }
    }
    debts.insert(key, now + owed);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Meter, ROOM, SHARDS};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let meter = Meter::new(10, SECOND);
        let taken = |now| (0..100).take_while(|_| meter.take('a', now).is_ok()).count();
        assert_eq!(taken(Duration::ZERO), 10);
        assert_eq!(meter.take('a', Duration::ZERO), Err(SECOND / 10));
        assert_eq!(taken(SECOND / 2), 5);
        assert_eq!(taken(SECOND * 100), 10, "nothing is saved up");
        assert_eq!(meter.take('b', SECOND * 100), Ok(()), "each for itself");
    }

    #[test]
    fn what_has_happened_is_counted_and_forgiven_in_time() {
        let meter = Meter::new(10, SECOND);
        for _ in 0..10 {
            assert_eq!(meter.look('a', Duration::ZERO), Ok(()));
            meter.charge('a', Duration::ZERO);
        }
        assert_eq!(meter.look('a', Duration::ZERO), Err(SECOND / 10));
        (0..1000).for_each(|_| meter.charge('a', Duration::ZERO));
        assert_eq!(meter.look('a', Duration::ZERO), Err(SECOND + SECOND / 10), "and no longer than that");
        assert_eq!(meter.look('a', SECOND * 2), Ok(()));
    }

    /// B-08: memory is bounded, and whoever owes most is remembered longest
    #[test]
    fn a_million_keys_take_no_more_room_and_free_nobody_who_owes_much() {
        let meter = Meter::new(10, SECOND);
        (0..20).for_each(|_| meter.charge(u32::MAX, Duration::ZERO));
        for key in 0..300_000 {
            meter.charge(key, Duration::ZERO);
        }
        let kept: usize = meter.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= SHARDS * ROOM, "{kept}");
        assert!(meter.look(u32::MAX, Duration::ZERO).is_err());
    }
}
