//! A 5 GiB layer through Portcullis to a real docker-registry and back, with the proxy's memory sampled all the while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::cast::Cast;
use crate::client::{Client, block};
use crate::contender::portcullis::{Setup, start};
use crate::contender::registry::Behind;
use crate::page::Page;
use crate::processor::memory_kib;
use crate::round::Spread;

const LARGE: u64 = 5 << 30;

pub(crate) fn layer(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let behind = Behind::start();
    let setup =
        Setup { name: "Portcullis", cache: true, upstream: behind.address, rows: None, counted: None };
    let guarded = runtime.block_on(start(&setup, &cast.papers));
    let (client, pids) = (Client::of(&guarded.contender), guarded.contender.pids());
    let (before, over) = (memory_kib(&pids), Arc::new(AtomicBool::new(false)));
    let watches = Arc::clone(&over);
    let sampler = std::thread::spawn(move || {
        let mut samples = Vec::new();
        while !watches.load(Ordering::Relaxed) {
            samples.push(memory_kib(&pids) as f64);
            std::thread::sleep(Duration::from_millis(100));
        }
        samples
    });
    runtime.block_on(async {
        let block = block();
        let digest = client.push("bench/large", &block, LARGE / block.len() as u64).await;
        let path = format!("/v2/bench/large/blobs/{digest}");
        let mut stream = client.connect().await;
        assert_eq!(client.read(&mut stream, &path).await, LARGE);
    });
    over.store(true, Ordering::Relaxed);
    let samples = Spread::of(sampler.join().expect("it samples to the end").into_iter());
    page.note(&format!(
        "## A layer of 5 GiB\n\nPushed in one chunked `PATCH` to docker-registry and pulled back: {before} KiB of memory before, median {} KiB, peak {} KiB.",
        samples.median, samples.high
    ));
}
