//! The settings of one registry.

use std::sync::Arc;

use super::problem::Problem;
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::store::registry::RegistrySettings;

/// What a caller changes; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuthChange {
    /// Whether policies decide. Cannot be taken back.
    pub policies_enforced: Option<bool>,
    /// Whether public endpoints are refused.
    pub private_only: Option<bool>,
}

impl Desk {
    /// The settings, for whoever may do `action` (one of the `get`s) on the registry.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn registry_settings(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        action: Action,
    ) -> Result<Done<RegistrySettings>, Problem> {
        let permit = self.authority.permit(caller, action, Resource::registry(region)).await?;
        Ok(Done::new(self.settings_of(region).await?, permit))
    }

    /// Changes who is let in.
    ///
    /// # Errors
    /// [`Problem`]; enforcement cannot be switched off.
    pub async fn set_auth(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        change: AuthChange,
    ) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::AuthSet, Resource::registry(region)).await?;
        let change = |settings: &mut RegistrySettings| {
            if change.policies_enforced == Some(false) && settings.policies_enforced {
                let text =
                    "IAM policy enforcement cannot be disabled once it is enabled: grant access by policies";
                return Err(Problem::Conflict(text.to_owned()));
            }
            settings.policies_enforced = change.policies_enforced.unwrap_or(settings.policies_enforced);
            settings.private_only = change.private_only.unwrap_or(settings.private_only);
            Ok(())
        };
        self.change_governed_registry(caller, region, change).await?;
        Ok(Done::new((), permit))
    }

    /// Switches platform metrics on or off.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn set_platform_metrics(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        published: Option<bool>,
    ) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::SettingsSet, Resource::registry(region)).await?;
        let change = |settings: &mut RegistrySettings| {
            settings.platform_metrics = published.unwrap_or(settings.platform_metrics);
            Ok(())
        };
        if self.change_governed_registry(caller, region, change).await? {
            self.bin.usage.want_survey(region);
        }
        Ok(Done::new((), permit))
    }

    /// The plan: there is one, without limits but those that are set.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn plan(&self, caller: &Arc<Caller>, region: &Region) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::PlanGet, Resource::registry(region)).await?;
        Ok(Done::new((), permit))
    }

    /// A permit for changing the plan.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn set_plan(&self, caller: &Arc<Caller>, region: &Region) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::PlanSet, Resource::registry(region)).await?;
        Ok(Done::new((), permit))
    }

    /// The stored settings; those of a registry that was never founded are the strictest.
    pub(super) async fn settings_of(&self, region: &Region) -> Result<RegistrySettings, Problem> {
        let strict = || RegistrySettings {
            region: region.clone(),
            policies_enforced: true,
            private_only: false,
            platform_metrics: false,
        };
        Ok(self.store.registry(region).await?.map_or_else(strict, |facts| facts.settings))
    }
}
