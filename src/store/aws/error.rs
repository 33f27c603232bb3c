//! Why a change in AWS's dialect is refused.

use crate::policy::aws::kind::Owner;
use crate::store::StoreError;

/// A change that was refused or failed; nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// It would break a quota (AWS: `LimitExceeded`).
    #[error("over the quota {0:?}")]
    Quota(Quota),
    /// Something must be removed first (AWS: `DeleteConflict`).
    #[error("remains: {0:?}")]
    Remains(Remains),
    /// As in every other store operation.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for AwsError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What must be removed before a row may go.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Remains {
    /// IBM access policies of the user or group.
    AccessPolicies,
    /// Managed policies of the user, group or role.
    AttachedPolicies,
    /// Access keys or API keys of the user.
    Credentials,
    /// The version is the one in force.
    DefaultVersion,
    /// Users, groups or roles that hold the policy, or have it as their boundary.
    Entities,
    /// Inline policies of the user, group or role.
    InlinePolicies,
    /// Members of the group.
    Members,
    /// Groups that the user is in.
    Memberships,
    /// Versions of the policy besides the default one.
    Versions,
}

/// How much of something there may be.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Quota {
    /// Access keys of a user.
    AccessKeysPerUser,
    /// Managed policies attached to a group, role or user.
    AttachedPolicies(Owner),
    /// Clients of an OpenID Connect provider.
    ClientIdsPerProvider,
    /// Groups of the account.
    Groups,
    /// Groups that a user is in.
    GroupsPerUser,
    /// Characters besides white space in all inline policies of a group, role or user.
    InlineSize(Owner),
    /// OpenID Connect providers of the account.
    OidcProviders,
    /// Customer managed policies of the account.
    Policies,
    /// Roles of the account.
    Roles,
    /// Tags of one thing.
    Tags,
    /// Thumbprints of an OpenID Connect provider.
    ThumbprintsPerProvider,
    /// Users of the account.
    Users,
    /// Versions of a managed policy.
    VersionsPerPolicy,
}

impl Quota {
    /// The most that there may be.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::AccessKeysPerUser => 2,
            Self::AttachedPolicies(Owner::Group | Owner::Role | Owner::User) | Self::GroupsPerUser => 10,
            Self::ClientIdsPerProvider | Self::OidcProviders => 100,
            Self::Groups => 300,
            Self::InlineSize(owner) => owner.inline_max(),
            Self::Policies => 1_500,
            Self::Roles => 1_000,
            Self::Tags => 50,
            Self::ThumbprintsPerProvider | Self::VersionsPerPolicy => 5,
            Self::Users => 5_000,
        }
    }

    /// Refuses `count` if it is more than there may be.
    pub(in crate::store) fn admit(self, count: usize) -> Result<(), AwsError> {
        if count > self.most() { Err(AwsError::Quota(self)) } else { Ok(()) }
    }
}
