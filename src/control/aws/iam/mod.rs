//! Use cases of IAM, one file per noun.

pub mod user;
