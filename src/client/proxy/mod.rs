//! PROXY headers, version 1 and 2: bytes in, the client that they name out.
//!
//! Strict: whatever the specification does not allow ends the connection, and nothing is guessed. It decides what a
//! header says, never whether its sender is to be believed.

mod first;
mod second;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

/// The most bytes that a header may have, of either version.
pub const MAX: usize = second::MAX;

/// What the bytes read so far are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// A whole header; the connection proper begins behind its last byte.
    Complete {
        /// How many bytes it has.
        length: usize,
        /// Whom it names.
        source: Source,
    },
    /// The beginning of one. All bytes belong to it.
    Partial,
}

/// Whom a header names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// This address.
    Stated(IpAddr),
    /// Nobody: the peer speaks for itself, to see whether we are there (`LOCAL`, `UNKNOWN`).
    Peer,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// They begin like neither version.
    #[error("the connection does not begin with a PROXY header")]
    Absent,
    /// They begin like version 1.
    #[error("the PROXY header of version 1 is malformed: {0}")]
    First(&'static str),
    /// They begin like version 2.
    #[error("the PROXY header of version 2 is malformed: {0}")]
    Second(&'static str),
}

/// Reads the bytes that a connection begins with.
///
/// # Errors
/// [`Malformed`] as soon as no header can begin like that.
pub fn read(bytes: &[u8]) -> Result<Reading, Malformed> {
    let begins_like = |start: &[u8]| bytes.starts_with(start) || start.starts_with(bytes);
    if begins_like(second::SIGNATURE) {
        second::read(bytes)
    } else if begins_like(first::START) {
        first::read(bytes)
    } else {
        Err(Malformed::Absent)
    }
}
