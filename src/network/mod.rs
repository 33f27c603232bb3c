//! Where requests may come from.
//!
//! Pure: addresses and rules in, verdict out.

pub mod allow_list;
pub mod block;
pub mod decide;
pub mod document;
pub mod endpoint;
pub mod public;
pub mod rule;
pub mod set;
#[cfg(test)]
mod tests;
pub mod zone;
