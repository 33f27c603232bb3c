//! Everything about one principal that requests need, compiled.

use crate::clock::UnixTime;
use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, ApiKeyId, UserId};
use crate::policy::engine::bundle::{Bundle as Rights, Policies};
use crate::policy::engine::principal::Caller;

/// One principal, as of one position in the feed.
#[derive(Debug)]
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
    /// Its policies and those of its groups. Their stamp is unique to this compilation: whoever remembers a decision
    /// remembers it with it.
    pub rights: Rights,
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

/// Puts the policies of a principal together. To AWS's documents a user is a user, and a service ID one under the path
/// `/service-id/`, which no user's name can begin with.
#[must_use]
pub fn rights(account: &AccountId, principal: &PrincipalId, name: &str, policies: Policies) -> Rights {
    let arn = match (principal, username(principal, name)) {
        (PrincipalId::User(_), Some(name)) => format!("arn:aws:iam::{account}:user/{name}"),
        (PrincipalId::User(id), None) => format!("arn:aws:iam::{account}:user/{id}"),
        (PrincipalId::ServiceId(id), _) => format!("arn:aws:iam::{account}:user/service-id/{id}"),
    };
    let caller = Caller::User { account: account.clone(), arn: arn.into(), id: principal.to_string().into() };
    Rights::new(caller, policies)
}

/// The name that AWS's documents know a user by: 1 to 64 letters, digits and `_+=,.@-`. A user's id is no name: it stands
/// for the user who has it, where that one's name cannot be used.
#[must_use]
pub fn username<'a>(principal: &'a PrincipalId, name: &'a str) -> Option<&'a str> {
    let usable = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    match principal {
        PrincipalId::ServiceId(id) => Some(id.as_str()),
        PrincipalId::User(_) => {
            let is_id = UserId::parse(name).is_ok();
            Some(name).filter(|name| (1..=64).contains(&name.len()) && name.bytes().all(usable) && !is_id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{rights, username};
    use crate::policy::engine::bundle::Policies;
    use crate::policy::engine::principal::Caller;
    use crate::store::contract::samples;

    #[test]
    fn nobody_takes_the_name_that_stands_for_another_user() {
        let (one, other) = [1, 2].map(|number| samples::of_user(&samples::user(number))).into();
        let named = |principal, name: &str| {
            let rights = rights(&samples::account_id(), principal, name, Policies::default());
            let Caller::User { arn, .. } = rights.caller() else { panic!("{:?}", rights.caller()) };
            arn.to_string()
        };
        assert!(named(&one, "a/b@example.test").ends_with(&format!(":user/{one}")));
        assert_ne!(named(&other, &one.to_string()), named(&one, "a/b@example.test"));
        assert_eq!(username(&other, &one.to_string()), None);
    }
}
