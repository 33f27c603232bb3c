//! What Prometheus reads.
//!
//! Every label value comes from a closed enum or from the configuration, never from a request, so the number of series
//! is bounded whatever clients send (D-30). Handles are kept: a request costs a few atomic additions and no hashing.

mod alerts;
mod fleet;

use std::sync::OnceLock;

use prometheus::core::Collector;
use prometheus::{Encoder as _, Histogram, HistogramOpts, HistogramVec};
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

pub use self::alerts::DeliveryOutcome;
use super::event::{Finished, TokenGrant, Verdict, What, labels};
use crate::clock::UnixTime;
use crate::compliance::verdict::Status;
use crate::findings::alert::topic::Topic;
use crate::ids::host::HostName;

/// Status classes, by the first digit of the status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// From a cached answer to a blob of many gigabytes.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0];

labels! {
    /// How an upstream failed.
    UpstreamError {
        /// It could not be reached.
        Unreachable = "unreachable",
        /// It did not answer in time.
        Timeout = "timeout",
        /// It answered with something that cannot be passed on, or stopped in the middle.
        Broken = "broken",
    }
}

labels! {
    /// What is remembered.
    Cache {
        /// Manifests and blobs.
        Content = "content",
        /// Verdicts.
        Decision = "decision",
        /// Verified tokens.
        Token = "token",
        /// Compiled principals.
        View = "view",
    }
}

labels! {
    /// Why somebody was not listened to, before there was a request to answer.
    TurnedAway {
        /// The address has as many connections as it may.
        AddressFull = "address_full",
        /// A request said where it comes from, and its sender is not trusted: the header was taken out.
        ClaimIgnored = "claim_ignored",
        /// A connection did not begin with a sound PROXY header, where one is required.
        ProxyMalformed = "proxy_malformed",
        /// A PROXY header did not come in time.
        ProxyTimeout = "proxy_timeout",
        /// A peer that is not trusted connected where PROXY headers are required.
        ProxyUntrusted = "proxy_untrusted",
    }
}

labels! {
    /// What happened in a cache.
    CacheEvent {
        /// It was there.
        Hit = "hit",
        /// It was not.
        Miss = "miss",
        /// It was old, and is still so.
        Checked = "checked",
        /// It was not there, and somebody else was asking for it.
        Coalesced = "coalesced",
        /// It is nothing to be kept.
        Passed = "passed",
    }
}

labels! {
    /// What became of a request for a token.
    Outcome {
        /// A token was given.
        Granted = "granted",
        /// The credentials were refused.
        Refused = "refused",
        /// Our fault, or the client went away.
        Failed = "failed",
    }
}

/// The metrics could not be set up: a mistake in this file, not in the configuration.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be set up: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Grid<IntCounterVec>,
    durations: Grid<HistogramVec>,
    grants: Grid<IntCounterVec>,
    cache_events: Grid<IntCounterVec>,
    upstream_errors: Grid<IntCounterVec>,
    turned_away: Grid<IntCounterVec>,
    received: IntCounter,
    sent: IntCounter,
    would_deny: IntCounter,
    network_would_refuse: IntCounter,
    mounts_downgraded: IntCounter,
    upstream_up: IntGaugeVec,
    connections: IntGauge,
    content_bytes: IntGauge,
    content_disk_bytes: IntGauge,
    judged: Judged,
    alerts: alerts::Alerts,
    fleet: fleet::Fleet,
    /// Failed ones, then those that worked.
    reloads: [IntCounter; 2],
}

/// How goals and rules came out when they were last judged.
#[derive(Debug)]
struct Judged {
    goals: IntGaugeVec,
    rules: IntGaugeVec,
    scanned: IntGauge,
}

impl Judged {
    fn new(kept: &Keeper<'_>) -> Result<Self, MetricsError> {
        let (goals, rules) = ("compliance_goal_status", "compliance_rule_status");
        let help = "1 for the status that it has, 0 for the others.";
        let scanned = "When goals and rules were last judged, in seconds since the epoch.";
        Ok(Self {
            goals: kept.gauges(goals, help, &["profile", "goal", "status"])?,
            rules: kept.gauges(rules, help, &["rule", "status"])?,
            scanned: kept.gauge("compliance_last_scan_timestamp_seconds", scanned)?,
        })
    }

    fn show(&self, profile: Option<&str>, verdicts: &[(&str, Status)]) {
        if profile.is_none() {
            self.rules.reset();
        }
        for ((id, has), status) in verdicts.iter().flat_map(|one| Status::ALL.map(|status| (one, status))) {
            let gauge = match profile {
                Some(profile) => self.goals.with_label_values(&[profile, id, status.label()]),
                None => self.rules.with_label_values(&[id, status.label()]),
            };
            gauge.set(i64::from(*has == status));
        }
    }
}

impl Metrics {
    /// Sets up all metrics, with those of the process itself.
    ///
    /// # Errors
    /// [`MetricsError`] when two metrics have the same name.
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let kept = Keeper(&registry);
        let bodies = kept.counters("request_body_bytes_total", "Bytes of bodies.", &["direction"])?;
        let info = kept.gauges("build_info", "Always 1; the labels say what is running.", &["version"])?;
        info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let reloads = kept.counters("config_reloads_total", "Reloads of the configuration.", &["outcome"])?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let request_labels = ["operation", "decision", "status"];
        let cells = What::LABELS * Verdict::ALL.len() * CLASSES.len();
        let grants = TokenGrant::ALL.len() * Outcome::ALL.len();
        Ok(Self {
            requests: Grid::new(
                cells,
                kept.counters("requests_total", "Requests that were answered.", &request_labels)?,
            ),
            durations: Grid::new(What::LABELS, kept.durations()?),
            grants: Grid::new(
                grants,
                kept.counters("token_grants_total", "Requests for a token.", &["grant", "outcome"])?,
            ),
            cache_events: Grid::new(
                Cache::ALL.len() * CacheEvent::ALL.len(),
                kept.counters("cache_events_total", "What happened in caches.", &["cache", "event"])?,
            ),
            upstream_errors: Grid::new(
                UpstreamError::ALL.len(),
                kept.counters("upstream_errors_total", "Upstream calls that failed.", &["kind"])?,
            ),
            turned_away: Grid::new(
                TurnedAway::ALL.len(),
                kept.counters("turned_away_total", "Connections and claims not listened to.", &["reason"])?,
            ),
            received: bodies.with_label_values(&["received"]),
            sent: bodies.with_label_values(&["sent"]),
            would_deny: kept.counter(
                "policy_would_deny_total",
                "Requests let through in policy-free mode that policies would have refused.",
            )?,
            network_would_refuse: kept.counter(
                "network_would_refuse_total",
                "Requests that context-based restrictions in report mode would have refused.",
            )?,
            mounts_downgraded: kept.counter(
                "mounts_downgraded_total",
                "Mounts that became plain uploads because a right on the source was missing.",
            )?,
            upstream_up: kept.gauges("upstream_up", "Whether the upstream answers.", &["registry"])?,
            connections: kept.gauge("connections", "Open client connections.")?,
            content_bytes: kept.gauge("content_cache_bytes", "Bytes of manifests and blobs in memory.")?,
            content_disk_bytes: kept.gauge("content_cache_disk_bytes", "Bytes of layers on the disk.")?,
            judged: Judged::new(&kept)?,
            alerts: alerts::Alerts::new(&kept)?,
            fleet: fleet::Fleet::new(&kept)?,
            reloads: [reloads.with_label_values(&["failed"]), reloads.with_label_values(&["ok"])],
            registry,
        })
    }

    /// Also shows metrics that another part of this folder keeps.
    pub(super) fn show(&self, collector: impl Collector + 'static) -> Result<(), MetricsError> {
        Ok(self.registry.register(Box::new(collector))?)
    }

    /// Counts a finished request, once, in every metric that is about requests.
    pub(super) fn count(&self, finished: &Finished) {
        let class = usize::from(finished.status / 100).clamp(1, CLASSES.len()) - 1;
        let operation = finished.what.index();
        let (verdict, class_label) = (finished.decision, CLASSES.get(class).copied().unwrap_or("5xx"));
        let cell = (operation * Verdict::ALL.len() + verdict as usize) * CLASSES.len() + class;
        let labels = [finished.what.label(), verdict.label(), class_label];
        self.requests.with(cell, &labels, IntCounter::inc);
        let seconds = finished.duration.as_secs_f64();
        self.durations.with(operation, &[finished.what.label()], |histogram| histogram.observe(seconds));
        self.received.inc_by(finished.bytes_in);
        self.sent.inc_by(finished.bytes_out);
        if let What::Token(grant) = finished.what {
            let outcome = outcome(verdict);
            let cell = grant as usize * Outcome::ALL.len() + outcome as usize;
            self.grants.with(cell, &[grant.label(), outcome.label()], IntCounter::inc);
        }
        if verdict == Verdict::WouldDeny {
            self.would_deny.inc();
        }
        if !finished.would_refuse.is_empty() {
            self.network_would_refuse.inc();
        }
        if finished.mount_downgraded {
            self.mounts_downgraded.inc();
        }
    }

    /// Counts `times` events of a cache.
    pub fn cache(&self, cache: Cache, event: CacheEvent, times: u64) {
        let cell = cache as usize * CacheEvent::ALL.len() + event as usize;
        self.cache_events.with(cell, &[cache.label(), event.label()], |counter| counter.inc_by(times));
    }

    /// Counts somebody who was not listened to.
    pub fn turned_away(&self, because: TurnedAway) {
        self.turned_away.with(because as usize, &[because.label()], IntCounter::inc);
    }

    /// Counts a failed upstream call.
    pub fn upstream_error(&self, kind: UpstreamError) {
        self.upstream_errors.with(kind as usize, &[kind.label()], IntCounter::inc);
    }

    /// Says whether the upstream of the registry of this configured name answers.
    pub fn set_upstream_up(&self, registry: &HostName, up: bool) {
        self.upstream_up.with_label_values(&[registry.as_str()]).set(i64::from(up));
    }

    /// Says how many client connections are open.
    pub fn set_connections(&self, open: usize) {
        self.connections.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// Says how many bytes of manifests and blobs are kept.
    pub fn set_content_bytes(&self, (memory, disk): (u64, u64)) {
        self.content_bytes.set(i64::try_from(memory).unwrap_or(i64::MAX));
        self.content_disk_bytes.set(i64::try_from(disk).unwrap_or(i64::MAX));
    }

    /// Counts a reload of the configuration that took effect, or did not.
    pub fn config_reloaded(&self, worked: bool) {
        let [failed, ok] = &self.reloads;
        if worked { ok.inc() } else { failed.inc() }
    }

    /// Says how goals of a profile, or (without one) rules, came out when they were last judged. Rules that are gone are
    /// shown no longer: their ids are ours, and there are few.
    pub fn judged(&self, profile: Option<&str>, verdicts: &[(&str, Status)], at: UnixTime) {
        self.judged.show(profile, verdicts);
        self.judged.scanned.set(at.seconds());
    }

    /// Shows whether this replica does the work on a clock.
    pub fn set_leads(&self, leads: bool) {
        self.fleet.leads(leads);
    }

    /// Shows when a job last went well, and whether it goes wrong now.
    pub fn job(&self, label: &'static str, succeeded_at: UnixTime, failing: bool) {
        self.fleet.job(label, succeeded_at, failing);
    }

    /// Counts an alert.
    pub fn alert_raised(&self, topic: Topic) {
        self.alerts.raised(topic);
    }

    /// Counts an attempt to deliver one.
    pub fn alert_attempted(&self, outcome: DeliveryOutcome) {
        self.alerts.attempted(outcome);
    }

    /// Says how many deliveries wait.
    pub fn set_alerts_pending(&self, count: u32) {
        self.alerts.pending(count);
    }

    /// Everything in the text format of Prometheus (`text/plain; version=0.0.4`).
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(error = error.to_string(), "metrics cannot be rendered");
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

const fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Allowed | Verdict::WouldDeny => Outcome::Granted,
        Verdict::Aborted | Verdict::Faulted => Outcome::Failed,
        Verdict::Challenged
        | Verdict::CredentialsRejected
        | Verdict::Denied
        | Verdict::Limited
        | Verdict::Malformed
        | Verdict::Misdirected => Outcome::Refused,
    }
}

/// A metric whose label values are enums: one kept handle per combination, made when first needed.
#[derive(Debug)]
struct Grid<V: Family> {
    family: V,
    cells: Vec<OnceLock<V::One>>,
}

/// A metric with labels, which gives out metrics without.
trait Family {
    type One;
    fn one(&self, labels: &[&str]) -> Self::One;
}

impl Family for IntCounterVec {
    type One = IntCounter;
    fn one(&self, labels: &[&str]) -> IntCounter {
        self.with_label_values(labels)
    }
}

impl Family for HistogramVec {
    type One = Histogram;
    fn one(&self, labels: &[&str]) -> Histogram {
        self.with_label_values(labels)
    }
}

impl<V: Family> Grid<V> {
    fn new(cells: usize, family: V) -> Self {
        Self { family, cells: std::iter::repeat_with(OnceLock::new).take(cells).collect() }
    }

    fn with(&self, cell: usize, labels: &[&str], act: impl FnOnce(&V::One)) {
        if let Some(cell) = self.cells.get(cell) {
            act(cell.get_or_init(|| self.family.one(labels)));
        }
    }
}

/// Makes metrics and registers them.
struct Keeper<'a>(&'a Registry);

impl Keeper<'_> {
    fn keep<C: Collector + Clone + 'static>(&self, metric: C) -> Result<C, MetricsError> {
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, MetricsError> {
        self.keep(IntCounter::with_opts(opts(name, help))?)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, MetricsError> {
        self.keep(IntCounterVec::new(opts(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, MetricsError> {
        self.keep(IntGauge::with_opts(opts(name, help))?)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, MetricsError> {
        self.keep(IntGaugeVec::new(opts(name, help), labels)?)
    }

    fn durations(&self) -> Result<HistogramVec, MetricsError> {
        let help = "Seconds from the first byte of a request to the last byte of its answer.";
        let opts = HistogramOpts::from(opts("request_duration_seconds", help)).buckets(BUCKETS.to_vec());
        self.keep(HistogramVec::new(opts, &["operation"])?)
    }
}

/// The name and help of a metric, with the prefix that all have.
pub(super) fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("portcullis")
}

#[cfg(test)]
mod tests;
