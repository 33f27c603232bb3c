//! API keys. Everyone may make, see, change and delete their own; those of others take the rights, and never more
//! rights than the caller has ([`super::reach`]).

use std::sync::Arc;

use super::history::Deed;
use super::list::{Order, Refine, Sortable, cut, every, order};
use super::problem::{Noun, Problem};
use super::version::Expected;
use super::{Control, Desk, Done, Permit, label, settle};
use crate::admit::caller::Caller;
use crate::clock::UnixTime;
use crate::credential::api_key::ApiKey;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::secret::Secret;
use crate::store::identity::{ApiKeyRecord, Listed, Stamp, Window};
use crate::store::policy::Subject;

/// How many API keys one principal can have. Everyone may make keys for themselves, and all of them are in memory while
/// their owner is at work.
const KEYS_MAX: u32 = 100;

/// The shortest key that a caller can bring, in characters.
const BROUGHT_MIN: usize = 32;

/// How many different characters such a key has at least.
const VARIED: usize = 10;

/// What a caller says of a new API key.
#[derive(Debug)]
pub struct NewApiKey {
    /// Whom it will prove.
    pub owner: PrincipalId,
    /// Its name.
    pub name: String,
    /// Any text.
    pub description: String,
    /// Whether it is locked from the start.
    pub locked: bool,
    /// Whether it is disabled from the start.
    pub disabled: bool,
    /// When it stops to log in, if ever.
    pub expires_at: Option<UnixTime>,
    /// The key, where the caller brings one of its own.
    pub value: Option<Secret<String>>,
}

/// What a caller changes; what is `None` stays.
#[derive(Debug, Default)]
pub struct ApiKeyChange {
    /// The name.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The expiry; `Some(None)` removes it.
    pub expires_at: Option<Option<UnixTime>>,
}

/// A switch on an API key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Switch {
    /// Refuses logins while on.
    Disabled,
    /// Refuses changes while on.
    Locked,
}

/// Which API keys to list.
#[derive(Debug, Default)]
pub struct ApiKeyFilter {
    /// Only those of this principal.
    pub owner: Option<PrincipalId>,
    /// Only those of users, or only those of service IDs.
    pub of_users: Option<bool>,
    /// Only those that this keeps.
    pub refine: Option<Refine>,
}

impl Sortable for ApiKeyRecord {
    fn facets(&self) -> (&str, &str, Stamp) {
        (&self.name, &self.description, self.stamp)
    }
}

fn identities() -> Resource {
    Resource::platform(Service::IamIdentity)
}

impl Desk {
    /// The API keys that the caller may see. Without the right to list those of others, these are its own.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn api_keys(
        &self,
        caller: &Arc<Caller>,
        filter: ApiKeyFilter,
        sorted: Option<Order>,
        window: Window,
    ) -> Result<Done<Listed<ApiKeyRecord>>, Problem> {
        let permit = self.proven(caller, Action::ApiKeyList, identities());
        let all = self.authority.may(caller, Action::ApiKeyList, &identities());
        let own = caller.principal();
        let owner = match (filter.owner, all) {
            (Some(owner), false) if owner != *own => return Ok(Done::new(cut(Vec::new(), window), permit)),
            (None, false) => Some(own.clone()),
            (owner, _) => owner,
        };
        if sorted.is_none() && filter.of_users.is_none() && filter.refine.is_none() {
            return Ok(Done::new(self.store.api_keys(owner.as_ref(), window).await?, permit));
        }
        let mut rows = every(|window| self.store.api_keys(owner.as_ref(), window)).await?;
        rows.retain(|row| {
            filter.of_users.is_none_or(|users| users == matches!(row.owner, PrincipalId::User(_)))
                && filter.refine.as_ref().is_none_or(|refine| refine.keeps(row))
        });
        if let Some(sorted) = sorted {
            order(&mut rows, sorted);
        }
        Ok(Done::new(cut(rows, window), permit))
    }

    /// Refuses another key to the holder of one that is good at some addresses only, unless they could lift that.
    pub(super) fn roaming(&self, caller: &Caller, owner: &PrincipalId) -> Result<(), Problem> {
        let own = *owner == *caller.principal() && caller.lists().1.is_some();
        if own && !self.authority.may(caller, Action::ApiKeyUpdate, &identities()) {
            let text = "this API key is good at some addresses only, which another one of yours would not be: use one without a list";
            return Err(Problem::Conflict(text.to_owned()));
        }
        Ok(())
    }

    /// Makes an API key, and reveals it this once.
    ///
    /// # Errors
    /// [`Problem`]; a locked service ID gets none.
    pub async fn create_api_key(
        &self,
        caller: &Arc<Caller>,
        new: NewApiKey,
    ) -> Result<Done<(ApiKeyRecord, ApiKey)>, Problem> {
        let of = Control { action: Action::ApiKeyCreate, resource: identities() };
        let permit = self.permit_own_or(caller, &new.owner, of).await?;
        self.may_have_key(caller, &new.owner).await?;
        keyless(&new.owner)?;
        self.roaming(caller, &new.owner)?;
        if new.owner != *caller.principal() {
            self.principal_within_reach(caller, &new.owner).await?;
        }
        self.unlocked(&Subject::Principal(new.owner.clone())).await?;
        let first = Window { offset: 0, limit: 1 };
        if self.store.api_keys(Some(&new.owner), first).await?.total >= KEYS_MAX {
            let text = format!("there are {KEYS_MAX} API keys already: delete those that are not in use");
            return Err(Problem::Conflict(text));
        }
        let now = self.clock.now();
        let key = match &new.value {
            Some(text) => brought(text.expose())?,
            None => ApiKey::fresh(&*self.entropy),
        };
        let row = ApiKeyRecord {
            id: ApiKeyId::fresh(&*self.entropy),
            name: label::name("name", &new.name, label::NAME_MAX)?,
            description: label::description(&new.description, label::DESCRIPTION_MAX)?,
            hash: self.pepper.hash(&key),
            locked: new.locked,
            disabled: new.disabled,
            expires_at: future(new.expires_at, now)?,
            created_by: caller.principal().clone(),
            stamp: Stamp::new(now),
            owner: new.owner,
        };
        let failed = |error| Problem::of(error, Noun::Principal, &row.owner);
        self.store.insert_api_key(&row).await.map_err(failed)?;
        self.remember(caller, (&row.id, &row.name), Deed::Create).await;
        Ok(Done::new((row, key), permit))
    }

    /// One API key.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn api_key(&self, caller: &Arc<Caller>, id: &ApiKeyId) -> Result<Done<ApiKeyRecord>, Problem> {
        let (row, permit) = self.grasp_api_key(caller, id, Action::ApiKeyRead).await?;
        Ok(Done::new(row, permit))
    }

    /// Whose API key it is: for the record, never for the caller.
    pub async fn owner_of_key(&self, id: &ApiKeyId) -> Option<PrincipalId> {
        self.store.api_key(id).await.ok().flatten().map(|row| row.owner)
    }

    /// The API key that has this value. Whoever may not see it learns nothing about a value that they hold, either.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn api_key_by_value(
        &self,
        caller: &Arc<Caller>,
        value: Option<&ApiKey>,
    ) -> Result<Done<ApiKeyRecord>, Problem> {
        let found = match value {
            Some(key) => self.store.key_owner(&self.pepper.hash(key)).await?,
            None => None,
        };
        let unknown = || Problem::NotFound(Noun::ApiKey, "with this value".to_owned());
        let (_, id) = found.ok_or_else(unknown)?;
        match self.api_key(caller, &id).await {
            Err(Problem::Hidden { noun, refusal, .. }) => {
                Err(Problem::Hidden { noun, name: "with this value".to_owned(), refusal })
            }
            Err(Problem::NotFound(..)) => Err(unknown()),
            other => other,
        }
    }

    /// Changes an API key.
    ///
    /// # Errors
    /// [`Problem`]; a locked one refuses, and so does one of a locked service ID.
    pub async fn update_api_key(
        &self,
        caller: &Arc<Caller>,
        id: &ApiKeyId,
        expected: &Expected,
        change: ApiKeyChange,
    ) -> Result<Done<ApiKeyRecord>, Problem> {
        let (mut row, permit) = self.grasp_api_key(caller, id, Action::ApiKeyUpdate).await?;
        self.changeable(&row).await?;
        let now = self.clock.now();
        row.stamp = expected.next(id, &row.stamp, now)?;
        if let Some(name) = change.name {
            row.name = label::name("name", &name, label::NAME_MAX)?;
        }
        if let Some(text) = change.description {
            row.description = label::description(&text, label::DESCRIPTION_MAX)?;
        }
        if let Some(end) = change.expires_at {
            let had_ended = row.expires_at.is_some_and(|end| end <= now);
            row.expires_at = future(end, now)?;
            if had_ended {
                self.may_revive(caller, &row).await?;
            }
        }
        self.store.update_api_key(&row).await.map_err(|error| Problem::of(error, Noun::ApiKey, id))?;
        self.remember(caller, (id, &row.name), Deed::Update).await;
        Ok(Done::new(row, permit))
    }

    /// Sets a switch; doing it twice changes nothing.
    ///
    /// # Errors
    /// [`Problem`]; a locked key cannot be disabled or enabled, and what the owner may do must be in the reach of whoever enables it.
    pub async fn switch_api_key(
        &self,
        caller: &Arc<Caller>,
        id: &ApiKeyId,
        switch: Switch,
        on: bool,
    ) -> Result<Done<()>, Problem> {
        let (mut row, permit) = self.grasp_api_key(caller, id, Action::ApiKeyUpdate).await?;
        match switch {
            Switch::Disabled => self.changeable(&row).await?,
            Switch::Locked => self.unlocked(&Subject::Principal(row.owner.clone())).await?,
        }
        let flag = match switch {
            Switch::Disabled => &mut row.disabled,
            Switch::Locked => &mut row.locked,
        };
        if std::mem::replace(flag, on) != on {
            if switch == Switch::Disabled && !on {
                self.may_revive(caller, &row).await?;
            }
            row.stamp = Expected::Any.next(id, &row.stamp, self.clock.now())?;
            let done = match (switch, on) {
                // Whoever has the key may change it, too, and as fast as they can.
                (Switch::Disabled, true) => self.store.disable_api_key(id, row.stamp.modified_at).await,
                (Switch::Disabled, false) | (Switch::Locked, _) => self.store.update_api_key(&row).await,
            };
            done.map_err(|error| Problem::of(error, Noun::ApiKey, id))?;
            let deed = match (switch, on) {
                (Switch::Disabled, true) => Deed::Disable,
                (Switch::Disabled, false) => Deed::Enable,
                (Switch::Locked, true) => Deed::Lock,
                (Switch::Locked, false) => Deed::Unlock,
            };
            self.remember(caller, (id, &row.name), deed).await;
        }
        Ok(Done::new((), permit))
    }

    /// Deletes an API key.
    ///
    /// # Errors
    /// [`Problem`]; a locked one refuses, and so does one of a locked service ID.
    pub async fn delete_api_key(&self, caller: &Arc<Caller>, id: &ApiKeyId) -> Result<Done<()>, Problem> {
        let (row, permit) = self.grasp_api_key(caller, id, Action::ApiKeyDelete).await?;
        self.changeable(&row).await?;
        self.store.delete_api_key(id).await.map_err(|error| Problem::of(error, Noun::ApiKey, id))?;
        Ok(Done::new((), permit))
    }

    /// Checks that whoever makes somebody else's key good again could have made them another.
    async fn may_revive(&self, caller: &Arc<Caller>, row: &ApiKeyRecord) -> Result<(), Problem> {
        match row.owner == *caller.principal() {
            true => Ok(()),
            false => self.principal_within_reach(caller, &row.owner).await,
        }
    }

    async fn changeable(&self, row: &ApiKeyRecord) -> Result<(), Problem> {
        if row.locked {
            return Err(Problem::Locked(Noun::ApiKey));
        }
        self.unlocked(&Subject::Principal(row.owner.clone())).await
    }

    async fn grasp_api_key(
        &self,
        caller: &Arc<Caller>,
        id: &ApiKeyId,
        action: Action,
    ) -> Result<(ApiKeyRecord, Permit<Control>), Problem> {
        let row = self.store.api_key(id).await?;
        let of = Control { action, resource: identities() };
        let attempt = match &row {
            Some(row) => self.permit_own_or(caller, &row.owner, of).await,
            None => self.authority.permit(caller, of.action, of.resource).await,
        };
        let sees = self.authority.may(caller, Action::ApiKeyRead, &identities());
        settle(row, attempt, sees, Noun::ApiKey, id)
    }
}

/// A key that the caller brings: nobody knows how it came about, so it must at least be long, and look like one.
fn brought(text: &str) -> Result<ApiKey, Problem> {
    let plausible = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let mut letters: Vec<u8> = text.bytes().collect();
    letters.sort_unstable();
    letters.dedup();
    let varied = letters.len() >= VARIED && text.len() >= BROUGHT_MIN;
    let wrong = || {
        let rule = format!("give {BROUGHT_MIN} or more random letters, digits, hyphens and underscores");
        Problem::Invalid(format!("`apikey` is not usable: {rule}, or leave it out"))
    };
    ApiKey::presented(text).filter(|_| plausible && varied).ok_or_else(wrong)
}

/// A trusted profile has no keys: who held one would act as it after it has stopped to trust them.
pub(super) fn keyless(owner: &PrincipalId) -> Result<(), Problem> {
    match owner {
        PrincipalId::Profile(_) => Err(Problem::Invalid(
            "a trusted profile has no keys of its own: whoever it trusts takes it on".to_owned(),
        )),
        PrincipalId::Role(_) | PrincipalId::ServiceId(_) | PrincipalId::User(_) => Ok(()),
    }
}

fn future(end: Option<UnixTime>, now: UnixTime) -> Result<Option<UnixTime>, Problem> {
    match end {
        Some(end) if end <= now => {
            Err(Problem::Invalid("`expires_at` has passed: give a time in the future".to_owned()))
        }
        end => Ok(end),
    }
}
