//! Who is on the other end of a connection, and by what right we believe it.
//!
//! It never reads a socket: it is told what the socket said. Nor does it know which peers are trusted: it asks.

pub mod address;
pub mod certificate;
pub mod forwarded;
pub mod proxy;
