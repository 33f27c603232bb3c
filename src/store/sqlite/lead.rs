//! The lead over a file: a lock on another file beside it, which the operating system ends with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use async_trait::async_trait;

use crate::store::StoreError;
use crate::store::lead::Lead;

/// The lock; it ends when the file is closed.
#[derive(Debug)]
struct Locked {
    _file: File,
}

#[async_trait]
impl Lead for Locked {
    /// Nobody can take it away.
    async fn check(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Takes the lock at `path`; `None` while another process has it.
pub(super) fn try_lead(path: &Path) -> Result<Option<Box<dyn Lead>>, StoreError> {
    let failed =
        |error: std::io::Error| StoreError::Unavailable(format!("cannot lock {}: {error}", path.display()));
    let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = open.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Box::new(Locked { _file: file }))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
