//! The one place where what rules can be about is changed. Whoever changes it, through whichever API: a rule whose
//! enforcement is `disallow` refuses the change that would break it.

use crate::admit::caller::Caller;
use crate::compliance::facts::{Facts, Registry};
use crate::compliance::rule::Enforcement;
use crate::control::Desk;
use crate::control::problem::Problem;
use crate::ids::region::Region;
use crate::store::network::AccountSettings;
use crate::store::quota::Quota;
use crate::store::registry::RegistrySettings;

fn registry<'f>(facts: &'f mut Facts, region: &Region) -> Option<&'f mut Registry> {
    facts.registries.iter_mut().find(|registry| registry.region == *region)
}

impl Desk {
    /// Changes a registry's settings, as they are while nobody else changes them: one change never takes back another that
    /// was made meanwhile. Whether that changed anything.
    pub(in crate::control) async fn change_governed_registry(
        &self,
        caller: &Caller,
        region: &Region,
        change: impl FnOnce(&mut RegistrySettings) -> Result<(), Problem> + Send,
    ) -> Result<bool, Problem> {
        let _held = self.governing().await?;
        let stored = self.settings_of(region).await?;
        let mut row = stored.clone();
        change(&mut row)?;
        if row == stored {
            return Ok(false);
        }
        let network = self.store.network().await?;
        let whole = network.settings.is_some_and(|settings| settings.private_only);
        self.allow(caller, |facts| {
            if let Some(one) = registry(facts, &row.region) {
                one.iam_authz = row.policies_enforced;
                one.private_only = whole || row.private_only;
                one.platform_metrics = row.platform_metrics;
            }
        })
        .await?;
        self.store.replace_registry(&stored, &row).await?;
        Ok(true)
    }

    /// The same of a registry's quota.
    pub(in crate::control) async fn change_governed_quota(
        &self,
        caller: &Caller,
        region: &Region,
        change: impl FnOnce(Quota) -> Quota + Send,
    ) -> Result<(), Problem> {
        let _held = self.governing().await?;
        let stored = self.store.quota(region).await?;
        let quota = change(stored);
        if quota == stored {
            return Ok(());
        }
        self.allow(caller, |facts| {
            if let Some(one) = registry(facts, region) {
                (one.storage_quota, one.traffic_quota) = (quota.storage, quota.traffic);
            }
        })
        .await?;
        Ok(self.store.put_quota(region, &quota).await?)
    }

    /// Makes the account's settings what they are to be.
    pub(in crate::control) async fn put_governed_account(
        &self,
        caller: &Caller,
        row: &AccountSettings,
    ) -> Result<(), Problem> {
        let _held = self.governing().await?;
        let mut own = Vec::new();
        for (region, _) in &self.compliance.premises.registries {
            own.push((region.clone(), self.settings_of(region).await?.private_only));
        }
        self.allow(caller, |facts| {
            for (region, private_only) in &own {
                if let Some(one) = registry(facts, region) {
                    one.private_only = row.private_only || *private_only;
                }
            }
            facts.allowed_addresses = row.allow_list.as_ref().map(super::gather::listed).unwrap_or_default();
        })
        .await?;
        Ok(self.store.update_account_settings(row).await?)
    }

    /// Refuses a change that would break a rule which disallows that. One that breaks a rule with `audit_log` has that in its
    /// own event of the audit log.
    async fn allow(&self, caller: &Caller, change: impl FnOnce(&mut Facts) + Send) -> Result<(), Problem> {
        let mut rules = Vec::new();
        for row in self.store.compliance_rules().await? {
            let rule = super::rule::understood(&row)?;
            if !rule.enforcement.is_empty() {
                rules.push((row, rule));
            }
        }
        if rules.is_empty() {
            return Ok(());
        }
        let before = self.registry_facts().await?;
        let mut after = before.clone();
        change(&mut after);
        let mut recorded = Vec::new();
        for (row, rule) in &rules {
            let broken = rule.broken_by(&before, &after);
            let Some(broken) = broken.first() else { continue };
            let name = row.document.name.as_deref().map_or_else(String::new, |name| format!(" ({name})"));
            let (region, words) = (&broken.region, rule.condition.words());
            if rule.enforcement.contains(&Enforcement::Disallow) {
                let text = format!(
                    "configuration rule {}{name} disallows this: in {region}, {words} is required. Change the rule first, or leave it as it is",
                    row.id
                );
                return Err(Problem::Conflict(text));
            }
            recorded.push(format!("{}{name}: in {region}, {words} is required", row.id));
        }
        recorded.into_iter().for_each(|rule| caller.reported.breaks(rule));
        Ok(())
    }
}
