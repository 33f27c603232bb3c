//! Everything in AWS's dialect that decides what an actor may do, or who may do what to a repository, read at one instant.

use async_trait::async_trait;

use super::holder::{Actor, AwsPolicyArn, Holder};
use super::managed_policy::VersionNumber;
use super::repository::Repository;
use super::tag::Tag;
use super::text::DocumentText;
use crate::ids::aws::ManagedPolicyId;
use crate::ids::region::Region;
use crate::ids::tagged::AccessGroupId;
use crate::policy::aws::arn::{Name, Path};
use crate::registry::name::RepositoryName;
use crate::store::StoreError;
use crate::store::feed::{ChangeKey, Sequence};

/// How an actor comes by a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// By a group that it is in.
    Group(AccessGroupId, String),
    /// It is the actor's own.
    Own,
}

/// A policy as it is in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PolicyText {
    /// One of AWS's, which the product knows.
    Aws(AwsPolicyArn),
    /// A customer managed policy: the version in force.
    Customer {
        /// Which.
        id: ManagedPolicyId,
        /// Its path.
        path: Path,
        /// Its name.
        name: Name,
        /// The version in force.
        version: VersionNumber,
        /// Its document.
        document: DocumentText,
    },
    /// An inline policy.
    Inline(Name, DocumentText),
}

/// A policy and how the actor comes by it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldPolicy {
    /// How.
    pub origin: Origin,
    /// Which.
    pub policy: PolicyText,
}

/// All policies of an actor, as of one position in the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorPolicies {
    /// Who.
    pub actor: Actor,
    /// Its path.
    pub path: Path,
    /// Its name, as its ARN has it.
    pub name: String,
    /// The groups that it is in, with their names, also those that have no policies.
    pub groups: Vec<(AccessGroupId, String)>,
    /// Inline policies first, then attached ones; within these the actor's own and those of its groups.
    pub policies: Vec<HeldPolicy>,
    /// The permissions boundary.
    pub boundary: Option<PolicyText>,
    /// Its tags, by key.
    pub tags: Vec<Tag>,
    /// The feed's position at that instant.
    pub as_of: Sequence,
}

impl ActorPolicies {
    /// What this depends on: a change of any other key leaves it true.
    #[must_use]
    pub fn keys(&self) -> Vec<ChangeKey> {
        let managed = |text: &PolicyText| match text {
            PolicyText::Customer { id, .. } => Some(ChangeKey::PolicyInForce(id.clone())),
            PolicyText::Aws(_) | PolicyText::Inline(..) => None,
        };
        let mut keys = vec![Holder::from(self.actor.clone()).key()];
        keys.extend(self.groups.iter().map(|(id, _)| ChangeKey::Group(id.clone())));
        keys.extend(self.policies.iter().map(|held| &held.policy).chain(&self.boundary).filter_map(managed));
        let mut seen = std::collections::HashSet::new();
        keys.retain(|key| seen.insert(key.clone()));
        keys
    }
}

/// A repository as the view reads it. It depends on `ChangeKey::Repository`, also while there is none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepositoryPolicy {
    /// The repository; `None` if it has no row.
    pub repository: Option<Repository>,
    /// Its policy.
    pub policy: Option<DocumentText>,
    /// Its tags, by key.
    pub tags: Vec<Tag>,
    /// The feed's position at that instant.
    pub as_of: Sequence,
}

/// Reading what is in force.
#[async_trait]
pub trait PoliciesInForce {
    /// All policies of an actor; `None` if there is no such actor.
    async fn policies_of(&self, actor: &Actor) -> Result<Option<ActorPolicies>, StoreError>;
    /// The policy and tags of a repository.
    async fn repository_policy(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<RepositoryPolicy, StoreError>;
}
