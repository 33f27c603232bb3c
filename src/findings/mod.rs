//! What is known to be wrong with images: reports of scanners, exemptions, the verdict on both, and who is told of it.
//!
//! Facts in, verdict out: nothing here asks a clock, a store or an upstream. [`read`] takes bytes that anybody may have written.

pub mod alert;
pub mod assess;
pub mod channel;
pub mod exemption;
pub mod finding;
pub mod insight;
pub mod read;
pub mod report;
pub mod severity;
pub mod standing;
