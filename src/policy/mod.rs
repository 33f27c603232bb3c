//! Who may do what: actions, roles, grants and the decision.
//!
//! Pure: a grant is compiled when it is read, and deciding on compiled grants cannot fail. It never sees a request, a
//! socket, a clock or a database.

pub mod action;
pub mod aws;
pub mod cache;
pub mod decide;
pub mod engine;
pub mod ibm;
pub mod lint;
pub mod model;
pub mod pattern;
pub mod right;
pub mod table;
