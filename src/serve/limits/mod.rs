//! How often an address or a principal may ask, and how often an address may be wrong about who it is.
//!
//! All is decided from a request's head, before anything of its body is read. For failed logins, addresses are counted, never names: a
//! stranger who guesses at a name slows down their own address, and keeps nobody else out. Whoever was right from that
//! address before, with that very credential, is not slowed down with the guesser next door.

mod meter;

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use http::{Method, Request};
use tokio::time::Instant;

use self::meter::Meter;
use super::outcome::Outcome;
use super::sites::{Surface, TokenEndpoint};
use crate::admit::caller::Caller;
use crate::admit::refusal::Refusal;
use crate::client::address::household;
use crate::record::event::Verdict;

/// How long a credential that was right is remembered.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The limits of a server; shared by its workers.
#[derive(Debug)]
pub struct Limits {
    began: Instant,
    requests: Option<Meter<IpAddr>>,
    callers: Option<Meter<u64>>,
    failures: Option<Meter<IpAddr>>,
    /// Credentials that were right, by address: as long as an event is owed for them, they are remembered.
    right: Meter<(IpAddr, u64)>,
    fingerprints: RandomState,
}

/// How many of each; `None` for any number.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rates {
    /// Requests of an address in a second.
    pub requests: Option<u32>,
    /// Registry and management calls of a principal in a second.
    pub calls: Option<u32>,
    /// Failed logins of an address in a minute.
    pub failed_logins: Option<u32>,
}

/// A request that says who sends it, in a way that can be guessed at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// The credential, where it is in the head.
    fingerprint: Option<u64>,
}

impl Limits {
    /// From now on.
    #[must_use]
    pub fn new(rates: Rates) -> Self {
        Self {
            began: Instant::now(),
            requests: rates.requests.map(|number| Meter::new(number, Duration::from_secs(1))),
            callers: rates.calls.map(|number| Meter::new(number, Duration::from_secs(1))),
            failures: rates.failed_logins.map(|number| Meter::new(number, Duration::from_secs(60))),
            right: Meter::new(1, REMEMBERED),
            fingerprints: RandomState::new(),
        }
    }

    /// What a request presents that could be a guess: anything but a token, which nobody guesses.
    #[must_use]
    pub fn attempt<B>(&self, surface: &Surface<'_>, request: &Request<B>) -> Option<Attempt> {
        let header = request.headers().get(AUTHORIZATION).filter(|value| !is_bearer(value));
        match surface {
            // The credential is in the form; what the header says is the same for everybody.
            Surface::Token(TokenEndpoint::Docker | TokenEndpoint::Identity, _)
                if *request.method() == Method::POST =>
            {
                Some(Attempt { fingerprint: None })
            }
            Surface::Token(..) | Surface::Control(_) | Surface::Registry(_) => header
                .map(|value| Attempt { fingerprint: Some(self.fingerprints.hash_one(value.as_bytes())) }),
            Surface::Health(_) | Surface::Metrics | Surface::Nothing(_) => None,
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// How long its sender must wait.
    pub fn admit(&self, from: IpAddr, attempt: Option<Attempt>) -> Result<(), Duration> {
        let (from, now) = (household(from), self.began.elapsed());
        self.requests.as_ref().map_or(Ok(()), |meter| meter.take(from, now))?;
        let (Some(attempt), Some(failures)) = (attempt, &self.failures) else { return Ok(()) };
        let was_right = |fingerprint| self.right.look((from, fingerprint), now).is_err();
        match failures.look(from, now) {
            Err(_) if attempt.fingerprint.is_some_and(was_right) => Ok(()),
            answer => answer,
        }
    }

    /// Counts a call of a proven principal.
    ///
    /// # Errors
    /// [`Refusal::Limited`].
    pub fn admit_caller(&self, caller: &Caller) -> Result<(), Refusal> {
        let Some(callers) = &self.callers else { return Ok(()) };
        let principal = self.fingerprints.hash_one(caller.principal());
        callers.take(principal, self.began.elapsed()).map_err(|retry_after| Refusal::Limited { retry_after })
    }

    /// Learns what became of a request.
    pub fn learn(&self, from: IpAddr, attempt: Option<Attempt>, outcome: &Outcome) {
        let (Some(attempt), Some(failures)) = (attempt, &self.failures) else { return };
        let (from, now) = (household(from), self.began.elapsed());
        let challenged = outcome.verdict == Verdict::Challenged && attempt.fingerprint.is_some();
        // A key that is good elsewhere counts like any wrong one here.
        let rejected = outcome.verdict == Verdict::CredentialsRejected;
        if outcome.event.who.is_some() && !rejected {
            if let Some(fingerprint) = attempt.fingerprint {
                self.right.charge((from, fingerprint), now);
            }
        } else if challenged || rejected {
            failures.charge(from, now);
        }
    }
}

fn is_bearer(value: &HeaderValue) -> bool {
    value.as_bytes().get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"bearer "))
}
