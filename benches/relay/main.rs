//! Portcullis against nginx, in one run, in front of the same registry: what an authorised request costs next to a bare
//! TLS proxy that asks nobody. Prints ratios and writes `benches/RESULTS.md`.
//!
//! It measures and prints; it never fails because a machine is slow.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot measure ends at once, and it measures wall-clock time"
)]

mod client;
mod report;
mod servers;

use std::time::{Duration, Instant};

use client::{Client, Upload};
use report::{Figure, Report, median};
use servers::{Servers, memory_kib};

/// How often each pair is measured; the two take turns.
const ROUNDS: usize = 5;
const MANIFEST_SECONDS: u64 = 6;
const BLOB: u64 = 256 << 20;
const LARGE: u64 = 5 << 30;
const IDLE: usize = 1000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let servers = Servers::start().await;
        let mut report = Report::new(&servers);
        let portcullis = Client::new(servers.portcullis, Some(servers.login().await));
        let nginx = Client::new(servers.nginx, None);
        eprintln!("pushing what is measured …");
        let blob = portcullis.push_blob("bench/app", BLOB).await;
        portcullis.push_image("bench/app", "v1").await;

        report.add(manifests(&servers));
        report.add(throughput(&portcullis, &nginx, &blob).await);
        report.add(idle(&servers).await);
        report.note(&large(&servers, &portcullis).await);
        report.finish();
        servers.stop();
    });
}

/// Requests per second for one manifest over 32 kept-alive connections.
fn manifests(servers: &Servers) -> Figure {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(servers.wrk(servers.portcullis, servers.token(), MANIFEST_SECONDS));
        theirs.push(servers.wrk(servers.nginx, None, MANIFEST_SECONDS));
    }
    Figure::more_is_better("authorised manifest GET", "requests/s", ours, theirs)
}

/// Bytes per second of one large blob on one connection.
async fn throughput(portcullis: &Client, nginx: &Client, digest: &str) -> Figure {
    let path = format!("/v2/bench/app/blobs/{digest}");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(mebibytes_per_second(portcullis, &path).await);
        theirs.push(mebibytes_per_second(nginx, &path).await);
    }
    Figure::more_is_better("256 MiB blob GET", "MiB/s", ours, theirs)
}

async fn mebibytes_per_second(client: &Client, path: &str) -> f64 {
    let start = Instant::now();
    let read = client.read(path).await;
    assert_eq!(read, BLOB, "a truncated blob is no measurement");
    read as f64 / (1 << 20) as f64 / start.elapsed().as_secs_f64()
}

/// Memory of the proxy's processes with 1,000 idle connections, each after one request, over the memory before.
async fn idle(servers: &Servers) -> Figure {
    let ours = memory_of_idle(servers.portcullis, servers.token(), &servers.portcullis_pids()).await;
    let theirs = memory_of_idle(servers.nginx, None, &servers.nginx_pids()).await;
    Figure::less_is_better("memory of 1,000 idle TLS connections", "KiB each", vec![ours], vec![theirs])
}

async fn memory_of_idle(address: std::net::SocketAddr, token: Option<String>, pids: &[u32]) -> f64 {
    let client = Client::new(address, token);
    let before = memory_kib(pids);
    let mut held = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        held.push(client.connect_and_ask("/v2/bench/app/manifests/v1").await);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let grown = memory_kib(pids).saturating_sub(before);
    drop(held);
    grown as f64 / IDLE as f64
}

/// A 5 GiB layer, up and down, with the proxy's memory sampled all the while.
async fn large(servers: &Servers, client: &Client) -> String {
    let pids = servers.portcullis_pids();
    let before = memory_kib(&pids);
    let sampler = tokio::spawn(async move {
        let mut samples = Vec::new();
        loop {
            samples.push(memory_kib(&pids));
            if samples.len() % 600 == 0 {
                eprintln!("  still moving 5 GiB …");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            if Upload::is_over() {
                return samples;
            }
        }
    });
    eprintln!("moving a 5 GiB layer, up and down …");
    let digest = client.push_blob("bench/large", LARGE).await;
    let read = client.read(&format!("/v2/bench/large/blobs/{digest}")).await;
    assert_eq!(read, LARGE);
    Upload::over();
    let mut samples = sampler.await.unwrap();
    samples.sort_unstable();
    let peak = samples.last().copied().unwrap_or_default();
    format!(
        "A 5 GiB layer, pushed in one chunked `PATCH` and pulled back: {} KiB before, median {} KiB, peak {peak} KiB while it moved.",
        before,
        median(samples.iter().map(|&kib| kib as f64).collect()) as u64
    )
}
