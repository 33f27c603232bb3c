//! Everything about one principal that requests need, compiled.

use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, ApiKeyId};
use crate::policy::model::Grant;

/// One principal, as of one position in the feed.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The principal.
    pub principal: PrincipalId,
    /// What people call it.
    pub name: String,
    /// Whether it may use anything at all.
    pub active: bool,
    /// Its API keys.
    pub keys: Vec<KeyState>,
    /// Its groups.
    pub groups: Vec<AccessGroupId>,
    /// Its grants and those of its groups.
    pub grants: Vec<Grant>,
    /// Unique to this compilation: whoever remembers a decision remembers this with it.
    pub generation: u64,
}

/// Whether an API key may still be used.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// Which key.
    pub id: ApiKeyId,
    /// Whether it has been disabled.
    pub disabled: bool,
    /// When it expires.
    pub expires_at: Option<UnixTime>,
}

impl Bundle {
    /// Whether `key` proves this principal at `now`.
    #[must_use]
    pub fn accepts(&self, key: &ApiKeyId, now: UnixTime) -> bool {
        let usable = |state: &KeyState| !state.disabled && state.expires_at.is_none_or(|end| now < end);
        self.active && self.keys.iter().any(|state| state.id == *key && usable(state))
    }
}
