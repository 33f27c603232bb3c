//! Statements, written once, for whichever database there is.
//!
//! A statement is SQL that SQLite and PostgreSQL understand alike, with `?1`, `?2` … for what is bound; values and rows
//! have the few types that both keep: whole numbers, texts, bytes, and truth. Which database it is, only the modules
//! of that name know. Nothing here decides what is stored, and nothing is ever pasted into a statement but names that the
//! database itself gave (`made`).

mod begun;
mod found;
mod pool;
mod query;
mod value;

pub(in crate::store) use found::Row;
pub(in crate::store) use pool::{Connection, Pool, Transaction};
pub(in crate::store) use query::{Query, Scalar, made, query, query_scalar};
pub(in crate::store) use value::Value;
