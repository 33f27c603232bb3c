//! The gate: who is asking, may they, and the proof of it.
//!
//! Only this module makes a [`permit::Permit`]; forwarding and control calls demand one. It never names the store and
//! never writes a response: a refusal is a value that `edge` renders.

pub mod authenticate;
pub mod aws;
pub mod caller;
pub mod claims;
pub mod context;
pub mod control;
pub mod explain;
pub mod fault;
pub mod findings;
pub mod gate;
pub mod held;
mod judge;
pub mod layer;
pub mod network;
pub mod origin;
pub mod overlay;
pub mod permit;
pub mod profile;
pub mod proof;
pub mod refusal;
pub mod registry;
mod registry_token;
pub mod signature;
pub mod visibility;
pub mod web_identity;
