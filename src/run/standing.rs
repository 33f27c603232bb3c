//! What the leader came to, in the metrics of every replica: so it does not matter which one is asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::fleet::Fleet;
use crate::api::Api;
use crate::control::job::Job;

/// How often it is read.
const EVERY: Duration = Duration::from_secs(10);

/// Goes on until it is aborted.
pub(super) async fn show(api: Arc<Api>, fleet: Arc<Fleet>) {
    let desk = api.desk();
    let mut leads = fleet.leads();
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            Ok(()) = leads.changed() => {}
        }
        let leading = *leads.borrow_and_update();
        let metrics = desk.compliance.recorder.metrics();
        metrics.set_leads(leading);
        let rows = match fleet.store().jobs().await {
            Ok((_, rows)) => rows,
            Err(error) => {
                tracing::debug!(%error, "how jobs stand is not known");
                continue;
            }
        };
        for job in Job::ALL {
            let row = rows.iter().find(|row| row.name == job.label());
            let Some((row, at)) = row.and_then(|row| Some((row, row.succeeded_at?))) else { continue };
            metrics.job(job.label(), at, row.ended_at.is_some() && !row.outcome.is_empty());
            if job == Job::Compliance
                && !leading
                && let Err(problem) = desk.show_verdicts(at).await
            {
                tracing::debug!(?problem, "the verdicts are not known");
            }
        }
    }
}
