//! What this replica is among others: whether it leads, and with that does the work on a clock for all of them.
//!
//! A leader that dies is followed at once, one that hangs or is cut off within the time that `store::lead` says. Whoever takes over begins
//! with every job that is due, and with those that broke off. Two may overlap for a moment: everything that a job does is safe to do
//! twice, and what one says that does not lead any more is not put on record.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::clock::{Clock, Entropy, UnixTime};
use crate::control::job::Job;
use crate::store::job::Ended;
use crate::store::lead::Lead;
use crate::store::{Store, StoreError};

/// How often a replica that does not lead tries to, and one that does makes sure that it still does.
const LOOK: Duration = Duration::from_secs(2);

/// A run that takes longer than this is put on record while it is under way.
const LONG: Duration = Duration::from_secs(1);

/// How often a job that always comes to the same is put on record, in milliseconds.
const SAME: i64 = 60_000;

/// How often the progress of a run is put on record, in milliseconds.
const PROGRESS: i64 = 5_000;

/// This replica.
pub(super) struct Fleet {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    replica: String,
    leads: watch::Sender<bool>,
    deposed: Notify,
    runs: Mutex<HashMap<Job, Run>>,
}

/// The last run of a job, or the one under way.
#[derive(Clone, Debug, Default)]
struct Run {
    outcome: String,
    progress: String,
    /// When an end was last put on record, in milliseconds.
    recorded: i64,
    /// The same of progress.
    told: i64,
}

impl Fleet {
    /// A replica that does not lead yet.
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Arc<Self> {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let random = entropy.uuid().simple().to_string();
        let replica = format!("{host}-{}", random.get(..8).unwrap_or(&random));
        Arc::new(Self {
            store,
            clock,
            replica,
            leads: watch::Sender::new(false),
            deposed: Notify::new(),
            runs: Mutex::default(),
        })
    }

    /// Whether this one leads, now and from now on.
    pub(super) fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// What several replicas have in common.
    pub(super) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Leads whenever nobody else does; `start` starts the jobs. Goes on until it is aborted.
    pub(super) async fn keep(self: Arc<Self>, start: impl Fn(&Arc<Self>, &mut JoinSet<()>)) {
        let mut failing = false;
        loop {
            match self.store.try_lead().await {
                Ok(Some(lead)) => self.lead(lead, &start).await,
                Ok(None) => {}
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "it is not known who leads");
                    }
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
            }
            failing = false;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Leads, as long as that lasts.
    async fn lead(self: &Arc<Self>, mut lead: Box<dyn Lead>, start: &impl Fn(&Arc<Self>, &mut JoinSet<()>)) {
        match self.store.take_lead(&self.replica, self.clock.now()).await {
            Ok(0) => tracing::info!(replica = self.replica, "this replica leads"),
            Ok(broken) => {
                tracing::warn!(replica = self.replica, broken, "this replica leads; jobs had broken off")
            }
            Err(error) => return tracing::warn!(%error, "this replica could lead, and cannot say so"),
        }
        self.runs().clear();
        // What was said of a lead before this one does not end it.
        let _ = self.deposed.notified().now_or_never();
        let mut jobs = JoinSet::new();
        self.leads.send_replace(true);
        start(self, &mut jobs);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => if let Err(error) = lead.check().await {
                    tracing::warn!(%error, "this replica does not lead any more");
                    break;
                },
                () = self.deposed.notified() => {
                    tracing::warn!("another replica leads");
                    break;
                }
                // They go on for ever; whoever leads next starts them all again.
                Some(ended) = jobs.join_next() => {
                    tracing::error!(?ended, "a job has ended by itself: this replica gives up the lead");
                    break;
                }
            }
        }
        self.leads.send_replace(false);
        jobs.shutdown().await;
    }

    /// Carries out a run of `job`, and puts on record what comes of it: what it did, or what went wrong. Says whether it went well.
    pub(super) async fn run(
        &self,
        job: Job,
        every: Duration,
        work: impl Future<Output = Result<String, String>>,
    ) -> bool {
        let began = self.clock.now();
        let is_long = AtomicBool::new(false);
        let tell = async {
            tokio::time::sleep(LONG).await;
            is_long.store(true, Ordering::Relaxed);
            self.note(self.store.begin_job(job.label(), &self.replica, began).await);
            std::future::pending().await
        };
        // Both go on together: the work may hold what telling of it waits for.
        let came_to = tokio::select! {
            came_to = work => came_to,
            never = tell => never,
        };
        let good = came_to.is_ok();
        let (outcome, progress) = match came_to {
            Ok(progress) => (String::new(), progress),
            Err(because) => {
                tracing::warn!(job = job.label(), because, "a job went wrong");
                let progress = self.runs().get(&job).map(|run| run.progress.clone()).unwrap_or_default();
                (because, progress)
            }
        };
        let now = self.clock.now();
        let before = self.runs().get(&job).cloned();
        let same =
            before.is_some_and(|before| before.outcome == outcome && now.millis() - before.recorded < SAME);
        if !same || is_long.load(Ordering::Relaxed) {
            let ended = Ended {
                began_at: began,
                ended_at: now,
                outcome: &outcome,
                next_at: now.plus(every),
                progress: &progress,
            };
            self.note(self.store.end_job(job.label(), &self.replica, &ended).await);
            self.runs().insert(job, Run { outcome, progress, recorded: now.millis(), told: 0 });
        }
        good
    }

    /// Says how far the run of `job` is.
    pub(super) async fn progress(&self, job: Job, progress: String) {
        if !*self.leads.borrow() {
            return;
        }
        let now = self.clock.now();
        if self.is_news(job, &progress, now) {
            self.note(self.store.job_progress(job.label(), &self.replica, &progress).await);
        }
    }

    /// Remembers the progress; whether it is to be put on record.
    fn is_news(&self, job: Job, progress: &str, now: UnixTime) -> bool {
        let mut runs = self.runs();
        let run = runs.entry(job).or_default();
        progress.clone_into(&mut run.progress);
        let due = now.millis() - run.told >= PROGRESS;
        if due {
            run.told = now.millis();
        }
        due
    }

    /// Whoever finds that somebody else leads does not go on.
    fn note(&self, noted: Result<(), StoreError>) {
        match noted {
            Ok(()) => {}
            Err(StoreError::Stale) => self.deposed.notify_one(),
            Err(error) => tracing::warn!(%error, "how a job goes is not on record"),
        }
    }

    fn runs(&self) -> std::sync::MutexGuard<'_, HashMap<Job, Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
