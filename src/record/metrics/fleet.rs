//! Work on a clock, which one replica does for all.

use prometheus::{IntGauge, IntGaugeVec};

use super::{Keeper, MetricsError};
use crate::clock::UnixTime;

/// Shows who leads and how jobs stand.
#[derive(Debug)]
pub(super) struct Fleet {
    leads: IntGauge,
    succeeded: IntGaugeVec,
    failing: IntGaugeVec,
}

impl Fleet {
    pub(super) fn new(kept: &Keeper<'_>) -> Result<Self, MetricsError> {
        let last = "When a run of the job last went well, on whichever replica, in seconds since the epoch.";
        Ok(Self {
            leads: kept.gauge("leader", "Whether this replica does the work on a clock for all.")?,
            succeeded: kept.gauges("job_last_success_timestamp_seconds", last, &["job"])?,
            failing: kept.gauges("job_failing", "Whether the job's last run went wrong.", &["job"])?,
        })
    }

    pub(super) fn leads(&self, leads: bool) {
        self.leads.set(leads.into());
    }

    pub(super) fn job(&self, label: &'static str, succeeded_at: UnixTime, failing: bool) {
        self.succeeded.with_label_values(&[label]).set(succeeded_at.seconds());
        self.failing.with_label_values(&[label]).set(failing.into());
    }
}
