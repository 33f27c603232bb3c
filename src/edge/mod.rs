//! Sockets to requests, and answers back: listening, TLS, HTTP, limits, draining.
//!
//! It decides only what any stranger's bytes must satisfy. Who may do what is decided behind it.

pub mod connection;
pub mod respond;
