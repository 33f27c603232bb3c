//! A file that is being written. It has no name that anybody looks for until it is whole and checked.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{Disk, Layer, Room, Stored};
use crate::forward::digest::Hashing;

/// How long the disk may take for one piece. A slower one is of no help to anybody.
const LAG: Duration = Duration::from_secs(2);

/// The file. Dropped unpublished, it is removed.
#[derive(Debug)]
pub(in crate::forward) struct Draft {
    file: Arc<File>,
    path: Option<PathBuf>,
    room: Option<Room>,
    written: u64,
}

impl Draft {
    pub(super) fn create(path: PathBuf, room: Room) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { file: Arc::new(file), path: Some(path), room: Some(room), written: 0 })
    }

    /// For those who read what is there already.
    pub(in crate::forward) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    pub(in crate::forward) const fn written(&self) -> u64 {
        self.written
    }

    /// Adds to it.
    ///
    /// # Errors
    /// The operating system's; also when the disk takes too long.
    pub(in crate::forward) async fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        let (file, from) = (Arc::clone(&self.file), self.written);
        let writing = spawn_blocking(move || {
            let mut at = from;
            for piece in pieces {
                file.write_all_at(&piece, at)?;
                at += piece.len() as u64;
            }
            Ok::<_, io::Error>(at)
        });
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the disk is too slow");
        self.written = timeout(LAG, writing).await.map_err(late)?.map_err(io::Error::other)??;
        Ok(())
    }

    /// Gives it its name, if it hashes to that.
    ///
    /// # Errors
    /// The operating system's.
    pub(in crate::forward::cache) async fn publish(
        self,
        disk: &Arc<Disk>,
        hashing: Hashing,
        layer: &Layer,
    ) -> io::Result<Option<Arc<Stored>>> {
        if !hashing.gives(&layer.digest) {
            return Ok(None);
        }
        let (disk, layer, length) = (Arc::clone(disk), layer.clone(), self.written);
        let published = spawn_blocking(move || disk.publish(self, &layer, length)).await;
        published.map_err(io::Error::other)?.map(Some)
    }

    pub(super) fn put(&mut self, path: &Path) -> io::Result<(Arc<File>, Room)> {
        let gone = || io::Error::other("a draft is put in place twice");
        let draft = self.path.as_ref().ok_or_else(gone)?;
        std::fs::rename(draft, path)?;
        self.path = None;
        Ok((Arc::clone(&self.file), self.room.take().ok_or_else(gone)?))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // What cannot be removed now is removed at the next start.
            std::fs::remove_file(path).unwrap_or_default();
        }
    }
}
