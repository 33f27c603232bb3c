//! The life of a read: from memory, or together with everybody who asks the same, or straight from the upstream.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::spawn_local;

use super::flight::{Boarded, Landed};
use super::follower::{Follower, Question};
use super::object::Object;
use super::pour::Pour;
use super::want::{Sought, Want};
use super::{Known, Shelf, Task};
use crate::admit::fault::Fault;
use crate::forward::answer::Answer;
use crate::forward::body::ForwardBody;
use crate::forward::{Exchange, Failure, Forwarder};
use crate::record::metrics::CacheEvent;
use crate::registry::operation::Operation;

/// How often somebody joins others in asking. Who has failed with them as often is told.
const TRIES: usize = 2;

/// What is found.
enum Found {
    /// It is in memory now.
    Object(Arc<Object>, CacheEvent),
    /// It is too long to be kept: here it comes.
    Live(Box<Answer>),
    /// It comes, for others too.
    Poured(Box<Follower>, CacheEvent),
    /// It comes for others: what there is to know of it is known.
    Coming(Arc<Pour>),
    /// Memory does not help: ask the upstream.
    Nothing,
}

impl Forwarder {
    /// Reads a manifest or a blob.
    ///
    /// # Errors
    /// [`Failure`].
    pub(in crate::forward) async fn read(
        &self,
        operation: &Operation,
        exchange: &Exchange<'_>,
    ) -> Result<Answer, Failure> {
        let Some(shelf) = &self.settings.shelf else { return self.straight(operation, exchange).await };
        let found = match Want::of(shelf, operation, exchange.client_headers) {
            Some(want) => match self.found(shelf, &want, exchange.request_id).await? {
                Found::Object(object, event) if want.takes(&object) => match object.answer(&want) {
                    Some(answer) => {
                        shelf.note(event);
                        return Ok(answer);
                    }
                    None => Found::Nothing,
                },
                Found::Poured(follower, event) => {
                    shelf.note(event);
                    let object = Arc::clone(follower.pour());
                    return Ok(object.object.with(&want, ForwardBody::Shared(follower)));
                }
                Found::Coming(pour) => match pour.object.answer(&want) {
                    Some(answer) => {
                        shelf.note(CacheEvent::Coalesced);
                        return Ok(answer);
                    }
                    None => Found::Nothing,
                },
                other => other,
            },
            None => Found::Nothing,
        };
        match found {
            Found::Live(answer) => {
                shelf.note(CacheEvent::Miss);
                Ok(*answer)
            }
            Found::Coming(_) | Found::Nothing | Found::Object(..) | Found::Poured(..) => {
                shelf.note(CacheEvent::Passed);
                self.straight(operation, exchange).await
            }
        }
    }

    async fn found(&self, shelf: &Shelf, want: &Want<'_>, request_id: &str) -> Result<Found, Failure> {
        let place = match &want.sought {
            Sought::Object(place) => place.clone(),
            Sought::Tag(tag) => match shelf.points_to(tag) {
                Some(digest) => tag.at(digest),
                None => return self.together(shelf, Task::Resolve(tag.clone()), request_id).await,
            },
        };
        match shelf.look(&place) {
            Known::Fresh(object) => Ok(Found::Object(object, CacheEvent::Hit)),
            Known::Stale(_) => self.together(shelf, Task::Check(place), request_id).await,
            Known::Pouring(pour) if want.is_for_all() => match self.follow(&pour, request_id) {
                Some(follower) => Ok(Found::Poured(follower, CacheEvent::Coalesced)),
                None => self.together(shelf, Task::Fetch(place), request_id).await,
            },
            Known::Pouring(pour) => Ok(Found::Coming(pour)),
            Known::Nothing if want.is_for_all() => self.together(shelf, Task::Fetch(place), request_id).await,
            Known::Nothing | Known::Streamed => Ok(Found::Nothing),
        }
    }

    /// A part in what is poured for others, if it can be had from the beginning.
    fn follow(&self, pour: &Arc<Pour>, request_id: &str) -> Option<Box<Follower>> {
        let question = Question { forwarder: self.clone(), request_id: request_id.to_owned() };
        Follower::of(Arc::clone(pour), question).map(Box::new)
    }

    /// Asks the upstream once for all who want the same.
    ///
    /// What the upstream says is so for all of them, and so is that it says nothing. Any other fault of it, or of the one who
    /// asked, is not: those who waited ask once more, together. Nobody waits on a clock of their own: the limits on the
    /// question bind those who wait for its answer too.
    async fn together(&self, shelf: &Shelf, task: Task, request_id: &str) -> Result<Found, Failure> {
        let mut last = Ok(Found::Nothing);
        for _ in 0..TRIES {
            let (landing, mut handed) = match shelf.board(task.clone()) {
                Boarded::Lead(lead, landing) => {
                    let (hand, handed) = oneshot::channel();
                    spawn_local(self.clone().ask_for_all(shelf.clone(), lead, hand, request_id.to_owned()));
                    (landing, Some(handed))
                }
                Boarded::Follow(landing) => (landing, None),
            };
            let led = handed.is_some();
            last = match landing.landed().await {
                Some(Landed::Object(object, event)) => {
                    return Ok(Found::Object(object, if led { event } else { CacheEvent::Coalesced }));
                }
                Some(Landed::Poured(pour)) => match self.follow(&pour, request_id) {
                    Some(follower) => {
                        let event = if led { CacheEvent::Miss } else { CacheEvent::Coalesced };
                        return Ok(Found::Poured(follower, event));
                    }
                    None => Ok(Found::Nothing),
                },
                Some(Landed::Failed(failure)) if led || is_for_all(&failure) => return Err(failure),
                Some(Landed::Failed(failure)) => Err(failure),
                // What is too long to be kept is handed to the one who led, as it comes.
                Some(Landed::Streamed) => {
                    let live = handed.as_mut().and_then(|handed| handed.try_recv().ok());
                    return Ok(live.map_or(Found::Nothing, |answer| Found::Live(Box::new(answer))));
                }
                None if led => return Ok(Found::Nothing),
                None => Ok(Found::Nothing),
            };
        }
        last
    }
}

/// Whether a failure is one for all who wait. A second question to an upstream that does not answer would only double the wait.
const fn is_for_all(failure: &Failure) -> bool {
    match failure {
        Failure::Fault(Fault::UpstreamTimeout(_)) | Failure::Limited { .. } | Failure::Oci(_) => true,
        Failure::Fault(
            Fault::Audit(_)
            | Fault::Internal(_)
            | Fault::Store(_)
            | Fault::UpstreamBroken(_)
            | Fault::UpstreamUnreachable(_),
        ) => false,
    }
}
