//! How much a registry may hold and deliver, and how much of it is used.

use std::sync::Arc;

use super::problem::Problem;
use super::usage::Bytes;
use super::{Desk, Done, survey};
use crate::admit::caller::Caller;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::store::quota::Quota;

/// What a caller changes; what is `None` stays, and a limit that is `None` in turn is lifted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QuotaChange {
    /// Of storage.
    pub storage: Option<Option<u64>>,
    /// Of traffic.
    pub traffic: Option<Option<u64>>,
}

impl Desk {
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
        let stored = self.store.quota(region).await?;
        let quota = Quota {
            storage: change.storage.unwrap_or(stored.storage),
            traffic: change.traffic.unwrap_or(stored.traffic),
        };
        if quota != stored {
            if quota.storage.is_some() {
                survey::first(&self.bin, &*self.images, region).await?;
            }
            self.store.put_quota(region, &quota).await?;
        }
        Ok(Done::new((), permit))
    }
}
