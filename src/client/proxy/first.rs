//! Version 1: one line of text (section 2.1 of the specification).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Malformed, Reading, Source};
use crate::client::address::is_somebody;

/// How every header begins.
pub(super) const START: &[u8] = b"PROXY ";
/// The longest line, its end included.
const MAX: usize = 107;

/// Reads bytes that begin like a header of this version.
pub(super) fn read(bytes: &[u8]) -> Result<Reading, Malformed> {
    let Some(end) = bytes.iter().take(MAX).position(|byte| *byte == b'\n') else {
        return if bytes.len() < MAX { Ok(Reading::Partial) } else { wrong("the line is too long") };
    };
    let line = bytes.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let Some(words) = line.and_then(|line| std::str::from_utf8(line.strip_prefix(START)?).ok()) else {
        return wrong("the line is no text that ends in CR LF");
    };
    let source = match words.split_once(' ') {
        // Whatever else such a line says is to be ignored.
        None if words == "UNKNOWN" => Source::Peer,
        Some(("UNKNOWN", _)) => Source::Peer,
        Some(("TCP4", rest)) => stated(rest, |text| text.parse::<Ipv4Addr>().ok().map(IpAddr::V4))?,
        Some(("TCP6", rest)) => stated(rest, |text| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6))?,
        None | Some(_) => return wrong("the protocol is none of TCP4, TCP6 and UNKNOWN"),
    };
    Ok(Reading::Complete { length: end + 1, source })
}

/// `SOURCE DESTINATION PORT PORT`, each behind one space.
fn stated(text: &str, address: impl Fn(&str) -> Option<IpAddr>) -> Result<Source, Malformed> {
    let mut words = text.split(' ');
    let mut next = || words.next().unwrap_or_default();
    let (source, destination) = (address(next()), address(next()));
    let ports = [next(), next()];
    let (Some(source), Some(_), None) = (source, destination, words.next()) else {
        return wrong("there are not two addresses of that protocol and two ports");
    };
    if !ports.into_iter().all(is_port) {
        return wrong("a port is no plain number up to 65535");
    }
    if is_somebody(source) { Ok(Source::Stated(source)) } else { wrong("the source is nobody's address") }
}

fn is_port(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain && text.parse::<u16>().is_ok()
}

fn wrong<T>(because: &'static str) -> Result<T, Malformed> {
    Err(Malformed::First(because))
}
