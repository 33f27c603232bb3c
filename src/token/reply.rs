//! What token endpoints answer with.

use http::StatusCode;

use crate::admit::fault::Fault;

/// A JSON answer; never to be stored by anything in between.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: String,
    /// For the record.
    pub outcome: Outcome,
}

/// What came of a token request.
#[derive(Debug)]
pub enum Outcome {
    /// A token was issued, to this caller; to nobody if there is none.
    Granted(Option<std::sync::Arc<crate::admit::caller::Caller>>),
    /// The request could not be read.
    Malformed(&'static str),
    /// The credential is no good; the text is for the log.
    Rejected(&'static str),
}

/// A reply, or a fault that `edge` renders.
pub type Result = std::result::Result<Reply, Fault>;
