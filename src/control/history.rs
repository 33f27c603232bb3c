//! What was done with a service ID or an API key, for those who look at it. The audit log is what counts: a history that
//! could not be written is noted in the log, and undoes nothing.

use std::sync::Arc;

use super::Desk;
use super::problem::Problem;
use crate::admit::caller::Caller;
use crate::store::profile::HistoryRecord;

/// What was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Deed {
    /// It was made.
    Create,
    /// It was switched off.
    Disable,
    /// It was switched on.
    Enable,
    /// It was locked.
    Lock,
    /// It was unlocked.
    Unlock,
    /// It was changed.
    Update,
}

impl Deed {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Disable => "DISABLE",
            Self::Enable => "ENABLE",
            Self::Lock => "LOCK",
            Self::Unlock => "UNLOCK",
            Self::Update => "UPDATE",
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Self::Create => "was created",
            Self::Disable => "was disabled",
            Self::Enable => "was enabled",
            Self::Lock => "was locked",
            Self::Unlock => "was unlocked",
            Self::Update => "was changed",
        }
    }
}

impl Desk {
    /// The history of a thing that the caller sees, newest first.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn history(
        &self,
        entity: &(dyn std::fmt::Display + Sync),
    ) -> Result<Vec<HistoryRecord>, Problem> {
        Ok(self.store.history(&entity.to_string()).await?)
    }

    pub(super) async fn remember(
        &self,
        caller: &Arc<Caller>,
        (entity, name): (&(dyn std::fmt::Display + Sync), &str),
        deed: Deed,
    ) {
        let record = HistoryRecord {
            entity: entity.to_string(),
            at: self.clock.now(),
            by: caller.principal().clone(),
            action: deed.name().to_owned(),
            params: vec![name.to_owned()],
            message: format!("{name} {}", deed.told()),
        };
        if let Err(error) = self.store.note(&record).await {
            tracing::warn!(entity = record.entity, %error, "the history of a change could not be kept");
        }
    }
}
