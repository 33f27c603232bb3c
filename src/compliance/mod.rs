//! Compliance: facts in, verdict out.
//!
//! Goals of profiles ([`goal`], data in `config/compliance`) are judged by [`check`], configuration rules by [`rule`];
//! [`drift`] says what has changed since last time and who may have done it, [`report`] lays it all out. Nothing here
//! reads a store, a clock or a file, and nothing here refuses anything.

pub mod check;
pub mod drift;
pub mod facts;
pub mod goal;
mod images;
pub mod report;
pub mod rule;
pub mod verdict;
