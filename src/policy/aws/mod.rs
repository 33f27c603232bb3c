//! AWS IAM JSON policies: from text to documents that hold only what was understood.
//!
//! [`validate::read`] is the way in: text → [`json`] (what stands where) → `draft` (the shape) → [`validate`] (AWS's
//! rules, in AWS's order, in AWS's words) → [`document`] (typed). Nothing here decides a request, knows which actions
//! exist, or looks up whether a principal does.

pub mod arn;
pub mod document;
mod draft;
pub mod json;
pub mod kind;
pub mod managed;
pub mod message;
pub mod operator;
pub mod pattern;
pub mod validate;
pub mod variable;
