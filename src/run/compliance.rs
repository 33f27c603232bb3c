//! When goals and rules are judged: soon after every change, and every half minute whether or not anything has changed. A
//! verdict is so never older than a minute.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::fleet::Fleet;
use crate::api::Api;
use crate::compliance::facts::Listener as Known;
use crate::config::settings::{Listener, Settings, Surface};
use crate::control::compliance::scan::Reason;
use crate::control::compliance::{Compliance, Premises};
use crate::control::job::Job;
use crate::network::endpoint::Endpoint;
use crate::record::recorder::Recorder;

/// How long after a change it is looked what it came to: others that come with it are seen at once, and by then it is known
/// who made it.
const SETTLES: Duration = Duration::from_millis(500);

/// How often it is looked without a change.
const EVERY: Duration = Duration::from_secs(30);

/// A scan rests at least this many times as long as the last one took, and no longer than `EVERY`.
const REST: u32 = 10;

/// Judges until it is aborted.
pub(super) async fn watch(api: Arc<Api>, fleet: Arc<Fleet>) {
    let desk = api.desk();
    let mut committed = desk.store.committed();
    let mut seen = *committed.borrow_and_update();
    let mut reason = Reason::Schedule;
    loop {
        let began = Instant::now();
        let work = async {
            let scan = desk.compliance_scan(reason).await;
            scan.map(|_| String::new())
                .map_err(|problem| format!("goals and rules cannot be judged: {problem:?}"))
        };
        fleet.run(Job::Compliance, EVERY, work).await;
        let rest = (began.elapsed() * REST).min(EVERY);
        let due = Instant::now() + EVERY;
        tokio::time::sleep(rest).await;
        reason = loop {
            tokio::select! {
                () = tokio::time::sleep_until(due) => break Reason::Schedule,
                changed = committed.changed() => {
                    let latest = *committed.borrow_and_update();
                    // What touches nothing wakes all the same.
                    if changed.is_ok() && latest != seen {
                        tokio::time::sleep(SETTLES).await;
                        break Reason::Change;
                    }
                }
            }
        };
        seen = *committed.borrow_and_update();
    }
}

/// What judges, of these settings.
pub(super) fn judging(settings: &Settings, recorder: &Recorder) -> Compliance {
    Compliance::new(settings.compliance.profiles.clone(), premises(settings), recorder.clone())
}

/// What goals ask of the server.
fn premises(settings: &Settings) -> Premises {
    let registries = settings.registries.iter().map(|registry| {
        let names = std::iter::once(&registry.name).chain(&registry.aliases).chain(&registry.private_name);
        (registry.region.clone(), names.map(ToString::to_string).collect())
    });
    Premises {
        registries: registries.collect(),
        listeners: settings.listeners.iter().map(listener).collect(),
    }
}

fn listener(listener: &Listener) -> Known {
    let has = |surface| listener.surfaces.contains(&surface);
    Known {
        address: listener.address.to_string(),
        public: listener.endpoint == Endpoint::Public,
        loopback: listener.address.ip().is_loopback(),
        tls: !listener.tls.is_empty(),
        serves: has(Surface::Registry) || has(Surface::Control) || has(Surface::Metrics),
        control: has(Surface::Control),
        metrics: has(Surface::Metrics),
    }
}
