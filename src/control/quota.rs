//! How much a registry may hold and deliver, and how much of it is used.

use std::sync::Arc;

use super::problem::Problem;
use super::trash::stored;
use super::usage::{Bytes, Pull};
use super::{Desk, Done, survey};
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::store::quota::Quota;

/// ICR's words when there is no more room.
pub const STORAGE: &str = "Your account has exceeded its image storage quota for the current month. \
                           See https://cloud.ibm.com/docs/Registry?topic=Registry-troubleshoot-quota";

/// ICR's words when enough was pulled.
pub const TRAFFIC: &str = "Your account has exceeded its pull traffic quota for the current month.";

/// What a caller changes; what is `None` stays, and a limit that is `None` in turn is lifted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QuotaChange {
    /// Of storage.
    pub storage: Option<Option<u64>>,
    /// Of traffic.
    pub traffic: Option<Option<u64>>,
}

impl Desk {
    /// Whether something new may begin to be stored.
    pub(super) async fn has_room(&self, region: &Region) -> Result<bool, Fault> {
        let limit = self.store.quota(region).await.map_err(stored)?.storage;
        let used = || self.bin.usage.used(region, self.clock.now().month()).storage;
        Ok(limit.is_none_or(|limit| used() < limit))
    }

    /// Notes that a pull begins, which may go on if it begins below the limit.
    pub(super) async fn begin_pull(&self, pull: Pull) -> Result<(), Fault> {
        let (region, now) = (&pull.1, self.clock.now());
        if let Some(limit) = self.store.quota(region).await.map_err(stored)?.traffic {
            let room = self.bin.usage.used(region, now.month()).traffic < limit;
            self.bin.usage.begin_pull(pull, room, now);
        }
        Ok(())
    }

    /// The limits, and what is used.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn quota(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
    ) -> Result<Done<(Quota, Bytes)>, Problem> {
        let permit = self.authority.permit(caller, Action::QuotaGet, Resource::registry(region)).await?;
        survey::first(&self.bin, &*self.images, region).await?;
        let used = self.bin.usage.used(region, self.clock.now().month());
        Ok(Done::new((self.store.quota(region).await?, used), permit))
    }

    /// Sets limits.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn set_quota(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        change: QuotaChange,
    ) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::QuotaSet, Resource::registry(region)).await?;
        if change.storage.flatten().is_some() {
            survey::first(&self.bin, &*self.images, region).await?;
        }
        let change = |stored: Quota| Quota {
            storage: change.storage.unwrap_or(stored.storage),
            traffic: change.traffic.unwrap_or(stored.traffic),
        };
        self.change_governed_quota(caller, region, change).await?;
        Ok(Done::new((), permit))
    }
}
