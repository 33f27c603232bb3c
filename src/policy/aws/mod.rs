//! AWS IAM JSON policies: from text to documents that hold only what was understood. Nothing here decides a request.

pub mod arn;
pub mod json;
pub mod operator;
pub mod pattern;
pub mod variable;
