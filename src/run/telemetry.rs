//! Traces on their way to the collector, in the background: who is traced never waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::failure::{Doing, Failure};
use super::plan;
use crate::clock::Entropy;
use crate::config::settings::Settings;
use crate::forward::collector::Collector;
use crate::record::recorder::Recorder;
use crate::record::trace::tracer::{Tracer, Waiting};

/// How long spans gather before they are sent together.
const GATHER: Duration = Duration::from_millis(500);

/// The recorder, which traces if the settings say so.
///
/// # Errors
/// [`Failure`] with the file that cannot be used.
pub(super) fn traced(
    recorder: Recorder,
    settings: &Settings,
    entropy: &Arc<dyn Entropy>,
    control: &Handle,
) -> Result<Recorder, Failure> {
    let Some(telemetry) = &settings.telemetry else { return Ok(recorder) };
    let url = plan::url(&telemetry.endpoint, "telemetry.otlp_endpoint")?;
    let collector = Collector::new(&url, telemetry.ca_file.clone()).doing("telemetry.ca_file")?;
    let (tracer, waiting) = Tracer::new(telemetry.sample_one_in, Arc::clone(entropy), recorder.metrics())
        .doing("making the metrics")?;
    control.spawn(send(collector, waiting));
    Ok(recorder.traced_by(Arc::new(tracer)))
}

/// Sends for as long as there is anything to send. What is not taken is counted, and told once.
async fn send(collector: Collector, mut waiting: Waiting) {
    let mut failing = false;
    while let Some((message, count)) = waiting.next().await {
        let sent = collector.send(message).await;
        match (&sent, failing) {
            (Err(problem), false) => tracing::warn!(problem, "traces are not taken by the collector"),
            (Ok(()), true) => tracing::info!("traces are taken by the collector again"),
            (Ok(()), false) | (Err(_), true) => {}
        }
        failing = sent.is_err();
        waiting.sent(count, sent.is_ok());
        tokio::time::sleep(GATHER).await;
    }
}
