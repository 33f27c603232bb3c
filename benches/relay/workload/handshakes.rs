//! Whole TLS handshakes, each on a connection of its own.

use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::cast::{Cast, OURS};
use crate::client::Client;
use crate::page::{Page, Table};
use crate::round::{Meter, of, take_turns};
use crate::targets::Target;

/// How many are under way at once.
const AT_ONCE: usize = 16;

pub(crate) fn full(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let all = [&cast.proxy.contender, &cast.nginx, &cast.haproxy];
    let series = take_turns(&all, |contender| {
        let client = Client::of(contender);
        runtime.block_on(async {
            let meter = Meter::start(contender);
            let until = Instant::now() + Duration::from_secs(3);
            let shaking = (0..AT_ONCE).map(|_| async {
                let mut count = 0_u32;
                while Instant::now() < until {
                    drop(client.connect().await);
                    count += 1;
                }
                count
            });
            let done: u32 = futures_util::future::join_all(shaking).await.into_iter().sum();
            meter.stop(f64::from(done))
        })
    });
    let title = "Full TLS handshakes, ECDSA P-256 and X25519";
    page.table(&Table {
        title,
        slug: "handshakes",
        unit: "handshakes",
        divisor: 1.0,
        ours: OURS,
        series: &series,
    });
    let rate = |name| of(&series, name).per_cpu().median;
    page.reached(Target::Handshakes, rate(OURS) / rate(cast.nginx.name));
}
