//! Health, metrics and ACME's pages: what machines ask to know whether we work, and whether we are who we say.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::Shared;
use super::outcome::Outcome;
use super::sites::{ACME, HealthQuestion};
use super::visit::Visit;
use crate::admit::refusal::Refusal;
use crate::control::usage::Bytes as UsedBytes;
use crate::edge::respond;
use crate::findings::severity::Severity;
use crate::ids::region::Region;
use crate::record::event::{Verdict, What};
use crate::record::metrics::{Cache, CacheEvent};
use crate::view::registry::RegistryState;

/// What readiness depends on, kept up to date by the background tasks.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    draining: AtomicBool,
    upstreams_up: AtomicBool,
}

impl Readiness {
    /// From now on `/readyz` says no: load balancers should look elsewhere.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Says whether every upstream answered when last asked.
    pub fn upstreams(&self, up: bool) {
        self.0.upstreams_up.store(up, Ordering::Relaxed);
    }
}

/// What had been counted when metrics were last asked for: caches count by themselves, cheaply, and the difference is
/// added here.
#[derive(Debug, Default)]
pub struct Scrape {
    counted: Mutex<Counted>,
    connections: OnceLock<Arc<AtomicUsize>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    decision: (u64, u64),
    token: (u64, u64),
    view: (u64, u64),
    content: [u64; CacheEvent::ALL.len()],
}

impl Scrape {
    /// From now on this count of open connections is shown.
    pub fn connections(&self, open: Arc<AtomicUsize>) {
        // Whoever came first stays: there is one server in a process.
        let _ = self.connections.set(open);
    }

    fn page(&self, shared: &Shared) -> String {
        let metrics = shared.recorder.metrics();
        let now = Counted {
            decision: shared.gate.decision_events(),
            token: shared.gate.authenticator.cache_events(),
            view: shared.gate.view_events(),
            content: shared.content.as_ref().map_or_else(Default::default, |content| content.events()),
        };
        let mut last = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let add = |cache, event, now: u64, before: u64| {
            metrics.cache(cache, event, now.saturating_sub(before));
        };
        add(Cache::Decision, CacheEvent::Hit, now.decision.0, last.decision.0);
        add(Cache::Decision, CacheEvent::Miss, now.decision.1, last.decision.1);
        add(Cache::Token, CacheEvent::Hit, now.token.0, last.token.0);
        add(Cache::Token, CacheEvent::Miss, now.token.1, last.token.1);
        add(Cache::View, CacheEvent::Hit, now.view.0, last.view.0);
        add(Cache::View, CacheEvent::Miss, now.view.1, last.view.1);
        for ((event, now), before) in CacheEvent::ALL.iter().copied().zip(now.content).zip(last.content) {
            add(Cache::Content, event, now, before);
        }
        *last = now;
        metrics.set_content_bytes(shared.content.as_ref().map_or((0, 0), |content| content.bytes()));
        metrics.set_connections(self.connections.get().map_or(0, |open| open.load(Ordering::Relaxed)));
        metrics.render()
    }
}

/// IBM's platform metrics of one registry; a limit that is not set is -1.
fn platform(text: &mut String, region: &Region, registry: &RegistryState, used: UsedBytes) {
    let limit = |limit: Option<u64>| limit.map_or("-1".to_owned(), |bytes| bytes.to_string());
    for (name, value) in [
        ("pull_traffic", used.traffic.to_string()),
        ("pull_traffic_quota", limit(registry.traffic_limit)),
        ("storage", used.storage.to_string()),
        ("storage_quota", limit(registry.storage_limit)),
    ] {
        text.push_str(&format!(
            "ibm_containerregistry_{name}{{ibm_ctype=\"public\",ibm_location=\"{region}\",ibm_service_name=\"container-registry\"}} {value}\n"
        ));
    }
}

/// What is found in images, and what of it would have stopped pulls.
fn findings(text: &mut String, shared: &Shared) {
    text.push_str(
        "# HELP portcullis_findings Vulnerabilities that are reported.\n# TYPE portcullis_findings gauge\n",
    );
    let scans = &shared.api.desk().scans;
    let counted = shared.sites.all().iter().filter_map(|site| Some((site, scans.counted(&site.region)?)));
    let counted: Vec<_> = counted.collect();
    for (site, (counts, _)) in &counted {
        for (severity, count) in Severity::ALL.into_iter().zip(counts) {
            let severity = severity.label().to_ascii_lowercase();
            text.push_str(&format!(
                "portcullis_findings{{registry=\"{}\",severity=\"{severity}\"}} {count}\n",
                site.name
            ));
        }
    }
    text.push_str(
        "# HELP portcullis_images_reported Images with a report.\n# TYPE portcullis_images_reported gauge\n",
    );
    for (site, (_, images)) in &counted {
        text.push_str(&format!("portcullis_images_reported{{registry=\"{}\"}} {images}\n", site.name));
    }
    let would_refuse = shared.gate.findings_would_refuse();
    text.push_str(&format!(
        "# HELP portcullis_findings_would_refuse_total Pulls that findings would have stopped, were they not only reported.\n\
         # TYPE portcullis_findings_would_refuse_total counter\nportcullis_findings_would_refuse_total {would_refuse}\n"
    ));
}

/// Answers `/livez` and `/readyz`.
#[must_use]
pub fn health(shared: &Shared, visit: &Visit, question: HealthQuestion) -> Outcome {
    let parts = &shared.readiness.0;
    let problems: Vec<&str> = match question {
        HealthQuestion::Alive => Vec::new(),
        HealthQuestion::Ready => [
            (parts.draining.load(Ordering::Relaxed), "draining"),
            (!parts.upstreams_up.load(Ordering::Relaxed), "an upstream does not answer"),
            (!shared.gate.view_is_current(), "the store does not answer"),
            (!shared.recorder.audit().may_pass(), "the audit log cannot be written"),
        ]
        .into_iter()
        .filter_map(|(wrong, problem)| wrong.then_some(problem))
        .collect(),
    };
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if problems.is_empty() { "ok" } else { "not ready" };
    let body = serde_json::json!({ "status": word, "problems": problems }).to_string();
    let response = respond::json(status, Bytes::from(body), visit.request_id());
    Outcome::ready(visit.event(What::Probe), Verdict::Allowed, response)
}

/// Answers `/metrics` in Prometheus' text format.
pub async fn metrics(shared: &Shared, visit: &Visit) -> Outcome {
    let mut text = shared.scrape.page(shared);
    findings(&mut text, shared);
    for region in shared.bin.usage.regions() {
        // What cannot be known is not published.
        let Ok(Some(registry)) = shared.gate.registry_settings(region).await else { continue };
        if registry.platform_metrics {
            let used = shared.bin.usage.used(region, shared.clock.now().month());
            platform(&mut text, region, &registry, used);
        }
    }
    let mut response = respond::json(StatusCode::OK, Bytes::from(text), visit.request_id());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Outcome::ready(visit.event(What::Probe), Verdict::Allowed, response)
}

/// Answers an ACME authority that looks for a token (RFC 8555 §8.3).
#[must_use]
pub fn proof(shared: &Shared, visit: &Visit, path: &str) -> Outcome {
    let page = path.strip_prefix(ACME).and_then(|token| shared.proofs.of(token));
    let Some(page) = page else { return Outcome::unroutable(visit, &Refusal::NoSuchRoute) };
    let mut response = respond::json(StatusCode::OK, Bytes::from(page), visit.request_id());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Outcome::ready(visit.event(What::Probe), Verdict::Allowed, response)
}
