//! How many connections a listener may have, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts the connections of one listener. Clones share the count.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    all: Arc<Semaphore>,
    per_address: Option<usize>,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The right to serve one connection, until dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    _all: OwnedSemaphorePermit,
    _share: Option<Share>,
}

/// One of the connections that an address may hold, given back when dropped.
#[derive(Debug)]
struct Share {
    address: IpAddr,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Admission {
    pub(super) fn new(all: usize, per_address: Option<usize>) -> Self {
        let all = Arc::new(Semaphore::new(all.min(Semaphore::MAX_PERMITS)));
        Self { all, per_address, held: Arc::default() }
    }

    /// Waits until the listener has room. `None`: this address has its share already.
    pub(super) async fn admit(&self, address: IpAddr) -> Option<Admitted> {
        let share = match self.per_address {
            Some(limit) => Some(self.share(address, limit)?),
            None => None,
        };
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Admitted { _all: all, _share: share })
    }

    fn share(&self, address: IpAddr, limit: usize) -> Option<Share> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(&address).copied().unwrap_or(0);
        if count >= limit {
            return None;
        }
        held.insert(address, count + 1);
        Some(Share { address, held: Arc::clone(&self.held) })
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
        let admit = |ip: &str| admission.admit(ip.parse().unwrap()).now_or_never().flatten();
        let first = admit("10.0.0.1");
        assert!(first.is_some() && admit("10.0.0.1").is_none() && admit("10.0.0.2").is_some());
        drop(first);
        assert!(admit("10.0.0.1").is_some());
    }

    #[test]
    fn a_full_process_makes_newcomers_wait() {
        let admission = Admission::new(1, None);
        let admit = || admission.admit("10.0.0.1".parse().unwrap()).now_or_never();
        let first = admit();
        assert!(matches!(first, Some(Some(_))) && admit().is_none());
        drop(first);
        assert!(admit().is_some());
    }
}
