//! The client's address, with its provenance.

use std::net::{IpAddr, SocketAddr};

/// Where a client's address was learnt from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Provenance {
    /// The socket's peer: nobody stands in between, or nobody who is trusted.
    Socket,
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

#[cfg(test)]
mod tests {
    use super::ClientAddr;

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        let mapped = ClientAddr::from_socket("[::ffff:10.0.0.1]:99".parse().unwrap());
        assert_eq!(mapped.ip(), ClientAddr::from_socket("10.0.0.1:5".parse().unwrap()).ip());
    }
}
