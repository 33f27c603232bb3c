//! Policies written into a user, group or role.

use async_trait::async_trait;

use super::AwsError;
use super::holder::Holder;
use super::text::DocumentText;
use crate::policy::aws::arn::Name;
use crate::store::StoreError;
use crate::store::identity::{Listed, Window};

/// An inline policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InlinePolicy {
    /// Its name; unique within its holder.
    pub name: Name,
    /// The document.
    pub document: DocumentText,
}

/// Reading and changing inline policies. A change touches the holder.
#[async_trait]
pub trait InlinePolicies {
    /// One policy.
    async fn inline_policy(&self, of: &Holder, name: &Name) -> Result<Option<InlinePolicy>, StoreError>;
    /// The policies of one holder, by name.
    async fn inline_policies(&self, of: &Holder, window: Window) -> Result<Listed<InlinePolicy>, StoreError>;
    /// Adds or replaces a policy; `NotFound` if there is no such holder. All of them together have a size to keep to.
    async fn put_inline_policy(&self, of: &Holder, policy: &InlinePolicy) -> Result<(), AwsError>;
    /// Removes a policy.
    async fn delete_inline_policy(&self, of: &Holder, name: &Name) -> Result<(), StoreError>;
}
