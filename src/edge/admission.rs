//! How many connections a listener may have, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::client::address::household;

/// Counts the connections of one listener. Clones share the count.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    all: Arc<Semaphore>,
    per_address: Option<usize>,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// Room for one connection, until dropped.
#[derive(Debug)]
pub(super) struct Room(#[expect(dead_code, reason = "held, not used")] OwnedSemaphorePermit);

/// An address has as many connections as it may.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Full;

/// One of the connections that an address may hold, given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    address: IpAddr,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Admission {
    pub(super) fn new(all: usize, per_address: Option<usize>) -> Self {
        let all = Arc::new(Semaphore::new(all.min(Semaphore::MAX_PERMITS)));
        Self { all, per_address, held: Arc::default() }
    }

    /// Waits until the listener has room. `None` never comes: nobody closes it.
    pub(super) async fn room(&self) -> Option<Room> {
        Arc::clone(&self.all).acquire_owned().await.ok().map(Room)
    }

    /// One of the connections of this address, if their number is limited.
    ///
    /// # Errors
    /// [`Full`], if it has all of them.
    pub(super) fn share(&self, address: IpAddr) -> Result<Option<Share>, Full> {
        let Some(limit) = self.per_address else { return Ok(None) };
        let address = household(address);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(&address).copied().unwrap_or(0);
        if count >= limit {
            return Err(Full);
        }
        held.insert(address, count + 1);
        Ok(Some(Share { address, held: Arc::clone(&self.held) }))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                held.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::Admission;

    #[test]
    fn an_address_at_its_limit_does_not_keep_others_out() {
        let admission = Admission::new(10, Some(1));
        let share = |ip: &str| admission.share(ip.parse().unwrap());
        let first = share("10.0.0.1");
        assert!(first.is_ok() && share("10.0.0.1").is_err() && share("10.0.0.2").is_ok());
        drop(first);
        assert!(share("10.0.0.1").is_ok());
        // Whoever has one IPv6 address has 2^64 of them.
        let first = share("2001:db8::1");
        assert!(first.is_ok() && share("2001:db8::ffff:1").is_err() && share("2001:db8:0:1::1").is_ok());
    }

    #[test]
    fn a_full_process_makes_newcomers_wait() {
        let admission = Admission::new(1, None);
        let admit = || admission.room().now_or_never();
        let first = admit();
        assert!(matches!(first, Some(Some(_))) && admit().is_none());
        drop(first);
        assert!(admit().is_some());
    }
}
