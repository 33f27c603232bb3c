//! Where requests may come from.
//!
//! Pure: addresses and rules in, verdict out.

pub mod block;
pub mod endpoint;
pub mod set;
