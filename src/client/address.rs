//! The client's address, with its provenance.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Where a client's address was learnt from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Provenance {
    /// `Forwarded` or `X-Forwarded-For` of one request, as far as trusted proxies vouch for it.
    Forwarded,
    /// The PROXY header of the connection, written by a trusted peer.
    ProxyProtocol,
    /// The socket's peer: nobody stands in between, or nobody who is trusted.
    Socket,
}

impl Provenance {
    /// The name in audit events.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::ProxyProtocol => "proxy_protocol",
            Self::Socket => "socket",
        }
    }
}

/// The address that rules, audit and limits judge a client by. IPv4-mapped IPv6 is folded to IPv4, so that
/// `::ffff:10.0.0.1` and `10.0.0.1` are one client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClientAddr {
    ip: IpAddr,
    provenance: Provenance,
}

impl ClientAddr {
    /// The client is the socket's peer.
    #[must_use]
    pub fn from_socket(peer: SocketAddr) -> Self {
        Self { ip: peer.ip().to_canonical(), provenance: Provenance::Socket }
    }

    /// The client is whom a trusted peer's PROXY header names.
    #[must_use]
    pub fn from_proxy_header(ip: IpAddr) -> Self {
        Self { ip: ip.to_canonical(), provenance: Provenance::ProxyProtocol }
    }

    /// The client is whom the headers of a request name.
    pub(super) fn from_forwarded(ip: IpAddr) -> Self {
        Self { ip: ip.to_canonical(), provenance: Provenance::Forwarded }
    }

    /// The address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Where it was learnt from.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.provenance
    }
}

/// Whom limits count an address for: IPv4 for itself, IPv6 for its /64, of which everybody has a whole one.
#[must_use]
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        four @ IpAddr::V4(_) => four,
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// Whether an address can be a client's: nobody connects from a group's address, or from none.
pub(super) fn is_somebody(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let broadcast = matches!(ip, IpAddr::V4(four) if four.is_broadcast());
    !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

#[cfg(test)]
mod tests {
    use super::{ClientAddr, is_somebody};

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        let mapped = ClientAddr::from_socket("[::ffff:10.0.0.1]:99".parse().unwrap());
        assert_eq!(mapped.ip(), ClientAddr::from_socket("10.0.0.1:5".parse().unwrap()).ip());
        let claimed = ClientAddr::from_proxy_header("::ffff:10.0.0.1".parse().unwrap());
        assert_eq!(claimed.ip(), mapped.ip());
    }

    #[test]
    fn nobody_connects_from_a_group_or_from_nowhere() {
        for nobody in ["0.0.0.0", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1", "255.255.255.255"] {
            assert!(!is_somebody(nobody.parse().unwrap()), "{nobody}");
        }
        for somebody in ["10.0.0.1", "127.0.0.1", "::1", "fe80::1", "2001:db8::1"] {
            assert!(is_somebody(somebody.parse().unwrap()), "{somebody}");
        }
    }
}
