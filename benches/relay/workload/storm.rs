//! 500 clients pull an image at the same instant that nobody has pulled before: what is the registry behind asked?

use std::collections::HashMap;
use std::time::Instant;

use futures_util::future::join_all;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use crate::cast::{Cast, OURS_CACHED};
use crate::client::{Client, read_head, send};
use crate::contender::portcullis::{Guarded, Setup, start};
use crate::image::{REPOSITORY, blob_path};
use crate::page::Page;
use crate::targets::Target;

const CLIENTS: usize = 500;
/// How many of them open their connections at the same time: all at once would take this program longer than a server waits.
const DOORS: usize = 64;

pub(crate) fn cold(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let setup =
        Setup { name: OURS_CACHED, cache: true, upstream: cast.origin.address, rows: None, counted: None };
    let guarded = runtime.block_on(start(&setup, &cast.papers));
    cast.origin.asked();
    let begun = Instant::now();
    runtime.block_on(async {
        let doors = Semaphore::new(DOORS);
        join_all((0..CLIENTS).map(|_| pull(cast, &guarded, &doors))).await;
    });
    let (took, mut asked) = (begun.elapsed(), cast.origin.asked());
    // Whether it lives is asked by everybody's health checks, and by no client.
    asked.retain(|question, _| question != "GET /v2/");
    let mut lines = lines(cast, &asked);
    lines.insert(0, format!("## A cold storm\n\n{CLIENTS} clients, each with a token, HEAD and GET of the index, the manifest, the configuration and three layers \
         of 2 MiB, took {:.1} s. The registry behind was asked:\n\n| what | times |\n|---|---|", took.as_secs_f64()));
    page.note(&lines.join("\n"));
    page.reached(Target::Storm, asked.values().copied().max().unwrap_or_default() as f64);
}

async fn pull(cast: &Cast, guarded: &Guarded, doors: &Semaphore) {
    let client = Client::of(&guarded.contender).anonymous();
    let door = doors.acquire().await.expect("nobody closes it");
    let mut stream = client.connect().await;
    let token = client.login_on(&mut stream, &guarded.key).await;
    drop(door);
    let client = client.bearing(token);
    let manifests = format!("/v2/{REPOSITORY}/manifests");
    send(&mut stream, &client.head("HEAD", &format!("{manifests}/many"), "")).await;
    assert_eq!(read_head(&mut stream).await.status, 200);
    let image = &cast.image;
    client.read(&mut stream, &format!("{manifests}/{}", image.index.digest)).await;
    client.read(&mut stream, &format!("{manifests}/{}", image.manifest.digest)).await;
    for blob in image.layers.iter().chain([&image.config]) {
        assert_eq!(client.read(&mut stream, &blob_path(blob)).await, blob.bytes.len() as u64);
    }
}

/// What was asked, by what it is.
fn lines(cast: &Cast, asked: &HashMap<String, u64>) -> Vec<String> {
    let image = &cast.image;
    let named = [
        ("the index", &image.index),
        ("the manifest", &image.manifest),
        ("the configuration", &image.config),
    ];
    let layers = image.layers.iter().map(|layer| ("a layer", layer));
    let named: Vec<_> = named.into_iter().chain(layers).collect();
    let mut lines: Vec<String> = asked
        .iter()
        .map(|(question, times)| {
            let known =
                named.iter().find(|(_, object)| question.contains(&object.digest)).map(|(name, _)| *name);
            let method = question.split(' ').next().unwrap_or_default();
            format!("| {method} {} | {times} |", known.unwrap_or("the tag"))
        })
        .collect();
    lines.sort();
    lines
}
