//! Scans that somebody asks for, or that pushes bring about: which are under way, and how the last of each image ended.
//!
//! What scans is the operator's own command, behind [`Scanner`]. A scan that is lost with the process is asked for again, or not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::intake::{Taken, Untaken, take_in};
use super::trash::Bin;
use crate::clock::UnixTime;
use crate::findings::channel::Channel;
use crate::findings::report::Counts;
use crate::ids::region::Region;
use crate::store::StoreError;
use crate::store::findings::Scanned;

/// How many scans are under way at once.
const AT_ONCE: usize = 2;

/// How many images are remembered that were scanned, or wait for it.
const REMEMBERED: usize = 10_000;

/// Scans images. Implemented where processes may be started; decides nothing.
#[async_trait]
pub trait Scanner: Send + Sync {
    /// A report of the image, or why there is none.
    async fn scan(&self, of: &Scanned) -> Result<Vec<u8>, String>;
}

/// How a scan stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Progress {
    /// It came to nothing, for this reason.
    Failed(String),
    /// It is under way, or waits for others.
    UnderWay,
}

/// The scans of all registries.
pub struct Scans {
    scanner: Option<Arc<dyn Scanner>>,
    /// Whether every image that is pushed is scanned, wherever it is pushed to.
    on_push: bool,
    places: Semaphore,
    known: Mutex<HashMap<Scanned, (Progress, UnixTime)>>,
    counts: Mutex<HashMap<Region, (Counts, u32)>>,
}

impl std::fmt::Debug for Scans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scans").field("on_push", &self.on_push).finish_non_exhaustive()
    }
}

impl Scans {
    /// Scans by this scanner, if there is one.
    #[must_use]
    pub fn new(scanner: Option<Arc<dyn Scanner>>, on_push: bool) -> Self {
        Self {
            scanner,
            on_push,
            places: Semaphore::new(AT_ONCE),
            known: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// Counts what is reported in a registry, for metrics.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn count(&self, bin: &Bin, region: &Region) -> Result<(), StoreError> {
        let counted = bin.store.finding_counts(region).await?;
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).insert(region.clone(), counted);
        Ok(())
    }

    /// How many vulnerabilities of each severity were counted last, and in how many images.
    #[must_use]
    pub fn counted(&self, region: &Region) -> Option<(Counts, u32)> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(region).copied()
    }

    /// Whether anything is scanned here.
    #[must_use]
    pub const fn offered(&self) -> bool {
        self.scanner.is_some()
    }

    /// Whether every image that is pushed is scanned.
    #[must_use]
    pub const fn on_push(&self) -> bool {
        self.on_push && self.offered()
    }

    /// How the last scan of an image stands; nothing of one that has ended well, for its report tells.
    #[must_use]
    pub fn progress(&self, of: &Scanned) -> Option<Progress> {
        self.lock().get(of).map(|(progress, _)| progress.clone())
    }

    /// Notes that an image is to be scanned; `false` if it is already, or too many are.
    #[must_use]
    pub fn begin(&self, of: &Scanned, now: UnixTime) -> bool {
        let mut known = self.lock();
        if matches!(known.get(of), Some((Progress::UnderWay, _))) {
            return false;
        }
        if known.len() >= REMEMBERED {
            known.retain(|_, (progress, _)| *progress == Progress::UnderWay);
        }
        let room = known.len() < REMEMBERED;
        if room {
            known.insert(of.clone(), (Progress::UnderWay, now));
        }
        room
    }

    /// Scans an image that was noted, and keeps the report.
    pub async fn carry_out(&self, bin: &Bin, of: Scanned) {
        let Some(scanner) = &self.scanner else { return };
        let Ok(_place) = self.places.acquire().await else { return };
        let scanned = match scanner.scan(&of).await {
            Ok(report) => taken(take_in(bin, of.clone(), Channel::Scanner, report.into()).await),
            Err(why) => Err(why),
        };
        let mut known = self.lock();
        match scanned {
            Ok(_) => {
                known.remove(&of);
            }
            Err(why) => {
                tracing::warn!(region = %of.region, repository = %of.repository, digest = %of.digest, why, "an image is not scanned");
                known.insert(of, (Progress::Failed(why), bin.clock.now()));
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Scanned, (Progress, UnixTime)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn taken(result: Result<Taken, Untaken>) -> Result<Taken, String> {
    result.map_err(|untaken| format!("the scanner's report is not kept: {untaken}"))
}

#[cfg(test)]
mod tests {
    use super::{Progress, Scans};
    use crate::clock::UnixTime;
    use crate::registry::reference::Digest;
    use crate::store::findings::Scanned;

    #[test]
    fn an_image_is_scanned_once_at_a_time() {
        let scans = Scans::new(None, true);
        let digest = Digest::parse(&format!("sha256:{:064x}", 1)).unwrap();
        let of = Scanned { region: "us-south".parse().unwrap(), repository: "a/b".parse().unwrap(), digest };
        let now = UnixTime::from_seconds(0);
        assert!(scans.begin(&of, now) && !scans.begin(&of, now));
        assert_eq!(scans.progress(&of), Some(Progress::UnderWay));
        assert!(!scans.on_push(), "nothing scans");
    }
}
