//! Many writes that decide nothing, a portion at a time.
//!
//! There is one writer among all replicas, and who revokes something waits for it. What comes in bulk, and what anybody who may push
//! can make more of, lets others in between; cut short, it is only partly there, so it must not matter in which parts it comes.

use super::SqlStore;
use super::write::Write;
use crate::store::{StoreError, sql};

/// How many statements go without letting others in: a small part of a second, even to a database elsewhere.
const PORTION: usize = 250;

/// Writes under way.
pub(super) struct Portions<'s> {
    store: &'s SqlStore,
    write: Option<Write<'s>>,
    statements: usize,
}

impl<'s> Portions<'s> {
    pub(super) fn of(store: &'s SqlStore) -> Self {
        Self { store, write: None, statements: 0 }
    }

    /// Where the next statement is carried out.
    pub(super) async fn next(&mut self) -> Result<&mut sql::Connection, StoreError> {
        if self.statements >= PORTION
            && let Some(write) = self.write.take()
        {
            write.commit().await?;
            self.statements = 0;
        }
        if self.write.is_none() {
            self.write = Some(Write::begin(self.store).await?);
        }
        self.statements += 1;
        let none = || StoreError::Unavailable("a write was not begun".to_owned());
        self.write.as_mut().map(Write::connection).ok_or_else(none)
    }

    /// Commits the last portion.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self.write {
            Some(write) => write.commit().await,
            None => Ok(()),
        }
    }
}
