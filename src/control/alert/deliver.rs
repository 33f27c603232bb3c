//! Deliveries: a message is written, signed and sent; what became of it is kept, and tried again if there is another time.

use std::sync::Arc;
use std::time::Duration;

use super::Signature;
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::refusal::Refusal;
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::problem::Problem;
use crate::credential::webhook::WebhookSecret;
use crate::findings::alert::retry::{LEASE, wait};
use crate::findings::alert::topic::Topic;
use crate::findings::alert::{Alert, message};
use crate::findings::severity::Severity;
use crate::ids::tagged::NotificationChannelId;
use crate::record::audit::event::AuditEvent;
use crate::record::metrics::DeliveryOutcome;
use crate::store::alert::{Attempted, ChannelRecord, Delivery, DeliveryState, Raised};

/// How many messages to one channel are sent in a row, before others are looked at.
const IN_A_ROW: u32 = 16;

/// How long a test is left to whoever began it.
const TEST_LASTS: Duration = Duration::from_secs(60);

/// How many tests of a channel are made in that time, and among how many messages they are looked for.
const TESTS_MAX: usize = 5;
const TESTS_SEEN: u32 = 100;

/// What the endpoint answers that is gone for good: it is not asked again for this.
const GONE: u16 = 410;

/// How a channel fared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fared {
    /// Nothing was to be sent.
    Idle,
    /// Every message was taken.
    Taken,
    /// The last one was not.
    Refused,
}

impl Desk {
    /// Sends what is due to a channel, one after the other, up to the first that is not taken.
    ///
    /// # Errors
    /// [`Problem`] when the store cannot be read or written; what was sent meanwhile may be sent again.
    pub async fn deliver_due(&self, id: &NotificationChannelId) -> Result<Fared, Problem> {
        let Some(channel) = self.store.channel(id).await? else { return Ok(Fared::Idle) };
        let now = self.clock.now();
        let mut fared = Fared::Idle;
        for delivery in self.store.due(id, now, IN_A_ROW).await? {
            let alert = &delivery.alert;
            if alert.topic == Topic::Test && now < alert.at.plus(TEST_LASTS) {
                continue;
            }
            match self.deliver(&channel, &delivery).await?.map(|attempted| attempted.state) {
                Some(DeliveryState::Delivered) => fared = Fared::Taken,
                Some(DeliveryState::Failed | DeliveryState::Pending) => return Ok(Fared::Refused),
                None => {}
            }
        }
        Ok(fared)
    }

    /// Refuses a test after many others: whoever reads the endpoint is no target to be kept busy by us.
    pub(super) async fn not_too_often(&self, channel: &ChannelRecord) -> Result<(), Problem> {
        let now = self.clock.now();
        let latest = self.store.deliveries(Some(&channel.id), TESTS_SEEN).await?;
        let lately = |one: &&Delivery| one.alert.topic == Topic::Test && now < one.alert.at.plus(TEST_LASTS);
        match latest.iter().filter(lately).count() >= TESTS_MAX {
            true => Err(Refusal::Limited { retry_after: TEST_LASTS }.into()),
            false => Ok(()),
        }
    }

    /// Sends a test.
    pub(super) async fn deliver_test(
        &self,
        channel: &ChannelRecord,
        caller: &Arc<Caller>,
    ) -> Result<Delivery, Problem> {
        let alert = self.test_alert(channel, caller);
        let (cause, channels) = (format!("test {}", alert.id), vec![channel.id.clone()]);
        let raised = Raised { cause: cause.clone(), alert, channels };
        self.store.raise(std::slice::from_ref(&raised), None).await?;
        let lost = || Problem::Fault(Fault::Internal("a test is not kept".to_owned()));
        let delivery = self.store.delivery(&channel.id, &cause).await?.ok_or_else(lost)?;
        self.deliver(channel, &delivery).await?;
        self.store.delivery(&channel.id, &cause).await?.ok_or_else(lost)
    }

    fn test_alert(&self, channel: &ChannelRecord, caller: &Arc<Caller>) -> Alert {
        let id = self.fresh_alert_id();
        Alert {
            topic: Topic::Test,
            severity: Severity::Low,
            at: self.clock.now(),
            region: None,
            occurrence: format!("{}.{id}", Topic::Test.note()),
            resource: channel.document.name.clone(),
            resource_type: "notification-channel".to_owned(),
            summary: format!("{} tests this channel", caller.principal()),
            remedy: "there is nothing to do".to_owned(),
            count: 0,
            issues: Vec::new(),
            reported: None,
            id,
        }
    }

    /// Makes one attempt; `None` if somebody else has begun it, or it is not to be made any more.
    async fn deliver(
        &self,
        channel: &ChannelRecord,
        delivery: &Delivery,
    ) -> Result<Option<Attempted>, Problem> {
        let until = self.clock.now().plus(LEASE);
        if !self.store.begin_attempt(delivery, channel.stamp.version, until).await? {
            return Ok(None);
        }
        let answered = self.send(channel, &delivery.alert).await;
        let again = (delivery.alert.topic != Topic::Test).then(|| wait(delivery.attempts + 1)).flatten();
        let attempted = judged(answered, self.clock.now(), again);
        self.store.end_attempt(delivery, &attempted).await?;
        self.tell_attempt(channel, delivery, &attempted);
        Ok(Some(attempted))
    }

    async fn send(&self, channel: &ChannelRecord, alert: &Alert) -> Result<u16, String> {
        let opened = WebhookSecret::opened(&channel.id, &channel.secret, &self.master);
        let secret = opened.ok_or("its secret cannot be opened: give it another")?;
        let url = channel.document.url()?;
        let dispatch = &self.dispatch;
        dispatch.courier.may_reach(&url)?;
        let message = message::write(alert, &dispatch.teller, (channel.document.format, &channel.id));
        let at = self.clock.now();
        let shared = secret.sign(&message.id, at, &message.body);
        let own = dispatch.key.as_ref().map(|key| key.sign(&message.id, at, &message.body));
        let text = std::iter::once(shared).chain(own).collect::<Vec<_>>().join(" ");
        dispatch.courier.post(&url, &message, &Signature { at: at.seconds(), text }).await
    }

    /// Tells metrics, log and audit.
    fn tell_attempt(&self, channel: &ChannelRecord, delivery: &Delivery, attempted: &Attempted) {
        let recorder = &self.compliance.recorder;
        let outcome = match attempted.state {
            DeliveryState::Delivered => DeliveryOutcome::Delivered,
            DeliveryState::Failed => DeliveryOutcome::GivenUp,
            DeliveryState::Pending => DeliveryOutcome::Retried,
        };
        recorder.metrics().alert_attempted(outcome);
        let (name, id, why) = (&channel.document.name, &delivery.alert.id, attempted.error.as_deref());
        let attempt = delivery.attempts + 1;
        match outcome {
            DeliveryOutcome::Delivered => {
                tracing::info!(channel = name, alert = %id, attempt, "an alert is delivered")
            }
            DeliveryOutcome::GivenUp => {
                tracing::warn!(channel = name, alert = %id, attempt, why, "an alert is given up")
            }
            DeliveryOutcome::Retried => {
                return tracing::warn!(channel = name, alert = %id, attempt, why, "an alert is not delivered yet");
            }
        }
        let failed = outcome == DeliveryOutcome::GivenUp;
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let text = format!("alert {id} to channel {} ({name}), attempt {attempt}{why}", channel.id);
        if let Ok(slot) = recorder.audit().try_reserve() {
            slot.write(&AuditEvent::verdict("compliance.alert.deliver", attempted.at, failed, text));
        }
    }
}

/// What became of an attempt; `again`: how long the next one waits, if there is one.
fn judged(answered: Result<u16, String>, at: UnixTime, again: Option<Duration>) -> Attempted {
    let (status, error) = match answered {
        Ok(status @ 200..300) => {
            return Attempted {
                state: DeliveryState::Delivered,
                at,
                next_at: at,
                status: Some(status),
                error: None,
            };
        }
        Ok(status) => (Some(status), format!("the endpoint answers {status}")),
        Err(why) => (None, why),
    };
    let again = again.filter(|_| status != Some(GONE));
    let state = if again.is_some() { DeliveryState::Pending } else { DeliveryState::Failed };
    Attempted { state, at, next_at: again.map_or(at, |wait| at.plus(wait)), status, error: Some(error) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::judged;
    use crate::clock::UnixTime;
    use crate::store::alert::DeliveryState;

    #[test]
    fn only_what_was_taken_is_delivered_and_what_is_gone_is_not_asked_again() {
        let (at, again) = (UnixTime::from_seconds(100), Some(Duration::from_secs(5)));
        let state = |answered, again| judged(answered, at, again).state;
        assert_eq!(state(Ok(204), again), DeliveryState::Delivered);
        for status in [199, 301, 404, 500] {
            assert_eq!(state(Ok(status), again), DeliveryState::Pending, "{status}");
        }
        assert_eq!(state(Ok(410), again), DeliveryState::Failed);
        assert_eq!(state(Err("closed".to_owned()), None), DeliveryState::Failed);
        assert_eq!(judged(Ok(500), at, again).next_at, UnixTime::from_seconds(105));
    }
}
