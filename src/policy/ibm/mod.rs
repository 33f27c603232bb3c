//! IBM access policies: roles, documents, and what of them is accepted.

pub mod access;
pub mod check;
pub mod claim;
pub mod document;
pub mod role;
pub mod trust;
