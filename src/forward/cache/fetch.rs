//! The questions that are put to the upstream on behalf of everybody: what is there, whether it still is, what a tag points to.
//!
//! They carry no header of any client, so that what comes of them is good for all.

use std::sync::Arc;

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use tokio::sync::oneshot;
use tokio::task::spawn_local;

use super::disk::Layer;
use super::fill::{self, Destination};
use super::flight::{Landed, Lead};
use super::object::{Object, Unkept};
use super::pour::{Pour, WINDOW};
use super::{Item, Known, Place, Shelf, Stamp, TagPlace, Task};
use crate::admit::fault::Fault;
use crate::forward::answer::{Answer, one};
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
        if let Some(object) = self.on_disk(shelf, &place, request_id).await? {
            let object = Arc::new(object);
            shelf.keep(place, &object, stamp);
            return Ok(Landed::Object(object, CacheEvent::Checked));
        }
        let answer = self.ours(&place.read(ReadMode::Get), None, request_id).await?;
        match Object::of(answer, Some(place.digest()), shelf.longest(&place), &shelf.cache.room).await? {
            Ok(object) => {
                let object = Arc::new(object);
                shelf.keep(place, &object, stamp);
                Ok(Landed::Object(object, CacheEvent::Miss))
            }
            Err(Unkept::Long(answer, length)) if matches!(place.item, Item::Blob(_)) => {
                Ok(self.pour(shelf, (place, stamp), (answer, length), hand).await)
            }
            Err(unkept) => {
                let answer = match unkept {
                    Unkept::Crowded(answer) => answer,
                    Unkept::Long(answer, _) | Unkept::Unfit(answer) => {
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

    /// What the disk has of it, if the repository has it too: that is asked before anything is believed.
    async fn on_disk(
        &self,
        shelf: &Shelf,
        place: &Place,
        request_id: &str,
    ) -> Result<Option<Object>, Failure> {
        let Some(disk) = &shelf.cache.disk else { return Ok(None) };
        let layer = Layer::of(&shelf.upstream, place.digest());
        let Some(length) = disk.length_of(&layer) else { return Ok(None) };
        let answer = match self.ours(&place.read(ReadMode::Head), None, request_id).await {
            Err(Failure::Oci(error)) if !is_gone(error.status) => return Ok(None),
            answered => answered?,
        };
        let same = one(answer.headers(), &header::CONTENT_LENGTH) == Some(&length.to_string());
        if !same || answer.status() != StatusCode::OK {
            return Ok(None);
        }
        let Some(stored) = disk.checked(&layer).await.filter(|stored| stored.length() == length) else {
            return Ok(None);
        };
        let object = Object::coming(place.digest(), answer.headers(), length);
        Ok(Some(Object::on_disk(&object, &stored)))
    }

    /// Passes a long blob on to everybody at once, through a file if there is one to be had, else through memory.
    async fn pour(
        &self,
        shelf: &Shelf,
        (place, stamp): (Place, Stamp),
        (answer, length): (Answer, u64),
        hand: oneshot::Sender<Answer>,
    ) -> Landed {
        let object = Object::coming(place.digest(), answer.headers(), length);
        let draft = match &shelf.cache.disk {
            Some(disk) => disk.begin(length).await.map(|draft| (Arc::clone(disk), draft)),
            None => None,
        };
        let pour = match draft {
            Some((disk, draft)) => {
                let pour = Pour::into_file(place.clone(), object, draft.file());
                let to = Destination { disk, shelf: shelf.clone(), stamp };
                spawn_local(fill::into_file(answer.into_body(), Arc::clone(&pour), draft, to));
                pour
            }
            None => {
                let Ok(room) = Arc::clone(&shelf.cache.room).try_acquire_many_owned(WINDOW) else {
                    // Whoever led may have gone.
                    hand.send(answer).ok();
                    return Landed::Streamed;
                };
                let pour = Pour::through_memory(place.clone(), object, room);
                spawn_local(fill::through_memory(answer.into_body(), Arc::clone(&pour)));
                pour
            }
        };
        shelf.pouring(place, &pour, stamp);
        Landed::Poured(pour)
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
            Known::Pouring(_) | Known::Streamed | Known::Nothing => Ok(Landed::Streamed),
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
