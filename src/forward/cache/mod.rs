//! What an upstream said lately: manifests and small blobs by digest and what tags point to, in memory; layers on the disk.
//!
//! All workers share it, within a fixed number of bytes. It is asked after the permit was given, never instead of it. What
//! one repository has says nothing of another. Nothing gets in that does not hash to its digest, and what comes out is never
//! older than the settings allow, nor than a change that went through us.

mod accept;
mod change;
pub mod disk;
mod fetch;
mod fill;
mod flight;
pub mod follower;
mod object;
mod pour;
mod read;
mod want;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use self::change::{Change, Changes, Count};
use self::disk::{Disk, Layer};
use self::flight::{Boarded, Flights};
use self::object::Object;
use self::pour::Pour;
use super::manifest::MANIFEST_MAX;
use super::settings::UpstreamUrl;
use crate::record::metrics::CacheEvent;
use crate::registry::error::OciCode;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, ReadMode};
use crate::registry::reference::{Digest, Reference, Tag};

/// What an entry costs besides its content: keys, headers, bookkeeping.
const OVERHEAD: u64 = 1024;
/// How many bytes there must be for each tag that is remembered.
const PER_TAG: u64 = 8 * OVERHEAD;

/// How much is kept, and how long it is believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CacheSettings {
    /// The bytes of all that is kept.
    pub max_bytes: u64,
    /// The longest blob that is kept.
    pub max_blob: usize,
    /// How long it is believed what a tag points to.
    pub tags: Duration,
    /// How long it is believed that a repository has what it had.
    pub content: Duration,
}

/// What is kept of all upstreams.
#[derive(Debug)]
pub struct ContentCache {
    settings: CacheSettings,
    objects: Cache<Place, Kept, ByBytes>,
    tags: Cache<TagPlace, Pointer>,
    flights: Arc<Flights>,
    /// Where layers are kept, if they are.
    disk: Option<Arc<Disk>>,
    /// The bytes of all content that is kept, or still on its way to somebody.
    room: Arc<Semaphore>,
    changes: Changes,
    events: [AtomicU64; CacheEvent::ALL.len()],
}

/// The part of one registry.
#[derive(Clone, Debug)]
pub struct Shelf {
    cache: Arc<ContentCache>,
    site: usize,
    upstream: UpstreamUrl,
}

/// Something in a repository.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Place {
    site: usize,
    repository: RepositoryName,
    item: Item,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Item {
    Blob(Digest),
    Manifest(Digest),
}

/// A tag of a repository.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct TagPlace {
    site: usize,
    repository: RepositoryName,
    tag: Tag,
}

/// What the upstream is asked on behalf of all who wait for it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Task {
    /// Whether what is kept is still there.
    Check(Place),
    Fetch(Place),
    /// What a tag points to.
    Resolve(TagPlace),
}

/// What is known of a place.
#[derive(Clone, Debug)]
enum Kept {
    Object(Arc<Object>, Stamp),
    /// It is on its way to others.
    Pouring(Weak<Pour>, Stamp),
    /// It is too long to be kept, or in another place.
    Streamed(Stamp),
}

#[derive(Clone, Debug)]
struct Pointer {
    digest: Digest,
    stamp: Stamp,
}

/// When the upstream was asked, and what had changed until then.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    at: Instant,
    count: Count,
}

/// What may be said of a place now.
enum Known {
    Fresh(Arc<Object>),
    /// It was there, and has to be looked for again.
    Stale(Arc<Object>),
    /// It is on its way to others, perhaps from too far ahead.
    Pouring(Arc<Pour>),
    Streamed,
    Nothing,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Place, Kept> for ByBytes {
    fn weight(&self, _: &Place, kept: &Kept) -> u64 {
        match kept {
            Kept::Object(object, _) => OVERHEAD.saturating_add(object.weight()),
            Kept::Pouring(..) | Kept::Streamed(_) => OVERHEAD,
        }
    }
}

impl ContentCache {
    /// An empty one.
    ///
    /// # Errors
    /// The library's, for settings that cannot be.
    pub fn new(settings: CacheSettings) -> Result<Self, impl std::error::Error> {
        // A shard must hold several of the largest, or these would never stay.
        let largest = settings.max_blob.max(MANIFEST_MAX) as u64;
        let shards = (settings.max_bytes / largest.saturating_mul(4)).clamp(1, 16);
        let items = usize::try_from(settings.max_bytes / PER_TAG).unwrap_or(usize::MAX);
        let room = usize::try_from(settings.max_bytes.saturating_mul(2)).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .shards(usize::try_from(shards).unwrap_or(1))
            .estimated_items_capacity(items)
            .weight_capacity(settings.max_bytes)
            .build();
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        options.map(|options| Self {
            settings,
            objects: Cache::with_options(options, ByBytes, hasher, lifecycle),
            tags: Cache::new(items),
            flights: Arc::default(),
            disk: None,
            room: Arc::new(Semaphore::new(room.min(Semaphore::MAX_PERMITS))),
            changes: Changes::default(),
            events: Default::default(),
        })
    }

    /// The same, that keeps layers there.
    #[must_use]
    pub fn with_disk(self, disk: Option<Arc<Disk>>) -> Self {
        Self { disk, ..self }
    }

    /// How often each thing happened, in the order of [`CacheEvent::ALL`].
    #[must_use]
    pub fn events(&self) -> [u64; CacheEvent::ALL.len()] {
        self.events.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// How many bytes are kept, in memory and on the disk.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.objects.weight(), self.disk.as_ref().map_or(0, |disk| disk.bytes()))
    }
}

impl Shelf {
    /// The part of the registry with the number `site`. Registries before the same upstream see one another's changes.
    #[must_use]
    pub fn new(cache: Arc<ContentCache>, site: usize, upstream: UpstreamUrl) -> Self {
        Self { cache, site, upstream }
    }

    /// What `operation` changes, until the value is dropped; `None` if it changes nothing that is remembered.
    pub(super) fn change(&self, operation: &Operation) -> Option<Change<'_>> {
        if let (Operation::BlobDelete { digest, .. }, Some(disk)) = (operation, &self.cache.disk) {
            // Other repositories may have it: there it is read again.
            let (disk, layer) = (Arc::clone(disk), Layer::of(&self.upstream, digest));
            tokio::task::spawn_blocking(move || disk.remove(&layer));
        }
        self.cache.changes.begin(&self.upstream, operation)
    }

    /// A manifest was refused. If that is for what it is made of, this was believed to be there, or it would have been pushed.
    pub(super) fn refused(&self, operation: &Operation, code: OciCode) {
        let lost = matches!(
            code,
            OciCode::BlobUnknown
                | OciCode::ManifestBlobUnknown
                | OciCode::ManifestUnknown
                | OciCode::NameUnknown
                | OciCode::Unknown
        );
        if let (true, Some(repository)) = (lost, operation.repository()) {
            self.cache.changes.lost(&self.upstream, repository);
        }
    }

    fn note(&self, event: CacheEvent) {
        if let Some(count) = self.cache.events.get(event as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// To be taken before the upstream is asked: what changes meanwhile makes the answer old.
    fn stamp(&self, repository: &RepositoryName) -> Stamp {
        Stamp { at: Instant::now(), count: self.cache.changes.count(&self.upstream, repository) }
    }

    fn look(&self, place: &Place) -> Known {
        let current = |stamp: Stamp| {
            let count = self.cache.changes.count(&self.upstream, &place.repository);
            stamp.count.removed == count.removed && stamp.at.elapsed() < self.cache.settings.content
        };
        match self.cache.objects.get(place) {
            Some(Kept::Object(object, _)) if !object.is_there() => Known::Nothing,
            Some(Kept::Object(object, stamp)) if current(stamp) => Known::Fresh(object),
            Some(Kept::Object(object, _)) => Known::Stale(object),
            Some(Kept::Pouring(pour, stamp)) if current(stamp) => {
                pour.upgrade().map_or(Known::Nothing, Known::Pouring)
            }
            Some(Kept::Streamed(stamp)) if current(stamp) => Known::Streamed,
            Some(Kept::Pouring(..) | Kept::Streamed(_)) | None => Known::Nothing,
        }
    }

    /// What a tag points to, if that is still believed.
    fn points_to(&self, tag: &TagPlace) -> Option<Digest> {
        let Pointer { digest, stamp } = self.cache.tags.get(tag)?;
        let count = self.cache.changes.count(&self.upstream, &tag.repository);
        let believed = stamp.count == count && stamp.at.elapsed() < self.cache.settings.tags;
        believed.then_some(digest)
    }

    /// What a tag pointed to when it was last asked about, if that is there.
    fn pointed_to(&self, tag: &TagPlace) -> Option<Arc<Object>> {
        match self.look(&tag.at(self.cache.tags.get(tag)?.digest)) {
            Known::Fresh(object) => Some(object),
            Known::Stale(_) | Known::Pouring(_) | Known::Streamed | Known::Nothing => None,
        }
    }

    fn keep(&self, place: Place, object: &Arc<Object>, stamp: Stamp) {
        self.cache.objects.insert(place, Kept::Object(Arc::clone(object), stamp));
    }

    fn pouring(&self, place: Place, pour: &Arc<Pour>, stamp: Stamp) {
        self.cache.objects.insert(place, Kept::Pouring(Arc::downgrade(pour), stamp));
    }

    fn stream(&self, place: Place, stamp: Stamp) {
        self.cache.objects.insert(place, Kept::Streamed(stamp));
    }

    fn forget(&self, place: &Place) {
        self.cache.objects.remove(place);
    }

    fn point(&self, tag: TagPlace, digest: Digest, stamp: Stamp) {
        self.cache.tags.insert(tag, Pointer { digest, stamp });
    }

    /// Joins those who wait for the same answer, or becomes the one who gets it. Only a question that was put after the
    /// last change, and not too long ago, is the same.
    fn board(&self, task: Task) -> Boarded {
        let settings = &self.cache.settings;
        let (repository, within) = match &task {
            Task::Check(place) | Task::Fetch(place) => (&place.repository, settings.content),
            Task::Resolve(tag) => (&tag.repository, settings.tags),
        };
        let count = self.cache.changes.count(&self.upstream, repository);
        self.cache.flights.board((task, self.upstream.clone(), count), within)
    }

    /// The longest content that is kept there.
    fn longest(&self, place: &Place) -> usize {
        match place.item {
            Item::Blob(_) => self.cache.settings.max_blob,
            Item::Manifest(_) => MANIFEST_MAX,
        }
    }
}

impl Place {
    const fn digest(&self) -> &Digest {
        match &self.item {
            Item::Blob(digest) | Item::Manifest(digest) => digest,
        }
    }

    fn read(&self, mode: ReadMode) -> Operation {
        let repository = self.repository.clone();
        match self.item.clone() {
            Item::Blob(digest) => Operation::BlobRead { repository, digest, mode, range: None },
            Item::Manifest(digest) => {
                Operation::ManifestRead { repository, reference: Reference::Digest(digest), mode }
            }
        }
    }
}

impl TagPlace {
    fn at(&self, digest: Digest) -> Place {
        Place { site: self.site, repository: self.repository.clone(), item: Item::Manifest(digest) }
    }

    fn read(&self) -> Operation {
        let (repository, reference) = (self.repository.clone(), Reference::Tag(self.tag.clone()));
        Operation::ManifestRead { repository, reference, mode: ReadMode::Get }
    }
}
