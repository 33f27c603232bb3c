//! Layers on the disk, by digest, within a fixed number of bytes.
//!
//! Nothing is found here that was not read from end to end and found to hash to its name, by this process: files of an earlier one
//! are read once before they are believed. What one upstream has sent is not found for another, and says nothing of which repository
//! has it: that is asked.

pub(in crate::forward) mod draft;
pub(in crate::forward) mod reading;

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::spawn_blocking;

use self::draft::Draft;
use crate::forward::digest::{Hashing, sha256};
use crate::forward::settings::UpstreamUrl;
use crate::registry::reference::Digest;

/// What a file is called that is not whole yet.
const DRAFT: &str = "draft-";
/// How much is read at once to check a file.
const PIECE: usize = 1 << 20;

/// The files of one folder, which nobody else writes to.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    max: u64,
    index: Mutex<Index>,
    drafts: AtomicU64,
}

/// A layer of an upstream.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Layer {
    /// The beginning of the hash of the upstream's URL.
    upstream: String,
    pub(super) digest: Digest,
}

impl Layer {
    pub(super) fn of(upstream: &UpstreamUrl, digest: &Digest) -> Self {
        let hash = sha256(upstream.to_string().as_bytes());
        let hex = hash.as_ref().and_then(|hash| hash.as_str().get(7..23)).unwrap_or_default();
        Self { upstream: hex.to_owned(), digest: digest.clone() }
    }

    fn file_name(&self) -> String {
        format!("{}-{}", self.upstream, self.digest.as_str().replace(':', "-"))
    }

    fn read(name: &str) -> Option<Self> {
        let (upstream, digest) = name.split_once('-')?;
        let digest = Digest::parse(&digest.replacen('-', ":", 1)).ok()?;
        let layer = Self { upstream: upstream.to_owned(), digest };
        (upstream.len() == 16 && layer.file_name() == name).then_some(layer)
    }
}

#[derive(Debug, Default)]
struct Index {
    kept: HashMap<Layer, Entry>,
    /// The bytes of all that is kept, being written, or removed and still being read.
    used: u64,
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    length: u64,
    last_use: u64,
    /// `None` for a file of an earlier process.
    checked: Option<Arc<Stored>>,
}

/// A file that hashes to its name. It can be read as long as this value lives, whether or not it is kept.
#[derive(Debug)]
pub(in crate::forward) struct Stored {
    pub(super) file: Arc<File>,
    length: u64,
    _room: Room,
}

/// Bytes that count as used until the value is dropped.
#[derive(Debug)]
struct Room {
    disk: Arc<Disk>,
    bytes: u64,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut index = self.disk.index();
        index.used = index.used.saturating_sub(self.bytes);
    }
}

impl Stored {
    pub(super) const fn length(&self) -> u64 {
        self.length
    }
}

impl Disk {
    /// Opens a folder that only we can enter, or makes it. Removes what was never finished.
    ///
    /// # Errors
    /// The operating system's; also when others can enter it.
    pub fn open(folder: &Path, max: u64) -> io::Result<Arc<Self>> {
        if !folder.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        if fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
            let why = format!("{}: others can enter it; `chmod 700` it, or name another", folder.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let mut index = Index::default();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            let layer = Layer::read(name);
            let found = entry.metadata()?;
            match layer {
                Some(layer) if found.is_file() => {
                    index.used = index.used.saturating_add(found.len());
                    index.kept.insert(layer, Entry { length: found.len(), last_use: 0, checked: None });
                }
                Some(_) => {}
                None if name.starts_with(DRAFT) => fs::remove_file(entry.path())?,
                // Somebody else's: left alone.
                None => {}
            }
        }
        let disk = Arc::new(Self {
            folder: folder.to_owned(),
            max,
            index: Mutex::new(index),
            drafts: AtomicU64::new(0),
        });
        disk.make_room(0);
        Ok(disk)
    }

    /// How many bytes are used.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.index().used
    }

    /// Whether there is a file of that name, believed or not: and how long it is.
    pub(super) fn length_of(&self, layer: &Layer) -> Option<u64> {
        self.index().kept.get(layer).map(|entry| entry.length)
    }

    /// The file of that name, after it was read, if that is needed; `None` if there is none that hashes to it.
    pub(super) async fn checked(self: &Arc<Self>, layer: &Layer) -> Option<Arc<Stored>> {
        let known = self.used_now(layer)?;
        if known.is_some() {
            return known;
        }
        let (disk, layer) = (Arc::clone(self), layer.clone());
        spawn_blocking(move || disk.check(&layer)).await.ok().flatten()
    }

    /// Notes a use: `None` if there is no such file, `Some(None)` if nobody has looked into it yet.
    fn used_now(&self, layer: &Layer) -> Option<Option<Arc<Stored>>> {
        let mut index = self.index();
        index.uses += 1;
        let now = index.uses;
        let entry = index.kept.get_mut(layer)?;
        entry.last_use = now;
        Some(entry.checked.clone())
    }

    /// Reads a file of an earlier process from end to end, and removes it if it is not what it should be.
    fn check(self: &Arc<Self>, layer: &Layer) -> Option<Arc<Stored>> {
        let read = || -> io::Result<(File, u64, bool)> {
            let file = File::open(self.path(layer))?;
            let (mut hashing, mut at, mut piece) = (Hashing::by(&layer.digest), 0, vec![0; PIECE]);
            loop {
                let count = file.read_at(&mut piece, at)?;
                if count == 0 {
                    return Ok((file, at, hashing.gives(&layer.digest)));
                }
                hashing.take(piece.get(..count).unwrap_or_default());
                at += count as u64;
            }
        };
        let found = read();
        let mut index = self.index();
        let entry = index.kept.get_mut(layer)?;
        if entry.checked.is_some() {
            // Somebody else was faster, or it was written anew.
            return entry.checked.clone();
        }
        match found {
            Ok((file, length, true)) if length == entry.length => {
                // Its bytes are counted already.
                let room = Room { disk: Arc::clone(self), bytes: length };
                let stored = Arc::new(Stored { file: Arc::new(file), length, _room: room });
                entry.checked = Some(Arc::clone(&stored));
                Some(stored)
            }
            Ok(_) | Err(_) => {
                drop(index);
                self.remove(layer);
                None
            }
        }
    }

    /// A file to be written, if there is room for it. What was not used for longest makes room, unless it is being read.
    pub(super) async fn begin(self: &Arc<Self>, length: u64) -> Option<Draft> {
        let disk = Arc::clone(self);
        spawn_blocking(move || {
            let room = disk.make_room(length)?;
            let number = disk.drafts.fetch_add(1, Ordering::Relaxed);
            Draft::create(disk.folder.join(format!("{DRAFT}{number}")), room).ok()
        })
        .await
        .ok()
        .flatten()
    }

    fn make_room(self: &Arc<Self>, bytes: u64) -> Option<Room> {
        let idle = |entry: &Entry| entry.checked.as_ref().is_none_or(|stored| Arc::strong_count(stored) == 1);
        let mut index = self.index();
        let removable: u64 = index.kept.values().filter(|entry| idle(entry)).map(|entry| entry.length).sum();
        if index.used.saturating_sub(removable).saturating_add(bytes) > self.max {
            return None;
        }
        while index.used.saturating_add(bytes) > self.max {
            let oldest =
                index.kept.iter().filter(|(_, entry)| idle(entry)).min_by_key(|(_, entry)| entry.last_use);
            let layer = oldest.map(|(layer, _)| layer.clone())?;
            index = self.removed(index, &layer);
        }
        index.used += bytes;
        Some(Room { disk: Arc::clone(self), bytes })
    }

    /// Forgets a file, and removes it. Whoever reads it now reads on.
    pub(super) fn remove(&self, layer: &Layer) {
        drop(self.removed(self.index(), layer));
    }

    fn removed<'a>(&'a self, mut index: MutexGuard<'a, Index>, layer: &Layer) -> MutexGuard<'a, Index> {
        let Some(entry) = index.kept.remove(layer) else { return index };
        // Under the lock: another of that name may be put in place as soon as it is released.
        if let Err(error) = fs::remove_file(self.path(layer)) {
            tracing::warn!(%error, digest = %layer.digest, "a layer cannot be removed from cache.disk");
        }
        match entry.checked {
            None => {
                index.used = index.used.saturating_sub(entry.length);
                index
            }
            Some(stored) => {
                drop(index);
                // Its room goes with its last reader, which may be this.
                drop(stored);
                self.index()
            }
        }
    }

    /// Puts a draft in its place, which hashes to its name.
    fn publish(self: &Arc<Self>, mut draft: Draft, layer: &Layer, length: u64) -> io::Result<Arc<Stored>> {
        let path = self.path(layer);
        let old;
        let stored;
        {
            let mut index = self.index();
            // If that fails, the draft goes after the lock: its room needs it.
            let (file, room) = draft.put(&path)?;
            index.uses += 1;
            let last_use = index.uses;
            stored = Arc::new(Stored { file, length, _room: room });
            let entry = Entry { length, last_use, checked: Some(Arc::clone(&stored)) };
            old = index.kept.insert(layer.clone(), entry);
            if let Some(Entry { length, checked: None, .. }) = &old {
                index.used = index.used.saturating_sub(*length);
            }
        }
        drop(old);
        Ok(stored)
    }

    fn path(&self, layer: &Layer) -> PathBuf {
        self.folder.join(layer.file_name())
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
