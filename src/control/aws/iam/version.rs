//! Versions of managed policies.

use std::sync::Arc;

use super::Keys;
use super::managed::{Known, Managed};
use super::page::{Page, Paged};
use super::words::{Noun, failed, invalid, missing};
use crate::admit::caller::Caller;
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::policy::aws::kind::Kind;
use crate::policy::table::IamAction;
use crate::store::aws::managed_policy::{PolicyVersion, VersionNumber};
use crate::store::aws::text::DocumentText;

/// A version, as it is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VersionShown {
    /// `v1`
    pub id: String,
    /// The document.
    pub document: String,
    /// Whether it is the one in force.
    pub is_default: bool,
    /// When it was made.
    pub created_at: UnixTime,
}

impl VersionShown {
    pub(super) fn of(row: &PolicyVersion) -> Self {
        Self {
            id: row.number.to_string(),
            document: row.document.as_str().to_owned(),
            is_default: row.is_default,
            created_at: row.created_at,
        }
    }

    pub(super) fn of_known(known: &Known) -> Self {
        Self {
            id: format!("v{}", known.facts.version),
            document: known.document.text.to_owned(),
            is_default: true,
            created_at: UnixTime::from_seconds(known.facts.updated),
        }
    }
}

impl Desk {
    /// Makes a version, at once in force if `in_force`.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn create_policy_version(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        document: &str,
        in_force: bool,
    ) -> Result<AwsDone<VersionShown>, AwsProblem> {
        let (row, permit) = self.grasp_own(caller, IamAction::CreatePolicyVersion, arn).await?;
        let (document, _) = DocumentText::read(document, Kind::Managed).map_err(invalid)?;
        let now = self.clock.now();
        let made = self.store.insert_policy_version(&row.id, &document, in_force, now).await;
        let number = made.map_err(|error| failed(error, Noun::Policy(arn), ""))?;
        let version = PolicyVersion { number, document, is_default: in_force, created_at: now };
        Ok(AwsDone::new(VersionShown::of(&version), permit))
    }

    /// One version.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn policy_version(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        version: VersionNumber,
    ) -> Result<AwsDone<VersionShown>, AwsProblem> {
        let action = IamAction::GetPolicyVersion;
        let (managed, permit) = self.grasp_managed(caller, action, arn, Keys::new()).await?;
        let found = match managed {
            Managed::Own(row) => {
                self.store.policy_version(&row.id, version).await?.as_ref().map(VersionShown::of)
            }
            Managed::Aws(known) => {
                Some(VersionShown::of_known(&known)).filter(|shown| shown.id == version.to_string())
            }
        };
        let shown = found.ok_or_else(|| missing(Noun::Version(arn, &version.to_string())))?;
        Ok(AwsDone::new(shown, permit))
    }

    /// The versions of a policy, the youngest first.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn policy_versions(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        page: &Page,
    ) -> Result<AwsDone<Paged<VersionShown>>, AwsProblem> {
        let action = IamAction::ListPolicyVersions;
        let (managed, permit) = self.grasp_managed(caller, action, arn, Keys::new()).await?;
        let mut all: Vec<(u32, VersionShown)> = match managed {
            Managed::Own(row) => {
                let versions = rows(|window| self.store.policy_versions(&row.id, window)).await?;
                (0_u32..).zip(versions.iter().map(VersionShown::of)).collect()
            }
            Managed::Aws(known) => vec![(0, VersionShown::of_known(&known))],
        };
        all.sort_by_key(|(place, _)| *place);
        // A page ends after a version; those that are younger than it come before.
        let key = |(_, shown): &(u32, VersionShown)| {
            let number: u32 = shown.id.trim_start_matches('v').parse().unwrap_or_default();
            format!("{:010}", u32::MAX - number)
        };
        Ok(AwsDone::new(page.cut(all, key).map(|(_, shown)| shown), permit))
    }

    /// Puts a version in force.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn set_default_version(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        version: VersionNumber,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let (row, permit) = self.grasp_own(caller, IamAction::SetDefaultPolicyVersion, arn).await?;
        let put = self.store.put_in_force(&row.id, version, self.clock.now()).await;
        put.map_err(|error| failed(error, Noun::Version(arn, &version.to_string()), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// Deletes a version that is not in force.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn delete_policy_version(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        version: VersionNumber,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let (row, permit) = self.grasp_own(caller, IamAction::DeletePolicyVersion, arn).await?;
        let deleted = self.store.delete_policy_version(&row.id, version).await;
        deleted.map_err(|error| failed(error, Noun::Version(arn, &version.to_string()), ""))?;
        Ok(AwsDone::new((), permit))
    }
}
