//! Blobs, down and up, on several connections at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::cast::{Cast, OURS};
use crate::client::{Client, block};
use crate::contender::Contender;
use crate::image::REPOSITORY;
use crate::page::{Page, Table};
use crate::round::{Meter, Round, of, take_turns};
use crate::targets::Target;

/// How many move at once.
const STREAMS: usize = 4;
/// For how long, at least.
const ROUND: Duration = Duration::from_secs(4);
const MEBIBYTE: f64 = (1 << 20) as f64;

pub(crate) fn down(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let all = [&cast.proxy.contender, &cast.nginx, &cast.unbuffered, &cast.haproxy];
    for size in ["64 KiB", "1 MiB", "64 MiB"] {
        let (path, length) = cast.image.blob(size);
        let series = take_turns(&all, |contender| {
            round(runtime, contender, async |client, mut stream, until| {
                let mut moved = 0;
                while Instant::now() < until {
                    let read = client.read(&mut stream, &path).await;
                    assert_eq!(read, length, "a truncated blob is no measurement");
                    moved += read;
                }
                moved
            })
        });
        let (title, slug) = (format!("GET of a blob of {size}"), format!("blob-{}", size.replace(' ', "-")));
        page.table(&Table {
            title: &title,
            slug: &slug,
            unit: "MiB",
            divisor: MEBIBYTE,
            ours: OURS,
            series: &series,
        });
        if size == "64 MiB" {
            let rate = |name| of(&series, name).per_cpu().median;
            let nginx = rate(cast.nginx.name).max(rate(cast.unbuffered.name));
            page.reached(Target::Download, rate(OURS) / nginx);
        }
    }
}

pub(crate) fn up(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let all = [&cast.proxy.contender, &cast.unbuffered, &cast.haproxy];
    let block = Arc::new(block());
    let series = take_turns(&all, |contender| {
        round(runtime, contender, async |client, mut stream, until| {
            let mut moved = 0;
            while Instant::now() < until {
                let path = client.begin(&mut stream, REPOSITORY).await;
                client.patch(&mut stream, &path, &block, 256, false).await;
                moved += 256 * block.len() as u64;
            }
            moved
        })
    });
    page.table(&Table {
        title: "PATCH of 64 MiB",
        slug: "upload",
        unit: "MiB",
        divisor: MEBIBYTE,
        ours: OURS,
        series: &series,
    });
    let rate = |name| of(&series, name).per_cpu().median;
    page.reached(Target::Upload, rate(OURS) / rate(cast.unbuffered.name));
}

/// The same on all connections until the time is over; the work is the sum of what each has moved.
fn round(
    runtime: &Runtime,
    contender: &Contender,
    work: impl AsyncFn(Client, crate::client::Stream, Instant) -> u64,
) -> Round {
    let client = Client::of(contender);
    runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            streams.push(client.connect().await);
        }
        let meter = Meter::start(contender);
        let until = Instant::now() + ROUND;
        let moving = streams.into_iter().map(|stream| work(client.clone(), stream, until));
        let moved: u64 = futures_util::future::join_all(moving).await.into_iter().sum();
        meter.stop(moved as f64)
    })
}
