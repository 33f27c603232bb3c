//! Who is refused very often: counted here, from the same values as the audit log, for those who make alerts of it.
//!
//! A principal that is proven counts for itself, everybody else for where they come from. Counts are kept in memory only: a
//! restart forgets them, and somebody who goes on is noticed again.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;

use super::event::{Finished, Verdict, What};
use crate::clock::UnixTime;

/// In which time refusals are counted together.
pub const WINDOW: Duration = Duration::from_secs(300);

/// How many who are refused are counted at once.
const COUNTED: usize = 16_384;

/// How many spikes wait to be told; more are lost.
const WAITING: usize = 1_024;

/// Somebody was refused very often.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spike {
    /// Who: an IAM id, or an address.
    pub who: String,
    /// What they are called, if they are proven.
    pub name: Option<String>,
    /// How often.
    pub count: u32,
    /// Since when.
    pub since: UnixTime,
    /// Until when.
    pub at: UnixTime,
    /// What they were refused last.
    pub last: String,
}

/// How often somebody was refused since then.
#[derive(Clone, Copy, Debug)]
struct Counted {
    since: i64,
    count: u32,
}

/// Counts refusals.
#[derive(Debug)]
pub struct Spikes {
    /// How many within the window are a spike; `None` for none.
    threshold: Option<u32>,
    counts: Cache<u64, Counted>,
    hasher: RandomState,
    /// Also held while a count is changed.
    waiting: Mutex<Vec<Spike>>,
}

impl Spikes {
    /// So many refusals within the window are one; `None` for none.
    #[must_use]
    pub fn new(threshold: Option<u32>) -> Self {
        Self { threshold, counts: Cache::new(COUNTED), hasher: RandomState::new(), waiting: Mutex::default() }
    }

    /// Takes all that wait.
    #[must_use]
    pub fn take(&self) -> Vec<Spike> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts those back that could not be told.
    pub fn put_back(&self, spikes: Vec<Spike>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let room = WAITING.saturating_sub(waiting.len());
        waiting.extend(spikes.into_iter().take(room));
    }

    /// Looks at a finished request.
    pub(super) fn note(&self, finished: &Finished) {
        let Some(threshold) = self.threshold.filter(|_| is_refused(finished.decision)) else { return };
        let proven = finished.who.as_ref().map(|who| (who.principal.to_string(), who.name.clone()));
        let (who, name) = match proven {
            Some((id, name)) => (id, Some(name)),
            None => (network(finished.from.ip()), None),
        };
        let (key, at) = (self.hasher.hash_one(&who), finished.started);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let window = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
        let kept = self.counts.get(&key).filter(|kept| at.millis().saturating_sub(kept.since) < window);
        let mut counted = kept.unwrap_or(Counted { since: at.millis(), count: 0 });
        counted.count = counted.count.saturating_add(1);
        self.counts.insert(key, counted);
        if counted.count == threshold && waiting.len() < WAITING {
            let (since, last) = (UnixTime::from_millis(counted.since), subject(&finished.what));
            waiting.push(Spike { who, name, count: counted.count, since, at, last });
        }
    }
}

/// Whether somebody was refused who should not have asked. To be asked for credentials is how every client begins.
const fn is_refused(decision: Verdict) -> bool {
    match decision {
        Verdict::CredentialsRejected | Verdict::Denied => true,
        Verdict::Aborted
        | Verdict::Allowed
        | Verdict::Challenged
        | Verdict::Faulted
        | Verdict::Limited
        | Verdict::Malformed
        | Verdict::Misdirected
        | Verdict::WouldDeny => false,
    }
}

/// An address of IPv4, or the network that somebody with IPv6 has to themselves.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(four) => four.to_string(),
        IpAddr::V6(six) => format!("{}/64", std::net::Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
    }
}

fn subject(what: &What) -> String {
    match what {
        What::Registry(call) => match &call.repository {
            Some(repository) => format!("{} of {repository} in {}", call.kind.label(), call.region),
            None => format!("{} in {}", call.kind.label(), call.region),
        },
        What::Control(call) => format!("{} {}", call.method, call.route),
        What::Token(grant) => format!("a token by {}", grant.label()),
        What::Probe => "a probe".to_owned(),
        What::Unroutable => "what is not there".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Spikes;
    use crate::clock::UnixTime;
    use crate::record::event::samples::pull;
    use crate::record::event::{Finished, Verdict};

    fn refused(at: i64) -> Finished {
        Finished { decision: Verdict::Denied, started: UnixTime::from_seconds(at), ..*pull() }
    }

    #[test]
    fn a_spike_is_told_once_for_each_window() {
        let spikes = Spikes::new(Some(3));
        for at in 0..10 {
            spikes.note(&refused(at));
        }
        let found = spikes.take();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].count, found[0].since), (3, UnixTime::from_seconds(0)));
        assert!(found[0].name.is_some() && found[0].last.contains("of"), "{found:?}");
        for at in 400..402 {
            spikes.note(&refused(at));
        }
        assert_eq!(spikes.take(), [], "two in the next window are none");
        spikes.note(&refused(402));
        assert_eq!(spikes.take().len(), 1);
    }

    #[test]
    fn who_is_not_proven_counts_for_an_address_and_only_refusals_count() {
        let spikes = Spikes::new(Some(2));
        for decision in
            [Verdict::CredentialsRejected, Verdict::Challenged, Verdict::Allowed, Verdict::Limited]
        {
            spikes.note(&Finished { decision, who: None, ..refused(0) });
        }
        assert_eq!(spikes.take(), []);
        spikes.note(&Finished { who: None, ..refused(1) });
        let found = spikes.take();
        assert_eq!((found.len(), found[0].who.as_str()), (1, pull().from.ip().to_string().as_str()));
        let off = Spikes::new(None);
        off.note(&refused(0));
        assert_eq!(off.take(), []);
    }

    #[test]
    fn whoever_has_a_network_to_themselves_counts_once() {
        let of = |text: &str| super::network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
        assert_eq!(
            (of("::ffff:192.0.2.1"), of("192.0.2.1")),
            ("192.0.2.1".to_owned(), "192.0.2.1".to_owned())
        );
    }
}
