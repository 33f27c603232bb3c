//! What the data plane knows of the store: compiled, cached, and dropped as soon as the feed says so.

pub mod bundle;
