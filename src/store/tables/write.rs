//! One write: a transaction that also appends to the feed, and is not over before the view has heard of it.

use std::collections::HashSet;
use std::time::Duration;

use super::SqlStore;
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::{StoreError, sql};

/// How many changes are kept for views that lag; one that lags further starts afresh.
const KEEP: i64 = 100_000;

/// How often, in changes, older ones are removed.
const PRUNE_EVERY: i64 = 1024;

/// How long a write waits for the view before it returns all the same.
const OBEYED: Duration = Duration::from_secs(2);

/// A write under way. Dropped, it leaves no trace.
pub(super) struct Write<'s> {
    store: &'s SqlStore,
    transaction: sql::Transaction,
    touched: Vec<ChangeKey>,
}

impl<'s> Write<'s> {
    /// Becomes the only writer, of this process and of all others.
    pub(super) async fn begin(store: &'s SqlStore) -> Result<Self, StoreError> {
        store.engine.check()?;
        let transaction = store.engine.begin(&store.writer).await?;
        Ok(Self { store, transaction, touched: Vec::new() })
    }

    /// The time, as the store keeps it.
    pub(super) fn now(&self) -> crate::clock::UnixTime {
        self.store.clock.now()
    }

    /// The connection to write with.
    pub(super) fn connection(&mut self) -> &mut sql::Connection {
        &mut self.transaction
    }

    /// Notes that the write touches `key`; once is enough.
    pub(super) fn touch(&mut self, key: ChangeKey) {
        self.touched.push(key);
    }

    /// Why an update by version changed nothing: `exists` finds the row by its id, or does not.
    pub(super) async fn missed(&mut self, exists: &'static str, id: &str) -> StoreError {
        match sql::query(exists).bind(id).fetch_optional(self.connection()).await {
            Ok(Some(_)) => StoreError::Stale,
            Ok(None) => StoreError::NotFound,
            Err(error) => error.into(),
        }
    }

    /// Commits. On return the change is on disk, and the view of this process obeys it.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let mut seen = HashSet::new();
        self.touched.retain(|key| seen.insert(key.clone()));
        let mut latest = None;
        for key in &self.touched {
            latest = Some(append(&mut self.transaction, key, self.store.clock.now().millis()).await?);
        }
        if let Some(Sequence(at)) = latest
            && at % PRUNE_EVERY < i64::try_from(self.touched.len()).unwrap_or(i64::MAX)
        {
            prune(&mut self.transaction, KEEP).await?;
        }
        if let Some(latest) = latest {
            self.store.engine.announce(&mut self.transaction, latest).await?;
        }
        let number = self.store.engine.number(&mut self.transaction).await?;
        let mut announcement = Announcement { store: self.store, latest: None };
        if let Err(error) = self.transaction.commit().await {
            self.store.settle(error, number, latest).await?;
        }
        announcement.latest = latest;
        drop(announcement);
        if let Some(latest) = latest {
            self.store.obeyed(latest).await;
        }
        Ok(())
    }
}

/// Wakes the view, also when the caller has gone away while the commit was under way: it may have happened.
struct Announcement<'s> {
    store: &'s SqlStore,
    latest: Option<Sequence>,
}

impl Drop for Announcement<'_> {
    fn drop(&mut self) {
        self.store.committed.send_modify(|known| *known = self.latest.map_or(*known, |at| at.max(*known)));
    }
}

impl SqlStore {
    /// Finds out what became of a commit that was not answered.
    async fn settle(
        &self,
        error: sqlx::Error,
        number: Option<i64>,
        latest: Option<Sequence>,
    ) -> Result<(), StoreError> {
        let doubt = StoreError::in_doubt(error);
        let (StoreError::Unavailable(because), Some(number)) = (&doubt, number) else { return Err(doubt) };
        match self.engine.outcome(&self.writer, number, latest).await {
            Some(true) => {
                tracing::warn!(because, "a commit was not answered; the change was made");
                Ok(())
            }
            Some(false) => {
                Err(StoreError::Unavailable("the connection was lost before a change was made".to_owned()))
            }
            None => {
                tracing::error!(because, "it is not known whether a change was made");
                Err(doubt)
            }
        }
    }

    /// Waits until the view reports that it obeys everything up to `latest`; not at all when there is no view.
    async fn obeyed(&self, latest: Sequence) {
        let mut applied = self.applied.subscribe();
        let wait = applied.wait_for(|applied| applied.is_none_or(|at| at >= latest));
        if tokio::time::timeout(OBEYED, wait).await.is_err() {
            tracing::warn!(
                sequence = latest.0,
                "a change is stored, but the view has not confirmed it in time"
            );
        }
    }

    /// Removes all but the last `keep` changes from the feed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn prune_changes(&self, keep: i64) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        prune(write.connection(), keep).await?;
        write.commit().await
    }
}

async fn append(connection: &mut sql::Connection, key: &ChangeKey, at: i64) -> Result<Sequence, StoreError> {
    let (kind, key) = super::feed::spelt(key);
    // There is one writer, and the last change is never removed: no position is used twice, and none is left out.
    let insert = "insert into change (seq, kind, key, at) \
                  select coalesce(max(seq), 0) + 1, ?1, ?2, ?3 from change returning seq";
    let done = sql::query(insert).bind(kind).bind(key).bind(at).fetch_one(connection).await?;
    Ok(Sequence(done.try_get("seq")?))
}

/// Keeps at least the last change: its position is where the next one goes on from.
async fn prune(connection: &mut sql::Connection, keep: i64) -> Result<(), StoreError> {
    let delete = sql::query("delete from change where seq <= (select max(seq) from change) - ?1");
    delete.bind(keep.max(1)).execute(connection).await?;
    Ok(())
}
