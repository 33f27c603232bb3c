//! Everything about one principal that requests need, compiled.

use std::sync::Arc;

use crate::clock::UnixTime;
use crate::ids::account::AccountId;
use crate::ids::aws::UserUniqueId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, ApiKeyId};
use crate::network::allow_list::Allowed;
use crate::policy::engine::bundle::{Bundle as Rights, Policies};
use crate::policy::engine::compiled::CompiledPolicy;
use crate::policy::engine::principal::Caller;
use crate::policy::ibm::trust::Trust;
use crate::store::aws::tag::Tag;

/// One principal, as of one position in the feed.
#[derive(Debug)]
pub struct Bundle {
    /// The principal.
    pub principal: PrincipalId,
    /// What people call it.
    pub name: String,
    /// Whether it may use anything at all.
    pub active: bool,
    /// From where it may be used; `None` for from everywhere.
    pub allowed: Option<Allowed>,
    /// Its API keys.
    pub keys: Vec<KeyState>,
    /// Who may take it on: of trusted profiles only.
    pub trust: Option<Trust>,
    /// Its groups.
    pub groups: Vec<AccessGroupId>,
    /// Until when all this holds: a membership may last only for a while.
    pub until: Option<UnixTime>,
    /// Its tags, by key.
    pub tags: Vec<Tag>,
    /// Its policies of both dialects, those of its groups, and its boundary. Their stamp is unique to this compilation: whoever remembers a decision
    /// remembers it with it.
    pub rights: Rights,
}

/// Whether an API key may still be used.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// Which key.
    pub id: ApiKeyId,
    /// From where it may be used; `None` for from everywhere.
    pub allowed: Option<Allowed>,
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

    /// The list of `key`, if it has one of its own.
    #[must_use]
    pub fn allowed_of(&self, key: &ApiKeyId) -> Option<&Allowed> {
        self.keys.iter().find(|state| state.id == *key)?.allowed.as_ref()
    }
}

/// Puts the policies of a principal together that is filed under `/`, see [`rights_at`].
#[must_use]
pub fn rights(account: &AccountId, principal: &PrincipalId, name: &str, policies: Policies) -> Rights {
    rights_at(account, principal, ("/", name), policies)
}

/// Puts the policies of a principal of that path and name together. To AWS's documents a user is a user, and a service ID
/// one under the path `/service-id/`, a trusted profile one under `/trusted-profile/`. A role acts in sessions only: what comes of it here is for none of them.
#[must_use]
pub fn rights_at(
    account: &AccountId,
    principal: &PrincipalId,
    named: (&str, &str),
    policies: Policies,
) -> Rights {
    let arn: Box<str> = arn(account, principal, named).into();
    let account = account.clone();
    let caller = match principal {
        PrincipalId::Role(id) => {
            let session = format!("arn:aws:sts::{account}:assumed-role/{}/", named.1).into();
            Caller::RoleSession { account, id: id.as_str().into(), role: arn, session }
        }
        PrincipalId::Profile(_) | PrincipalId::ServiceId(_) | PrincipalId::User(_) => {
            Caller::User { account, arn, id: UserUniqueId::of(principal).as_str().into() }
        }
    };
    Rights::new(caller, policies)
}

impl Bundle {
    /// The same principal in a session: who it then is, what it is then called, and what it is limited to. Tags of the session
    /// hide the principal's own.
    #[must_use]
    pub fn in_session(
        &self,
        (caller, name): (Caller, String),
        session: Option<Vec<Arc<CompiledPolicy>>>,
        given: &[(String, String)],
    ) -> Self {
        let mut tags: Vec<Tag> =
            given.iter().filter_map(|(key, value)| Tag::parse(key, value).ok()).collect();
        let hidden = |tag: &&Tag| !tags.iter().any(|own| own.key().eq_ignore_ascii_case(tag.key()));
        let kept: Vec<Tag> = self.tags.iter().filter(hidden).cloned().collect();
        tags.extend(kept);
        Self {
            principal: self.principal.clone(),
            name,
            active: self.active,
            allowed: self.allowed.clone(),
            keys: Vec::new(),
            trust: None,
            groups: self.groups.clone(),
            until: self.until,
            tags,
            rights: self.rights.in_session(caller, session),
        }
    }
}

/// Where service IDs are filed.
pub const SERVICE_IDS: &str = "/service-id/";

/// Where trusted profiles are filed.
pub const PROFILES: &str = "/trusted-profile/";

/// The ARN, which nobody else has.
fn arn(account: &AccountId, principal: &PrincipalId, named: (&str, &str)) -> String {
    let (path, name) = filed_as(principal, named);
    let kind = if matches!(principal, PrincipalId::Role(_)) { "role" } else { "user" };
    format!("arn:aws:iam::{account}:{kind}{path}{name}")
}

/// The path and name of a principal in AWS's documents. A user whose ARN would look like a service ID's, and one without a
/// name that fits, is called by its id.
#[must_use]
pub fn filed_as<'a>(principal: &'a PrincipalId, (path, name): (&'a str, &'a str)) -> (&'a str, &'a str) {
    match (principal, username(principal, name)) {
        (PrincipalId::User(_), Some(name))
            if ![SERVICE_IDS, PROFILES].iter().any(|own| path.starts_with(own)) =>
        {
            (path, name)
        }
        (PrincipalId::User(id), _) => ("/", id.as_str()),
        (PrincipalId::Profile(id), _) => (PROFILES, id.as_str()),
        (PrincipalId::ServiceId(id), _) => (SERVICE_IDS, id.as_str()),
        (PrincipalId::Role(_), _) => (path, name),
    }
}

/// The name that AWS's documents know a user by: 1 to 64 letters, digits and `_+=,.@-`, and not another's id.
#[must_use]
pub fn username<'a>(principal: &'a PrincipalId, name: &'a str) -> Option<&'a str> {
    let usable = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    match principal {
        PrincipalId::Role(_) => None,
        PrincipalId::Profile(id) => Some(id.as_str()),
        PrincipalId::ServiceId(id) => Some(id.as_str()),
        PrincipalId::User(_) => Some(name).filter(|name| {
            let fits = (1..=64).contains(&name.len()) && name.bytes().all(usable);
            fits && PrincipalId::parse(name).is_err()
        }),
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
