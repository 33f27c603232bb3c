//! One exchange with the upstream: on an idle connection if there is one, else on a fresh one.
//!
//! It decides when a request may be sent again, how long each wait lasts, and which answers are framed so badly that
//! nothing in them can be believed. It knows no registry: that begins in `response`.

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::timeout_at;

use super::Failure;
use super::body::ForwardBody;
use super::connect::Dialer;
use super::outgoing::{Outgoing, Progress};
use super::pool::{Held, Pool};
use crate::admit::fault::Fault;
use crate::registry::error::{OciCode, OciError};

/// Sends to one upstream.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) dialer: Dialer,
    pub(super) pool: Rc<Pool>,
    pub(super) idle: Duration,
}

/// What became of a request that got no answer.
enum Lost {
    /// It was never sent; here is its body.
    Unsent(Outgoing, String),
    /// It was sent, and the connection ended without an answer.
    Silent(String),
    /// Sending it again is out of the question.
    Final(Failure),
}

impl Sender {
    /// Sends what `compose` makes, with `body`, and waits at most `patience` for the answer's first byte.
    ///
    /// A request is sent a second time, once, on a fresh connection, when the first was a reused one and either gave
    /// the request back unsent, or ended in silence after a `GET` or `HEAD` (the upstream closed an idle connection).
    /// A body that has begun is never sent twice.
    pub(super) async fn send(
        &self,
        compose: &dyn Fn() -> Result<Request<()>, Fault>,
        body: Outgoing,
        patience: Duration,
    ) -> Result<Response<ForwardBody>, Failure> {
        let mut body = body;
        if let Some(held) = self.pool.take() {
            let request = compose()?;
            let repeatable = matches!(*request.method(), Method::GET | Method::HEAD);
            match self.attempt(held, request, body, patience).await {
                Ok(answer) => return Ok(answer),
                Err(Lost::Unsent(unsent, _)) => body = unsent,
                Err(Lost::Silent(_)) if repeatable => body = Outgoing::empty(),
                Err(lost) => return Err(lost.into()),
            }
        }
        // Boxed: most requests find a connection.
        let held = self.pool.adopt(Box::pin(self.dialer.dial()).await?);
        Ok(self.attempt(held, compose()?, body, patience).await?)
    }

    async fn attempt(
        &self,
        mut held: Held,
        head: Request<()>,
        body: Outgoing,
        patience: Duration,
    ) -> Result<Response<ForwardBody>, Lost> {
        let progress = body.progress();
        let request = head.map(|()| body);
        let method = request.method().clone();
        let sending = held.sender(Rc::clone(&progress)).try_send_request(request);
        let answer = self.wait(sending, &progress, patience).await?;
        check_framing(&method, &answer)
            .map_err(|why| Lost::Final(Fault::UpstreamBroken(why.into()).into()))?;
        Ok(answer.map(|incoming| ForwardBody::stream(incoming, held, self.idle)))
    }

    /// Waits for the head of the answer, which may come before the request's body has gone out.
    async fn wait(
        &self,
        sending: impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Outgoing>>>>,
        progress: &Progress,
        patience: Duration,
    ) -> Result<Response<Incoming>, Lost> {
        let mut sending = std::pin::pin!(sending);
        loop {
            let deadline = progress.deadline(patience, self.idle);
            match timeout_at(deadline, &mut sending).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => return Err(lost(error, progress)),
                Err(_) if progress.deadline(patience, self.idle) > deadline => {}
                Err(_) => {
                    let waited = if progress.is_sent() { patience } else { self.idle };
                    let why = if progress.is_sent() { "no answer" } else { "it took no more of the body" };
                    return Err(Lost::Final(Fault::UpstreamTimeout(format!("{why} for {waited:?}")).into()));
                }
            }
        }
    }
}

fn lost(mut error: TrySendError<Request<Outgoing>>, progress: &Progress) -> Lost {
    let unsent = error.take_message();
    let error = error.into_error();
    let why = std::error::Error::source(&error)
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    match unsent {
        Some(request) => Lost::Unsent(request.into_body(), why),
        None if progress.client_gone() => {
            let message = "the request body ended before it was complete";
            Lost::Final(Failure::Oci(OciError::bad_request(OciCode::SizeInvalid, message)))
        }
        None if error.is_parse() => Lost::Final(Fault::UpstreamBroken(why).into()),
        None => Lost::Silent(why),
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Unsent(_, why) => Fault::UpstreamUnreachable(format!("closed at once: {why}")).into(),
            Lost::Silent(why) => Fault::UpstreamBroken(format!("no answer: {why}")).into(),
            Lost::Final(failure) => failure,
        }
    }
}

/// Refuses answers whose end cannot be told for sure. hyper already refuses conflicting lengths and bare line ends.
fn check_framing(method: &Method, answer: &Response<Incoming>) -> Result<(), &'static str> {
    let status = answer.status();
    if status.is_informational() {
        return Err("it switched protocols although nobody asked");
    }
    let sized = answer.headers().contains_key(header::CONTENT_LENGTH);
    let chunked = answer.headers().contains_key(header::TRANSFER_ENCODING);
    let bodiless =
        *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if sized && chunked {
        Err("it has both Content-Length and Transfer-Encoding")
    } else if chunked && answer.version() < Version::HTTP_11 {
        Err("it is HTTP/1.0 with Transfer-Encoding")
    } else if !sized && !chunked && !bodiless {
        Err("its end is marked only by closing the connection, so a cut would go unnoticed")
    } else {
        Ok(())
    }
}
