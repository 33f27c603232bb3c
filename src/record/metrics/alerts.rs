//! What becomes of alerts.

use prometheus::{IntCounterVec, IntGauge};

use super::{Keeper, MetricsError, labels};
use crate::findings::alert::topic::Topic;

labels! {
    /// What became of an attempt to deliver an alert.
    DeliveryOutcome {
        /// It was taken.
        Delivered = "delivered",
        /// It was not, and there is no other attempt.
        GivenUp = "given_up",
        /// It was not, and is tried again.
        Retried = "retried",
    }
}

/// Counts alerts and attempts.
#[derive(Debug)]
pub(super) struct Alerts {
    raised: IntCounterVec,
    attempts: IntCounterVec,
    pending: IntGauge,
}

impl Alerts {
    pub(super) fn new(kept: &Keeper<'_>) -> Result<Self, MetricsError> {
        let made = Self {
            raised: kept.counters("alerts_raised_total", "Alerts, whoever was told.", &["topic"])?,
            attempts: kept.counters(
                "alert_deliveries_total",
                "Attempts to deliver an alert.",
                &["outcome"],
            )?,
            pending: kept.gauge("alert_deliveries_pending", "Deliveries that wait.")?,
        };
        // Shown as 0 from the start, so that the first one is an increase.
        for outcome in DeliveryOutcome::ALL {
            made.attempts.with_label_values(&[outcome.label()]);
        }
        Ok(made)
    }

    pub(super) fn raised(&self, topic: Topic) {
        self.raised.with_label_values(&[topic.label()]).inc();
    }

    pub(super) fn attempted(&self, outcome: DeliveryOutcome) {
        self.attempts.with_label_values(&[outcome.label()]).inc();
    }

    pub(super) fn pending(&self, count: u32) {
        self.pending.set(i64::from(count));
    }
}
