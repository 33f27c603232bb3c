//! The file itself: made for its owner only, and watched for being taken away.
//!
//! SQLite goes on writing to a file that has been unlinked, and would acknowledge changes that nobody ever sees again;
//! so every write first makes sure that the path still names the file that was opened.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, metadata, set_permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// Access for anyone but the owner.
const OTHERS: u32 = 0o077;

/// The file that was opened.
#[derive(Debug)]
pub(super) struct StoreFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl StoreFile {
    /// Makes the file if it is missing (0600, whatever the umask; SQLite gives its log the same mode) and refuses one
    /// that others may open.
    pub(super) fn prepare(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Unavailable(format!("cannot open {}: {error}", path.display()));
        if let Some(parent) = path.parent() {
            make_private(parent).map_err(failed)?;
        }
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => persist(&file, path).map_err(failed)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let mut names = [path.to_path_buf(), beside(path, "-wal"), beside(path, "-shm")].into_iter();
        if let Some(open) = names.find(|name| metadata(name).is_ok_and(|found| found.mode() & OTHERS != 0)) {
            let advice = format!("others may open {0}: run `chmod 600 {0}`", open.display());
            return Err(StoreError::Unavailable(advice));
        }
        let found = metadata(path).map_err(failed)?;
        Ok(Self { path: path.to_path_buf(), device: found.dev(), inode: found.ino() })
    }

    /// The name of a file that belongs to this one.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        beside(&self.path, suffix)
    }

    /// Fails unless the path still names the file that was opened.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let advice = match metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.inode) => return Ok(()),
            Ok(_) => "is another file now: restart to use it, or put the old one back".to_owned(),
            Err(error) => format!("cannot be found any more ({error}): put it back"),
        };
        Err(StoreError::Unavailable(format!("{} {advice}", self.path.display())))
    }
}

/// Makes the missing directories of `path`, each 0700.
fn make_private(path: &Path) -> std::io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_private(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => set_permissions(path, Permissions::from_mode(0o700)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives a fresh file its mode, and makes sure that it outlives a power failure.
fn persist(file: &File, path: &Path) -> std::io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.sync_all()?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
