//! Where everything that happens is told, once.

use std::sync::Arc;
use std::time::Duration;

use super::activity::Activity;
use super::audit::event::AuditEvent;
use super::audit::{AuditLog, AuditUnavailable, Slot};
use super::event::{Finished, Verdict, What};
use super::metrics::{Metrics, MetricsError};
use super::spikes::Spikes;
use super::trace::Trace;
use super::trace::tracer::Tracer;

/// How long a request waits for a log that is behind, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Tells log, metrics and audit of each finished request. Clones tell the same ones.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Told>);

/// Who is told.
#[derive(Clone, Debug)]
struct Told {
    metrics: Arc<Metrics>,
    audit: AuditLog,
    activity: Arc<Activity>,
    spikes: Arc<Spikes>,
    tracer: Option<Arc<Tracer>>,
}

impl Recorder {
    /// A recorder that writes to this audit log, and shows the log's metrics among its own.
    ///
    /// # Errors
    /// [`MetricsError`] when two metrics have the same name.
    pub fn new(audit: AuditLog) -> Result<Self, MetricsError> {
        let metrics = Metrics::new()?;
        audit.show_in(&metrics)?;
        let spikes = Arc::new(Spikes::new(None));
        let (metrics, activity) = (Arc::new(metrics), Arc::default());
        Ok(Self(Arc::new(Told { metrics, audit, activity, spikes, tracer: None })))
    }

    /// The same, to which so many refusals in a while are a spike.
    #[must_use]
    pub fn alarmed_at(self, refusals: Option<u32>) -> Self {
        let told = Told { spikes: Arc::new(Spikes::new(refusals)), ..(*self.0).clone() };
        Self(Arc::new(told))
    }

    /// The same, which traces.
    #[must_use]
    pub fn traced_by(self, tracer: Arc<Tracer>) -> Self {
        Self(Arc::new(Told { tracer: Some(tracer), ..(*self.0).clone() }))
    }

    /// Who is traced, if anybody is.
    #[must_use]
    pub fn tracer(&self) -> Option<&Tracer> {
        self.0.tracer.as_deref()
    }

    /// Tells of a finished request that was traced.
    pub fn trace(&self, trace: &Trace, finished: &Finished) {
        if let Some(tracer) = &self.0.tracer {
            tracer.take(trace, finished);
        }
    }

    /// Who was refused very often, for those who make alerts of it.
    #[must_use]
    pub fn spikes(&self) -> &Spikes {
        &self.0.spikes
    }

    /// The metrics, for those who count other things than requests, and for the scrape.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// What was noticed, for those who write it down.
    #[must_use]
    pub fn activity(&self) -> &Activity {
        &self.0.activity
    }

    /// The audit log, to open it again and to close it.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        &self.0.audit
    }

    /// Makes sure that what is about to be done can be recorded. Called before a request has any effect. A log that can
    /// be written but is behind is waited for a little: a burst should be slowed down, not refused.
    ///
    /// # Errors
    /// [`AuditUnavailable`]: the request must be refused.
    pub async fn begin(&self) -> Result<Slot, AuditUnavailable> {
        let mut waited = Duration::ZERO;
        loop {
            match self.0.audit.try_reserve() {
                Err(_) if self.0.audit.is_healthy() && waited < PATIENCE => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    waited += LOOK_AGAIN;
                }
                reserved => return reserved,
            }
        }
    }

    /// Tells of a finished request.
    pub fn finish(&self, finished: &Finished, slot: Slot) {
        self.observe(finished);
        if finished.what != What::Probe {
            slot.write(&AuditEvent::of(finished));
        }
    }

    /// Tells of a finished request, and waits until its audit event is on the disk: for management calls, before they are
    /// acknowledged.
    ///
    /// # Errors
    /// [`AuditUnavailable`]: the call must not be acknowledged.
    pub async fn finish_durably(&self, finished: &Finished, slot: Slot) -> Result<(), AuditUnavailable> {
        self.observe(finished);
        slot.write_durably(&AuditEvent::of(finished)).await
    }

    /// Tells log and metrics only: for probes, and for requests that were refused because audit is unavailable.
    pub fn observe(&self, finished: &Finished) {
        self.0.metrics.count(finished);
        self.0.activity.note(finished);
        self.0.spikes.note(finished);
        log(finished);
    }
}

/// One line. Texts are fields, never part of the message, so that they are quoted and escaped (K-03).
fn log(finished: &Finished) {
    /// `tracing` wants the level as a constant.
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id = finished.request_id,
                operation = finished.what.label(),
                decision = finished.decision.label(),
                status = finished.status,
                client = finished.from.ip().to_string(),
                endpoint = finished.endpoint.label(),
                principal = finished.who.as_ref().map(|who| who.principal.to_string()),
                target = subject(&finished.what),
                reason = finished.log_message,
                bytes_in = finished.bytes_in,
                bytes_out = finished.bytes_out,
                duration_ms = u64::try_from(finished.duration.as_millis()).unwrap_or(u64::MAX),
                "request"
            )
        };
    }
    match (finished.decision, &finished.what) {
        (Verdict::Faulted, _) => line!(warn),
        (_, What::Probe) => line!(debug),
        (
            Verdict::Aborted
            | Verdict::Allowed
            | Verdict::Challenged
            | Verdict::CredentialsRejected
            | Verdict::Denied
            | Verdict::Limited
            | Verdict::Malformed
            | Verdict::Misdirected
            | Verdict::WouldDeny,
            _,
        ) => line!(info),
    }
}

/// What the request was about, in few words.
fn subject(what: &What) -> Option<String> {
    match what {
        What::Registry(call) => call.repository.as_ref().map(|repository| match &call.reference {
            Some(reference) => format!("{repository} {reference}"),
            None => repository.clone(),
        }),
        What::Control(call) => Some(format!("{} {} {}", call.method, call.route, call.target)),
        What::Token(_) | What::Probe | What::Unroutable => None,
    }
}

#[cfg(test)]
mod tests;
