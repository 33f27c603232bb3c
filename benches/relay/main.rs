//! Portcullis beside nginx, HAProxy and docker-registry, in one run: what an authorised request costs next to theirs. Prints
//! ratios, and writes `benches/RESULTS.md` with plots.
//!
//! It measures and prints; it never fails because a machine is slow, only when an answer is wrong.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot measure ends at once, and it measures wall-clock time"
)]

mod any_certificate;
mod cast;
mod client;
mod contender;
mod hammer;
mod image;
mod origin;
mod page;
mod plot;
mod preface;
mod processor;
mod round;
mod signed;
mod targets;
mod workload;
mod wrk;

use tokio::runtime::Runtime;

use cast::Cast;
use page::Page;
use workload::{blobs, counted, denied, grants, handshakes, idle, large, latency, manifests, scale, storm};

/// One kind of work, by the name that chooses it.
type Part = (&'static str, fn(&Runtime, &Cast, &mut Page));

/// In the order that they are measured in: memory first, while everybody is fresh.
const PARTS: [Part; 12] = [
    ("idle", idle::memory),
    ("manifests", manifests::passed_on),
    ("kept", |_, cast, page| manifests::kept(cast, page)),
    ("refusals", |_, cast, page| denied::refusals(cast, page)),
    ("latency", latency::at_half_load),
    ("download", blobs::down),
    ("upload", blobs::up),
    ("handshakes", handshakes::full),
    ("grants", |_, cast, page| grants::warm(cast, page)),
    ("storm", storm::cold),
    ("large", large::layer),
    ("instructions", counted::instructions),
];

/// Measured last, because it takes longest to set up.
const SCALE: Part = ("scale", scale::policies);

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let parts: Vec<Part> = PARTS.into_iter().chain([SCALE]).collect();
    if let Some(unknown) = wanted.iter().find(|name| parts.iter().all(|(known, _)| known != name)) {
        let known: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no part {unknown}: name any of {}", known.join(", "));
        std::process::exit(2);
    }
    processor::leave_it_to_the_contenders();
    // One thread, so that the pace of requests and the registry behind take turns on one processor.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    eprintln!("starting everybody …");
    let cast = runtime.block_on(Cast::start());
    runtime.block_on(cast.check());
    let mut page = Page::new(preface::text());
    for (name, measure) in parts {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            eprint!("{name} ");
            measure(&runtime, &cast, &mut page);
        }
    }
    if wanted.is_empty() {
        page.finish();
    }
}
