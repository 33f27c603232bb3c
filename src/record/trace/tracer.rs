//! Who is traced, and the queue of what was. The queue is bounded: whatever does not fit is counted and forgotten.

use std::sync::Arc;

use http::HeaderMap;
use prometheus::IntCounterVec;
use serde_json::Value as Json;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::context::Context;
use super::{Trace, spans, wire};
use crate::clock::Entropy;
use crate::record::event::Finished;
use crate::record::metrics::{Metrics, MetricsError, opts};

/// How many requests' spans wait at most.
const QUEUE: usize = 2048;
/// How many requests' spans are sent at once.
const BATCH: usize = 256;
/// Where a request stands in a trace (W3C Trace Context).
pub const TRACEPARENT: &str = "traceparent";

/// Decides who is traced, and takes in what was.
#[derive(Debug)]
pub struct Tracer {
    one_in: u64,
    entropy: Arc<dyn Entropy>,
    queue: Sender<Vec<Json>>,
    dropped: prometheus::IntCounter,
}

/// What waits to be sent.
#[derive(Debug)]
pub struct Waiting {
    queue: Receiver<Vec<Json>>,
    outcomes: IntCounterVec,
}

impl Tracer {
    /// One that traces one request in so many by itself, and what waits.
    ///
    /// # Errors
    /// [`MetricsError`] when its metric cannot be shown.
    pub fn new(
        one_in: u64,
        entropy: Arc<dyn Entropy>,
        metrics: &Metrics,
    ) -> Result<(Self, Waiting), MetricsError> {
        let help = "Requests whose spans were sent, dropped because the queue was full, or not taken.";
        let outcomes = IntCounterVec::new(opts("traces_total", help), &["outcome"])?;
        metrics.show(outcomes.clone())?;
        let (sender, receiver) = channel(QUEUE);
        let dropped = outcomes.with_label_values(&["dropped"]);
        Ok((
            Self { one_in: one_in.max(1), entropy, queue: sender, dropped },
            Waiting { queue: receiver, outcomes },
        ))
    }

    /// Where a request stands that is traced. `vouched` is whether a proxy that is trusted has passed on its headers: of anybody else,
    /// whose trace it is and whether it is looked at is not believed.
    #[must_use]
    pub fn admits(&self, headers: &HeaderMap, vouched: bool) -> Option<Context> {
        let mut lines = headers.get_all(TRACEPARENT).iter().filter(|_| vouched);
        if let (Some(line), None) = (lines.next(), lines.next()) {
            return Context::following(line.to_str().ok()?, &*self.entropy);
        }
        let mut dice = [0; 8];
        self.entropy.fill(&mut dice);
        (u64::from_be_bytes(dice) % self.one_in == 0).then(|| Context::fresh(&*self.entropy))
    }

    /// Takes in what a finished request says.
    pub(in crate::record) fn take(&self, trace: &Trace, finished: &Finished) {
        let name = trace.context.trace();
        let told =
            spans(trace, finished).iter().map(|one| wire::span(&name, finished.started, one)).collect();
        if self.queue.try_send(told).is_err() {
            self.dropped.inc();
        }
    }
}

impl Waiting {
    /// The next message, and how many requests it tells of. `None` when there is nobody left to trace.
    pub async fn next(&mut self) -> Option<(Vec<u8>, u64)> {
        let mut waiting = Vec::new();
        let count = self.queue.recv_many(&mut waiting, BATCH).await;
        let spans: Vec<Json> = waiting.into_iter().flatten().collect();
        (count > 0).then(|| (wire::message(&spans), u64::try_from(count).unwrap_or(u64::MAX)))
    }

    /// Counts what has become of a message about so many.
    pub fn sent(&self, count: u64, taken: bool) {
        self.outcomes.with_label_values(&[if taken { "sent" } else { "failed" }]).inc_by(count);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderMap, HeaderValue, Method};
    use tokio::time::Instant;

    use super::{QUEUE, TRACEPARENT, Tracer};
    use crate::clock::SystemEntropy;
    use crate::record::event::samples::pull;
    use crate::record::metrics::Metrics;
    use crate::record::trace::Trace;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(TRACEPARENT, HeaderValue::from_static(line));
        }
        headers
    }

    #[tokio::test]
    async fn only_a_trusted_proxy_says_whose_trace_it_is() {
        let metrics = Metrics::new().unwrap();
        let (tracer, _waiting) = Tracer::new(1, Arc::new(SystemEntropy), &metrics).unwrap();
        let parent = |lines: &[&'static str], vouched| {
            tracer.admits(&headers(lines), vouched).map(|context| context.parent().is_some())
        };
        assert_eq!(parent(&[PARENT], true), Some(true));
        assert_eq!(parent(&[PARENT], false), Some(false), "a trace of our own");
        assert_eq!(parent(&["00-nonsense"], true), None);
        assert_eq!(parent(&[PARENT, PARENT], true), Some(false), "two are none");
        assert_eq!(parent(&[], true), Some(false));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_counted_and_forgotten() {
        let metrics = Metrics::new().unwrap();
        let (tracer, mut waiting) = Tracer::new(1, Arc::new(SystemEntropy), &metrics).unwrap();
        let context = tracer.admits(&HeaderMap::new(), false).unwrap();
        let trace = Trace::new(context, &Method::GET, Instant::now());
        for _ in 0..QUEUE + 3 {
            tracer.take(&trace, &pull());
        }
        assert!(
            metrics.render().contains("portcullis_traces_total{outcome=\"dropped\"} 3"),
            "{}",
            metrics.render()
        );
        let (message, count) = waiting.next().await.unwrap();
        let message: serde_json::Value = serde_json::from_slice(&message).unwrap();
        let spans = message["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
        assert_eq!((spans.len(), count), (256, 256));
        assert_eq!(spans[0]["traceId"], context.trace().as_str());
    }
}
