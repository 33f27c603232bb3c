//! Who may do what: actions, roles, policies and the decision.
//!
//! Pure: a policy is compiled when it is read, and deciding on compiled policies cannot fail. It never sees a request, a
//! socket, a clock or a database.

pub mod asked;
pub mod aws;
pub mod cache;
pub mod engine;
pub mod ibm;
pub mod keys;
pub mod lint;
pub mod reason;
pub mod resource;
pub mod sentence;
pub mod table;
pub mod words;
