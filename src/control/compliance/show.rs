//! What compliance shows: profiles, reports, results of rules, history and drift. Whoever may read the account's settings
//! may see them.

use std::sync::Arc;

use super::rule::account;
use super::scan::{RULES, Reason, Scanned};
use crate::admit::caller::Caller;
use crate::clock::UnixTime;
use crate::compliance::drift::Drift;
use crate::compliance::goal::Profile;
use crate::compliance::report::Report;
use crate::compliance::verdict::Verdict;
use crate::control::problem::{Noun, Problem};
use crate::control::{Desk, Done};
use crate::policy::table::Action;
use crate::store::compliance::ScanRow;

/// How many drifts a report shows.
const DRIFTS: u32 = 50;

impl Desk {
    /// The profiles.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn compliance_profiles(&self, caller: &Arc<Caller>) -> Result<Done<Vec<Profile>>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(self.compliance.profiles.clone(), permit))
    }

    /// The report on a profile, as of now.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn compliance_report(
        &self,
        caller: &Arc<Caller>,
        profile: Option<&str>,
    ) -> Result<Done<Report>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        let at = self.profile_at(profile)?;
        let scan = self.scanned().await?;
        Ok(Done::new(self.report_on(at, scan).await?, permit))
    }

    /// The same after a scan that is made for it, which gets its place in the history.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn compliance_scan_for(
        &self,
        caller: &Arc<Caller>,
        profile: Option<&str>,
    ) -> Result<Done<Report>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        let at = self.profile_at(profile)?;
        let scan = self.compliance_scan(Reason::Request).await?;
        Ok(Done::new(self.report_on(at, scan).await?, permit))
    }

    /// The verdicts on rules, as of now.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn compliance_results(&self, caller: &Arc<Caller>) -> Result<Done<Vec<Verdict>>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(self.scanned().await?.rules, permit))
    }

    /// The latest scans and drifts, newest first; only those of a profile or of `rules`, if given.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn compliance_history(
        &self,
        caller: &Arc<Caller>,
        profile: Option<&str>,
        limit: u32,
    ) -> Result<Done<(Vec<ScanRow>, Vec<Drift>)>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        if profile != Some(RULES) {
            self.profile_at(profile)?;
        }
        self.scanned().await?;
        let scans = self.store.scans(profile, limit).await?;
        let mut drifts = self.store.drifts(limit).await?;
        drifts.retain(|drift| profile.is_none_or(|profile| drift.profile == profile));
        Ok(Done::new((scans, drifts), permit))
    }

    /// Shows the verdicts in this replica's metrics that another one came to at `at`.
    ///
    /// # Errors
    /// [`Problem`] when the store cannot be read.
    pub async fn show_verdicts(&self, at: UnixTime) -> Result<(), Problem> {
        let metrics = self.compliance.recorder.metrics();
        let profiles = self.compliance.profiles.iter().map(|profile| Some(profile.id.as_str()));
        for profile in profiles.chain([None]) {
            let verdicts = self.store.verdicts(profile.unwrap_or(RULES)).await?;
            let statuses: Vec<_> = verdicts.iter().map(|one| (one.id.as_str(), one.status)).collect();
            metrics.judged(profile, &statuses, at);
        }
        Ok(())
    }

    fn profile_at(&self, id: Option<&str>) -> Result<usize, Problem> {
        let Some(id) = id else { return Ok(0) };
        let found = self.compliance.profiles.iter().position(|profile| profile.id == id);
        found.ok_or_else(|| {
            Problem::NotFound(Noun::ComplianceProfile, crate::ids::Malformed::new(id, "").text)
        })
    }

    async fn report_on(&self, at: usize, scan: Scanned) -> Result<Report, Problem> {
        self.look_at_images().await?;
        let missing = || Problem::NotFound(Noun::ComplianceProfile, at.to_string());
        let profile = self.compliance.profiles.get(at).ok_or_else(missing)?;
        let verdicts = scan.profiles.into_iter().nth(at).ok_or_else(missing)?;
        let mut drifts = self.store.drifts(DRIFTS).await?;
        drifts.retain(|drift| drift.profile == profile.id);
        Ok(Report::of(profile, &self.account, scan.at, verdicts, drifts))
    }
}
