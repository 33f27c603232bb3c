//! The lead over a file: a lock on another file beside it, which the operating system ends with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use crate::store::StoreError;
use crate::store::lead::Lead;

/// How long another process may hold a lock that is waited for.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(10);

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

/// Waits for the lock at `path`.
pub(super) async fn wait(path: &Path) -> Result<Box<dyn Lead>, StoreError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match try_lead(path)? {
            Some(lead) => return Ok(lead),
            None if Instant::now() < deadline => sleep(EVERY).await,
            None => {
                return Err(StoreError::Unavailable("another process does not end its change".to_owned()));
            }
        }
    }
}
