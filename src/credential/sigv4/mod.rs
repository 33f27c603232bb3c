//! Signature Version 4: what a request claims about who signed it, and whether the signature fits what was received.
//!
//! Three steps, in the order in which AWS finds fault: [`claim::Claim::read`] reads the claim, [`claim::Claim::check`] says whether it is
//! for now and for this service, and [`claim::Claim::verify`] whether the secret made it. It never looks a key up, and it
//! never believes what a request says of its body: the hash is that of the bytes that came.

pub mod canonical;
pub mod claim;
pub mod keys;
mod parameters;
pub mod problem;
mod scope;

use http::HeaderMap;

/// A request as it was received.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, as it came.
    pub path: &'a str,
    /// The query, as it came, without the question mark.
    pub query: &'a str,
    /// The host, as it came: of HTTP/1.1 the header, of HTTP/2 the authority.
    pub host: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;
