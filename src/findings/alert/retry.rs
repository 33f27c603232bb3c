//! When a delivery that failed is tried again, and when it is given up.

use std::time::Duration;

/// How long one attempt may take, connecting and the answer included.
pub const ATTEMPT_MAX: Duration = Duration::from_secs(10);

/// How long an attempt that nothing more was heard of counts as under way: its process was killed.
pub const LEASE: Duration = Duration::from_secs(15);

/// How long after each attempt the next one is made, in seconds: twelve attempts in sixteen hours.
const WAITS: [u64; 11] = [1, 2, 5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800];

/// How long the next attempt waits after this many; `None` if there is none.
#[must_use]
pub fn wait(attempts: u32) -> Option<Duration> {
    let place = usize::try_from(attempts).ok()?.checked_sub(1)?;
    WAITS.get(place).copied().map(Duration::from_secs)
}

/// How long a receiver that has failed this often in a row is left alone, whatever else waits for it.
#[must_use]
pub fn rest(failures: u32) -> Duration {
    wait(failures).unwrap_or(Duration::from_secs(60)).min(Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ATTEMPT_MAX, LEASE, rest, wait};

    #[test]
    fn each_wait_is_longer_than_the_last_and_there_is_an_end() {
        let waits: Vec<Duration> = (1..).map_while(wait).collect();
        assert_eq!(waits.len(), 11);
        assert!(waits.is_sorted() && (15..17).contains(&(waits.iter().sum::<Duration>().as_secs() / 3600)));
        assert_eq!((wait(0), wait(12)), (None, None));
        assert_eq!((rest(1), rest(100)), (Duration::from_secs(1), Duration::from_secs(60)));
        assert!(LEASE > ATTEMPT_MAX, "what is under way is not begun again");
    }
}
