//! The life of a read: from memory, or together with everybody who asks the same, or straight from the upstream.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::spawn_local;

use super::flight::{Boarded, Landed, Landing};
use super::object::Object;
use super::want::{Sought, Want};
use super::{Known, Shelf, Task};
use crate::admit::fault::Fault;
use crate::forward::answer::Answer;
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
                Found::Object(object, event) if want.takes(&object) => {
                    shelf.note(event);
                    return Ok(object.answer(&want));
                }
                other => other,
            },
            None => Found::Nothing,
        };
        match found {
            Found::Live(answer) => {
                shelf.note(CacheEvent::Miss);
                Ok(*answer)
            }
            Found::Nothing | Found::Object(..) => {
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
            Known::Nothing if want.is_for_all() => self.together(shelf, Task::Fetch(place), request_id).await,
            Known::Nothing | Known::Streamed => Ok(Found::Nothing),
        }
    }

    /// Asks the upstream once for all who want the same.
    ///
    /// What the upstream says is so for all of them, and so is that it says nothing. Any other fault of it, or of the one who
    /// asked, is not: those who waited ask once more, together. Nobody waits on a clock of their own: the limits on the
    /// question bind those who wait for its answer too.
    async fn together(&self, shelf: &Shelf, task: Task, request_id: &str) -> Result<Found, Failure> {
        let mut last = Ok(Found::Nothing);
        for _ in 0..TRIES {
            let landing = match shelf.board(task.clone()) {
                Boarded::Lead(lead, landing) => {
                    let (hand, handed) = oneshot::channel();
                    let asks = self.clone().ask_for_all(shelf.clone(), lead, hand, request_id.to_owned());
                    spawn_local(asks);
                    return led(landing, handed).await;
                }
                Boarded::Follow(landing) => landing,
            };
            last = match landing.landed().await {
                Some(Landed::Object(object, _)) => {
                    return Ok(Found::Object(object, CacheEvent::Coalesced));
                }
                Some(Landed::Failed(failure)) if is_for_all(&failure) => return Err(failure),
                Some(Landed::Failed(failure)) => Err(failure),
                Some(Landed::Streamed) => return Ok(Found::Nothing),
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

/// What came of a question for the one who led to it. What is too long to be kept is handed to it as it comes.
async fn led(landing: Landing, mut handed: oneshot::Receiver<Answer>) -> Result<Found, Failure> {
    match landing.landed().await {
        Some(Landed::Object(object, event)) => Ok(Found::Object(object, event)),
        Some(Landed::Failed(failure)) => Err(failure),
        Some(Landed::Streamed) => {
            Ok(handed.try_recv().map_or(Found::Nothing, |answer| Found::Live(Box::new(answer))))
        }
        None => Ok(Found::Nothing),
    }
}
