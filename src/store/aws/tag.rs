//! Tags of users, roles, policies, providers and repositories.

use async_trait::async_trait;

use super::AwsError;
use super::holder::Actor;
use crate::ids::Malformed;
use crate::ids::aws::{ManagedPolicyId, ProviderUrl};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::store::StoreError;
use crate::store::feed::ChangeKey;

/// One tag.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag {
    key: Box<str>,
    value: Box<str>,
}

impl Tag {
    /// Parses a tag: a key of 1 to 128 and a value of up to 256 letters, digits, spaces and `_.:/=+-@`; keys that begin with
    /// `aws:` are AWS's own.
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn parse(key: &str, value: &str) -> Result<Self, Malformed> {
        let fits = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
        let reserved = key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        if reserved || !(1..=128).contains(&key.chars().count()) || !key.chars().all(fits) {
            return Err(Malformed::new(
                key,
                "the key of a tag: 1 to 128 letters, digits, spaces and `_.:/=+-@`",
            ));
        }
        if value.chars().count() > 256 || !value.chars().all(fits) {
            return Err(Malformed::new(
                value,
                "the value of a tag: up to 256 letters, digits, spaces and `_.:/=+-@`",
            ));
        }
        Ok(Self { key: key.into(), value: value.into() })
    }

    /// The key, as it was spelt.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// What can have tags.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Tagged {
    /// A user, service ID or role.
    Actor(Actor),
    /// A customer managed policy.
    Policy(ManagedPolicyId),
    /// An OpenID Connect provider.
    Provider(ProviderUrl),
    /// A repository.
    Repository(Region, RepositoryName),
}

impl Tagged {
    /// What a change of the tags touches.
    #[must_use]
    pub fn key(&self) -> ChangeKey {
        match self {
            Self::Actor(Actor::Principal(id)) => ChangeKey::Principal(id.clone()),
            Self::Actor(Actor::Role(id)) => ChangeKey::Role(id.clone()),
            Self::Policy(id) => ChangeKey::ManagedPolicy(id.clone()),
            Self::Provider(url) => ChangeKey::OidcProvider(url.clone()),
            Self::Repository(region, name) => ChangeKey::Repository(region.clone(), name.clone()),
        }
    }

    /// How keys are compared: in IAM in any case, in ECR to the letter.
    pub(in crate::store) fn folded(&self, key: &str) -> String {
        match self {
            Self::Actor(_) | Self::Policy(_) | Self::Provider(_) => key.to_lowercase(),
            Self::Repository(..) => key.to_owned(),
        }
    }
}

/// Reading and changing tags.
#[async_trait]
pub trait Tags {
    /// The tags, by key.
    async fn tags(&self, of: &Tagged) -> Result<Vec<Tag>, StoreError>;
    /// Sets tags; those with the same key are replaced. `NotFound` if there is nothing to tag.
    async fn tag(&self, of: &Tagged, tags: &[Tag]) -> Result<(), AwsError>;
    /// Removes those of these tags that are there.
    async fn untag(&self, of: &Tagged, keys: &[String]) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::Tag;

    #[test]
    fn tags_are_what_aws_accepts() {
        let (key, value) = ("k".repeat(128), "v".repeat(256));
        for (key, value) in [("team", "a b"), ("Straße/x:y=z+1-2@3_4.5", ""), (key.as_str(), value.as_str())]
        {
            assert!(Tag::parse(key, value).is_ok(), "{key}");
        }
        let (key, value) = (format!("{key}k"), format!("{value}v"));
        for (key, value) in
            [("", "x"), ("aws:x", "x"), ("AWS:x", "x"), ("a*", "x"), ("a", "*"), (&key, ""), ("a", &value)]
        {
            assert!(Tag::parse(key, value).is_err(), "{key}={value}");
        }
    }
}
