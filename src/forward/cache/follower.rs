//! One client's part in a pour: what is poured, as it comes, and the rest of it by itself where that is too fast.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap};
use http_body::Body as _;

use super::disk::reading::Reading;
use super::pour::{Next, Pour};
use crate::admit::fault::Fault;
use crate::forward::answer::{Answer, one};
use crate::forward::body::ForwardBody;
use crate::forward::{Exchange, Failure, Forwarder};
use crate::registry::operation::{ByteRange, Operation, ReadMode};

type Asking = Pin<Box<dyn Future<Output = Result<ForwardBody, Fault>>>>;

/// The body of one answer.
pub struct Follower {
    pour: Arc<Pour>,
    taker: u64,
    at: u64,
    way: Way,
    question: Question,
}

enum Way {
    Together,
    File(Reading),
    Asking(Asking),
    Alone(Box<ForwardBody>),
}

/// How to get the rest.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) forwarder: Forwarder,
    pub(super) request_id: String,
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.pour.leave(self.taker);
    }
}

impl Follower {
    /// `None` if the beginning is not to be had any more.
    pub(super) fn of(pour: Arc<Pour>, question: Question) -> Option<Self> {
        let taker = pour.join()?;
        Some(Self { pour, taker, at: 0, way: Way::Together, question })
    }

    pub(super) const fn pour(&self) -> &Arc<Pour> {
        &self.pour
    }

    pub(in crate::forward) fn left(&self) -> u64 {
        self.pour.object.length().saturating_sub(self.at)
    }

    pub(in crate::forward) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            let piece = match &mut self.way {
                Way::Together => match ready!(self.pour.poll_next(self.taker, self.at, cx)) {
                    Next::Piece(piece) => Some(piece),
                    Next::File(file, end) => {
                        self.way = Way::File(Reading::growing(file, self.at, end));
                        continue;
                    }
                    Next::Alone => {
                        let (question, pour) = (self.question.clone(), Arc::clone(&self.pour));
                        self.way = Way::Asking(Box::pin(question.rest(pour, self.at)));
                        continue;
                    }
                    Next::Broken(fault) => return Poll::Ready(Some(Err(fault))),
                    Next::End => None,
                },
                Way::File(reading) => {
                    let Some(read) = ready!(reading.poll_piece(cx)) else {
                        self.way = Way::Together;
                        continue;
                    };
                    Some(read?)
                }
                Way::Asking(asking) => {
                    self.way = Way::Alone(Box::new(ready!(asking.as_mut().poll(cx))?));
                    continue;
                }
                Way::Alone(body) => match ready!(Pin::new(body.as_mut()).poll_frame(cx)) {
                    Some(frame) => frame?.into_data().ok(),
                    None => None,
                },
            };
            let short = || Fault::UpstreamBroken("a body that is shorter than announced".into());
            let Some(piece) = piece else {
                return Poll::Ready((self.left() > 0).then(|| Err(short())));
            };
            self.at += piece.len() as u64;
            return Poll::Ready(Some(Ok(piece)));
        }
    }
}

impl Question {
    /// What is left of the blob, from the upstream.
    async fn rest(self, pour: Arc<Pour>, at: u64) -> Result<ForwardBody, Fault> {
        let (repository, digest) = (pour.place.repository.clone(), pour.place.digest().clone());
        let range = (at > 0).then_some(ByteRange::From(at));
        let operation = Operation::BlobRead { repository, digest, mode: ReadMode::Get, range };
        let headers = HeaderMap::new();
        let exchange = Exchange { request_id: &self.request_id, ..Exchange::ours(&headers) };
        let answer = self.forwarder.straight(&operation, &exchange).await.map_err(fault)?;
        if is_rest(&answer, at, pour.object.length()) {
            Ok(answer.into_body())
        } else {
            Err(Fault::UpstreamBroken("it does not go on with a blob where it is asked to".into()))
        }
    }
}

fn is_rest(answer: &Answer, at: u64, end: u64) -> bool {
    let length = answer.body().size_hint().exact();
    let place = one(answer.headers(), &header::CONTENT_RANGE).unwrap_or_default();
    let begins =
        place.strip_prefix("bytes ").and_then(|rest| rest.split_once('-')).map(|(first, _)| first.parse());
    let here = match answer.status() {
        StatusCode::OK => at == 0,
        StatusCode::PARTIAL_CONTENT => begins == Some(Ok(at)),
        _ => false,
    };
    here && length == Some(end.saturating_sub(at))
}

/// In the middle of an answer, everything is a fault.
fn fault(failure: Failure) -> Fault {
    match failure {
        Failure::Fault(fault) => fault,
        Failure::Limited { .. } | Failure::Oci(_) => {
            Fault::UpstreamBroken(format!("it does not go on with a blob: {failure}"))
        }
    }
}
