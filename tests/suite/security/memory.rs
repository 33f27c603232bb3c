//! Case 16: what is on its way through takes little memory, however slow those are who send and take it (D-33).

use std::io::{Read, Write};

use crate::support::http::{Http, Stream};
use crate::support::image::{Blob, random_bytes};
use crate::support::portcullis::Portcullis;
use crate::support::registry::Registry;
use crate::support::road::{Block, Road};
use crate::support::wait::{PATIENCE, until};

/// Half of them are pulls by clients that stop to read, half are pushes to an upstream that stops to read.
const TRANSFERS: usize = 100;
const SIZE: usize = 32 << 20;

/// What one of them may take: 256 KiB read from one side, as much sealed for the other, and what the allocator keeps
/// beside them. A body that piled up anywhere would take 32 MiB.
const EACH: usize = 1280 * 1024;

/// D-33
#[test]
fn a_hundred_transfers_that_stand_still_take_little_memory() {
    let registry = Registry::start();
    let road = Road::to(&registry.address(), |line| {
        let pushes = line.starts_with("PUT ") && line.contains("/blobs/uploads/");
        if pushes { Block::Request(100_000) } else { Block::Nowhere }
    });
    let mut at = Portcullis::before(&road.url());
    let blob = Blob::of(random_bytes(SIZE));
    let direct = Http::plain(registry.address().parse().unwrap());
    let place = direct.begin_upload("team/app");
    let octets = [("Content-Type", "application/octet-stream")];
    let stored = direct.send("PUT", &format!("{place}&digest={}", blob.digest), &octets, &blob.bytes);
    assert_eq!(stored.status, 201, "{}", stored.text());

    let token = at.administrator().token(&["repository:team/app:pull,push"]);
    let http = at.http().bearer(&token);
    // What a first transfer of each kind needs once is no part of it.
    assert_eq!(http.send("HEAD", &format!("/v2/team/app/blobs/{}", blob.digest), &[], b"").status, 200);
    let before = at.memory("VmRSS");
    std::thread::scope(|scope| {
        let pulls: Vec<_> = (0..TRANSFERS / 2).map(|_| begin_pull(&http, &blob)).collect();
        for _ in 0..TRANSFERS / 2 {
            scope.spawn(|| {
                let place = http.begin_upload("team/app");
                let mut stream = http.connect();
                let head = http.head("PUT", &format!("{place}&digest={}", blob.digest), &octets, SIZE);
                // It fails when the server is gone.
                let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&blob.bytes));
                let _ = sent.and_then(|()| stream.flush());
            });
        }
        road.await_held(TRANSFERS / 2);
        let peak = stillness(&at);
        assert_eq!(http.get("/v2/").status, 200, "others are served meanwhile");
        drop(pulls);
        at.kill();
        let each = peak.saturating_sub(before) / TRANSFERS;
        assert!(each < EACH, "{each} bytes for each transfer; {before} before, {peak} at most");
    });
}

/// Takes the first bytes, and no more.
fn begin_pull(http: &Http, blob: &Blob) -> Box<dyn Stream> {
    let mut stream = http.clone().with_little_room().connect();
    let path = format!("/v2/team/app/blobs/{}", blob.digest);
    stream.write_all(http.head("GET", &path, &[], 0).as_bytes()).unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stream
}

/// The most memory that it took, once all buffers are as full as they get.
fn stillness(at: &Portcullis) -> usize {
    let (mut peak, mut unchanged) = (0, 0);
    until("no more growth", PATIENCE, || {
        let now = at.memory("VmHWM");
        unchanged = if now == peak { unchanged + 1 } else { 0 };
        peak = now;
        (unchanged == 100).then_some(peak)
    })
}
