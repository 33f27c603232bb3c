//! The rows of every aggregate, one file each, in statements that both databases understand.
//!
//! It keeps rows and the feed. It never decides anything, and it never retries a write whose commit failed: whether that
//! write happened is asked of the database, and said to be unknown if that cannot tell. What is particular to a database is in the modules
//! of their names, and reaches this one as an `Engine`.

mod account;
mod alarming;
mod alert;
mod api_key;
mod aws;
mod census;
mod compliance;
mod custom_role;
mod exemption;
mod feed;
mod findings;
mod group;
mod group_rule;
mod identity;
mod insight;
mod job;
mod keyring;
mod network;
mod policy;
mod portions;
mod principal;
mod profile;
mod pushed_report;
mod quota;
mod registry;
mod resource_group;
mod retention;
mod row;
mod rule_attachment;
mod tag_hold;
mod trash;
mod trusted_profile;
mod write;

use std::sync::Arc;

use tokio::sync::watch;

use super::feed::Sequence;
use super::lead::Lead;
use super::{StoreError, sql};
use crate::clock::Clock;

/// What is particular to a database.
#[async_trait::async_trait]
pub(in crate::store) trait Engine: std::fmt::Debug + Send + Sync {
    /// Fails unless what is written would still be found where it was put.
    fn check(&self) -> Result<(), StoreError>;

    /// Finds the last position in the feed; nothing if this program must not go on.
    fn position(&self) -> sql::Scalar<i64> {
        sql::query_scalar(feed::POSITION)
    }

    /// Becomes the only writer, of this process and of all others, until the transaction is over.
    async fn begin(&self, writer: &sql::Pool) -> Result<sql::Transaction, StoreError>;

    /// Tells other processes, with the commit, that there are changes up to `latest`.
    async fn announce(&self, write: &mut sql::Connection, latest: Sequence) -> Result<(), StoreError>;

    /// What a transaction can be asked for by, should its commit not be answered; `None` where nothing is in between.
    async fn number(&self, _: &mut sql::Connection) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    /// Whether the transaction of that number was committed; `None` if nobody can tell in time.
    async fn outcome(&self, _: &sql::Pool, _: i64, _: Option<Sequence>) -> Option<bool> {
        None
    }

    /// Takes the lead over all processes; `None` while another one has it.
    async fn try_lead(&self) -> Result<Option<Box<dyn Lead>>, StoreError>;

    /// Waits until no other process compares and changes, and keeps all others from it.
    async fn exclusive(&self) -> Result<Box<dyn Lead>, StoreError>;
}

/// An open store.
#[derive(Debug)]
pub struct SqlStore {
    pub(in crate::store) engine: Box<dyn Engine>,
    clock: Arc<dyn Clock>,
    pub(in crate::store) writer: sql::Pool,
    pub(in crate::store) readers: sql::Pool,
    /// Where changes are heard of: nobody else waits there, and it waits for nobody.
    feed: sql::Pool,
    committed: watch::Sender<Sequence>,
    applied: watch::Sender<Option<Sequence>>,
}

impl SqlStore {
    /// A store whose schema is up to date.
    pub(in crate::store) async fn new(
        engine: Box<dyn Engine>,
        clock: Arc<dyn Clock>,
        (writer, readers, feed): (sql::Pool, sql::Pool, sql::Pool),
        committed: watch::Sender<Sequence>,
    ) -> Result<Self, StoreError> {
        let latest = feed::latest(&mut *readers.begin().await?).await?;
        committed.send_modify(|known| *known = latest.max(*known));
        Ok(Self { engine, clock, writer, readers, feed, committed, applied: watch::Sender::new(None) })
    }

    /// Closes every connection, after what is under way; then the database alone holds everything.
    pub async fn close(&self) {
        self.feed.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl super::Store for SqlStore {}
