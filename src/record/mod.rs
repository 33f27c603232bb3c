//! What happened: one struct per thing that happens becomes one log line, its metrics and one audit event, so that the
//! three cannot disagree.
//!
//! It never decides anything and never sees a secret: events hold ids and names, not credentials.

pub mod activity;
pub mod audit;
pub mod event;
pub mod log;
pub mod metrics;
pub mod recorder;
pub mod spikes;
pub mod trace;
