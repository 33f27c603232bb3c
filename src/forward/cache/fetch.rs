//! The questions that are put to the upstream on behalf of everybody: what is there, whether it still is, what a tag points to.
//!
//! They carry no header of any client, so that what comes of them is good for all.

use std::sync::Arc;

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use tokio::sync::oneshot;

use super::flight::{Landed, Lead};
use super::object::{Object, Unkept};
use super::{Item, Known, Place, Shelf, TagPlace, Task};
use crate::admit::fault::Fault;
use crate::forward::answer::Answer;
use crate::forward::manifest::MANIFEST_MAX;
use crate::forward::survey::EVERY_KIND;
use crate::forward::{Exchange, Failure, Forwarder};
use crate::record::metrics::CacheEvent;
use crate::registry::operation::{Operation, ReadMode};

impl Forwarder {
    /// Carries out the leader's task, as long as anybody waits for it.
    pub(super) async fn ask_for_all(
        self,
        shelf: Shelf,
        lead: Lead,
        hand: oneshot::Sender<Answer>,
        request_id: String,
    ) {
        let asked = async {
            let done = match lead.task().clone() {
                Task::Check(place) => self.check(&shelf, place, &request_id).await,
                Task::Fetch(place) => self.fetch(&shelf, place, hand, &request_id).await,
                Task::Resolve(tag) => self.resolve(&shelf, tag, &request_id).await,
            };
            done.unwrap_or_else(Landed::Failed)
        };
        let landed = tokio::select! {
            landed = asked => landed,
            () = lead.deserted() => return,
        };
        lead.land(landed);
    }

    async fn fetch(
        &self,
        shelf: &Shelf,
        place: Place,
        hand: oneshot::Sender<Answer>,
        request_id: &str,
    ) -> Result<Landed, Failure> {
        let stamp = shelf.stamp(&place.repository);
        let answer = self.ours(&place.read(ReadMode::Get), None, request_id).await?;
        match Object::of(answer, Some(place.digest()), shelf.longest(&place), &shelf.cache.room).await? {
            Ok(object) => {
                let object = Arc::new(object);
                shelf.keep(place, &object, stamp);
                Ok(Landed::Object(object, CacheEvent::Miss))
            }
            Err(unkept) => {
                let answer = match unkept {
                    Unkept::Crowded(answer) => answer,
                    Unkept::Unfit(answer) => {
                        shelf.stream(place.clone(), stamp);
                        answer
                    }
                };
                if matches!(place.item, Item::Blob(_)) {
                    // Whoever led may have gone.
                    hand.send(answer).ok();
                }
                Ok(Landed::Streamed)
            }
        }
    }

    async fn check(&self, shelf: &Shelf, place: Place, request_id: &str) -> Result<Landed, Failure> {
        let stamp = shelf.stamp(&place.repository);
        // Not by a condition: a vanilla registry says that nothing has changed of what it does not have any more.
        match self.ours(&place.read(ReadMode::Head), None, request_id).await {
            Ok(_) => {}
            Err(Failure::Oci(error)) => {
                shelf.forget(&place);
                // What else a registry may have against HEAD says nothing of what is there.
                return if is_gone(error.status) { Err(error.into()) } else { Ok(Landed::Streamed) };
            }
            Err(failure @ (Failure::Fault(_) | Failure::Limited { .. })) => return Err(failure),
        }
        match shelf.look(&place) {
            Known::Fresh(object) | Known::Stale(object) => {
                shelf.keep(place, &object, stamp);
                Ok(Landed::Object(object, CacheEvent::Checked))
            }
            // Others needed its room meanwhile.
            Known::Streamed | Known::Nothing => Ok(Landed::Streamed),
        }
    }

    async fn resolve(&self, shelf: &Shelf, tag: TagPlace, request_id: &str) -> Result<Landed, Failure> {
        let stamp = shelf.stamp(&tag.repository);
        let known = shelf.pointed_to(&tag);
        let etag = known.as_ref().and_then(|object| object.etag());
        let answer = self.ours(&tag.read(), etag, request_id).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            let odd = || Fault::UpstreamBroken("it says that what nobody had is the same".into());
            let object = known.ok_or_else(odd)?;
            shelf.point(tag, object.digest().clone(), stamp);
            return Ok(Landed::Object(object, CacheEvent::Checked));
        }
        let taken = Object::of(answer, None, MANIFEST_MAX, &shelf.cache.room).await?;
        let Ok(object) = taken else { return Ok(Landed::Streamed) };
        let object = Arc::new(object);
        shelf.keep(tag.at(object.digest().clone()), &object, stamp);
        shelf.point(tag, object.digest().clone(), stamp);
        Ok(Landed::Object(object, CacheEvent::Miss))
    }

    /// Asks on our own behalf, with the id of the request that led to it.
    async fn ours(
        &self,
        operation: &Operation,
        etag: Option<&str>,
        request_id: &str,
    ) -> Result<Answer, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(EVERY_KIND));
        if let Some(value) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(header::IF_NONE_MATCH, value);
        }
        self.straight(operation, &Exchange { request_id, ..Exchange::ours(&headers) }).await
    }
}

/// What a registry says of what it does not have.
const fn is_gone(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
}
