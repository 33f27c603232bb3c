//! What idle connections take: proportional memory of the server's processes, over what they had before.

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::cast::{Cast, OURS};
use crate::client::Client;
use crate::contender::Contender;
use crate::image::REPOSITORY;
use crate::page::Page;
use crate::processor::memory_kib;
use crate::targets::Target;

const IDLE: usize = 1000;

/// Measured first, before anybody has had many connections.
pub(crate) fn memory(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let each = |contender: &Contender| runtime.block_on(one(contender));
    let figures = [&cast.proxy.contender, &cast.nginx, &cast.haproxy]
        .map(|contender| (contender.name, each(contender)));
    let said = figures.map(|(name, kib)| format!("{name} {kib:.1} KiB"));
    page.note(&format!(
        "## Memory of an idle TLS connection\n\n{IDLE} of them, each after one request: {}.",
        said.join(", ")
    ));
    let of = |name| figures.iter().find(|(known, _)| *known == name).map_or(f64::NAN, |(_, kib)| *kib);
    page.reached(Target::IdleMemory, of(OURS) / of(cast.nginx.name));
}

async fn one(contender: &Contender) -> f64 {
    let client = Client::of(contender);
    let path = format!("/v2/{REPOSITORY}/manifests/v1");
    let before = memory_kib(&contender.pids());
    let mut held = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        let mut stream = client.connect().await;
        client.read(&mut stream, &path).await;
        held.push(stream);
    }
    // Idle is what has been left alone for a while.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let grown = memory_kib(&contender.pids()).saturating_sub(before);
    drop(held);
    grown as f64 / IDLE as f64
}
