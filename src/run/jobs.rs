//! The jobs that one replica does for all, and when.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::fleet::Fleet;
use super::{alerts, compliance};
use crate::api::Api;
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::job::Job;
use crate::control::{retention, rotation};
use crate::ids::region::Region;

/// How often lifecycle policies are carried out.
const EXPIRE_EVERY: Duration = Duration::from_secs(60 * 60);

/// How often it is looked whether the key that signs tokens is old.
const ROTATE_EVERY: Duration = Duration::from_secs(60 * 60);

/// How often the trash and the retention policies are looked at.
const HOUSE_EVERY: Duration = Duration::from_secs(2);

/// How long an upload by parts may take, in milliseconds.
const UPLOADS_KEPT_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Starts all of them.
pub(super) fn start(api: &Arc<Api>, regions: &[Region], fleet: &Arc<Fleet>, jobs: &mut JoinSet<()>) {
    let each = || (Arc::clone(api), Arc::clone(fleet));
    let (desk, all) = (each(), regions.to_vec());
    jobs.spawn(
        async move { every(EXPIRE_EVERY, Job::Lifecycle, &desk.1, || expire(desk.0.desk(), &all)).await },
    );
    let desk = each();
    jobs.spawn(async move { every(ROTATE_EVERY, Job::KeyRotation, &desk.1, || rotate(desk.0.desk())).await });
    let desk = each();
    jobs.spawn(async move { every(HOUSE_EVERY, Job::Trash, &desk.1, || purge(desk.0.desk())).await });
    let desk = each();
    jobs.spawn(async move { every(HOUSE_EVERY, Job::Retention, &desk.1, || retain(desk.0.desk())).await });
    let (api, fleet) = each();
    jobs.spawn(alerts::keep_telling(Arc::clone(&api), Arc::clone(&fleet)));
    jobs.spawn(compliance::watch(api, fleet));
}

/// Does it at once, and again and again.
async fn every<W: Future<Output = Result<String, String>>>(
    period: Duration,
    job: Job,
    fleet: &Fleet,
    work: impl Fn() -> W,
) {
    let mut tick = tokio::time::interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        fleet.run(job, period, work()).await;
    }
}

/// Removes images whose lifecycle policies say so, and forgets uploads that nobody ends.
async fn expire(desk: &Desk, regions: &[Region]) -> Result<String, String> {
    let since = desk.clock.now().millis().saturating_sub(UPLOADS_KEPT_MILLIS);
    let mut wrong = Vec::new();
    if let Err(error) = desk.store.forget_layer_uploads(UnixTime::from_millis(since)).await {
        wrong.push(format!("abandoned uploads are not forgotten: {error}"));
    }
    let (mut policies, mut images) = (0_usize, 0_usize);
    for region in regions {
        let names = desk.store.lifecycles(region).await.unwrap_or_else(|error| {
            wrong.push(format!("{region}: {error}"));
            Vec::new()
        });
        for name in names {
            policies += 1;
            match desk.ecr_expire(region, &name).await {
                Ok(gone) => {
                    images += gone.len();
                    for (digest, rule) in gone {
                        tracing::info!(%region, repository = %name, %digest, rule, "an image has expired");
                    }
                }
                Err(problem) => {
                    tracing::warn!(?problem, %region, repository = %name, "a lifecycle policy is not carried out");
                    wrong.push(format!("{region} {name}: the policy is not carried out"));
                }
            }
        }
    }
    told(wrong, format!("{policies} policies, {images} images expired"))
}

/// Replaces the key that signs tokens when it is old.
async fn rotate(desk: &Desk) -> Result<String, String> {
    match desk.rotate_signing_key(rotation::OLD).await {
        Ok(Some(made)) => {
            tracing::info!(kid = made.kid, "another key signs tokens from now on");
            Ok(format!("key {} was made", made.kid))
        }
        Ok(None) => Ok(String::new()),
        Err(problem) => Err(format!("the key that signs tokens cannot be replaced: {problem:?}")),
    }
}

async fn purge(desk: &Desk) -> Result<String, String> {
    let purged = desk.bin.purge().await;
    purged
        .map(|count| format!("{count} images deleted"))
        .map_err(|fault| format!("the trash cannot be emptied: {fault}"))
}

async fn retain(desk: &Desk) -> Result<String, String> {
    let ran = retention::run_due(&desk.bin, &*desk.images).await;
    ran.map(|()| String::new()).map_err(|fault| format!("retention policies cannot be carried out: {fault}"))
}

fn told(wrong: Vec<String>, done: String) -> Result<String, String> {
    if wrong.is_empty() { Ok(done) } else { Err(wrong.join("; ")) }
}
