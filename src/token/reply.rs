//! What token endpoints answer with.

use std::sync::Arc;

use http::StatusCode;

use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::refusal::Refusal;
use crate::ids::cbr::RuleId;

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
    Granted {
        /// To whom.
        to: Option<Arc<Caller>>,
        /// Rules in report mode that would have refused it.
        would_refuse: Vec<RuleId>,
    },
    /// The request could not be read.
    Malformed(&'static str),
    /// The credential is no good; the text is for the log.
    Rejected(&'static str),
    /// The caller is proven, and gets no token for where it comes from. The reply reads like that to a credential that is
    /// no good.
    Outside(Arc<Caller>, Refusal),
}

/// A reply, or a fault that `edge` renders.
pub type Result = std::result::Result<Reply, Fault>;
