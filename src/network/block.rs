//! One address, a range of them or a subnet, as people write it.
//!
//! Strict where two readers could read differently: no leading zeros, no shortened IPv4, no zones, no brackets.
//! IPv4-mapped IPv6 is folded to the IPv4 that it maps (H-24); other transition forms are addresses of their own.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses of one family. What is printed is read again as the same block.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Block(Form);

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Form {
    Address(IpAddr),
    /// The first and the last, which is not before it.
    Range(IpAddr, IpAddr),
    /// Its first address and how many bits all share.
    Subnet(IpAddr, u8),
}

/// The first and the last address of a block, as numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Span {
    Four(u32, u32),
    Six(u128, u128),
}

/// Why a text is no block.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Wrong {
    /// Neither IPv4 nor IPv6.
    #[error("`{0}` is no IP address; write it like 192.0.2.7 or 2001:db8::7")]
    Address(String),
    /// A subnet whose prefix is no number, or too long.
    #[error("`/{0}` is no prefix length; write 0 to {1}")]
    Prefix(String, u8),
    /// A subnet with bits behind its prefix.
    #[error("{0} has bits behind its prefix; write {1} for that subnet, or {2} for that address")]
    HostBits(String, Block, IpAddr),
    /// A mapped subnet that is larger than all of IPv4.
    #[error("{0} is partly IPv4; write the IPv4 and the IPv6 part by themselves")]
    Mapped(String),
    /// A range whose ends are of two families.
    #[error("{0} and {1} are not of one family")]
    Families(IpAddr, IpAddr),
    /// A range whose end is before its beginning.
    #[error("{0} comes after {1}; write the smaller one first")]
    Reversed(IpAddr, IpAddr),
}

impl Block {
    /// A single address.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        Self(Form::Address(ip.to_canonical()))
    }

    /// Reads `192.0.2.7`, `192.0.2.7 - 192.0.2.9` or `192.0.2.0/24`. Bits behind a prefix are dropped, as IBM Cloud does.
    ///
    /// # Errors
    /// [`Wrong`].
    pub fn parse_loosely(text: &str) -> Result<Self, Wrong> {
        match text.parse() {
            Err(Wrong::HostBits(_, subnet, _)) => Ok(subnet),
            exact => exact,
        }
    }

    /// Whether it is everything that there is of its family.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self.span(), Span::Four(0, u32::MAX) | Span::Six(0, u128::MAX))
    }

    /// What network zones call this kind of block.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.0 {
            Form::Address(_) => "ipAddress",
            Form::Range(..) => "ipRange",
            Form::Subnet(..) => "subnet",
        }
    }

    pub(super) fn span(&self) -> Span {
        let (first, last) = match self.0 {
            Form::Address(ip) => (ip, ip),
            Form::Range(first, last) => (first, last),
            Form::Subnet(ip, prefix) => (ip, last_of(ip, prefix)),
        };
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => Span::Four(first.to_bits(), last.to_bits()),
            (first, last) => Span::Six(six(first).to_bits(), six(last).to_bits()),
        }
    }
}

fn six(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    }
}

fn last_of(ip: IpAddr, prefix: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() | host_mask_four(prefix)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() | host_mask_six(prefix)).into(),
    }
}

fn first_of(ip: IpAddr, prefix: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & !host_mask_four(prefix)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !host_mask_six(prefix)).into(),
    }
}

/// The bits behind a prefix; a prefix as long as the address leaves none.
fn host_mask_four(prefix: u8) -> u32 {
    u32::MAX.checked_shr(prefix.into()).unwrap_or(0)
}

fn host_mask_six(prefix: u8) -> u128 {
    u128::MAX.checked_shr(prefix.into()).unwrap_or(0)
}

fn address(text: &str) -> Result<IpAddr, Wrong> {
    text.trim().parse().map_err(|_| Wrong::Address(text.trim().to_owned()))
}

fn range(first: &str, last: &str) -> Result<Form, Wrong> {
    let (first, last) = (address(first)?.to_canonical(), address(last)?.to_canonical());
    match (first.is_ipv4() == last.is_ipv4(), first <= last) {
        (false, _) => Err(Wrong::Families(first, last)),
        (true, false) => Err(Wrong::Reversed(first, last)),
        (true, true) => Ok(Form::Range(first, last)),
    }
}

fn subnet(text: &str, ip: &str, prefix: &str) -> Result<Form, Wrong> {
    let ip: IpAddr = ip.parse().map_err(|_| Wrong::Address(ip.to_owned()))?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let plain =
        prefix.bytes().all(|byte| byte.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
    let parsed = prefix.parse::<u8>().ok().filter(|prefix| plain && *prefix <= most);
    let prefix = parsed.ok_or_else(|| Wrong::Prefix(prefix.to_owned(), most))?;
    let (ip, prefix) = match (ip.to_canonical(), ip.is_ipv6()) {
        (four @ IpAddr::V4(_), true) => {
            (four, prefix.checked_sub(96).ok_or_else(|| Wrong::Mapped(text.to_owned()))?)
        }
        (own, _) => (own, prefix),
    };
    let form = Form::Subnet(first_of(ip, prefix), prefix);
    if first_of(ip, prefix) == ip { Ok(form) } else { Err(Wrong::HostBits(text.to_owned(), Block(form), ip)) }
}

impl FromStr for Block {
    type Err = Wrong;

    /// Like [`Block::parse_loosely`], but bits behind a prefix are a mistake.
    fn from_str(text: &str) -> Result<Self, Wrong> {
        if let Some((ip, prefix)) = text.split_once('/') {
            return subnet(text, ip, prefix).map(Self);
        }
        text.split_once('-')
            .map_or_else(|| Ok(Self::of(address(text)?)), |(first, last)| range(first, last).map(Self))
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Form::Address(ip) => write!(f, "{ip}"),
            Form::Range(first, last) => write!(f, "{first} - {last}"),
            Form::Subnet(ip, prefix) => write!(f, "{ip}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Block;

    #[test]
    fn blocks_are_read_and_written_back() {
        for (text, written) in [
            ("17.5.7.8", "17.5.7.8"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("17.5.7.8 - 17.5.9.5", "17.5.7.8 - 17.5.9.5"),
            ("1.1.1.1-1.1.1.9", "1.1.1.1 - 1.1.1.9"),
            ("::1-::9", "::1 - ::9"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/32", "10.1.2.3/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            // H-24
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:10.0.0.1-::ffff:10.0.0.9", "10.0.0.1 - 10.0.0.9"),
            // H-25: addresses of their own
            ("64:ff9b::a00:1", "64:ff9b::a00:1"),
        ] {
            let block: Block = text.parse().unwrap();
            assert_eq!(block.to_string(), written, "{text}");
            assert_eq!(written.parse(), Ok(block));
        }
    }

    /// H-26
    #[test]
    fn what_could_be_read_otherwise_is_refused() {
        for text in [
            "",
            " ",
            "x",
            "010.0.0.1",
            "10.1",
            "0x0a000001",
            "167772161",
            "fe80::1%eth0",
            "[::1]",
            "1.2.3.4:80",
            "10.0.0.5/8",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0.0/8/8",
            "::/129",
            "/8",
            "17.5.7.8.0/16",
            "10.0.0.9-10.0.0.1",
            "10.0.0.1-",
            "-",
            "10.0.0.1-::1",
            "10.0.0.0/8-10.1.0.0/8",
            "1-2-3",
            "::ffff:10.0.0.0/80",
            "10.0.0.1 10.0.0.2",
            "10.0.0.0 /8",
            "10.0.0.0/ 8",
            "*",
        ] {
            let block = text.parse::<Block>();
            assert!(block.is_err(), "{text}: {block:?}");
        }
        assert_eq!(
            "10.0.0.5/8".parse::<Block>().unwrap_err().to_string(),
            "10.0.0.5/8 has bits behind its prefix; write 10.0.0.0/8 for that subnet, or 10.0.0.5 for that address"
        );
        assert_eq!(Block::parse_loosely("10.0.0.5/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(Block::parse_loosely("17.5.7.8/16").unwrap().to_string(), "17.5.0.0/16");
        assert!(Block::parse_loosely("17.5.7.8.0/16").is_err());
    }
}
