//! The numbers that bound what any connection may take.

use std::time::Duration;

/// Time limits and sizes of the server, the same for every listener.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// For the TLS handshake, from accept to finish.
    pub handshake: Duration,
    /// From the handshake to the first request.
    pub first_byte: Duration,
    /// For one request head, from its first byte to its last.
    pub header: Duration,
    /// How long a connection without a request in progress is kept.
    pub idle: Duration,
    /// After how much of that time it is kept with less memory, its TLS session and little else.
    pub park: Duration,
    /// How long a request body may stand still (bring less than 4 KiB) while it is waited for.
    pub body_stall: Duration,
    /// How long a client may take nothing of an answer that waits for it.
    pub write_stall: Duration,
    /// How many connections each listener serves at once; more wait in the kernel.
    pub max_connections: usize,
    /// How many of them one client address may hold; `None` for any number.
    pub max_connections_per_address: Option<usize>,
    /// How many requests one HTTP/2 connection may have in progress.
    pub max_streams: u32,
    /// How much of an unread request body is read away before its answer, in bytes.
    pub drain_bytes: u64,
    /// How long that may take, and how long a closed connection is read on so that its last answer arrives.
    pub drain_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            first_byte: Duration::from_secs(10),
            header: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            park: Duration::from_secs(1),
            body_stall: Duration::from_secs(60),
            write_stall: Duration::from_secs(60),
            max_connections: 10_000,
            max_connections_per_address: None,
            max_streams: 100,
            drain_bytes: 256 * 1024,
            drain_time: Duration::from_secs(1),
        }
    }
}
