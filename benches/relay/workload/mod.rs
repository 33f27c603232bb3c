//! What is measured, one file for each kind of work.

pub(crate) mod blobs;
pub(crate) mod counted;
pub(crate) mod denied;
pub(crate) mod grants;
pub(crate) mod handshakes;
pub(crate) mod idle;
pub(crate) mod large;
pub(crate) mod latency;
pub(crate) mod manifests;
pub(crate) mod scale;
pub(crate) mod storm;
