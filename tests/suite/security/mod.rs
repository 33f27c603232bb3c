//! The twenty cases that must hold from the first release: how authenticating registry proxies break, and that this one
//! does not.
//!
//! One file for each, in the order below; the ids in the tests' comments are those of the attack catalogue. Everything
//! runs against the built binary, with an upstream that records every byte or with a real registry. `scene` holds the
//! oracle that every refusal must pass: what the client sees, what the upstream did not hear, what is on record, what
//! becomes of the connection, and that no secret is anywhere.
//!
//! What needs parts that do not exist yet is not faked here:
//!
//! - never: peers without an address (H-32), because listeners are TCP only; and an upstream that others reach past us (H-34), which is
//!   for those who run it to prevent;
//! - in rustls itself: ClientHellos in pieces (H-07), for which there is one policy per listener whatever they say;
//! - with conditions in policies: values that are no text under a negated condition;
//! - with the AWS dialect: signed requests (A-01…, T-09 for presigned ones);
//! - with several replicas: the revocation bound of a second one (C-11, T-33, F-24…F-28);
//! - elsewhere: trusted proxies (`proxies`), limits per address (B-08, B-09, D-26: `limits`), upstreams that die and drains
//!   under load (F-01…F-05, F-14), reloads (F-12, F-13), two hundred clients at once, stalled HTTP/2 bodies (D-08, beside the
//!   edge), routes by the thousand against a real registry (P-27).

/// Tokens of every wrong kind.
mod forge;
/// Who asks.
mod people;
/// The scene and its oracle.
mod scene;
/// A connection with many streams.
mod second;
/// A connection, byte by byte.
mod wire;

/// 14: where a client stands.
mod addresses;
/// 8, 14: from where one may come.
mod allowlists;
/// 15: certificates, of servers and clients.
mod certificates;
/// 9: fail closed.
mod closed;
/// 12: early answers, upgrades, tunnels.
mod desync;
/// 17: guessing and enumerating.
mod enumeration;
/// 11: framing.
mod framing;
/// 15: certificates that stand for their holders.
mod holders;
/// 15: host, server name, authority.
mod hosts;
/// 10: identity is per request.
mod identities;
/// 18: the management API.
mod management;
/// 16: memory, under many transfers that stand still.
mod memory;
/// 1: mounts need the right to pull, in every carrier.
mod mounts;
/// 5: blobs through other repositories, and what existence betrays.
mod oracles;
/// 2: an encoded path is no other path.
mod paths;
/// 13: what the upstream says.
mod responses;
/// 20: crash, reload, drain.
mod restarts;
/// 8: what is revoked is gone with the next request.
mod revocation;
/// 3: what is decided on is what is asked for.
mod routes;
/// 6: a scope never widens.
mod scopes;
/// 19: secrets.
mod secrets;
/// 16: slow and too much.
mod slow;
/// 17: how long a guess takes.
mod timing;
/// 7: forged, foreign, stale and misused tokens.
mod tokens;
/// 4: uploads belong to who began them.
mod uploads;
