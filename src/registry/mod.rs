//! What the OCI distribution protocol says: names, operations, scopes, needs and errors.
//!
//! Pure: text in, types out. It decides what a request *means*, never whether it is allowed, and it never sees a
//! socket, a clock or a database. Whatever does not parse here never reaches an upstream.

pub mod error;
pub mod name;
pub mod needs;
pub mod operation;
pub mod parse;
pub mod reference;
pub mod scope;
pub mod shape;
pub mod target;
pub mod wildcard;
