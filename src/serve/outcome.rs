//! An answer, and what the record will say of it.

use bytes::Bytes;
use http::Response;

use super::Shared;
use super::overlay::PullMeter;
use super::recorded::{Pending, Recorded};
use super::visit::Visit;
use crate::admit::caller::{Caller, Credential};
use crate::admit::fault::Fault;
use crate::admit::gate::{Stopped, Why};
use crate::admit::permit::Grounds;
use crate::admit::refusal::Refusal;
use crate::credential::voucher::Voucher;
use crate::edge::rejection::Rejection;
use crate::edge::respond;
use crate::forward::body::ForwardBody;
use crate::ids::cbr::RuleId;
use crate::record::audit::Slot;
use crate::record::event::{Finished, Proof, Verdict, What, Who};
use crate::registry::error::OciCode;

/// An answer and its record, not yet joined.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub response: Response<ForwardBody>,
    /// The record.
    pub event: Box<Finished>,
    /// The decision that the record will show, unless the answer is cut short.
    pub verdict: Verdict,
    /// Whether the record must be on the disk before the answer goes out.
    pub durable: bool,
    slot: Option<Slot>,
}

impl Outcome {
    /// An answer that streams or stands ready.
    #[must_use]
    pub fn new(event: Box<Finished>, verdict: Verdict, response: Response<ForwardBody>) -> Self {
        Self { response, event, verdict, durable: false, slot: None }
    }

    /// An answer in memory.
    #[must_use]
    pub fn ready(event: Box<Finished>, verdict: Verdict, response: Response<Bytes>) -> Self {
        let whole = |body: Bytes| if body.is_empty() { ForwardBody::Empty } else { ForwardBody::Full(body) };
        Self::new(event, verdict, response.map(whole))
    }

    /// A refusal of a request that is `what`.
    #[must_use]
    pub fn refused(visit: &Visit, what: What, caller: Option<&Caller>, refusal: &Refusal) -> Self {
        let event = blamed(visit.event(what).by(caller.map(who)), refusal);
        Self::ready(event, verdict_of(refusal), respond::refusal(refusal, visit.asked()))
    }

    /// A fault while answering a request that is `what`.
    #[must_use]
    pub fn failed(visit: &Visit, what: What, caller: Option<&Caller>, fault: &Fault) -> Self {
        let event = visit.event(what).by(caller.map(who)).saying(fault);
        Self::ready(event, Verdict::Faulted, respond::fault(fault, visit.asked()))
    }

    /// What stopped at the gate.
    #[must_use]
    pub fn stopped(visit: &Visit, what: What, stopped: &Stopped) -> Self {
        let caller = stopped.caller.as_deref();
        match &stopped.why {
            Why::Fault(fault) => Self::failed(visit, what, caller, fault),
            Why::Refusal(refusal) => Self::refused(visit, what, caller, refusal),
        }
    }

    /// A request that leads nowhere.
    #[must_use]
    pub fn unroutable(visit: &Visit, refusal: &Refusal) -> Self {
        Self::refused(visit, What::Unroutable, None, refusal)
    }

    /// A fault before anything else.
    #[must_use]
    pub fn faulted(visit: &Visit, fault: &Fault) -> Self {
        Self::failed(visit, What::Unroutable, None, fault)
    }

    /// A request that is none.
    #[must_use]
    pub fn rejected(visit: &Visit, rejection: Rejection) -> Self {
        let event = visit.event(What::Unroutable).saying(rejection.reason);
        let response =
            respond::plain(rejection.status, OciCode::Unsupported, rejection.reason, visit.asked());
        Self::ready(event, Verdict::Malformed, response)
    }

    /// With the rules in report mode that would have refused it.
    #[must_use]
    pub fn reported_by(mut self, rules: &[RuleId]) -> Self {
        self.event = self.event.reported_by(rules);
        self
    }

    /// With the configuration rules that it breaks.
    #[must_use]
    pub fn breaking(mut self, rules: Vec<String>) -> Self {
        self.event = self.event.breaking(rules);
        self
    }

    /// With the place in the audit log that was kept for it.
    #[must_use]
    pub fn with(mut self, slot: Option<Slot>) -> Self {
        self.slot = slot;
        self
    }

    /// An answer to a request that nobody could read: logged and counted, but there is nothing in it to audit.
    #[must_use]
    pub fn unaudited(self, visit: &Visit, shared: &Shared) -> Response<Recorded> {
        let Self { response, event, verdict, .. } = self;
        let status = response.status().as_u16();
        let pending = Pending::new(visit, event, verdict, status, shared.recorder.clone(), None);
        response.map(|body| Recorded::new(body, Some(pending)))
    }

    /// Joins answer and record: the record is written when the answer's last byte has been taken, or when it is given
    /// up; or at once, where a change must not be acknowledged before it is on the disk.
    pub async fn recorded(self, visit: &Visit, shared: &Shared) -> Response<Recorded> {
        let Self { response, event, verdict, durable, slot } = self;
        let status = response.status().as_u16();
        let meter = PullMeter::of(shared, visit, &event, status);
        let pending = Pending::new(visit, event, verdict, status, shared.recorder.clone(), slot);
        let pending = pending.metered(meter);
        if !durable {
            return response.map(|body| Recorded::new(body, Some(pending)));
        }
        match Box::pin(pending.write_durably()).await {
            Ok(()) => response.map(|body| Recorded::new(body, None)),
            Err(unavailable) => {
                let fault = Fault::Audit(unavailable.to_string());
                let response = respond::fault(&fault, visit.asked());
                response.map(|body| Recorded::new(ForwardBody::Full(body), None))
            }
        }
    }
}

/// A caller, as the record names it.
#[must_use]
pub fn who(caller: &Caller) -> Who {
    Who {
        principal: caller.principal().clone(),
        name: caller.name().to_owned(),
        credential: Some(match &caller.credential {
            Credential::AccessKey(id) => Proof::AccessKey(id.clone()),
            Credential::ApiKey(id) => Proof::ApiKey(id.clone()),
            Credential::Certificate(id) => Proof::Certificate(id.clone()),
            Credential::Session(temporary) => Proof::Session(temporary.session.id.clone()),
            Credential::Vouched(sealed) => match &sealed.vouched.by {
                Voucher::Compute(_, compute) => {
                    Proof::Compute(format!("{}/{}", compute.namespace, compute.name))
                }
                Voucher::Key(_, key) => Proof::ApiKey(key.clone()),
                Voucher::Realm(realm, _) => Proof::Realm(realm.clone()),
            },
            Credential::WebIdentity(who) => Proof::WebIdentity(who.issuer.clone(), who.subject.clone()),
        }),
    }
}

/// Adds the grounds of a permit to a record, and says what they make of the decision.
#[must_use]
pub fn decided(event: Box<Finished>, grounds: &Grounds) -> (Box<Finished>, Verdict) {
    match grounds {
        Grounds::Policy(reason) => (event.decided_by(reason), Verdict::Allowed),
        Grounds::Own | Grounds::Proven | Grounds::Root => (event, Verdict::Allowed),
        Grounds::PolicyFree => (event, Verdict::WouldDeny),
    }
}

/// Adds to a record why it was refused, and what decided that.
#[must_use]
pub fn blamed(event: Box<Finished>, refusal: &Refusal) -> Box<Finished> {
    let event = event.saying(refusal);
    match refusal {
        Refusal::Denied(denial) => denial.because.iter().fold(event, |event, why| event.decided_by(why)),
        Refusal::Unauthorized(denial) => {
            denial.because.iter().fold(event, |event, why| event.decided_by(why))
        }
        Refusal::Outside(outside) => event.kept_out_by(outside.by.label()),
        Refusal::AnonymousDenied
        | Refusal::Challenge { .. }
        | Refusal::Credentials { .. }
        | Refusal::Limited { .. }
        | Refusal::Malformed(_)
        | Refusal::Misdirected
        | Refusal::NoSuchRoute => event,
    }
}

/// What the record calls a refusal.
#[must_use]
pub fn verdict_of(refusal: &Refusal) -> Verdict {
    match refusal {
        Refusal::Outside(outside) if outside.veiled => Verdict::CredentialsRejected,
        Refusal::AnonymousDenied | Refusal::Denied(_) | Refusal::Outside(_) | Refusal::Unauthorized(_) => {
            Verdict::Denied
        }
        Refusal::Challenge { .. } => Verdict::Challenged,
        Refusal::Credentials { .. } => Verdict::CredentialsRejected,
        Refusal::Limited { .. } => Verdict::Limited,
        Refusal::Malformed(_) | Refusal::NoSuchRoute => Verdict::Malformed,
        Refusal::Misdirected => Verdict::Misdirected,
    }
}
