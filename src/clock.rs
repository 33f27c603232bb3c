//! Time and randomness, as arguments: the only module that asks the operating system for either.
//!
//! Wall-clock time is for what people and other machines read (expiry, audit). Timeouts never use it: they run on
//! tokio's monotonic clock, so a wall clock that jumps breaks nothing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use uuid::Uuid;

/// A point in wall-clock time, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
pub struct UnixTime(i64);

impl UnixTime {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch, saturating.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time plus `duration`, saturating.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// RFC 3339 with milliseconds, in UTC: `2026-11-21T07:37:56.123Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        Rfc3339(self).to_string()
    }

    /// RFC 3339 to the second, in UTC, as AWS writes times: `2026-11-21T07:37:56Z`.
    #[must_use]
    pub fn rfc3339_seconds(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// IBM's short form, in UTC: `2019-01-29T10:57+0000`.
    #[must_use]
    pub fn ibm(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M+0000").to_string()
    }

    /// The month, in UTC, counted from the year 0.
    #[must_use]
    pub fn month(self) -> i64 {
        let civil = self.civil();
        i64::from(civil.year()) * 12 + i64::from(civil.month()) - 1
    }

    fn civil(self) -> jiff::Zoned {
        self.instant().to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn instant(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

/// A time that is written like [`UnixTime::rfc3339`] has it.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339(pub UnixTime);

impl std::fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.0.instant())
    }
}

/// Tells the wall-clock time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time now.
    fn now(&self) -> UnixTime;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        UnixTime(jiff::Timestamp::now().as_millisecond())
    }
}

/// A clock that moves only when told to, for tests of expiry.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: UnixTime) -> Self {
        Self(AtomicI64::new(start.millis()))
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: std::time::Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    /// Fills `buffer`, or aborts the process: continuing without randomness would make guessable secrets.
    fn fill(&self, buffer: &mut [u8]);

    /// A random (version 4) UUID.
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The operating system's random number generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if aws_lc_rs::rand::fill(buffer).is_err() {
            std::process::abort();
        }
    }
}

/// A repeatable source for tests; never a source of secrets.
#[derive(Debug)]
pub struct SequenceEntropy(Mutex<u64>);

impl SequenceEntropy {
    /// A sequence that depends only on `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for SequenceEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for byte in buffer {
            // SplitMix64: enough to make ids differ.
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            *byte = (z >> 56) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UnixTime;

    #[test]
    fn both_spellings_of_a_time_are_read_back() {
        let time = UnixTime::parse("2019-01-29T10:57+0000").unwrap();
        assert_eq!(time.ibm(), "2019-01-29T10:57+0000");
        assert_eq!(UnixTime::parse(&time.rfc3339()).unwrap(), time);
        assert!(UnixTime::parse("tomorrow").is_err());
    }
}
