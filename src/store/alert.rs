//! Notification channels, alerts, and what became of each message.

use async_trait::async_trait;

use super::StoreError;
use super::findings::Scanned;
use super::identity::Stamp;
use crate::clock::UnixTime;
use crate::compliance::drift::Drift;
use crate::findings::alert::channel::ChannelDocument;
use crate::findings::alert::{Alert, Issue};
use crate::findings::severity::Severity;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::NotificationChannelId;

/// A channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChannelRecord {
    /// Its id.
    pub id: NotificationChannelId,
    /// What it says; one that could not be obeyed is never stored.
    pub document: ChannelDocument,
    /// The sealed secret.
    pub secret: Vec<u8>,
    /// When its endpoint last took a message.
    pub delivered_at: Option<UnixTime>,
    /// When a message was last given up.
    pub failed_at: Option<UnixTime>,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: PrincipalId,
    /// When.
    pub stamp: Stamp,
}

/// What alerts are made of that the store keeps in an order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cursor {
    /// Verdicts that have turned.
    Drift,
    /// New findings.
    Findings,
}

/// New findings of one image and severity that came with the same report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alarming {
    /// The place of the last of them.
    pub last: i64,
    /// In what.
    pub of: Scanned,
    /// How bad.
    pub severity: Severity,
    /// Since when.
    pub found_at: UnixTime,
    /// How many, without those that were found there before within a day.
    pub count: u32,
    /// The first of them.
    pub issues: Vec<Issue>,
}

/// An alert on its way into the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Raised {
    /// What it was made of, in a word: nothing is told twice.
    pub cause: String,
    /// The alert.
    pub alert: Alert,
    /// Who is to be told.
    pub channels: Vec<NotificationChannelId>,
}

/// How far something has been looked at, and how far now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Step {
    /// Of what.
    pub of: Cursor,
    /// Where this look began.
    pub from: i64,
    /// Where it ended.
    pub to: i64,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeliveryState {
    /// The endpoint took it.
    Delivered,
    /// It was given up.
    Failed,
    /// It is to be made, or made again.
    Pending,
}

impl DeliveryState {
    /// All.
    pub const ALL: [Self; 3] = [Self::Delivered, Self::Failed, Self::Pending];

    /// As it is stored and shown.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Pending => "pending",
        }
    }

    /// Reads a label.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.label() == label)
    }
}

/// One message to one channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// The alert's place.
    pub number: i64,
    /// What it says.
    pub alert: Alert,
    /// To whom.
    pub channel: NotificationChannelId,
    /// How it stands.
    pub state: DeliveryState,
    /// How many attempts were begun.
    pub attempts: u32,
    /// When the next one may be.
    pub next_at: UnixTime,
    /// When the last one was over.
    pub last_at: Option<UnixTime>,
    /// What the endpoint answered then.
    pub status: Option<u16>,
    /// What went wrong then.
    pub error: Option<String>,
}

/// What became of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempted {
    /// How the delivery stands now.
    pub state: DeliveryState,
    /// When the attempt was over.
    pub at: UnixTime,
    /// When the next one may be.
    pub next_at: UnixTime,
    /// What the endpoint answered.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
}

/// Reading and changing it. A channel touches `Compliance`, and so does a delivery from which a goal can turn; all else decides
/// nothing, so it touches nothing.
#[async_trait]
pub trait Alerts {
    /// All channels, oldest first; there are few.
    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError>;
    /// One channel.
    async fn channel(&self, id: &NotificationChannelId) -> Result<Option<ChannelRecord>, StoreError>;
    /// Adds a channel; `Conflict` if there are `most` already, or one of that name.
    async fn insert_channel(&self, row: &ChannelRecord, most: u32) -> Result<(), StoreError>;
    /// Replaces a channel whose stored version is one less. What waits for one that is not enabled any more is given up.
    async fn update_channel(&self, row: &ChannelRecord) -> Result<(), StoreError>;
    /// Removes a channel, with all deliveries.
    async fn delete_channel(&self, id: &NotificationChannelId) -> Result<(), StoreError>;

    /// How far something has been looked at.
    async fn cursor(&self, of: Cursor) -> Result<i64, StoreError>;
    /// Up to `limit` groups of new findings after `after`, in their order, and where that ends.
    async fn alarming(&self, after: i64, limit: u32) -> Result<(Vec<Alarming>, i64), StoreError>;
    /// Up to `limit` drifts after `after`, each with its place.
    async fn drifts_after(&self, after: i64, limit: u32) -> Result<Vec<(i64, Drift)>, StoreError>;
    /// Keeps alerts and whom to tell, and that things have been looked at so far; all of it or nothing. `false`, and nothing,
    /// if somebody else has looked meanwhile. What was told before is not told again.
    async fn raise(&self, alerts: &[Raised], step: Option<Step>) -> Result<bool, StoreError>;

    /// Up to `limit` deliveries of a channel that are due: topics in turn, within a topic lanes in turn, and of a lane the oldest first.
    async fn due(
        &self,
        channel: &NotificationChannelId,
        now: UnixTime,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// When the next delivery to any channel that is enabled may be made, and how many wait.
    async fn next_due(&self) -> Result<(Option<UnixTime>, u32), StoreError>;
    /// Begins an attempt, which is over by `until` at the latest; `false` if it is not to be made any more, or the channel is of
    /// another version than whoever makes it knows.
    async fn begin_attempt(
        &self,
        delivery: &Delivery,
        version: i64,
        until: UnixTime,
    ) -> Result<bool, StoreError>;
    /// Notes what became of it.
    async fn end_attempt(&self, delivery: &Delivery, attempted: &Attempted) -> Result<(), StoreError>;
    /// The latest deliveries, newest first; only those to a channel, if given.
    async fn deliveries(
        &self,
        channel: Option<&NotificationChannelId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// The delivery to a channel of the alert that was made of this.
    async fn delivery(
        &self,
        channel: &NotificationChannelId,
        cause: &str,
    ) -> Result<Option<Delivery>, StoreError>;
}
