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
use super::visit::Visit;
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

/// A request under way. If its client does not wait for the answer, it counts as a failed login, unless it was proven by
/// then: rejections take their time, and whoever guesses could hang up as soon as no answer comes at once.
#[derive(Debug)]
pub struct Watch<'a> {
    limits: &'a Limits,
    visit: &'a Visit,
    attempt: Option<Attempt>,
}

impl Watch<'_> {
    /// Learns what became of it.
    pub fn over(mut self, outcome: &Outcome) {
        self.limits.learn(self.visit.origin().from.ip(), self.attempt.take(), outcome);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(attempt) = self.attempt.take().filter(|_| !self.visit.is_proven()) {
            self.limits.abandon(self.visit.origin().from.ip(), attempt);
        }
    }
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
            // Each signature is another; the key that it claims is what is guessed for.
            Surface::Aws(_) => match header.and_then(access_key) {
                Some(key) => Some(Attempt { fingerprint: Some(self.fingerprints.hash_one(key)) }),
                // A presigned URL, a token of somebody else's in the body, or something that only looks like one.
                None => {
                    let guesses = request.uri().query().is_some() || *request.method() == Method::POST;
                    guesses.then_some(Attempt { fingerprint: None })
                }
            },
            Surface::Token(..) | Surface::Control(_) | Surface::Registry(_) => header
                .map(|value| Attempt { fingerprint: Some(self.fingerprints.hash_one(value.as_bytes())) }),
            Surface::Acme | Surface::Health(_) | Surface::Metrics | Surface::Nothing(_) => None,
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
        match failures.look(from, now) {
            Err(_) if self.was_right(from, attempt, now) => Ok(()),
            answer => answer,
        }
    }

    fn was_right(&self, from: IpAddr, attempt: Attempt, now: Duration) -> bool {
        attempt.fingerprint.is_some_and(|fingerprint| self.right.look((from, fingerprint), now).is_err())
    }

    /// Watches over a request until it is known what became of it.
    #[must_use]
    pub fn watch<'a>(&'a self, visit: &'a Visit, attempt: Option<Attempt>) -> Watch<'a> {
        Watch { limits: self, visit, attempt }
    }

    fn abandon(&self, from: IpAddr, attempt: Attempt) {
        let Some(failures) = &self.failures else { return };
        let (from, now) = (household(from), self.began.elapsed());
        if !self.was_right(from, attempt, now) {
            failures.charge(from, now);
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

    fn learn(&self, from: IpAddr, attempt: Option<Attempt>, outcome: &Outcome) {
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

/// The id of the access key that a signature claims.
fn access_key(value: &HeaderValue) -> Option<&str> {
    let (_, rest) = value.to_str().ok()?.split_once("Credential=")?;
    rest.split('/').next()
}

fn is_bearer(value: &HeaderValue) -> bool {
    value.as_bytes().get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"bearer "))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::super::sites::{Site, Surface};
    use super::super::visit::Visit;
    use super::{Attempt, Limits, Rates};
    use crate::client::address::ClientAddr;
    use crate::clock::ManualClock;
    use crate::edge::connection::Connection;
    use crate::network::endpoint::Endpoint;
    use crate::record::event::{What, Who};
    use crate::store::contract::samples;

    #[test]
    fn a_signature_is_a_guess_wherever_it_stands() {
        let limits = Limits::new(Rates::default());
        let site = Site {
            index: 0,
            name: "us.registry.test".parse().unwrap(),
            region: samples::region("us-south"),
            create_on_push: false,
        };
        let attempt = |uri: &str, signed: Option<&str>| {
            let mut request = http::Request::builder().uri(uri);
            if let Some(value) = signed {
                request = request.header("Authorization", value);
            }
            limits.attempt(&Surface::Aws(&site), &request.body(()).unwrap())
        };
        let header = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-south/sts/aws4_request";
        assert!(attempt("/", Some(header)).is_some_and(|attempt| attempt.fingerprint.is_some()));
        let presigned = attempt("/?X-Amz-Credential=AKIA%2F20260101", None);
        assert_eq!(presigned, Some(Attempt { fingerprint: None }));
        assert_eq!(attempt("/", None), None, "nobody signs");
    }

    #[tokio::test]
    async fn whoever_hangs_up_before_the_answer_has_guessed_all_the_same() {
        let limits = Limits::new(Rates { failed_logins: Some(1), ..Rates::default() });
        let peer = |last| SocketAddr::from((Ipv4Addr::new(192, 0, 2, last), 9));
        let visit = |last| {
            let connection = Connection {
                listener: 0,
                endpoint: Endpoint::Public,
                client: ClientAddr::from_socket(peer(last)),
                local: peer(0),
                server_name: None,
                encrypted: true,
                certificate: None,
            };
            Visit::unread(&ManualClock::at(samples::time(0)), String::new(), &connection)
        };
        let attempt = Some(Attempt { fingerprint: Some(1) });
        let admitted = |last| limits.admit(peer(last).ip(), attempt).is_ok();

        let guesser = visit(1);
        drop(limits.watch(&guesser, attempt));
        assert!(!admitted(1) && admitted(2));

        let proven = visit(2);
        let (principal, name) = (samples::of_user(&samples::user(1)), String::new());
        proven.note(proven.event(What::Probe).by(Some(Who { principal, name, credential: None })));
        drop(limits.watch(&proven, attempt));
        drop(limits.watch(&visit(2), None));
        assert!(admitted(2));
    }
}
