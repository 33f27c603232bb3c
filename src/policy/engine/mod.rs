//! The decision engine: both clouds' policies in one compiled form, decided by one function.
//!
//! [`compiled`] makes policies of documents, [`bundle`] puts those of one caller together, [`decide`] answers. Nothing
//! here can fail at decision time, and a Deny is never skipped.

pub mod attribute;
pub mod bundle;
pub mod compiled;
pub(crate) mod condition;
pub mod context;
pub mod decide;
mod glob;
pub mod principal;
pub mod question;
pub mod resource;
mod scan;
pub mod trace;
mod value;
