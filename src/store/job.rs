//! Work on a clock: who does it for the whole fleet, and how each job's last run went.
//!
//! A run is on record under the replica that leads. One that does not lead any more is told so ([`StoreError::Stale`])
//! when it begins or ends a run, so nothing that it says is taken for the work of its successor.

use async_trait::async_trait;

use super::StoreError;
use crate::clock::UnixTime;

/// Who leads, or has last led.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leader {
    /// The replica.
    pub replica: String,
    /// Since when.
    pub since: UnixTime,
}

/// The last run of a job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobRecord {
    /// Which job.
    pub name: String,
    /// Who did it.
    pub replica: String,
    /// When it began.
    pub began_at: UnixTime,
    /// When it ended; `None` while it is under way.
    pub ended_at: Option<UnixTime>,
    /// What went wrong; empty when nothing has.
    pub outcome: String,
    /// When a run last ended well.
    pub succeeded_at: Option<UnixTime>,
    /// When the next one is due; `None` if that is not known.
    pub next_at: Option<UnixTime>,
    /// How far it is, or was.
    pub progress: String,
}

/// The end of a run.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// When it began.
    pub began_at: UnixTime,
    /// When it ended.
    pub ended_at: UnixTime,
    /// What went wrong; empty when nothing has.
    pub outcome: &'a str,
    /// When the next one is due.
    pub next_at: UnixTime,
    /// What came of it.
    pub progress: &'a str,
}

/// Reading and changing what is known of jobs. Nothing here touches anything.
#[async_trait]
pub trait Jobs {
    /// Notes that `replica` leads from now on; runs that others did not end are ended as broken off, and due at once. How many there were.
    async fn take_lead(&self, replica: &str, now: UnixTime) -> Result<u32, StoreError>;
    /// Notes that a run has begun; `Stale` if somebody else leads.
    async fn begin_job(&self, name: &str, replica: &str, now: UnixTime) -> Result<(), StoreError>;
    /// Notes how far the run is; nothing happens if somebody else leads.
    async fn job_progress(&self, name: &str, replica: &str, progress: &str) -> Result<(), StoreError>;
    /// Notes that a run has ended, whether or not its beginning was noted; `Stale` if somebody else leads.
    async fn end_job(&self, name: &str, replica: &str, ended: &Ended<'_>) -> Result<(), StoreError>;
    /// Who leads, and all jobs by name.
    async fn jobs(&self) -> Result<(Option<Leader>, Vec<JobRecord>), StoreError>;
}
