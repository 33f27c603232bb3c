//! Portcullis: cloud-grade IAM in front of any OCI registry.
//!
//! This page lists the modules in layer order: each names only modules above it. ARCHITECTURE.md tells the life of a
//! request through them; `tests/tidy.rs` enforces the order.

// 1 words
pub mod clock;
pub mod ids;
pub mod secret;

// 2 pure protocol: no sockets, no clock, no database
pub mod client;
pub mod credential;
pub mod network;
pub mod policy;
pub mod registry;

// 3 judgement: facts in, verdict out
pub mod compliance;
pub mod findings;

// 4 memory
pub mod record;
pub mod store;
pub mod view;

// 5 the gate: the only maker of permits
pub mod admit;

// 6 data plane
pub mod acme;
pub mod edge;
pub mod forward;
pub mod token;

// 7 control plane
pub mod api;
pub mod control;

// 8 assembly
pub mod cli;
pub mod config;
pub mod run;
pub mod serve;
