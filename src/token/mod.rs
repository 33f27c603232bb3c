//! Tokens: the Docker token endpoint, IBM's `/identity/token`, and the keys that sign them.
//!
//! It turns a proven credential into a token that is good for a short while. It decides nothing about rights: a
//! token's scope is the intersection of what was asked for and what policy grants now, and policy is asked again
//! whenever the token is used.

pub mod docker;
pub mod federation;
pub mod foreign;
pub mod form;
pub mod identity;
mod lately;
pub mod mint;
pub mod reply;
