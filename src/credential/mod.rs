//! What callers prove themselves with: API keys, `Authorization` headers, signed tokens, AWS signatures, and sealing at rest;
//! and what an account says of all that.
//!
//! It parses, hashes, signs and checks. It never looks anything up, and it never decides what a proven caller may do.

pub mod access_key;
pub mod api_key;
pub mod authorization;
pub mod believed;
pub mod foreign;
pub mod jwt;
pub mod layer_ticket;
pub mod lease;
pub mod seal;
pub mod session;
pub mod settings;
pub mod signer;
pub mod sigv4;
pub mod voucher;
pub mod webhook;
