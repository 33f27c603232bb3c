//! One repository, as requests need it: its own policy, and its tags.

use std::sync::Arc;

use crate::ids::account::AccountId;
use crate::ids::region::Region;
use crate::policy::aws::arn::Arn;
use crate::policy::aws::kind::Kind;
use crate::policy::engine::compiled::{CompiledPolicy, Place};
use crate::registry::name::RepositoryName;
use crate::registry::reference::Tag as ImageTag;
use crate::store::StoreError;
use crate::store::aws::policies::RepositoryPolicy;
use crate::store::aws::repository::Repository;
use crate::store::aws::tag::Tag;

/// What a repository itself says about who may do what to it. One that nobody has set anything on says nothing.
#[derive(Debug, Default)]
pub struct RepositoryState {
    /// Its policy.
    pub policy: Option<Arc<CompiledPolicy>>,
    /// Its tags, by key.
    pub tags: Vec<Tag>,
    /// Which of its images' tags may be written again.
    row: Option<Repository>,
}

/// Which repository.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Whose {
    pub(super) region: Region,
    pub(super) name: RepositoryName,
}

impl RepositoryState {
    /// Compiles what is stored. The policy is named by the repository's ARN.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the policy cannot be read.
    pub fn of(
        account: &AccountId,
        (region, name): (&Region, &RepositoryName),
        stored: RepositoryPolicy,
    ) -> Result<Self, StoreError> {
        let (region, account, name) = (region.clone(), account.clone(), name.clone());
        let arn = Arn::Repository { region, account, name }.to_string();
        let kind = (Kind::Repository, Place::Repository);
        let policy = stored.policy.map(|text| super::compile::document(&arn, &text, kind)).transpose()?;
        Ok(Self { policy, tags: stored.tags, row: stored.repository })
    }

    /// Whether a tag of an image stays what it was when it was first written.
    #[must_use]
    pub fn keeps(&self, tag: &ImageTag) -> bool {
        self.row.as_ref().is_some_and(|row| row.keeps(tag))
    }
}
