//! Many at once. Whoever asks one after the other on a slow machine is never too quick for anybody's limits.

use std::thread;

/// What so many calls came to that were made at the same time.
pub(crate) fn at_once<T: Send>(calls: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let call = &call;
    thread::scope(|scope| {
        let calls: Vec<_> = (0..calls).map(|number| scope.spawn(move || call(number))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}
