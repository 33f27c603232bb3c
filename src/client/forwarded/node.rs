//! One name in `X-Forwarded-For` or `Forwarded`: an address, with or without a port, or somebody who hides.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Garbled;
use crate::client::address::is_somebody;

/// Whom a proxy names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Node {
    /// This address.
    Address(IpAddr),
    /// Somebody, by a name of the proxy's own (`_hidden`, `unknown`).
    Hidden,
}

/// Reads a name of `X-Forwarded-For`, with the spaces around it: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
/// `[2001:db8::1]`, `[2001:db8::1]:80` or `unknown`.
pub(super) fn plain(text: &str) -> Result<Node, Garbled> {
    let text = text.trim_matches([' ', '\t']);
    match text.parse::<Ipv6Addr>() {
        Ok(six) => somebody(IpAddr::V6(six)),
        Err(_) => read(text, is_port),
    }
}

/// Reads the value of `for=` without its quotes; `None` where an element has none (RFC 7239 section 6).
pub(super) fn of_pair(text: Option<&str>) -> Result<Node, Garbled> {
    let port = |text: &str| is_port(text) || is_obfuscated(text);
    text.map_or(
        Ok(Node::Hidden),
        |text| if is_obfuscated(text) { Ok(Node::Hidden) } else { read(text, port) },
    )
}

fn read(text: &str, is_port: impl Fn(&str) -> bool) -> Result<Node, Garbled> {
    let (host, port, six) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']').ok_or(Garbled)?;
            (host, behind, true)
        }
        None => {
            let (host, behind) =
                text.split_at_checked(text.find(':').unwrap_or(text.len())).ok_or(Garbled)?;
            (host, behind, false)
        }
    };
    let sound = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    match (sound, six) {
        (false, _) => Err(Garbled),
        (true, true) => somebody(IpAddr::V6(host.parse::<Ipv6Addr>().map_err(|_| Garbled)?)),
        (true, false) if host.eq_ignore_ascii_case("unknown") => Ok(Node::Hidden),
        (true, false) => somebody(IpAddr::V4(host.parse::<Ipv4Addr>().map_err(|_| Garbled)?)),
    }
}

fn somebody(ip: IpAddr) -> Result<Node, Garbled> {
    if is_somebody(ip) { Ok(Node::Address(ip.to_canonical())) } else { Err(Garbled) }
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_obfuscated(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(legal))
}
