//! `X-Forwarded-For` and `Forwarded` (RFC 7239): who a request comes from, as far as trusted proxies vouch for it.
//!
//! Each proxy writes behind what it was sent whom it got the request from. So the last name is the peer's word, the
//! one before it the word of whoever the last names, and so on: names are read from the right, as long as they come from
//! somebody trusted. What stands left of that anybody may have written, and nobody reads it.

mod node;
mod pairs;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use http::header::{FORWARDED, HeaderMap, HeaderName};

use super::address::ClientAddr;
use node::Node;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What proxies call the client and what it asked for, besides `x-forwarded-…`. None of it is ever believed.
const CLAIMS: [&str; 6] =
    ["forwarded", "true-client-ip", "x-client-ip", "x-original-url", "x-real-ip", "x-rewrite-url"];

/// A trusted proxy wrote something that cannot be read, or two things that do not agree.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("what X-Forwarded-For or Forwarded say of the client cannot be read, or they do not agree")]
pub struct Garbled;

/// Whether anything in the headers claims to say where the request comes from or what it is for.
#[must_use]
pub fn is_claimed(headers: &HeaderMap) -> bool {
    headers.keys().any(is_claim)
}

/// Takes all such claims out: nothing behind may come to believe them.
pub fn strip(headers: &mut HeaderMap) {
    let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name)).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
}

fn is_claim(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-forwarded-") || CLAIMS.contains(&name.as_str())
}

/// Who a request comes from that `peer` sent, whose word counts. `trusted` says whose word counts besides.
///
/// # Errors
/// [`Garbled`], if what would have to be believed cannot be read. A proxy that writes one of the two headers passes on
/// the other as it came from the client: if both are there, they must agree.
pub fn client(
    peer: ClientAddr,
    headers: &HeaderMap,
    trusted: impl Fn(IpAddr) -> bool,
) -> Result<ClientAddr, Garbled> {
    let all_text = |name: &HeaderName| -> Result<Vec<&str>, Garbled> {
        headers.get_all(name).iter().map(|value| value.to_str().map_err(|_| Garbled)).collect()
    };
    let (plain, paired) = (all_text(&X_FORWARDED_FOR)?, all_text(&FORWARDED)?);
    let plain = || -> Result<Found, Garbled> {
        let names: Vec<&str> = plain.iter().flat_map(|line| line.split(',')).collect();
        walk(names.iter().rev().map(|name| node::plain(name)), &trusted)
    };
    let mut names = Vec::new();
    for line in &paired {
        // Each line is a list of its own: a quote that one opens must not swallow what a proxy adds in the next.
        names.extend(pairs::read(line)?);
    }
    let paired_found = walk(names.iter().rev().map(|name| node::of_pair(name.as_deref())), &trusted);
    let found = match (headers.contains_key(X_FORWARDED_FOR), headers.contains_key(FORWARDED)) {
        (false, false) => Found::Nobody,
        (true, false) => plain()?,
        (false, true) => paired_found?,
        (true, true) => {
            let (plain, paired) = (plain()?, paired_found?);
            if plain == paired { plain } else { return Err(Garbled) }
        }
    };
    Ok(match found {
        Found::Nobody => peer,
        Found::Somebody(ip) => ClientAddr::from_forwarded(ip),
    })
}

/// Where a walk ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Found {
    /// At the peer.
    Nobody,
    /// At this address, which somebody trusted wrote.
    Somebody(IpAddr),
}

/// Follows names from the last to the first, until one is not trusted or hides.
fn walk(
    names: impl Iterator<Item = Result<Node, Garbled>>,
    trusted: impl Fn(IpAddr) -> bool,
) -> Result<Found, Garbled> {
    let mut found = Found::Nobody;
    for name in names {
        let Node::Address(ip) = name? else { break };
        found = Found::Somebody(ip);
        if !trusted(ip) {
            break;
        }
    }
    Ok(found)
}
