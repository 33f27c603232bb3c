//! The scene of the cases, and their oracle.
//!
//! alice may pull and push in `tenant-a`, bob in `tenant-b` what his case says, eve nowhere; root is the administrator.
//! Of every refusal all of this is asserted, not only the status: the upstream heard nothing; the audit log has one
//! record with principal, decision and reason (the log has the line, where nobody could read the request); the
//! connection is closed, or the next good request on it gets its own answer; no secret is in the answer or the logs.

use std::cell::Cell;

use serde_json::Value;

use super::people::Person;
use super::wire::{Answer, Wire};
use crate::support::http::Http;
use crate::support::portcullis::Portcullis;
use crate::support::recorder::{Recorder, answer};
use crate::support::registry::Registry;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{Administrator, Who};

/// Portcullis between its callers and an upstream.
pub(super) struct Scene<U> {
    pub(super) upstream: U,
    pub(super) at: Portcullis,
    pub(super) alice: Person,
    pub(super) bob: Person,
    pub(super) eve: Person,
    heard: Cell<usize>,
}

impl Scene<Recorder> {
    /// Before an upstream that says yes to everything.
    pub(super) fn recorded() -> Self {
        Self::scripted(yes, "")
    }

    /// Before an upstream that follows a script, with further settings.
    pub(super) fn scripted(script: impl Fn(&[u8]) -> Vec<u8> + Send + 'static, settings: &str) -> Self {
        let upstream = Recorder::start(script);
        let at = Portcullis::with(&format!("http://{}", upstream.address()), &[], settings);
        Self::new(upstream, at)
    }

    /// What the upstream has heard since this was last asked; the server's own looks at `/v2/` are left out.
    pub(super) fn heard(&self) -> Vec<String> {
        let own = |request: &String| request.starts_with("GET /v2/ HTTP/1.1\r\n");
        let all: Vec<String> = self.upstream.seen().into_iter().filter(|request| !own(request)).collect();
        let before = self.heard.replace(all.len());
        all[before..].to_vec()
    }

    /// Sends a request that must be refused, and applies the oracle to what comes of it.
    pub(super) fn refuses(
        &self,
        case: &str,
        request: impl AsRef<[u8]>,
        statuses: &[u16],
        trace: &Trace<'_>,
    ) -> Answer {
        let mut wire = Wire::open(&self.at);
        let answer = wire.ask(request);
        assert!(statuses.contains(&answer.status), "{case}: {} {}", answer.status, answer.text());
        assert_eq!(self.heard(), [""; 0], "{case}: the upstream must not hear of it");
        self.traced(case, &answer, trace);
        self.goes_on(case, &answer, wire);
        self.keeps_secrets(case, &answer);
        answer
    }
}

impl Scene<Registry> {
    /// Before a real registry.
    pub(super) fn real() -> Self {
        let upstream = Registry::start();
        let at = Portcullis::before(&upstream.url());
        Self::new(upstream, at)
    }

    /// The registry itself, as if nobody stood before it.
    pub(super) fn behind(&self) -> Http {
        Http::plain(self.upstream.address().parse().unwrap())
    }
}

impl<U> Scene<U> {
    fn new(upstream: U, at: Portcullis) -> Self {
        let alice = Person::with(&at, "alice", &["Reader", "Writer"], "tenant-a");
        let bob = Person::with(&at, "bob", &["Reader"], "tenant-b");
        let eve = Person::new(&at, "eve");
        Self { upstream, at, alice, bob, eve, heard: Cell::new(0) }
    }

    /// Changes the settings file, and starts the server again.
    pub(super) fn reconfigure(&mut self, from: &str, to: &str) {
        let file = self.at.folder().join("portcullis.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "nothing to change");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
        self.at.restart();
    }

    /// The administrator's Basic credentials.
    pub(super) fn root(&self) -> String {
        super::people::basic(self.at.admin_key())
    }

    /// The administrator.
    pub(super) fn administrator(&self) -> Administrator {
        Administrator::of(&self.at)
    }

    /// A request head to the host that clients use; `lines` each end in CRLF.
    pub(super) fn head(&self, method: &str, target: &str, lines: &str) -> String {
        format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", self.at.host())
    }

    /// A request with a body of known length.
    pub(super) fn with_body(&self, method: &str, target: &str, lines: &str, body: &str) -> String {
        let lines = format!("{lines}Content-Length: {}\r\n", body.len());
        format!("{}{body}", self.head(method, target, &lines))
    }

    /// The one audit record of a request.
    pub(super) fn audited(&self, request_id: &str) -> Value {
        let path = self.at.folder().join("audit.jsonl");
        let its = format!("\"requestId\":\"{request_id}\"");
        until("the audit record", PATIENCE, || {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text.lines().filter(|line| line.contains(&its));
            let mut records = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let first = records.next()?;
            assert!(records.next().is_none(), "two audit records of {request_id}");
            Some(first)
        })
    }

    /// What record and log must say of a refusal.
    pub(super) fn traced(&self, case: &str, answer: &Answer, trace: &Trace<'_>) {
        let id = answer.request_id();
        let (decisions, who) = match *trace {
            Trace::Unread => {
                let logged = |log: String| {
                    log.lines().any(|line| line.contains(id) && line.contains("reason")).then_some(())
                };
                return until(&format!("{case}: a line in the log"), PATIENCE, || logged(self.at.log()));
            }
            Trace::Malformed => (vec!["malformed"], None),
            Trace::Unproven => (vec!["challenged", "credentials_rejected"], None),
            Trace::Refused(who) => {
                (vec!["denied", "challenged", "credentials_rejected", "malformed"], Some(who))
            }
            Trace::Anonymous => (vec!["denied"], None),
            Trace::Misdirected => (vec!["misdirected"], None),
            Trace::Nowhere => {
                let record = self.audited(id);
                assert_ne!(record["outcome"], "success", "{case}: {record}");
                return;
            }
        };
        let record = self.audited(id);
        let decision = record["decision"].as_str().unwrap();
        assert!(decisions.contains(&decision), "{case}: {record}");
        assert_eq!(
            record["initiator"]["id"].as_str(),
            who.map(|who| who.iam_id.as_str()),
            "{case}: {record}"
        );
        assert_eq!(record["reason"]["reasonCode"], answer.status, "{case}: {record}");
        assert!(!record["reason"]["reasonForFailure"].as_str().unwrap_or("").is_empty(), "{case}: {record}");
        assert_eq!(record["outcome"], "failure", "{case}: {record}");
    }

    /// Either the connection ends, or the next good request on it gets its own right answer.
    pub(super) fn goes_on(&self, case: &str, answer: &Answer, mut wire: Wire) {
        if answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            assert!(wire.is_closed(), "{case}: something comes after the last answer");
            return;
        }
        let next = wire.ask(self.head("GET", "/v2/", &self.alice.basic()));
        assert_eq!((next.status, next.text().as_str()), (200, "{}"), "{case}: the request after it");
        assert_ne!(next.request_id(), answer.request_id(), "{case}");
    }

    /// No key of anyone is in the answer, the log or the audit log.
    pub(super) fn keeps_secrets(&self, case: &str, answer: &Answer) {
        let audit = std::fs::read_to_string(self.at.folder().join("audit.jsonl")).unwrap();
        let places = [("answer", format!("{answer:?}")), ("log", self.at.log()), ("audit log", audit)];
        for who in [&self.alice, &self.bob, &self.eve] {
            let (key, line) = (who.key().unwrap(), who.basic());
            let coded = line.trim_end().rsplit(' ').next().unwrap();
            for (place, text) in &places {
                assert!(!text.contains(key) && !text.contains(coded), "{case}: a key is in the {place}");
            }
        }
    }
}

/// What a refusal leaves behind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trace<'a> {
    /// A token that was issued to nobody.
    Anonymous,
    /// Nobody could read the request: a line in the log, nothing to audit.
    Unread,
    /// It was read, and is no request that anyone may make.
    Malformed,
    /// Nobody was proven.
    Unproven,
    /// This caller was proven and refused.
    Refused(&'a Person),
    /// The host is not served there.
    Misdirected,
    /// There is nothing there, whoever asks.
    Nowhere,
}

/// An upstream that says yes: an empty JSON object, and no body where none may be.
pub(super) fn yes(request: &[u8]) -> Vec<u8> {
    let body = if request.starts_with(b"HEAD ") { "" } else { "{}" };
    answer("200 OK", &[("Content-Type", "application/json")], body)
}
