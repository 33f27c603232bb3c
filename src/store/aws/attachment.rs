//! Which managed policies are attached to whom.

use async_trait::async_trait;

use super::AwsError;
use super::holder::{Holder, PolicyRef};
use super::managed_policy::Usage;
use crate::clock::UnixTime;
use crate::policy::aws::arn::{Name, Path};
use crate::store::StoreError;
use crate::store::identity::{Listed, Window};

/// An attached policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AttachedPolicy {
    /// Which.
    pub policy: PolicyRef,
    /// Its path.
    pub path: Path,
    /// Its name.
    pub name: Name,
}

/// Somebody who holds a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyHolder {
    /// Who.
    pub holder: Holder,
    /// The name.
    pub name: String,
}

/// Reading and changing attachments. A change touches the holder.
#[async_trait]
pub trait Attachments {
    /// The policies attached to `holder` whose path begins so, in the order of attachment.
    async fn attached(
        &self,
        holder: &Holder,
        path_prefix: &str,
        window: Window,
    ) -> Result<Listed<AttachedPolicy>, StoreError>;
    /// Who holds the policy, or has it as boundary, in the order of attachment.
    async fn holders(
        &self,
        policy: &PolicyRef,
        usage: Usage,
        window: Window,
    ) -> Result<Listed<PolicyHolder>, StoreError>;
    /// Attaches a policy, unless it is attached already; `NotFound` if there is no such holder or customer policy.
    async fn attach(&self, holder: &Holder, policy: &PolicyRef, now: UnixTime) -> Result<(), AwsError>;
    /// Detaches a policy; `NotFound` if it is not attached.
    async fn detach(&self, holder: &Holder, policy: &PolicyRef) -> Result<(), StoreError>;
}
