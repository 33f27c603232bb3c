//! How long requests take at half the load that the slower of the two bears: requests are due at fixed times, whether or not
//! earlier ones have been answered, and their time counts from when they were due.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::cast::{Cast, OURS};
use crate::client::{Client, Stream};
use crate::contender::Contender;
use crate::image::REPOSITORY;
use crate::page::Page;
use crate::round::{ROUNDS, Spread};
use crate::targets::Target;

const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(4);
/// Without a measured load (requests a second).
const DEFAULT: f64 = 8000.0;

pub(crate) fn at_half_load(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let rate = if page.half_load > 0.0 { page.half_load } else { DEFAULT };
    let pair = [&cast.proxy.contender, &cast.nginx];
    let mut rounds: [Vec<[f64; 3]>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (contender, rounds) in pair.iter().zip(&mut rounds) {
            eprint!(".");
            rounds.push(runtime.block_on(one(contender, rate)));
        }
    }
    eprintln!();
    let at = |who: usize, which: usize| Spread::of(rounds[who].iter().map(|round| round[which]));
    let mut text = format!(
        "## Latency at half load\n\n{rate:.0} requests/s for a manifest, passed on, over {CONNECTIONS} connections; microseconds, median of rounds (range).\n\n\
         | | p50 | p99 | p99.9 |\n|---|---|---|---|"
    );
    for (who, name) in [OURS, cast.nginx.name].into_iter().enumerate() {
        let cells = [0, 1, 2].map(|which| {
            let spread = at(who, which);
            format!("{:.0} ({:.0}–{:.0})", spread.median, spread.low, spread.high)
        });
        text.push_str(&format!("\n| {name} | {} |", cells.join(" | ")));
    }
    page.note(&text);
    page.reached(Target::Latency, at(0, 1).median / at(1, 1).median);
}

/// p50, p99 and p99.9 in microseconds.
async fn one(contender: &Contender, rate: f64) -> [f64; 3] {
    let client = Client::of(contender);
    let request = client.head("GET", &format!("/v2/{REPOSITORY}/manifests/v1"), "").into_bytes();
    let (mut lanes, mut clients) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        let (sender, receiver) = mpsc::unbounded_channel();
        lanes.push(sender);
        clients.push(tokio::spawn(answer(client.connect().await, request.clone(), receiver)));
    }
    let begun = Instant::now();
    let count = (ROUND.as_secs_f64() * rate) as u64;
    for number in 0..count {
        let due = begun + Duration::from_secs_f64(number as f64 / rate);
        // Timers are too coarse for this.
        while Instant::now() < due {
            tokio::task::yield_now().await;
        }
        let _ = lanes[number as usize % CONNECTIONS].send(due);
    }
    drop(lanes);
    let mut taken = Vec::new();
    for client in clients {
        taken.extend(client.await.expect("it answers"));
    }
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    [at(0.5), at(0.99), at(0.999)]
}

async fn answer(
    mut stream: Stream,
    request: Vec<u8>,
    mut due: mpsc::UnboundedReceiver<Instant>,
) -> Vec<Duration> {
    let mut taken = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while let Some(due) = due.recv().await {
        stream.write_all(&request).await.expect("it takes requests");
        stream.flush().await.expect("it takes requests");
        let mut have = 0;
        while !is_whole(&buffer[..have]) {
            let read = stream.read(&mut buffer[have..]).await.expect("it answers");
            assert!(read > 0, "it closes a connection");
            have += read;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"));
        taken.push(due.elapsed());
    }
    taken
}

/// Whether an answer is there to its last byte.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    answer.len() >= end + 4 + length.unwrap_or(0)
}
