//! Version 2: binary (section 2.2 of the specification).

use std::net::IpAddr;

use super::{Malformed, Reading, Source};
use crate::client::address::is_somebody;

/// How every header begins.
pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The most bytes of a header. Load balancers send a few hundred, or some thousands with a client's certificate.
pub(super) const MAX: usize = 16 + 4096;
const FIXED: usize = 16;
/// The type of the extension that holds a checksum over the whole header, and how long that is.
const CRC32C: (u8, usize) = (0x03, 4);

/// Reads bytes that begin like a header of this version.
pub(super) fn read(bytes: &[u8]) -> Result<Reading, Malformed> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED>() else {
        return match bytes.get(SIGNATURE.len()) {
            Some(version) if version >> 4 != 2 => wrong("the version is not 2"),
            Some(_) | None => Ok(Reading::Partial),
        };
    };
    let [.., command, protocol, high, low] = *fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if FIXED + length > MAX {
        return wrong("it is too long");
    }
    let size = match (command, protocol) {
        (0x20, _) => None,
        (0x21, 0x11) => Some(4),
        (0x21, 0x21) => Some(16),
        // Whoever speaks for others and cannot say for whom is not believed: not to be taken for the peer itself.
        (0x21, _) => return wrong("the protocol is neither TCP over IPv4 nor TCP over IPv6"),
        _ => return wrong("the version is not 2, or the command neither LOCAL nor PROXY"),
    };
    let Some(body) = rest.get(..length) else { return Ok(Reading::Partial) };
    let source = match size {
        None => Source::Peer,
        Some(size) => stated(bytes.get(..FIXED + length).unwrap_or_default(), body, size)?,
    };
    Ok(Reading::Complete { length: FIXED + length, source })
}

/// Two addresses of that size, two ports, and extensions that fill the rest exactly.
fn stated(header: &[u8], body: &[u8], size: usize) -> Result<Source, Malformed> {
    let Some((addresses, extensions)) = body.split_at_checked(2 * size + 4) else {
        return wrong("it is too short for its addresses");
    };
    let source = addresses.get(..size).unwrap_or_default();
    let source = <[u8; 4]>::try_from(source)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(source).map(IpAddr::from));
    check(header, extensions)?;
    match source {
        Ok(source) if is_somebody(source) => Ok(Source::Stated(source)),
        Ok(_) | Err(_) => wrong("the source is nobody's address"),
    }
}

/// Every extension is a type, a length and that many bytes; a checksum must be right (section 2.2.3).
fn check(header: &[u8], mut extensions: &[u8]) -> Result<(), Malformed> {
    while let Some(([kind, high, low], rest)) = extensions.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, behind)) = rest.split_at_checked(length) else { break };
        if *kind == CRC32C.0 {
            let stated = <[u8; CRC32C.1]>::try_from(value).ok().map(u32::from_be_bytes);
            let at = header.len() - rest.len();
            if stated != Some(checksum(header, at)) {
                return wrong("its checksum is not that of its bytes");
            }
        }
        extensions = behind;
    }
    if extensions.is_empty() { Ok(()) } else { wrong("its extensions do not end where it ends") }
}

/// CRC-32C (Castagnoli) of a header, with the checksum that begins at `at` taken for zeros.
pub(super) fn checksum(header: &[u8], at: usize) -> u32 {
    let crc = header.iter().enumerate().fold(u32::MAX, |crc, (place, byte)| {
        let byte = if (at..at + CRC32C.1).contains(&place) { 0 } else { *byte };
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
    });
    !crc
}

fn wrong<T>(because: &'static str) -> Result<T, Malformed> {
    Err(Malformed::Second(because))
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        // RFC 3720 B.4; the place of the checksum lies behind the bytes.
        assert_eq!(checksum(&[0; 32], 32), 0x8a91_36aa);
        assert_eq!(checksum(b"123456789", 9), 0xe306_9283);
    }
}
