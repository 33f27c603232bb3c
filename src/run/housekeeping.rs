//! What is done on a clock beside requests: the trash is emptied, usage written down and surveyed, retention carried out.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use crate::clock::UnixTime;
use crate::control::activity::Activity;
use crate::control::retention;
use crate::control::trash::Bin;
use crate::control::{image::Images, survey};
use crate::store::Store;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);

/// How often, by the clock, the trash and the retention policies are looked at.
const EVERY: Duration = Duration::from_secs(60);

/// How often usage is written down.
const WRITTEN_EVERY: u32 = 5;

/// How often, by the clock, every registry is surveyed although nothing asks for it.
const SURVEYED_EVERY: Duration = Duration::from_secs(6 * 3600);

/// A survey rests this many times as long as the last one took.
const REST: u32 = 10;

/// Keeps house until it is aborted.
pub(super) async fn keep_house(bin: Arc<Bin>, images: Arc<dyn Images>) {
    tokio::spawn(survey_now_and_then(Arc::clone(&bin), images.clone()));
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next = UnixTime::from_millis(0);
    let mut ticks = 0_u32;
    loop {
        tick.tick().await;
        ticks = ticks.wrapping_add(1);
        if ticks % WRITTEN_EVERY == 1 {
            for region in bin.usage.regions() {
                if let Err(fault) = survey::write_down(&bin, region).await {
                    tracing::warn!(%region, %fault, "usage is not written down");
                }
            }
        }
        let now = bin.clock.now();
        if now < next {
            continue;
        }
        next = now.plus(EVERY);
        if let Err(fault) = bin.purge().await {
            tracing::warn!(%fault, "the trash cannot be emptied");
        }
        if let Err(fault) = retention::run_due(&bin, &*images).await {
            tracing::warn!(%fault, "retention policies cannot be carried out");
        }
    }
}

/// Writes down who was authenticated, as often as usage.
pub(super) async fn write_activity(activity: Arc<Activity>, store: Arc<dyn Store>) {
    let mut tick = tokio::time::interval(TICK * WRITTEN_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = activity.write_down(&*store).await {
            tracing::warn!(%error, "who was authenticated is not written down");
        }
    }
}

/// Counts what registries hold: now and then, and soon after something was deleted or restored.
async fn survey_now_and_then(bin: Arc<Bin>, images: Arc<dyn Images>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due: Vec<_> = bin.usage.regions().map(|_| (UnixTime::from_millis(0), Instant::now())).collect();
    loop {
        tick.tick().await;
        for (region, (at, not_before)) in bin.usage.regions().zip(&mut due) {
            let now = bin.clock.now();
            if Instant::now() < *not_before || (now < *at && !bin.usage.take_wanted(region)) {
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
            if let Err(fault) = survey::survey(&bin, &*images, region).await {
                tracing::warn!(%region, %fault, "what the registry holds cannot be counted");
                bin.usage.want_survey(region);
            }
            *not_before = Instant::now() + began.elapsed() * REST;
        }
    }
}
