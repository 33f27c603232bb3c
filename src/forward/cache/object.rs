//! A manifest or blob in memory or on the disk, and the answers that it gives.
//!
//! Nothing becomes an [`Object`] that does not hash to its digest. It answers as the upstream did, header by header; parts and
//! conditions as RFC 9110 says.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::disk::Stored;
use super::disk::reading::Reading;
use super::want::Want;
use crate::admit::fault::Fault;
use crate::forward::ContentDigest;
use crate::forward::answer::{Answer, fresh, identify, json, keep, one};
use crate::forward::body::ForwardBody;
use crate::forward::digest;
use crate::forward::request::insert;
use crate::registry::error::{OciCode, envelope};
use crate::registry::operation::{ByteRange, ReadMode};
use crate::registry::reference::Digest;

/// What is kept of an answer of the upstream.
#[derive(Debug)]
pub(super) struct Object {
    digest: Digest,
    headers: HeaderMap,
    length: u64,
    content: Content,
}

/// Where the bytes are.
#[derive(Debug)]
enum Content {
    /// On their way.
    Coming,
    /// On the disk, unless others needed the room.
    Disk(Weak<Stored>),
    Memory(Bytes),
}

/// What is not kept.
pub(super) enum Unkept {
    /// It is elsewhere, or nothing that can be checked.
    Unfit(Answer),
    /// It has this length, which is too long.
    Long(Answer, u64),
    /// There is no room now.
    Crowded(Answer),
}

/// Content, and the room that it takes until the last of those to whom it is sent has let go of it.
struct Roomed {
    bytes: Box<[u8]>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Roomed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Object {
    /// Reads an answer into memory and checks it, against the digest that it was asked for by or, without one, the one that it
    /// names.
    ///
    /// # Errors
    /// [`Fault`] when it breaks off, or is not what its digest promises.
    pub(super) async fn of(
        answer: Answer,
        asked: Option<&Digest>,
        max: usize,
        room: &Arc<Semaphore>,
    ) -> Result<Result<Self, Unkept>, Fault> {
        let Some(length) = answer.body().size_hint().exact().filter(|_| is_plain(&answer)) else {
            return Ok(Err(Unkept::Unfit(answer)));
        };
        let short = u32::try_from(length).ok().filter(|length| *length as usize <= max);
        let Some(length) = short else { return Ok(Err(Unkept::Long(answer, length))) };
        let Ok(room) = Arc::clone(room).try_acquire_many_owned(length) else {
            return Ok(Err(Unkept::Crowded(answer)));
        };
        let named = answer.extensions().get::<ContentDigest>().map(|named| named.0.clone());
        let (parts, body) = answer.into_parts();
        let content = exactly(body, length as usize).await?;
        let digest = asked.cloned().or(named).or_else(|| digest::sha256(&content));
        let Some(digest) = digest.filter(|digest| digest::matches(digest, &content)) else {
            return Err(Fault::UpstreamBroken("content that does not hash to its digest".into()));
        };
        let mut answer = Response::from_parts(parts, ForwardBody::Empty);
        identify(&mut answer, digest.clone());
        insert(answer.headers_mut(), header::CONTENT_LENGTH, &content.len().to_string());
        let length = content.len() as u64;
        let content = Content::Memory(Bytes::from_owner(Roomed { bytes: content.into(), _room: room }));
        Ok(Ok(Self { digest, headers: std::mem::take(answer.headers_mut()), length, content }))
    }

    /// What an answer begins that is `length` bytes long.
    pub(super) fn coming(digest: &Digest, headers: &HeaderMap, length: u64) -> Self {
        let mut headers = headers.clone();
        insert(&mut headers, header::CONTENT_LENGTH, &length.to_string());
        Self { digest: digest.clone(), headers, length, content: Content::Coming }
    }

    /// The same as `object`, of which the content is there.
    pub(super) fn on_disk(object: &Self, stored: &Arc<Stored>) -> Self {
        let (digest, headers) = (object.digest.clone(), object.headers.clone());
        Self { digest, headers, length: object.length, content: Content::Disk(Arc::downgrade(stored)) }
    }

    /// Whether its bytes are still to be had.
    pub(super) fn is_there(&self) -> bool {
        match &self.content {
            Content::Coming => false,
            Content::Disk(stored) => stored.strong_count() > 0,
            Content::Memory(_) => true,
        }
    }

    pub(super) const fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// The bytes that it takes in memory.
    pub(super) fn weight(&self) -> u64 {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str().len() + value.len()) as u64);
        let content = if let Content::Memory(bytes) = &self.content { bytes.len() } else { 0 };
        (content as u64).saturating_add(headers.sum())
    }

    pub(super) fn media_type(&self) -> &str {
        self.header(&header::CONTENT_TYPE).unwrap_or_default()
    }

    pub(super) fn etag(&self) -> Option<&str> {
        self.header(&header::ETAG)
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        one(&self.headers, name)
    }

    /// The answer to a client that wants it; `None` if its bytes are not there any more.
    pub(super) fn answer(&self, want: &Want<'_>) -> Option<Answer> {
        if self.is_held_by(want.headers) {
            return Some(self.unchanged(want));
        }
        match want.range.filter(|_| self.is_of_range(want.headers)) {
            Some(range) => match self.span(range) {
                Some(span) => self.part(span, want),
                None => Some(self.no_such_part()),
            },
            None => Some(self.with(want, self.bytes((0, self.length), want.mode)?)),
        }
    }

    /// The bytes from the first to before the second.
    fn bytes(&self, (first, end): (u64, u64), mode: ReadMode) -> Option<ForwardBody> {
        let at = |offset: u64| usize::try_from(offset).ok();
        match (&self.content, mode) {
            (_, ReadMode::Head) => Some(ForwardBody::Empty),
            (_, ReadMode::Get) if first == end => Some(ForwardBody::Empty),
            (Content::Coming, ReadMode::Get) => None,
            (Content::Disk(stored), ReadMode::Get) => {
                Some(ForwardBody::Kept(Reading::of(stored.upgrade()?, first, end)))
            }
            (Content::Memory(bytes), ReadMode::Get) => {
                let part = bytes.get(at(first)?..at(end)?)?;
                Some(ForwardBody::Full(bytes.slice_ref(part)))
            }
        }
    }

    /// The answer with this body, of which the rest is known.
    pub(super) fn with(&self, want: &Want<'_>, body: ForwardBody) -> Answer {
        let mut answer = Response::new(body);
        *answer.headers_mut() = self.headers.clone();
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(want.lasting()));
        answer.extensions_mut().insert(ContentDigest(self.digest.clone()));
        answer
    }

    /// Where a range begins and ends; `None` for one that it does not have.
    fn span(&self, range: ByteRange) -> Option<(u64, u64)> {
        let length = self.length;
        let (first, end) = match range {
            ByteRange::From(first) => (first, length),
            ByteRange::Last(count) => (length.saturating_sub(count), length),
            ByteRange::Span(first, last) => (first, last.saturating_add(1).min(length)),
        };
        (first < end).then_some((first, end))
    }

    fn part(&self, (first, end): (u64, u64), want: &Want<'_>) -> Option<Answer> {
        let length = self.length;
        let mut answer = self.with(want, self.bytes((first, end), want.mode)?);
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let last = end.saturating_sub(1);
        insert(answer.headers_mut(), header::CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
        insert(answer.headers_mut(), header::CONTENT_LENGTH, &end.saturating_sub(first).to_string());
        Some(answer)
    }

    /// RFC 9110 section 15.5.17: it says how much there is.
    fn no_such_part(&self) -> Answer {
        let text = envelope(OciCode::RangeInvalid, "the range cannot be satisfied");
        let mut answer = json(StatusCode::RANGE_NOT_SATISFIABLE, text);
        insert(answer.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{}", self.length));
        answer
    }

    fn unchanged(&self, want: &Want<'_>) -> Answer {
        let mut answer = fresh(StatusCode::NOT_MODIFIED, want.lasting());
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        keep(&self.headers, answer.headers_mut(), &header::ETAG, |_| true);
        keep(&self.headers, answer.headers_mut(), &header::LAST_MODIFIED, |_| true);
        identify(&mut answer, self.digest.clone());
        answer
    }

    /// Whether the client has it already (`If-None-Match`, which compares weakly; a vanilla registry also takes the tag without
    /// its quotes).
    fn is_held_by(&self, headers: &HeaderMap) -> bool {
        let own = self.etag().map(opaque);
        let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
        lines
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || own == Some(opaque(tag)))
    }

    /// Whether the client's part is one of this very content (`If-Range`, which compares strongly).
    fn is_of_range(&self, headers: &HeaderMap) -> bool {
        let Some(condition) = headers.get(header::IF_RANGE) else { return true };
        let same = |own: Option<&str>| own.is_some_and(|own| !own.starts_with("W/") && *condition == *own);
        same(self.etag()) || same(self.header(&header::LAST_MODIFIED))
    }
}

/// An entity tag without what says that it is weak, and without its quotes.
fn opaque(tag: &str) -> &str {
    tag.trim_start_matches("W/").trim_matches('"')
}

/// Reads a body of this length, into memory of this length: what arrives in pieces is a piece of a larger buffer each time.
async fn exactly(body: ForwardBody, length: usize) -> Result<Vec<u8>, Fault> {
    let wrong = |how: &str| Fault::UpstreamBroken(format!("a body that is {how} than announced"));
    let mut body = std::pin::pin!(body);
    let mut content = Vec::with_capacity(length);
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(data) = frame?.into_data() else { continue };
        if data.len() > length - content.len() {
            return Err(wrong("longer"));
        }
        content.extend_from_slice(&data);
    }
    if content.len() == length { Ok(content) } else { Err(wrong("shorter")) }
}

/// Whether an answer is content that can be checked. The digest of a signed manifest of the first schema is that of its
/// payload, without the signatures.
fn is_plain(answer: &Answer) -> bool {
    let kind = one(answer.headers(), &header::CONTENT_TYPE).unwrap_or_default();
    answer.status() == StatusCode::OK && !kind.ends_with("+prettyjws")
}
