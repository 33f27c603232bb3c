//! The change feed: which keys the writes touched, in order.

use async_trait::async_trait;

use super::StoreError;
use crate::ids::aws::{ManagedPolicyId, ProviderUrl, RoleId};
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::AccessGroupId;
use crate::registry::name::RepositoryName;

/// A position in the feed; writes are numbered from 1 without gaps in commit order.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Sequence(pub i64);

/// What a write touched: the unit by which views drop what they hold.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum ChangeKey {
    /// The account's own settings, allowlist included.
    Account,
    /// The configuration rules.
    Compliance,
    /// The exemptions of one registry.
    Exemptions(Region),
    /// What is found in the images of one repository.
    Findings(Region, RepositoryName),
    /// A group: itself, its members, its policies, or a policy that names it. A change of membership also touches the member.
    Group(AccessGroupId),
    /// The signing keys.
    Keyring,
    /// A customer managed policy: itself, its versions or tags. Of no interest to those who hold it.
    ManagedPolicy(ManagedPolicyId),
    /// Network zones and context-based restrictions.
    Network,
    /// An OpenID Connect provider.
    OidcProvider(ProviderUrl),
    /// Which document of a customer managed policy is in force: for all who hold it.
    PolicyInForce(ManagedPolicyId),
    /// A principal: itself, its keys, allowlists, groups, policies, boundary or tags, or a policy that names it.
    Principal(PrincipalId),
    /// The settings or namespaces of one registry, or whether any of its repositories has a policy.
    Registry(Region),
    /// A repository: itself, its policy or tags.
    Repository(Region, RepositoryName),
    /// A role: itself, its policies, boundary or tags.
    Role(RoleId),
}

/// One row of the feed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Its position.
    pub sequence: Sequence,
    /// What was touched.
    pub key: ChangeKey,
}

/// Reading the feed.
#[async_trait]
pub trait Feed {
    /// The position of the latest change.
    async fn latest(&self) -> Result<Sequence, StoreError>;

    /// Up to `limit` changes after `after`, in order.
    async fn changes(&self, after: Sequence, limit: u32) -> Result<Vec<Change>, StoreError>;

    /// Wakes whenever a write of this process has committed; holds the latest position that is known.
    fn committed(&self) -> tokio::sync::watch::Receiver<Sequence>;

    /// A view of this process reports that it obeys every change up to `sequence`; writes wait for this before they
    /// return, once any view has reported.
    fn applied(&self, sequence: Sequence);
}
