//! Who holds policies, and which policy is meant.

use crate::ids::Malformed;
use crate::ids::aws::{ManagedPolicyId, RoleId};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::AccessGroupId;
use crate::policy::aws::arn::{Arn, Name, Path};
use crate::policy::aws::kind::Owner;
use crate::store::feed::ChangeKey;

/// Who acts: has policies of its own, a boundary and tags.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Actor {
    /// A user or service ID.
    Principal(PrincipalId),
    /// A role.
    Role(RoleId),
}

/// Who policies can be attached to or written into.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Holder {
    /// All members of a group.
    Group(AccessGroupId),
    /// A user or service ID.
    Principal(PrincipalId),
    /// A role.
    Role(RoleId),
}

impl Holder {
    /// What it counts as in quotas.
    #[must_use]
    pub const fn owner(&self) -> Owner {
        match self {
            Self::Group(_) => Owner::Group,
            Self::Principal(_) => Owner::User,
            Self::Role(_) => Owner::Role,
        }
    }

    /// What a change of its policies touches.
    #[must_use]
    pub fn key(&self) -> ChangeKey {
        match self {
            Self::Group(id) => ChangeKey::Group(id.clone()),
            Self::Principal(id) => ChangeKey::Principal(id.clone()),
            Self::Role(id) => ChangeKey::Role(id.clone()),
        }
    }
}

impl From<Actor> for Holder {
    fn from(actor: Actor) -> Self {
        match actor {
            Actor::Principal(id) => Self::Principal(id),
            Actor::Role(id) => Self::Role(id),
        }
    }
}

/// The ARN of a policy that AWS made: `arn:aws:iam::aws:policy/PATH/NAME`. Whether this product has it is for others to say.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct AwsPolicyArn {
    path: Path,
    name: Name,
}

impl AwsPolicyArn {
    /// Parses the ARN.
    ///
    /// # Errors
    /// [`Malformed`] for any other text, other ARNs included.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match Arn::parse(text)? {
            Arn::AwsPolicy { path, name } => Ok(Self { path, name }),
            Arn::AssumedRole { .. }
            | Arn::FederatedUser { .. }
            | Arn::Group { .. }
            | Arn::Policy { .. }
            | Arn::Repository { .. }
            | Arn::Role { .. }
            | Arn::Root { .. }
            | Arn::User { .. } => Err(Malformed::new(text, "the ARN of an AWS managed policy")),
        }
    }

    /// The name, without the path.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The path.
    #[must_use]
    pub const fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Display for AwsPolicyArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "arn:aws:iam::aws:policy{}{}", self.path.as_str(), self.name.as_str())
    }
}

impl std::str::FromStr for AwsPolicyArn {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

/// Which managed policy.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum PolicyRef {
    /// One of AWS's.
    Aws(AwsPolicyArn),
    /// One of the account's own.
    Customer(ManagedPolicyId),
}
