//! What the scrape shows.

use super::{Cache, CacheEvent, Metrics, UpstreamError};
use crate::record::event::samples::{every_what, finished, pull};
use crate::record::event::{ControlCall, Finished, TokenGrant, Verdict, What};

fn series(metrics: &Metrics) -> usize {
    let process = |line: &&str| !line.starts_with('#') && !line.starts_with("process_");
    metrics.render().lines().filter(process).count()
}

fn value(metrics: &Metrics, series: &str) -> String {
    let text = metrics.render();
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).trim().to_owned()
}

#[test]
fn a_request_is_counted_in_every_metric_about_requests() {
    let metrics = Metrics::new().unwrap();
    metrics.count(&pull().moved(10, 200));
    metrics.count(&pull().moved(1, 0));
    let labels = r#"{decision="allowed",operation="manifest_read",status="2xx"}"#;
    assert_eq!(value(&metrics, &format!("portcullis_requests_total{labels}")), "2");
    let count = r#"portcullis_request_duration_seconds_count{operation="manifest_read"}"#;
    assert_eq!(value(&metrics, count), "2");
    assert_eq!(value(&metrics, r#"portcullis_request_body_bytes_total{direction="received"}"#), "11");
    assert_eq!(value(&metrics, r#"portcullis_request_body_bytes_total{direction="sent"}"#), "200");
}

#[test]
fn token_grants_tell_refusals_from_faults() {
    let metrics = Metrics::new().unwrap();
    for (verdict, times) in [(Verdict::Allowed, 1), (Verdict::CredentialsRejected, 2), (Verdict::Faulted, 3)]
    {
        for _ in 0..times {
            let mut event = finished(What::Token(TokenGrant::DockerGet));
            event.decision = verdict;
            metrics.count(&event);
        }
    }
    for (outcome, times) in [("granted", "1"), ("refused", "2"), ("failed", "3")] {
        let series = format!(r#"portcullis_token_grants_total{{grant="docker_get",outcome="{outcome}"}}"#);
        assert_eq!(value(&metrics, &series), times);
    }
}

#[test]
fn policy_free_mode_and_downgraded_mounts_are_counted() {
    let metrics = Metrics::new().unwrap();
    let mut event = pull();
    event.decision = Verdict::WouldDeny;
    event.mount_downgraded = true;
    metrics.count(&event);
    assert_eq!(value(&metrics, "portcullis_policy_would_deny_total"), "1");
    assert_eq!(value(&metrics, "portcullis_mounts_downgraded_total"), "1");
}

#[test]
fn open_connections_are_shown() {
    let metrics = Metrics::new().unwrap();
    metrics.set_connections(2);
    assert_eq!(value(&metrics, "portcullis_connections"), "2");
}

/// <https://prometheus.io/docs/practices/naming/>: what `promtool check metrics` would say.
#[test]
fn names_units_and_help_follow_the_conventions_of_prometheus() {
    let metrics = Metrics::new().unwrap();
    metrics.count(&pull());
    metrics.upstream_error(UpstreamError::Broken);
    metrics.cache(Cache::Token, CacheEvent::Hit, 1);
    let page = metrics.render();
    let mut families = 0;
    for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE portcullis_")) {
        let (name, kind) = line.split_once(' ').unwrap();
        families += 1;
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
        assert!(kind != "histogram" || name.ends_with("_seconds"), "{name} has no unit");
        let help = page.lines().find_map(|line| line.strip_prefix(&format!("# HELP portcullis_{name} ")));
        assert!(help.is_some_and(|help| help.ends_with('.')), "{name}: {help:?}");
    }
    assert!(families >= 8, "{page}");
    // What alerts are made of is there from the start, as 0.
    for series in
        [r#"portcullis_config_reloads_total{outcome="failed"}"#, "portcullis_policy_would_deny_total"]
    {
        assert_eq!(value(&metrics, series), "0");
    }
}

#[test]
fn upstreams_caches_reloads_and_the_build_are_shown() {
    let metrics = Metrics::new().unwrap();
    metrics.set_upstream_up(&"us.registry.test".parse().unwrap(), true);
    metrics.upstream_error(UpstreamError::Timeout);
    metrics.cache(Cache::View, CacheEvent::Miss, 1);
    metrics.config_reloaded(false);
    assert_eq!(value(&metrics, r#"portcullis_upstream_up{registry="us.registry.test"}"#), "1");
    assert_eq!(value(&metrics, r#"portcullis_upstream_errors_total{kind="timeout"}"#), "1");
    assert_eq!(value(&metrics, r#"portcullis_cache_events_total{cache="view",event="miss"}"#), "1");
    assert_eq!(value(&metrics, r#"portcullis_config_reloads_total{outcome="failed"}"#), "1");
    let info = format!(r#"portcullis_build_info{{version="{}"}}"#, env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&metrics, &info), "1");
    #[cfg(target_os = "linux")]
    assert!(metrics.render().contains("process_resident_memory_bytes"));
}

/// D-30: what clients choose (paths, tags, names, agents, digests, statuses) never makes a new series.
#[test]
fn a_hundred_thousand_random_requests_make_no_new_series() {
    let metrics = Metrics::new().unwrap();
    let whats = every_what();
    let random = |seed: u64| format!("{:x}", seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let hit = |what: &What, verdict: Verdict, status: u16, seed: u64| -> Box<Finished> {
        let mut what = what.clone();
        match &mut what {
            What::Registry(call) => {
                (call.repository, call.reference) = (Some(random(seed)), Some(random(!seed)))
            }
            What::Control(ControlCall { target, .. }) => *target = random(seed),
            What::Token(_) | What::Probe | What::Unroutable => {}
        }
        let mut event = finished(what).agent(Some(&random(seed))).saying(random(seed));
        (event.decision, event.status, event.digest) = (verdict, status, Some(random(seed)));
        event.because = vec![random(seed)];
        event
    };
    for what in &whats {
        for &verdict in Verdict::ALL {
            for status in [100, 200, 300, 400, 500] {
                metrics.count(&hit(what, verdict, status, 1));
            }
        }
    }
    let before = series(&metrics);
    for seed in 0..100_000_u64 {
        let pick = usize::try_from(seed).unwrap();
        let status = u16::try_from(seed % 65_536).unwrap();
        metrics.count(&hit(
            &whats[pick % whats.len()],
            Verdict::ALL[pick % Verdict::ALL.len()],
            status,
            seed,
        ));
    }
    assert_eq!(series(&metrics), before);
}
