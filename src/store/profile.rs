//! What people say of themselves, what was done with a thing, and when it was used: kept to be shown, never to decide.

use async_trait::async_trait;

use super::StoreError;
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::UserId;

/// What a person says of itself; empty where it says nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Profile {
    /// The given name.
    pub firstname: String,
    /// The family name.
    pub lastname: String,
    /// A telephone number.
    pub phonenumber: String,
    /// Another.
    pub altphonenumber: String,
    /// The URL of a picture.
    pub photo: String,
}

/// One thing that was done with a service ID or an API key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryRecord {
    /// The service ID's iam_id, or the API key's id.
    pub entity: String,
    /// When.
    pub at: UnixTime,
    /// By whom.
    pub by: PrincipalId,
    /// What, in a word.
    pub action: String,
    /// With what.
    pub params: Vec<String>,
    /// What, in a sentence.
    pub message: String,
}

/// When somebody, or their key, was last authenticated, and how often.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Authenticated {
    /// The last time.
    pub last: UnixTime,
    /// How often.
    pub count: u64,
}

impl Authenticated {
    /// Both taken together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { last: self.last.max(other.last), count: self.count.saturating_add(other.count) }
    }
}

/// Reading and writing all that.
#[async_trait]
pub trait Profiles {
    /// A person's profile; empty if there is none.
    async fn profile(&self, id: &UserId) -> Result<Profile, StoreError>;
    /// Replaces a profile; `NotFound` if there is no such person.
    async fn put_profile(&self, id: &UserId, profile: &Profile) -> Result<(), StoreError>;
    /// Lets a person in, or not; `NotFound` if there is no such person.
    async fn set_user_active(&self, id: &UserId, active: bool, at: UnixTime) -> Result<(), StoreError>;
    /// The history of a thing, newest first.
    async fn history(&self, entity: &str) -> Result<Vec<HistoryRecord>, StoreError>;
    /// Adds to a thing's history, of which only the newest is kept. Decides nothing, so it touches nothing.
    async fn note(&self, record: &HistoryRecord) -> Result<(), StoreError>;
    /// When a principal or API key was last authenticated; `None` if never.
    async fn activity(&self, entity: &str) -> Result<Option<Authenticated>, StoreError>;
    /// Adds to what is known of each; of what is gone meanwhile nothing is kept. Decides nothing, so it touches nothing.
    async fn authenticated(&self, seen: &[(String, Authenticated)]) -> Result<(), StoreError>;
}
