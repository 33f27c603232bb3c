//! The account: how much there is of everything, and what it never has here.

use std::sync::Arc;

use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::list::rows;
use crate::policy::aws::kind::Owner;
use crate::policy::table::IamAction;
use crate::store::aws::Quota;
use crate::store::identity::Window;

/// Only how many there are.
const COUNT: Window = Window { offset: 0, limit: 1 };

impl Desk {
    /// How much there is, and how much there may be, by AWS's names.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn account_summary(
        &self,
        caller: &Arc<Caller>,
    ) -> Result<AwsDone<Vec<(&'static str, usize)>>, AwsProblem> {
        let permit = self.permit_all(caller, IamAction::GetAccountSummary).await?;
        let counted = |total: u32| usize::try_from(total).unwrap_or(usize::MAX);
        let users = self.people().await?.len();
        let policies = rows(|window| self.store.managed_policies("", None, window)).await?;
        let mut versions = 0;
        for policy in &policies {
            versions += counted(self.store.policy_versions(&policy.id, COUNT).await?.total);
        }
        let mut summary = vec![
            ("Groups", counted(self.store.aws_groups("", COUNT).await?.total)),
            ("Policies", policies.len()),
            ("PolicyVersionsInUse", versions),
            ("Providers", counted(self.store.oidc_providers(COUNT).await?.total)),
            ("Roles", counted(self.store.roles("", COUNT).await?.total)),
            ("Users", users),
        ];
        summary.extend(QUOTAS.iter().map(|(name, quota)| (*name, quota.most())));
        summary.extend(FIXED);
        summary.sort_unstable();
        Ok(AwsDone::new(summary, permit))
    }

    /// Permits to list what the account never has here, be it aliases or certificates.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn none_of_account(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
    ) -> Result<AwsDone<()>, AwsProblem> {
        Ok(AwsDone::new((), self.permit_all(caller, action).await?))
    }

    /// There are no passwords here, so there is no policy of theirs.
    ///
    /// # Errors
    /// [`AwsProblem`], always.
    pub async fn password_policy(&self, caller: &Arc<Caller>) -> Result<AwsDone<()>, AwsProblem> {
        self.permit_all(caller, IamAction::GetAccountPasswordPolicy).await?;
        let text = format!("The Password Policy with domain name {} cannot be found.", self.account);
        Err(AwsProblem::said(AwsCode::NoSuchEntity, text))
    }

    /// There are no passwords here.
    ///
    /// # Errors
    /// [`AwsProblem`], always.
    pub async fn login_profile(
        &self,
        caller: &Arc<Caller>,
        name: Option<&crate::policy::aws::arn::Name>,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let name = self.named_or_self(caller, name)?;
        self.grasp_user(caller, IamAction::GetLoginProfile, &name, super::Keys::new()).await?;
        let text = format!("Login Profile for User {} cannot be found.", name.as_str());
        Err(AwsProblem::said(AwsCode::NoSuchEntity, text))
    }
}

const QUOTAS: &[(&str, Quota)] = &[
    ("AccessKeysPerUserQuota", Quota::AccessKeysPerUser),
    ("AttachedPoliciesPerGroupQuota", Quota::AttachedPolicies(Owner::Group)),
    ("AttachedPoliciesPerRoleQuota", Quota::AttachedPolicies(Owner::Role)),
    ("AttachedPoliciesPerUserQuota", Quota::AttachedPolicies(Owner::User)),
    ("GroupPolicySizeQuota", Quota::InlineSize(Owner::Group)),
    ("GroupsPerUserQuota", Quota::GroupsPerUser),
    ("GroupsQuota", Quota::Groups),
    ("PoliciesQuota", Quota::Policies),
    ("RolePolicySizeQuota", Quota::InlineSize(Owner::Role)),
    ("RolesQuota", Quota::Roles),
    ("UserPolicySizeQuota", Quota::InlineSize(Owner::User)),
    ("UsersQuota", Quota::Users),
    ("VersionsPerPolicyQuota", Quota::VersionsPerPolicy),
];

/// What is the same everywhere.
const FIXED: [(&str, usize); 15] = [
    ("AccountAccessKeysPresent", 0),
    ("AccountMFAEnabled", 0),
    ("AccountPasswordPresent", 0),
    ("AccountSigningCertificatesPresent", 0),
    ("AssumeRolePolicySizeQuota", 2_048),
    ("GlobalEndpointTokenVersion", 2),
    ("InstanceProfiles", 0),
    ("InstanceProfilesQuota", 0),
    ("MFADevices", 0),
    ("MFADevicesInUse", 0),
    ("PolicySizeQuota", 6_144),
    ("PolicyVersionsInUseQuota", 10_000),
    ("ServerCertificates", 0),
    ("ServerCertificatesQuota", 0),
    ("SigningCertificatesPerUserQuota", 0),
];
