//! Who carries alerts: one for each receiver, so that one that hangs keeps nobody else waiting, and one that fails is left alone
//! for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::api::Api;
use crate::control::alert::deliver::Fared;
use crate::control::problem::Problem;
use crate::findings::alert::retry::rest;
use crate::ids::tagged::NotificationChannelId;

/// Who is being told, and who is left alone for a while.
#[derive(Default)]
pub(super) struct Carriers {
    away: JoinSet<Fared>,
    /// Whose carrier is which.
    carrying: HashMap<Id, NotificationChannelId>,
    receivers: HashMap<NotificationChannelId, Receiver>,
}

/// How one has fared lately.
#[derive(Clone, Copy, Default)]
struct Receiver {
    is_busy: bool,
    failures: u32,
    not_before: Option<Instant>,
}

impl Carriers {
    /// Sends a carrier to every channel that may have something due, and says when to look again: after `every` at the latest.
    pub(super) async fn send_out(&mut self, api: &Arc<Api>, every: Duration) -> Result<Duration, Problem> {
        let desk = api.desk();
        while let Some(back) = self.away.try_join_next_with_id() {
            self.received(back);
        }
        let (next, waiting) = desk.store.next_due().await?;
        desk.compliance.recorder.metrics().set_alerts_pending(waiting);
        let now = desk.clock.now();
        let Some(next) = next else { return Ok(every) };
        if next > now {
            let wait = u64::try_from(next.millis() - now.millis()).unwrap_or_default();
            return Ok(Duration::from_millis(wait).min(every));
        }
        let rows = desk.store.channels().await?;
        self.receivers.retain(|id, one| one.is_busy || rows.iter().any(|row| row.id == *id));
        let mut soon = every;
        for row in rows.into_iter().filter(|row| row.document.enabled) {
            let one = self.receivers.entry(row.id.clone()).or_default();
            let left = one.not_before.map(|at| at.saturating_duration_since(Instant::now()));
            if let Some(left) = left.filter(|left| !left.is_zero()) {
                soon = soon.min(left);
                continue;
            }
            if !std::mem::replace(&mut one.is_busy, true) {
                let (api, id) = (Arc::clone(api), row.id.clone());
                let carrier = self.away.spawn(async move { carry(&api, id).await });
                self.carrying.insert(carrier.id(), row.id);
            }
        }
        Ok(soon)
    }

    /// Waits until a carrier is back; for ever if none is away.
    pub(super) async fn come_back(&mut self) {
        match self.away.join_next_with_id().await {
            Some(back) => self.received(back),
            None => std::future::pending().await,
        }
    }

    fn received(&mut self, back: Result<(Id, Fared), JoinError>) {
        // One that came to grief on its way has been refused, for all that is known.
        let (carrier, fared) = back.unwrap_or_else(|error| (error.id(), Fared::Refused));
        let Some(id) = self.carrying.remove(&carrier) else { return };
        let Some(one) = self.receivers.get_mut(&id) else { return };
        one.is_busy = false;
        match fared {
            Fared::Idle => {}
            Fared::Taken => *one = Receiver::default(),
            Fared::Refused => {
                one.failures = one.failures.saturating_add(1);
                one.not_before = Some(Instant::now() + rest(one.failures));
            }
        }
    }
}

async fn carry(api: &Api, id: NotificationChannelId) -> Fared {
    api.desk().deliver_due(&id).await.unwrap_or_else(|problem| {
        tracing::warn!(?problem, channel = %id, "what became of an alert is not kept");
        Fared::Refused
    })
}
