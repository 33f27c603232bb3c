//! IBM access policies: roles, documents, and their compilation into grants.

pub mod access;
pub mod compile;
pub mod document;
pub mod role;
