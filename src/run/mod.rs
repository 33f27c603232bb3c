//! Wiring: settings to a running server.

pub mod certificates;
pub mod files;
pub mod upstream;
