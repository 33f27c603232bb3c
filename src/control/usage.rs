//! What is used of each registry: counted here as it passes, written down now and then, and put right by surveys.
//!
//! It is read on every pull and push, so it is a few numbers in memory. It decides nothing.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::store::quota::Used;

/// The meters of all registries.
#[derive(Debug)]
pub struct Usage {
    meters: Vec<(Region, Meter)>,
    /// Pulls that began below the limit, and when.
    begun: Cache<Pull, UnixTime>,
}

/// Who pulls from where.
pub type Pull = (PrincipalId, Region, RepositoryName);

/// How many pulls are known at once.
const PULLS: usize = 4096;

/// How long a pull that began below the limit may go on.
const PULL: Duration = Duration::from_secs(3600);

/// Bytes of one registry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bytes {
    /// Pulled over public networks this month.
    pub traffic: u64,
    /// Held.
    pub storage: u64,
}

#[derive(Debug, Default)]
struct Meter {
    /// The month of `traffic` and `pulled`.
    month: AtomicI64,
    /// As the store has it.
    traffic: AtomicU64,
    storage: AtomicU64,
    /// What has passed since.
    pulled: AtomicU64,
    pushed: AtomicU64,
    survey_wanted: AtomicBool,
}

impl Usage {
    /// Meters that have counted nothing yet.
    #[must_use]
    pub fn of(regions: impl IntoIterator<Item = Region>) -> Self {
        let meters = regions.into_iter().map(|region| (region, Meter::default())).collect();
        Self { meters, begun: Cache::new(PULLS) }
    }

    /// The registries.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.meters.iter().map(|(region, _)| region)
    }

    /// What is used in `month`.
    #[must_use]
    pub fn used(&self, region: &Region, month: i64) -> Bytes {
        let Some(meter) = self.meter(region) else { return Bytes::default() };
        let of = |base: &AtomicU64, since: &AtomicU64| {
            base.load(Ordering::Relaxed).saturating_add(since.load(Ordering::Relaxed))
        };
        let traffic = match meter.month.load(Ordering::Relaxed) == month {
            true => of(&meter.traffic, &meter.pulled),
            false => 0,
        };
        Bytes { traffic, storage: of(&meter.storage, &meter.pushed) }
    }

    /// Counts a pull over a public network.
    pub fn pulled(&self, region: &Region, month: i64, bytes: u64) {
        let Some(meter) = self.meter(region) else { return };
        if meter.month.swap(month, Ordering::Relaxed) != month {
            meter.traffic.store(0, Ordering::Relaxed);
            meter.pulled.store(0, Ordering::Relaxed);
        }
        meter.pulled.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts what an upload brought.
    pub fn pushed(&self, region: &Region, bytes: u64) {
        let Some(meter) = self.meter(region) else { return };
        meter.pushed.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What has passed and is not in the store yet, and the month of its traffic.
    #[must_use]
    pub fn unwritten(&self, region: &Region) -> (i64, Bytes) {
        let Some(meter) = self.meter(region) else { return (0, Bytes::default()) };
        let (traffic, storage) = (meter.pulled.load(Ordering::Relaxed), meter.pushed.load(Ordering::Relaxed));
        (meter.month.load(Ordering::Relaxed), Bytes { traffic, storage })
    }

    /// `written` of what has passed is in the store now, which has `used` in all.
    pub fn written(&self, region: &Region, written: Bytes, used: Used) {
        let Some(meter) = self.meter(region) else { return };
        let less = |counter: &AtomicU64, by: u64| {
            let _ = counter
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_sub(by)));
        };
        less(&meter.pulled, written.traffic);
        less(&meter.pushed, written.storage);
        meter.storage.store(used.storage, Ordering::Relaxed);
        let month = meter.month.load(Ordering::Relaxed);
        if used.month >= month {
            meter.month.store(used.month, Ordering::Relaxed);
            meter.traffic.store(used.traffic, Ordering::Relaxed);
        }
    }

    /// Notes that a pull begins, which may go on if there was room for it.
    pub fn begin_pull(&self, pull: Pull, room: bool, now: UnixTime) {
        if room {
            self.begun.insert(pull, now);
        } else {
            self.begun.remove(&pull);
        }
    }

    /// Whether a pull began below the limit, lately.
    #[must_use]
    pub fn has_begun(&self, pull: &Pull, now: UnixTime) -> bool {
        self.begun.get(pull).is_some_and(|began| now < began.plus(PULL))
    }

    /// Asks for a survey soon: something was deleted or restored.
    pub fn want_survey(&self, region: &Region) {
        if let Some(meter) = self.meter(region) {
            meter.survey_wanted.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a survey was asked for; from now on, it is not.
    #[must_use]
    pub fn take_wanted(&self, region: &Region) -> bool {
        self.meter(region).is_some_and(|meter| meter.survey_wanted.swap(false, Ordering::Relaxed))
    }

    fn meter(&self, region: &Region) -> Option<&Meter> {
        self.meters.iter().find(|(of, _)| of == region).map(|(_, meter)| meter)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Usage};
    use crate::clock::UnixTime;
    use crate::ids::region::Region;
    use crate::store::quota::Used;

    #[test]
    fn what_passes_counts_at_once_and_is_not_counted_twice_when_it_is_written_down() {
        let (south, north) = (Region::parse("us-south").unwrap(), Region::parse("eu-de").unwrap());
        let usage = Usage::of([south.clone(), north.clone()]);
        usage.pulled(&south, 5, 100);
        usage.pushed(&south, 30);
        assert_eq!(usage.used(&south, 5), Bytes { traffic: 100, storage: 30 });
        assert_eq!(usage.used(&north, 5), Bytes::default(), "each registry by itself");
        let (month, passed) = usage.unwritten(&south);
        usage.pulled(&south, 5, 1);
        let stored =
            Used { month, traffic: 1100, storage: 230, added: 0, surveyed_at: UnixTime::from_millis(0) };
        usage.written(&south, passed, stored);
        assert_eq!(usage.used(&south, 5), Bytes { traffic: 1101, storage: 230 });
        assert_eq!(usage.used(&south, 6).traffic, 0, "a new month begins at nothing");
        usage.pulled(&south, 6, 7);
        assert_eq!(usage.used(&south, 6).traffic, 7);
    }
}
