//! What the audit log tells Prometheus about itself.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge};

use crate::record::metrics::{Metrics, MetricsError, opts};

#[derive(Clone, Debug)]
pub(super) struct Meters {
    events: IntCounterVec,
    pub(super) written: IntCounter,
    pub(super) dropped: IntCounter,
    pub(super) refused: IntCounter,
    pub(super) healthy: IntGauge,
    pub(super) queued: IntGauge,
    pub(super) syncs: Histogram,
}

impl Meters {
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let help = "Audit events written, dropped because they could not be, and refused with their request.";
        let events = IntCounterVec::new(opts("audit_events_total", help), &["outcome"])?;
        let sync_help = "Seconds that the disk took to confirm audit events.";
        let sync_opts = HistogramOpts::from(opts("audit_sync_duration_seconds", sync_help));
        Ok(Self {
            written: events.with_label_values(&["written"]),
            dropped: events.with_label_values(&["dropped"]),
            refused: events.with_label_values(&["refused"]),
            events,
            healthy: IntGauge::with_opts(opts("audit_healthy", "Whether the audit log can be written."))?,
            queued: IntGauge::with_opts(opts(
                "audit_queue_length",
                "Audit events that are not written yet.",
            ))?,
            syncs: Histogram::with_opts(sync_opts)?,
        })
    }

    pub(super) fn show_in(&self, metrics: &Metrics) -> Result<(), MetricsError> {
        metrics.show(self.events.clone())?;
        metrics.show(self.healthy.clone())?;
        metrics.show(self.queued.clone())?;
        metrics.show(self.syncs.clone())
    }
}
