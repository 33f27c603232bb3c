//! Trusted profiles: identities without credentials, and whom they trust to take them on.

use async_trait::async_trait;

use super::StoreError;
use super::identity::{Listed, Stamp, Window};
use crate::credential::voucher::ComputeKind;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{ClaimRuleId, ProfileId, ProfileLinkId};
use crate::policy::ibm::claim::ClaimCondition;
use crate::policy::ibm::trust::{About, Identity, LinkTarget, Trust, TrustRule};

/// A trusted profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustedProfile {
    /// The id.
    pub id: ProfileId,
    /// A name; unique, case-insensitively.
    pub name: String,
    /// Any text.
    pub description: String,
    /// Whom to write to about it; empty if nobody.
    pub email: String,
    /// When.
    pub stamp: Stamp,
}

/// One rule of a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProfileRule {
    /// The id.
    pub id: ClaimRuleId,
    /// The profile that it is of.
    pub profile: ProfileId,
    /// Any text.
    pub name: String,
    /// Of whom it speaks.
    pub about: About,
    /// All of these must hold.
    pub conditions: Vec<ClaimCondition>,
    /// When.
    pub stamp: Stamp,
}

/// One link of a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProfileLink {
    /// The id.
    pub id: ProfileLinkId,
    /// The profile that it is of.
    pub profile: ProfileId,
    /// Any text.
    pub name: String,
    /// To what.
    pub target: LinkTarget,
    /// When.
    pub stamp: Stamp,
}

/// Somebody whom a profile trusts by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProfileIdentity {
    /// Whom.
    pub identity: Identity,
    /// Any text.
    pub description: String,
}

/// All whom a profile trusts by name, and which version of that list it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProfileIdentities {
    /// Whom, oldest first.
    pub list: Vec<ProfileIdentity>,
    /// When.
    pub stamp: Stamp,
}

/// What decides who may take a profile on, of these rows.
#[must_use]
pub fn trust(identities: Vec<ProfileIdentity>, links: Vec<ProfileLink>, rules: Vec<ProfileRule>) -> Trust {
    let rule = |row: ProfileRule| TrustRule { about: row.about, conditions: row.conditions };
    Trust {
        identities: identities.into_iter().map(|row| row.identity).collect(),
        links: links.into_iter().map(|row| row.target).collect(),
        rules: rules.into_iter().map(rule).collect(),
    }
}

/// How a stored rule says of whom it speaks: the kind of compute resource, or the realm and its seconds.
pub(super) fn spoken(about: &About) -> (Option<&'static str>, Option<&str>, Option<u32>) {
    match about {
        About::Compute(kind) => (Some(kind.name()), None, None),
        About::Realm(realm, seconds) => (None, Some(realm), Some(*seconds)),
    }
}

/// The same, read back.
pub(super) fn heard(
    kind: Option<&str>,
    realm: Option<String>,
    seconds: Option<u32>,
) -> Result<About, StoreError> {
    match (kind.map(ComputeKind::parse), realm, seconds) {
        (Some(Some(kind)), None, None) => Ok(About::Compute(kind)),
        (None, Some(realm), Some(seconds)) => Ok(About::Realm(realm, seconds)),
        _ => Err(StoreError::Corrupt("a rule of a trusted profile is about nobody".to_owned())),
    }
}

/// Reading and changing trusted profiles. Every write touches the profile, whose rights are looked up with whom it trusts.
#[async_trait]
pub trait TrustedProfiles {
    /// One profile.
    async fn trusted_profile(&self, id: &ProfileId) -> Result<Option<TrustedProfile>, StoreError>;
    /// Profiles, oldest first; only the one of this name, in any case, if given.
    async fn trusted_profiles(
        &self,
        name: Option<&str>,
        window: Window,
    ) -> Result<Listed<TrustedProfile>, StoreError>;
    /// Adds a profile; `Conflict` if the name is taken.
    async fn insert_trusted_profile(&self, row: &TrustedProfile) -> Result<(), StoreError>;
    /// Replaces a profile whose stored version is one less; `Conflict` if the name is taken.
    async fn update_trusted_profile(&self, row: &TrustedProfile) -> Result<(), StoreError>;
    /// Removes a profile with its policies, memberships and all whom it trusts.
    async fn delete_trusted_profile(&self, id: &ProfileId) -> Result<(), StoreError>;

    /// Whom a profile trusts by name; `None` if there is no such profile.
    async fn profile_identities(&self, id: &ProfileId) -> Result<Option<ProfileIdentities>, StoreError>;
    /// Replaces them, if the stored version is one less; `Conflict` if one is there twice, `NotFound` if one is no principal
    /// of ours.
    async fn put_profile_identities(&self, id: &ProfileId, row: &ProfileIdentities)
    -> Result<(), StoreError>;

    /// The links of a profile, oldest first. There are few.
    async fn profile_links(&self, id: &ProfileId) -> Result<Vec<ProfileLink>, StoreError>;
    /// Adds a link; `NotFound` if there is no such profile.
    async fn insert_profile_link(&self, row: &ProfileLink) -> Result<(), StoreError>;
    /// Removes a link.
    async fn delete_profile_link(&self, of: &ProfileId, id: &ProfileLinkId) -> Result<(), StoreError>;

    /// The rules of a profile, oldest first. There are few.
    async fn profile_rules(&self, id: &ProfileId) -> Result<Vec<ProfileRule>, StoreError>;
    /// Adds a rule; `NotFound` if there is no such profile.
    async fn insert_profile_rule(&self, row: &ProfileRule) -> Result<(), StoreError>;
    /// Replaces a rule whose stored version is one less.
    async fn update_profile_rule(&self, row: &ProfileRule) -> Result<(), StoreError>;
    /// Removes a rule.
    async fn delete_profile_rule(&self, of: &ProfileId, id: &ClaimRuleId) -> Result<(), StoreError>;
}

/// The principal that a profile is.
#[must_use]
pub fn principal(id: &ProfileId) -> PrincipalId {
    PrincipalId::Profile(id.clone())
}
