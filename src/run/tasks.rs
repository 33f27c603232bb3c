//! What goes on beside requests on every replica: upstream health, notes of pushes and pulls, reports that were pushed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::fleet::Fleet;
use crate::clock::Clock;
use crate::control::intake::read_pushed;
use crate::control::job::Job;
use crate::control::pushed::Pushed;
use crate::control::scans::Scans;
use crate::control::trash::Bin;
use crate::forward::Forwarder;
use crate::forward::settings::UpstreamSettings;
use crate::ids::region::Region;
use crate::serve::Shared;
use crate::serve::sightings::Sighting;
use crate::serve::sites::Site;
use crate::store::findings::{Due, Scanned};
use crate::store::registry::NamespaceRecord;
use crate::store::{Store, StoreError};

/// How often upstreams are asked whether they are there.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// Writes down what registry calls bring about.
pub async fn keep_sightings(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    mut seen: mpsc::Receiver<Sighting>,
) {
    while let Some(sighting) = seen.recv().await {
        let kept = match &sighting {
            Sighting::Namespace(region, name) => {
                let (region, name) = (region.clone(), name.clone());
                store.insert_namespace(&NamespaceRecord { region, name, created_at: clock.now() }).await
            }
            Sighting::Deleted(region, name, digest) => {
                store.images_gone(region, name, std::slice::from_ref(digest)).await
            }
            Sighting::Pulled(region, name, digest, at) => store.image_pulled(region, name, digest, *at).await,
            Sighting::Pushed(region, name, digest, at) => store.image_pushed(region, name, digest, *at).await,
        };
        match kept {
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => tracing::warn!(%error, ?sighting, "what a call brought about is not recorded"),
        }
    }
}

/// How often it is looked whether pushed reports can be read that could not be before; the first time at once.
const READ_EVERY: Duration = Duration::from_secs(30);

/// How many images wait to be looked at by name; of more, reports are read when it is time.
const READ_SOON: usize = 256;

/// Reads the reports that were pushed, and has images scanned where that is wanted: neither waits for the other.
pub(super) async fn look_at_pushed(
    bin: Arc<Bin>,
    scans: Arc<Scans>,
    mut told: mpsc::Receiver<Pushed>,
    fleet: Arc<Fleet>,
) {
    let (tell, soon) = mpsc::channel(READ_SOON);
    let reading = read_soon(Arc::clone(&bin), soon, fleet);
    let scanning = async {
        while let Some(Pushed { image, about }) = told.recv().await {
            let is_about = about.is_some();
            let of = Scanned { digest: about.unwrap_or_else(|| image.digest.clone()), ..image.clone() };
            // What finds no room is written down, and found there.
            let _full = tell.try_send(of);
            if !is_about {
                scan_if_wanted(&bin, &scans, image).await;
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = scanning => {}
    }
}

/// Reads reports, if they are read here at all: those about what it is told at once, all others now and then if it leads.
async fn read_soon(bin: Arc<Bin>, mut told: mpsc::Receiver<Scanned>, fleet: Arc<Fleet>) {
    let mut leads = fleet.leads();
    let read_reports = bin.reads_reports;
    let mut every = tokio::time::interval(READ_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut after = 0;
    loop {
        tokio::select! {
            of = told.recv() => match of {
                Some(of) if read_reports => {
                    read(&bin, Due::About(&of)).await;
                }
                Some(_) => {}
                None => return,
            },
            // Whether it is its turn is asked anew then.
            Ok(()) = leads.changed() => {}
            _ = every.tick(), if read_reports && *leads.borrow() => {
                let mut next = 0;
                let work = async {
                    let read = read_pushed(&bin, Due::After(after)).await;
                    next = read.map_err(|fault| format!("pushed reports cannot be read: {fault}"))?.unwrap_or(0);
                    Ok(String::new())
                };
                fleet.run(Job::Reports, READ_EVERY, work).await;
                after = next;
            }
        }
    }
}

async fn read(bin: &Bin, due: Due<'_>) {
    if let Err(fault) = read_pushed(bin, due).await {
        tracing::warn!(%fault, "pushed reports cannot be read");
    }
}

async fn scan_if_wanted(bin: &Arc<Bin>, scans: &Arc<Scans>, of: Scanned) {
    if !scans.offered() {
        return;
    }
    let row = bin.store.repository(&of.region, &of.repository).await;
    let here = row.is_ok_and(|row| row.is_some_and(|row| row.scan_on_push));
    if (here || scans.on_push()) && scans.begin(&of, bin.clock.now()) {
        let (bin, scans) = (Arc::clone(bin), Arc::clone(scans));
        tokio::spawn(async move { scans.carry_out(&bin, of).await });
    }
}

/// How often what is reported is counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// Counts what is reported, for metrics.
pub async fn count_findings(bin: Arc<Bin>, scans: Arc<Scans>, regions: Vec<Region>) {
    let mut every = tokio::time::interval(COUNT_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        for region in &regions {
            if let Err(error) = scans.count(&bin, region).await {
                tracing::warn!(%error, %region, "what is reported cannot be counted");
            }
        }
    }
}

/// Asks every upstream now and then, for `/readyz` and metrics. Runs on the calling worker.
pub fn watch_upstreams(upstreams: &[UpstreamSettings], sites: &[Site], shared: &Arc<Shared>) {
    let made = upstreams.iter().filter_map(|upstream| Forwarder::new(upstream.clone()).ok());
    let watched: Vec<(Forwarder, Site)> = made.zip(sites.iter().cloned()).collect();
    let shared = Arc::clone(shared);
    tokio::task::spawn_local(async move {
        let mut every = tokio::time::interval(PROBE_EVERY);
        let mut was_up = vec![true; watched.len()];
        loop {
            every.tick().await;
            let mut all_up = true;
            for ((forwarder, site), was_up) in watched.iter().zip(&mut was_up) {
                let probed = forwarder.probe().await;
                let up = probed.is_ok();
                // Said once, not every few seconds; the metric tells how long it lasts.
                match (&probed, *was_up) {
                    (Err(fault), true) => {
                        tracing::warn!(registry = site.name.as_str(), %fault, "the upstream does not answer");
                    }
                    (Ok(()), false) => {
                        tracing::warn!(registry = site.name.as_str(), "the upstream answers again")
                    }
                    (Err(_), false) | (Ok(()), true) => {}
                }
                *was_up = up;
                all_up &= up;
                shared.recorder.metrics().set_upstream_up(&site.name, up);
            }
            shared.readiness.upstreams(all_up);
        }
    });
}
