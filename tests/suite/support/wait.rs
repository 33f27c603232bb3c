//! Waiting for something to become true, with a limit: the only place of the suite that sleeps.

use std::thread;
use std::time::Duration;

use tokio::time::Instant;

/// How long anything may take that should be there at once; generous, because two cores are shared.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait for what may well not come, before it is tried again.
pub(crate) const A_MOMENT: Duration = Duration::from_secs(3);

/// Asks until there is an answer, and stops the test when there is none in time.
pub(crate) fn until<T>(what: &str, limit: Duration, probe: impl FnMut() -> Option<T>) -> T {
    within(limit, probe).unwrap_or_else(|| panic!("waited {limit:?} in vain: {what}"))
}

/// Asks until there is an answer; `None` when there is none in time.
pub(crate) fn within<T>(limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let answer = probe();
        if answer.is_some() || start.elapsed() > limit {
            return answer;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
