//! The one thing that the edge asks of whatever is plugged into it.

use std::error::Error;
use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response};

use super::body::RequestBody;
use super::connection::Connection;
use super::head::Authority;
use super::rejection::Rejection;
use crate::record::metrics::TurnedAway;

/// Answers requests. One is made per worker thread, inside it, and cloned per connection, so it need not be `Send`.
pub trait Application: Clone + 'static {
    /// The body of its answers.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + 'static;

    /// Answers one well-formed request. `connection` is as this request sees it: behind a trusted proxy, each may come from
    /// another client. `authority` is the host that it is for, from `Host` or `:authority`.
    ///
    /// The future is dropped when the client goes away. A body that is not read to its end is read away by the edge
    /// within bounds, after which the connection closes.
    fn respond(
        &self,
        connection: &Rc<Connection>,
        request: Request<RequestBody>,
        authority: Authority,
    ) -> impl Future<Output = Response<Self::Body>>;

    /// Takes note that somebody was not listened to.
    fn turned_away(&self, because: TurnedAway);

    /// Renders the answer to a request that is none. The connection closes after it (HTTP/1.1).
    fn reject(&self, connection: &Rc<Connection>, rejection: Rejection) -> Response<Self::Body>;
}
