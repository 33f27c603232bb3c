//! Follows the store's changes: applies them in order, and reports how far.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use super::{Known, Unavailable};
use crate::store::StoreError;
use crate::store::feed::Sequence;

/// How often the store is asked when nothing wakes the follower: other processes' writes are seen this late.
const POLL: Duration = Duration::from_millis(500);

/// How long one round of asking may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many changes are read at once.
const PAGE: u32 = 1000;

/// Follows until it is aborted.
pub(super) async fn follow(known: Arc<Known>) {
    let mut committed = known.store.0.committed();
    let mut tick = tokio::time::interval(POLL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        let round = tokio::time::timeout(PATIENCE, catch_up(&known)).await;
        let round = round.unwrap_or_else(|_| Err(Unavailable("the store does not answer".to_owned())));
        match (&round, failing) {
            (Ok(()), true) => tracing::info!("the store answers again"),
            (Err(error), false) => tracing::warn!(%error, "cannot learn of changes in the store"),
            (Ok(()), false) | (Err(_), true) => {}
        }
        failing = round.is_err();
        tokio::select! {
            _ = tick.tick() => {}
            Ok(()) = committed.changed() => {}
        }
    }
}

/// Applies everything up to what is the latest change now. Only then it is confirmed, as of when it was asked.
async fn catch_up(known: &Known) -> Result<(), Unavailable> {
    let asked = Instant::now();
    let latest = known.store.0.latest().await?;
    if !known.started.load(Ordering::Acquire) {
        reset(known, latest);
    }
    loop {
        let applied = known.ledger.moment().applied;
        match applied.cmp(&latest) {
            std::cmp::Ordering::Less => advance(known, applied, latest).await?,
            std::cmp::Ordering::Equal => break,
            std::cmp::Ordering::Greater => {
                tracing::error!(
                    applied = applied.0,
                    latest = latest.0,
                    "the store went back in time: was it restored?"
                );
                reset(known, latest);
            }
        }
    }
    known.confirm(asked);
    known.store.0.applied(latest);
    Ok(())
}

/// Applies the next changes. Where the feed cannot be followed, everything is dropped instead.
async fn advance(known: &Known, applied: Sequence, latest: Sequence) -> Result<(), Unavailable> {
    let changes = match known.store.0.changes(applied, PAGE).await {
        Ok(changes) => changes,
        Err(StoreError::Corrupt(detail)) => {
            tracing::error!(detail, "a change cannot be read; everything is loaded anew");
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    let through = changes.into_iter().take_while(|change| change.sequence <= latest).collect::<Vec<_>>();
    match known.ledger.apply(through) {
        Ok(dropped) if known.ledger.moment().applied > applied => count(known, dropped),
        Ok(_) | Err(_) => reset(known, latest),
    }
    Ok(())
}

fn reset(known: &Known, position: Sequence) {
    count(known, known.ledger.reset(position));
}

fn count(known: &Known, dropped: u64) {
    known.counters.drops.fetch_add(dropped, Ordering::Relaxed);
}
