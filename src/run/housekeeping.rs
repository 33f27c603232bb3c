//! What every replica does on a clock: what passed through it and who was authenticated is written down, usage is surveyed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use super::fleet::Fleet;
use crate::api::Api;
use crate::clock::UnixTime;
use crate::control::activity::Activity;
use crate::control::job::Job;
use crate::control::trash::Bin;
use crate::control::{image::Images, survey};
use crate::ids::region::Region;
use crate::store::Store;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);

/// How often usage is written down, and what others used is read.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// How soon after a change that went through this replica it is on record who made it.
const SETTLES: Duration = Duration::from_millis(100);

/// How often, by the clock, every registry is surveyed although nothing asks for it.
const SURVEYED_EVERY: Duration = Duration::from_secs(6 * 3600);

/// A survey rests this many times as long as the last one took.
const REST: u32 = 10;

/// Writes down what passed, until it is aborted.
pub(super) async fn write_usage(bin: Arc<Bin>) {
    let mut tick = tokio::time::interval(WRITTEN_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        for region in bin.usage.regions() {
            if let Err(fault) = survey::write_down(&bin, region).await {
                tracing::warn!(%region, %fault, "usage is not written down");
            }
        }
    }
}

/// Writes down who was authenticated, as often as usage.
pub(super) async fn write_activity(activity: Arc<Activity>, store: Arc<dyn Store>) {
    let mut tick = tokio::time::interval(WRITTEN_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = activity.write_down(&*store).await {
            tracing::warn!(%error, "who was authenticated is not written down");
        }
    }
}

/// Puts on record what this replica has noticed: who changed what, soon after they did, and who is refused too often. The leader
/// judges and tells of it.
pub(super) async fn tell(api: Arc<Api>) {
    let desk = api.desk();
    let mut committed = desk.store.committed();
    let mut tick = tokio::time::interval(WRITTEN_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            Ok(()) = committed.changed() => tokio::time::sleep(SETTLES).await,
        }
        committed.borrow_and_update();
        if let Err(problem) = desk.write_down().await {
            tracing::warn!(?problem, "who changed what is not written down");
        }
        if let Err(problem) = desk.raise_spikes().await {
            tracing::warn!(?problem, "who is refused too often is not made into alerts");
        }
        // However much is written, this rests.
        tokio::time::sleep(SETTLES).await;
    }
}

/// Counts what registries hold: soon after something was deleted or restored through this replica, and now and then if it leads.
pub(super) async fn survey_now_and_then(bin: Arc<Bin>, images: Arc<dyn Images>, fleet: Arc<Fleet>) {
    let leads = fleet.leads();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due: Vec<_> = bin.usage.regions().map(|_| (UnixTime::from_millis(0), Instant::now())).collect();
    loop {
        tick.tick().await;
        let leading = *leads.borrow();
        for (region, (at, not_before)) in bin.usage.regions().zip(&mut due) {
            let now = bin.clock.now();
            let is_due = leading && now >= *at;
            if Instant::now() < *not_before || (!is_due && !bin.usage.take_wanted(region)) {
                continue;
            }
            *at = now.plus(SURVEYED_EVERY);
            match survey::matters(&bin, region).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(fault) => {
                    tracing::warn!(%region, %fault, "it is not known whether what the registry holds matters");
                    bin.usage.want_survey(region);
                    continue;
                }
            }
            let began = Instant::now();
            if !surveyed(&bin, &*images, region, leading.then_some(&*fleet)).await {
                bin.usage.want_survey(region);
            }
            *not_before = Instant::now() + began.elapsed() * REST;
        }
    }
}

/// Surveys a registry; whether that worked. The leader's surveys are on record.
async fn surveyed(bin: &Bin, images: &dyn Images, region: &Region, fleet: Option<&Fleet>) -> bool {
    let work = async {
        let done = survey::survey(bin, images, region).await;
        done.map(|()| region.to_string()).map_err(|fault| format!("{region}: {fault}"))
    };
    match fleet {
        Some(fleet) => fleet.run(Job::Survey, SURVEYED_EVERY, work).await,
        None => match work.await {
            Ok(_) => true,
            Err(because) => {
                tracing::warn!(because, "what the registry holds cannot be counted");
                false
            }
        },
    }
}
