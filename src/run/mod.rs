//! Wiring: settings to a running server, and the commands that prepare one.

mod alerts;
mod carriers;
mod census;
pub mod certificates;
pub mod check;
pub mod commands;
mod compliance;
pub mod descriptors;
pub mod failure;
pub mod files;
mod fleet;
mod housekeeping;
pub mod init;
mod jobs;
pub mod plan;
pub mod quickstart;
pub mod reload;
pub mod renewal;
pub mod scanner;
pub mod server;
pub mod signals;
pub mod sources;
mod standing;
mod store;
pub mod tasks;
mod telemetry;
pub mod upstream;
