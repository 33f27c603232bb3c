//! When what the registries hold is looked at: what changes through us at once, and everything now and then, slowly.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::fleet::Fleet;
use crate::admit::fault::Fault;
use crate::control::census::{look_through, verified};
use crate::control::image::Images;
use crate::control::job::Job;
use crate::control::trash::Bin;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::store::StoreError;
use crate::store::census::Note;

/// How long after it begins to lead a replica looks the registries through, unless somebody wants to know earlier: others have more
/// to do then, and what the one before it did not write down is found.
const AFTER_START: Duration = Duration::from_secs(5 * 60);

/// How often that is done.
const EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// How soon it is tried again when it came to nothing, or notes were lost.
const AGAIN: Duration = Duration::from_secs(60);

/// After each repository it rests this many times as long as that took.
const REST: u32 = 4;

/// How many changes of a repository are remembered while it is looked through.
const MEANWHILE_MAX: usize = 1_000;

/// Keeps what is known of images until it is aborted: every replica takes down what it notices, and looks everything through when
/// it has lost something or somebody wants to know; the one that leads does so now and then.
pub(super) async fn keep(bin: Arc<Bin>, images: Arc<dyn Images>, regions: Vec<Region>, fleet: Arc<Fleet>) {
    let mut leads = fleet.leads();
    let census = Keeper { bin, images, fleet };
    let never = || Instant::now() + EVERY;
    let mut due = never();
    loop {
        let ledger = &census.bin.census;
        tokio::select! {
            Ok(()) = leads.changed() => {
                due = if *leads.borrow_and_update() { Instant::now() + AFTER_START } else { never() };
            }
            notes = ledger.next() => {
                census.take_down(&notes).await;
                if ledger.has_lost() {
                    due = due.min(Instant::now() + AGAIN);
                }
            }
            () = ledger.wanted() => due = census.all(&regions).await,
            () = sleep_until(due) => due = match ledger.take_lost() || *leads.borrow() {
                true => census.all(&regions).await,
                false => never(),
            },
        }
    }
}

struct Keeper {
    bin: Arc<Bin>,
    images: Arc<dyn Images>,
    fleet: Arc<Fleet>,
}

/// Why a registry could not be looked through.
#[derive(Debug, thiserror::Error)]
enum Unseen {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Upstream(#[from] Fault),
}

impl Keeper {
    /// Takes notes down.
    async fn take_down(&self, notes: &[Note]) {
        let mut notes = notes.to_vec();
        for note in &mut notes {
            if let Err(fault) = verified(&*self.bin.inventory, self.bin.census.signers(), note).await {
                tracing::warn!(repository = %note.repository, %fault, "a signature is not verified yet");
                self.bin.census.lose();
            }
        }
        self.write_down(&notes).await;
    }

    async fn write_down(&self, notes: &[Note]) {
        if let Err(error) = self.bin.store.take_notes(notes, self.bin.clock.now()).await {
            tracing::warn!(%error, "what has changed in registries is not noted");
            self.bin.census.want();
        }
        self.bin.census.wrote();
    }

    /// Looks all registries through; when to do so again. The leader's work is on record.
    async fn all(&self, regions: &[Region]) -> Instant {
        let work = async {
            let mut wrong = Vec::new();
            for region in regions {
                if let Err(error) = self.registry(region).await {
                    tracing::warn!(%region, %error, "the registry cannot be looked through");
                    wrong.push(format!("{region}: {error}"));
                }
            }
            if wrong.is_empty() { Ok(format!("{} registries", regions.len())) } else { Err(wrong.join("; ")) }
        };
        let leading = *self.fleet.leads().borrow();
        let good = if leading { self.fleet.run(Job::Census, EVERY, work).await } else { work.await.is_ok() };
        self.bin.census.fulfil();
        Instant::now() + if good { EVERY } else { AGAIN }
    }

    async fn registry(&self, region: &Region) -> Result<(), Unseen> {
        let store = &self.bin.store;
        let mut names = self.images.repositories(region).await?;
        names.extend(store.known_repositories(region).await?);
        names.sort();
        names.dedup();
        let count = names.len();
        for (number, name) in names.into_iter().enumerate() {
            self.fleet.progress(Job::Census, format!("{region}: {number} of {count} repositories")).await;
            let began = Instant::now();
            match self.repository(region, &name).await {
                // Whoever may push there can bring that about; it must not keep the others from being looked at.
                Err(Unseen::Upstream(fault @ Fault::UpstreamBroken(_))) => {
                    tracing::warn!(%region, repository = %name, %fault, "the repository cannot be looked through");
                }
                looked => looked?,
            }
            self.rest(began.elapsed() * REST).await;
        }
        store.all_looked_through(region, self.bin.clock.now()).await?;
        self.bin.census.wrote();
        Ok(())
    }

    /// Looks a repository through. What changes meanwhile is taken down as ever, and once more after what was found, which may be
    /// older.
    async fn repository(&self, region: &Region, name: &RepositoryName) -> Result<(), Unseen> {
        let (store, ledger) = (&self.bin.store, &self.bin.census);
        let known = store.known_images(region, name).await?;
        let mut looking = std::pin::pin!(look_through(&*self.bin.inventory, region, name, known));
        let mut meanwhile = Vec::new();
        let found = loop {
            tokio::select! {
                found = &mut looking => break found?,
                notes = ledger.next() => {
                    self.take_down(&notes).await;
                    let here = |note: &Note| note.repository == *name && note.region == *region;
                    if meanwhile.len() <= MEANWHILE_MAX {
                        meanwhile.extend(notes.into_iter().filter(here));
                    }
                }
            }
        };
        if meanwhile.len() > MEANWHILE_MAX {
            // It is written to so fast that what was found is worth nothing; what is noted is.
            return Ok(());
        }
        store.looked_through(region, name, &found, self.bin.clock.now()).await?;
        if !meanwhile.is_empty() {
            self.take_down(&meanwhile).await;
        }
        Ok(())
    }

    async fn rest(&self, long: Duration) {
        let end = Instant::now() + long;
        loop {
            tokio::select! {
                () = sleep_until(end) => return,
                notes = self.bin.census.next() => self.take_down(&notes).await,
            }
        }
    }
}
