//! Who is on the other end of a connection, and by what right we believe it.
//!
//! It never reads a socket: it is told what the socket said.

pub mod address;
