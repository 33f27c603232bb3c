//! The fuzz targets' checks on mutations of a small corpus, so that every test run exercises them a little.

#![cfg(test)]

use portcullis::clock::Entropy;
use portcullis::clock::SequenceEntropy;

mod operation;
mod scope;

const MUTATIONS: u64 = 20_000;

const REQUESTS: [&str; 8] = [
    "GET\n/v2/\n",
    "GET\n/v2/_catalog?n=10&last=ns%2Fa\n",
    "GET\n/v2/ns/a/manifests/latest\n",
    "GET\n/v2/ns/a/blobs/sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\nbytes=0-9",
    "POST\n/v2/ns/a/blobs/uploads/?mount=sha256%3A0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef&from=b\n",
    "PATCH\n/v2/ns/a/blobs/uploads/u-1?lease=abc\n0-9",
    "PUT\n/v2/a/blobs/uploads/u?digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
    "GET\n/v2/a/tags/list?n=1&last=v1\n",
];

const SCOPES: [&str; 4] = [
    "repository:ns/a:pull,push",
    "repository:ns/a:* registry:catalog:*\nrepository(plugin):b:delete",
    "repository:host:5000/x:pull",
    "repository:a__b/c-d.e:push",
];

/// Replaces, doubles, drops or inserts a few bytes.
fn mutated(seed: &str, entropy: &SequenceEntropy) -> Vec<u8> {
    let dice = |sides: usize| {
        let mut bytes = [0; 2];
        entropy.fill(&mut bytes);
        usize::from(u16::from_le_bytes(bytes)) % sides.max(1)
    };
    let interesting = b"/.%?&=;:+,-_#\\ \r\n\0aA09*()\"\xff";
    let mut bytes = seed.as_bytes().to_vec();
    for _ in 0..dice(4) {
        let at = dice(bytes.len());
        match dice(5) {
            0 => bytes[at] = interesting[dice(interesting.len())],
            1 => bytes.insert(at, interesting[dice(interesting.len())]),
            2 => drop(bytes.remove(at)),
            3 => bytes.extend_from_within(at..),
            _ => bytes.truncate(at.max(1)),
        }
        if bytes.is_empty() {
            bytes.push(b'/');
        }
    }
    bytes
}

fn feed(corpus: &[&str], check: fn(&[u8])) {
    let entropy = SequenceEntropy::seeded(20);
    for (seed, _) in corpus.iter().cycle().zip(0..MUTATIONS) {
        check(&mutated(seed, &entropy));
    }
}

#[test]
fn mutated_requests_hold_what_the_fuzz_target_checks() {
    feed(&REQUESTS, operation::check);
}

#[test]
fn mutated_scopes_hold_what_the_fuzz_target_checks() {
    feed(&SCOPES, scope::check);
}
