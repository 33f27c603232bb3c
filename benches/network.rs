//! What it costs to find an address among a million, and how much memory they take.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis::network::block::Block;
use portcullis::network::set::AddressSet;

const ENTRIES: u32 = 1_000_000;

/// Spreads numbers over all of IPv4 without a generator of randomness (Weyl's sequence).
fn scattered(number: u32) -> u32 {
    number.wrapping_mul(0x9e37_79b1)
}

fn four(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(scattered(number)).into()
}

fn six(number: u32) -> IpAddr {
    Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(scattered(number)) << 40).into()
}

fn among(c: &mut Criterion, name: &str, address: fn(u32) -> IpAddr) {
    let blocks: Vec<Block> = (0..ENTRIES).map(|number| Block::of(address(number))).collect();
    let set = AddressSet::of(&blocks);
    println!("{name}: {ENTRIES} addresses take {:.1} MiB", set.bytes() as f64 / f64::from(1 << 20));
    let held = (0..ENTRIES).all(|number| set.contains(address(number)));
    assert!(held && !set.contains(address(ENTRIES + 1)), "the set is wrong");
    // Another address each time, so that the processor's caches help no more than they would in a server.
    let mut number = 0_u32;
    c.bench_function(&format!("{name}: an address among a million"), |b| {
        b.iter(|| {
            number = number.wrapping_add(1_640_531);
            black_box(set.contains(address(number % (2 * ENTRIES))))
        });
    });
    c.bench_function(&format!("{name}: compiling 10,000 addresses"), |b| {
        b.iter(|| AddressSet::of(black_box(blocks.get(..10_000).unwrap_or_default())));
    });
}

fn network(c: &mut Criterion) {
    among(c, "IPv4", four);
    among(c, "IPv6", six);
}

criterion_group!(benches, network);
criterion_main!(benches);
