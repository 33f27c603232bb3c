//! Whose word on the client's address a listener believes.

use std::net::IpAddr;

use crate::client::address::{ClientAddr, Provenance};
use crate::network::set::AddressSet;

/// What a listener believes of its peers. The default believes nobody.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trust {
    /// Whether connections begin with a PROXY header. Then nobody but `proxies` may connect.
    pub proxy_protocol: bool,
    /// Whose word counts.
    pub proxies: AddressSet,
}

impl Trust {
    /// Whether this address is that of a trusted proxy.
    #[must_use]
    pub fn vouches(&self, ip: IpAddr) -> bool {
        self.proxies.contains(ip)
    }

    /// Whether the headers of requests on a connection of `client` are believed. Where PROXY headers are, a proxy that
    /// named nobody vouches for nobody: what it passes on is not its own writing.
    #[must_use]
    pub fn believes_headers(&self, client: ClientAddr) -> bool {
        let spoken_for = match client.provenance() {
            Provenance::ProxyProtocol => true,
            Provenance::Forwarded => false,
            Provenance::Socket => !self.proxy_protocol,
        };
        spoken_for && self.vouches(client.ip())
    }
}

#[cfg(test)]
mod tests {
    use super::Trust;
    use crate::client::address::ClientAddr;
    use crate::network::set::AddressSet;

    #[test]
    fn headers_are_believed_of_whom_the_listener_hears_directly() {
        let proxies = AddressSet::of(&["10.0.0.0/8".parse().unwrap()]);
        let plain = Trust { proxy_protocol: false, proxies };
        let proxied = Trust { proxy_protocol: true, ..plain.clone() };
        let peer = |text: &str| ClientAddr::from_socket(format!("{text}:1").parse().unwrap());
        let named = |text: &str| ClientAddr::from_proxy_header(text.parse().unwrap());
        assert!(plain.believes_headers(peer("10.0.0.1")) && !plain.believes_headers(peer("11.0.0.1")));
        assert!(proxied.believes_headers(named("10.0.0.1")) && !proxied.believes_headers(named("11.0.0.1")));
        assert!(!proxied.believes_headers(peer("10.0.0.1")), "LOCAL and UNKNOWN speak for nobody");
        assert!(!Trust::default().believes_headers(peer("10.0.0.1")));
    }
}
