//! A set of addresses, compiled so that a million entries are decided in well under a microsecond.
//!
//! Sorted intervals that neither touch nor overlap, IPv4 and IPv6 by themselves; beginnings and ends are kept apart, so that
//! a search reads beginnings only. An IPv4-mapped IPv6 address is looked up as the IPv4 address that it maps (H-23).

use std::net::IpAddr;

use super::block::{Block, Span};

/// A set of addresses. The default is the empty one, which holds nobody.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AddressSet {
    four: Intervals<u32>,
    six: Intervals<u128>,
}

/// Disjoint intervals in order: the `n`th goes from `starts[n]` to `ends[n]`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Intervals<T> {
    starts: Box<[T]>,
    ends: Box<[T]>,
}

impl AddressSet {
    /// All addresses of the blocks.
    #[must_use]
    pub fn of<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Self {
        let (four, six) = spans(blocks);
        Self { four: Intervals::of(united(four)), six: Intervals::of(united(six)) }
    }

    /// All addresses of the blocks that are in none of `excluded`.
    #[must_use]
    pub fn except<'a>(
        blocks: impl IntoIterator<Item = &'a Block>,
        excluded: impl IntoIterator<Item = &'a Block>,
    ) -> Self {
        let ((four, six), (no_four, no_six)) = (spans(blocks), spans(excluded));
        Self {
            four: Intervals::of(without(united(four), &united(no_four))),
            six: Intervals::of(without(united(six), &united(no_six))),
        }
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match ip.to_canonical() {
            IpAddr::V4(ip) => self.four.contain(ip.to_bits()),
            IpAddr::V6(ip) => self.six.contain(ip.to_bits()),
        }
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.four.starts.is_empty() && self.six.starts.is_empty()
    }

    /// Whether it holds all IPv4 or all IPv6 addresses.
    #[must_use]
    pub fn holds_a_whole_family(&self) -> bool {
        self.four.pairs().any(|pair| pair == (0, u32::MAX))
            || self.six.pairs().any(|pair| pair == (0, u128::MAX))
    }

    /// Whether it holds half of all IPv4 addresses, or half of the IPv6 addresses that are given out (2000::/3).
    #[must_use]
    pub fn holds_most_of_a_family(&self) -> bool {
        const GIVEN_OUT: (u128, u128) = (1 << 125, (1 << 126) - 1);
        let four: u64 = self.four.pairs().map(|(start, end)| u64::from(end - start) + 1).sum();
        let within = |(start, end): (u128, u128)| {
            let (start, end) = (start.max(GIVEN_OUT.0), end.min(GIVEN_OUT.1));
            end.checked_sub(start).map_or(0, |span| span + 1)
        };
        four >= 1 << 31 || self.six.pairs().map(within).sum::<u128>() >= 1 << 124
    }

    /// How many bytes it takes on the heap.
    #[must_use]
    pub fn bytes(&self) -> usize {
        2 * (size_of_val(&*self.four.starts) + size_of_val(&*self.six.starts))
    }
}

/// What intervals are made of.
trait Number: Copy + Ord {
    fn next(self) -> Option<Self>;
    fn previous(self) -> Option<Self>;
}

impl Number for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
    fn previous(self) -> Option<Self> {
        self.checked_sub(1)
    }
}

impl Number for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
    fn previous(self) -> Option<Self> {
        self.checked_sub(1)
    }
}

impl<T: Number> Intervals<T> {
    fn of(spans: Vec<(T, T)>) -> Self {
        let (starts, ends): (Vec<T>, Vec<T>) = spans.into_iter().unzip();
        Self { starts: starts.into(), ends: ends.into() }
    }

    fn pairs(&self) -> impl Iterator<Item = (T, T)> {
        self.starts.iter().copied().zip(self.ends.iter().copied())
    }

    fn contain(&self, number: T) -> bool {
        let before = self.starts.partition_point(|start| *start <= number);
        before.checked_sub(1).and_then(|last| self.ends.get(last)).is_some_and(|end| number <= *end)
    }
}

type Spans = (Vec<(u32, u32)>, Vec<(u128, u128)>);

fn spans<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Spans {
    let mut all = Spans::default();
    for block in blocks {
        match block.span() {
            Span::Four(first, last) => all.0.push((first, last)),
            Span::Six(first, last) => all.1.push((first, last)),
        }
    }
    all
}

/// The same numbers in order, in as few spans as there can be.
fn united<T: Number>(mut spans: Vec<(T, T)>) -> Vec<(T, T)> {
    spans.sort_unstable();
    spans.dedup_by(|(start, end), (_, before)| {
        let touches = before.next().is_none_or(|next| *start <= next);
        if touches {
            *before = (*before).max(*end);
        }
        touches
    });
    spans
}

/// What is left of spans; both are in order and disjoint.
fn without<T: Number>(spans: Vec<(T, T)>, excluded: &[(T, T)]) -> Vec<(T, T)> {
    let mut left = Vec::with_capacity(spans.len());
    let mut excluded = excluded.iter().peekable();
    for (start, end) in spans {
        let mut rest = Some(start);
        while let Some(from) = rest
            && let Some((first, last)) = excluded.peek()
        {
            if *last < from {
                excluded.next();
                continue;
            }
            if *first > end {
                break;
            }
            if let Some(before) = first.previous().filter(|before| from <= *before) {
                left.push((from, before));
            }
            rest = last.next().filter(|next| *next <= end);
        }
        left.extend(rest.map(|from| (from, end)));
    }
    left
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::AddressSet;
    use crate::network::block::Block;

    fn blocks(texts: &[&str]) -> Vec<Block> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_set_holds_what_its_blocks_hold() {
        let all = blocks(&["10.0.0.0/8", "17.5.7.8 - 17.5.9.5", "192.0.2.1", "2001:db8::/32", "::1"]);
        let set = AddressSet::of(&all);
        for (ip, expected) in [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("9.255.255.255", false),
            ("17.5.7.7", false),
            ("17.5.8.200", true),
            ("17.5.9.5", true),
            ("17.5.9.6", false),
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::1", true),
            ("::2", false),
            // H-23, H-25
            ("::ffff:10.1.2.3", true),
            ("::10.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("2002:a00:1::", false),
        ] {
            assert_eq!(set.contains(ip.parse().unwrap()), expected, "{ip}");
        }
        let nobody = AddressSet::default();
        assert!(nobody.is_empty() && !nobody.contains("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn blocks_that_touch_become_one() {
        let set =
            AddressSet::of(&blocks(&["10.0.0.4/30", "10.0.0.0/30", "10.0.0.2 - 10.0.0.9", "10.0.0.10"]));
        assert_eq!(set, AddressSet::of(&blocks(&["10.0.0.0 - 10.0.0.10"])));
        assert_eq!(set.bytes(), 8);
        let whole = AddressSet::of(&blocks(&["128.0.0.0/1", "0.0.0.0/1", "255.255.255.255"]));
        assert_eq!(whole, AddressSet::of(&blocks(&["0.0.0.0/0"])));
    }

    /// Blocks among few addresses at both ends of what there is, so that they meet.
    fn any_block() -> impl Strategy<Value = Block> {
        let four = prop_oneof![0_u32..24, (u32::MAX - 24)..=u32::MAX];
        let six = prop_oneof![0_u128..24, (u128::MAX - 24)..=u128::MAX];
        let four = four.prop_map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits)));
        let six = six.prop_map(|bits| IpAddr::from(Ipv6Addr::from_bits(bits)));
        let ip = prop_oneof![four, six].boxed();
        let range = (ip.clone(), ip.clone())
            .prop_filter_map("one family, in order", |(a, b)| format!("{a} - {b}").parse().ok());
        let subnet = (ip.clone(), 0_u8..=128).prop_filter_map("a prefix of that family", |(ip, prefix)| {
            Block::parse_loosely(&format!("{ip}/{prefix}")).ok()
        });
        prop_oneof![ip.prop_map(Block::of), range, subnet]
    }

    /// The same question, asked of each block by itself and by what it prints.
    fn holds(block: &Block, ip: IpAddr) -> bool {
        let text = block.to_string();
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => u128::from(ip.to_bits()),
            IpAddr::V6(ip) => ip.to_bits(),
        };
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        if let Some((first, last)) = text.split_once(" - ") {
            let (first, last) = (parse(first), parse(last));
            return first.is_ipv4() == ip.is_ipv4() && first <= ip && ip <= last;
        }
        let (net, prefix) =
            text.split_once('/').map_or((text.as_str(), None), |(net, prefix)| (net, Some(prefix)));
        let net = parse(net);
        let width: u32 = if net.is_ipv4() { 32 } else { 128 };
        let shift = width - prefix.map_or(width, |prefix| prefix.parse().unwrap());
        let head = |ip| bits(ip).checked_shr(shift).unwrap_or(0);
        net.is_ipv4() == ip.is_ipv4() && head(net) == head(ip)
    }

    proptest! {
        #[test]
        fn a_set_is_what_a_search_through_all_blocks_says(
            held in prop::collection::vec(any_block(), 0..8),
            excluded in prop::collection::vec(any_block(), 0..4),
            probes in prop::collection::vec(any_block(), 16),
        ) {
            let (set, less) = (AddressSet::of(&held), AddressSet::except(&held, &excluded));
            let ends = held.iter().chain(&excluded).chain(&probes);
            let ips = ends.flat_map(|block| {
                let text = block.to_string();
                let (first, last) = text.split_once(" - ").unwrap_or((&text, &text));
                let parse = |text: &str| text.split('/').next().unwrap().parse::<IpAddr>().unwrap();
                [parse(first), parse(last)]
            });
            for ip in ips {
                let (is_held, is_excluded) =
                    (held.iter().any(|block| holds(block, ip)), excluded.iter().any(|block| holds(block, ip)));
                prop_assert_eq!(set.contains(ip), is_held, "{}", ip);
                prop_assert_eq!(less.contains(ip), is_held && !is_excluded, "{}", ip);
            }
            prop_assert_eq!(less.is_empty(), AddressSet::except(&held, &excluded).bytes() == 0);
        }
    }
}
