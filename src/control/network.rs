//! From where the account may be used: its settings, and the lists of users, service IDs and API keys.
//!
//! Nobody locks themselves out by accident: what would keep the caller from taking a change back is refused, unless the
//! caller insists.

use std::sync::Arc;

use super::history::Deed;
use super::problem::{Noun, Problem};
use super::version::Expected;
use super::{Control, Desk, Done, Permit, settle};
use crate::admit::caller::Caller;
use crate::admit::network::Want;
use crate::credential::settings::{IdentitySettings, Restriction, SettingsChange};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::network::allow_list::{AllowList, Naming};
use crate::network::zone::Zones;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::network::{AccountSettings, ListHolder, NetworkFacts};
use crate::store::policy::Subject;
use crate::view::network::{AccountNetwork, Own};

/// The most characters of a list.
const LIST_MAX: usize = 64 * 1024;

/// Whether a change is made even if it locks the caller out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Insistence {
    /// It is not.
    Careful,
    /// It is.
    Forced,
}

fn account() -> Resource {
    Resource::platform(Service::IamIdentity)
}

impl Desk {
    /// The settings of the account.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn account_settings(&self, caller: &Arc<Caller>) -> Result<Done<AccountSettings>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(founded(self.store.network().await?)?, permit))
    }

    /// A permit to change the settings of the account, for those that have one value only.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn account_settings_to_change(&self, caller: &Arc<Caller>) -> Result<Done<()>, Problem> {
        Ok(Done::new((), self.authority.permit(caller, Action::AccountUpdate, account()).await?))
    }

    /// Changes the settings of the account.
    ///
    /// # Errors
    /// [`Problem`]; a list that names no known zone, and one that locks the caller out.
    pub async fn update_account_settings(
        &self,
        caller: &Arc<Caller>,
        expected: &Expected,
        change: SettingsChange,
        insistence: Insistence,
    ) -> Result<Done<AccountSettings>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let facts = self.store.network().await?;
        let mut row = founded(facts.clone())?;
        row.stamp = expected.next(&row.account, &row.stamp, self.clock.now())?;
        if let Some(text) = &change.allowed_ip_addresses {
            row.allow_list = list(text, Naming::Zones)?;
            let zones = Zones::of(&facts.zones);
            if let Some(zone) = row.allow_list.as_ref().and_then(|list| list.unknown_zone(&zones)) {
                let text = format!(
                    "`{zone}` is no IP address, and no network zone has that name: write an address like 192.0.2.7, \
                     or make the zone first"
                );
                return Err(Problem::Invalid(text));
            }
        }
        row.private_only = change.private_only.unwrap_or(row.private_only);
        row.identity.put(change).map_err(Problem::Invalid)?;
        self.let_back_in(caller, NetworkFacts { settings: Some(row.clone()), ..facts }, insistence)?;
        self.put_governed_account(caller, &row).await?;
        self.remember(caller, (&row.account, "account settings"), Deed::Update).await;
        Ok(Done::new(row, permit))
    }

    /// What the account says of its identities.
    pub(super) async fn identity_settings(&self) -> Result<IdentitySettings, StoreError> {
        let settings = self.store.network().await?.settings;
        Ok(settings.map(|settings| settings.identity).unwrap_or_default())
    }

    /// Refuses what the account restricts to a role of its own, to whoever has not got that role.
    pub(super) async fn unrestricted(
        &self,
        caller: &Arc<Caller>,
        restriction: Restriction,
        action: Action,
    ) -> Result<(), Problem> {
        match restriction {
            Restriction::NotRestricted | Restriction::NotSet => Ok(()),
            Restriction::Restricted => self.authority.permit(caller, action, account()).await.map(drop),
        }
    }

    /// The same of a key of `owner`, where that is a user.
    pub(super) async fn may_have_key(
        &self,
        caller: &Arc<Caller>,
        owner: &PrincipalId,
    ) -> Result<(), Problem> {
        if !matches!(owner, PrincipalId::User(_)) {
            return Ok(());
        }
        let restriction = self.identity_settings().await?.restrict_create_platform_apikey;
        self.unrestricted(caller, restriction, Action::ApiKeyCreateRestricted).await
    }

    /// The list of a user, service ID or API key; users and service IDs may see their own and their keys'.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn allow_list(
        &self,
        caller: &Arc<Caller>,
        of: &ListHolder,
    ) -> Result<Done<Option<AllowList>>, Problem> {
        let held = self.held(of).await?;
        let control = Control { action: read(of), resource: place(of) };
        let attempt = match &held {
            Some(held) => self.permit_own_or(caller, &held.owner, control).await,
            None => self.authority.permit(caller, control.action, control.resource).await,
        };
        let (_, permit) = settle(held, attempt, false, noun(of), &name(of))?;
        Ok(Done::new(self.store.allow_list(of).await?, permit))
    }

    /// Sets the list of a user, service ID or API key; an empty one takes it away. Nobody lifts their own restriction
    /// without the right to.
    ///
    /// # Errors
    /// [`Problem`]; a locked holder refuses.
    pub async fn set_allow_list(
        &self,
        caller: &Arc<Caller>,
        of: &ListHolder,
        text: &str,
        insistence: Insistence,
    ) -> Result<Done<Option<AllowList>>, Problem> {
        let held = self.held(of).await?;
        let (attempt, sees) = (
            self.authority.permit(caller, update(of), place(of)).await,
            held.as_ref().is_some_and(|held| held.owner == *caller.principal())
                || self.authority.may(caller, read(of), &place(of)),
        );
        let (held, permit): (_, Permit<Control>) = settle(held, attempt, sees, noun(of), &name(of))?;
        if held.locked {
            return Err(Problem::Locked(noun(of)));
        }
        self.unlocked(&Subject::Principal(held.owner)).await?;
        let list = list(text, Naming::Addresses)?;
        let compiled = list.as_ref().map(|list| list.compile(&Zones::default()));
        let own = match of {
            ListHolder::ApiKey(id) if Some(id) == caller.credential.api_key() => {
                Own { api_key: compiled.as_ref(), ..Own::default() }
            }
            ListHolder::Principal(id) if id == caller.principal() => {
                Own { principal: compiled.as_ref(), ..Own::default() }
            }
            ListHolder::ApiKey(_) | ListHolder::Principal(_) => Own::default(),
        };
        self.lets_back_in(caller, &AccountNetwork::default(), own, insistence)?;
        self.store
            .put_allow_list(of, list.as_ref())
            .await
            .map_err(|error| Problem::of(error, noun(of), &name(of)))?;
        Ok(Done::new(list, permit))
    }

    /// Refuses a change of the account's restrictions after which the caller could not take it back.
    pub(super) fn let_back_in(
        &self,
        caller: &Caller,
        changed: NetworkFacts,
        insistence: Insistence,
    ) -> Result<(), Problem> {
        let (principal, api_key) = caller.lists();
        let own = Own { principal, api_key, private_only: false };
        self.lets_back_in(caller, &AccountNetwork::of(changed), own, insistence)
    }

    fn lets_back_in(
        &self,
        caller: &Caller,
        network: &AccountNetwork,
        own: Own<'_>,
        insistence: Insistence,
    ) -> Result<(), Problem> {
        let verdict = self.premises.verdict_with(network, caller, own, Want::Identity)?;
        match (verdict.refused_by, insistence) {
            (None, _) | (Some(_), Insistence::Forced) => Ok(()),
            (Some(_), Insistence::Careful) => {
                let (from, network) = (self.premises.source(caller), caller.endpoint.label());
                Err(Problem::Conflict(format!(
                    "this would lock you out: you come from {from} over the {network} network, which could not undo it. \
                     Include that address, or insist with --force (force=true in the query)"
                )))
            }
        }
    }

    async fn held(&self, of: &ListHolder) -> Result<Option<Held>, Problem> {
        Ok(match of {
            ListHolder::ApiKey(id) => {
                self.store.api_key(id).await?.map(|row| Held { owner: row.owner, locked: row.locked })
            }
            // Neither has a list of its own: whoever takes it on comes with theirs.
            ListHolder::Principal(PrincipalId::Profile(_) | PrincipalId::Role(_)) => None,
            ListHolder::Principal(owner @ PrincipalId::ServiceId(id)) => {
                let row = self.store.service_id(id).await?;
                row.map(|row| Held { owner: owner.clone(), locked: row.locked })
            }
            ListHolder::Principal(owner @ PrincipalId::User(id)) => {
                self.store.user(id).await?.map(|_| Held { owner: owner.clone(), locked: false })
            }
        })
    }
}

/// Whose list it is, and whether it may be changed.
struct Held {
    owner: PrincipalId,
    locked: bool,
}

/// Reads what a caller wrote.
fn list(text: &str, naming: Naming) -> Result<Option<AllowList>, Problem> {
    if text.len() > LIST_MAX {
        return Err(Problem::Invalid(format!("`allowed_ip_addresses` is longer than {LIST_MAX} bytes")));
    }
    AllowList::parse(text, naming)
        .map_err(|mistake| Problem::Invalid(format!("`allowed_ip_addresses`, {mistake}")))
}

fn founded(facts: NetworkFacts) -> Result<AccountSettings, Problem> {
    let missing = || crate::admit::fault::Fault::Internal("the account has not been founded".to_owned());
    Ok(facts.settings.ok_or_else(missing)?)
}

fn name(of: &ListHolder) -> String {
    match of {
        ListHolder::ApiKey(id) => ApiKeyId::to_string(id),
        ListHolder::Principal(id) => id.to_string(),
    }
}

fn noun(of: &ListHolder) -> Noun {
    match of {
        ListHolder::ApiKey(_) => Noun::ApiKey,
        ListHolder::Principal(PrincipalId::Profile(_) | PrincipalId::Role(_) | PrincipalId::ServiceId(_)) => {
            Noun::ServiceId
        }
        ListHolder::Principal(PrincipalId::User(_)) => Noun::User,
    }
}

fn place(of: &ListHolder) -> Resource {
    match of {
        ListHolder::ApiKey(_)
        | ListHolder::Principal(PrincipalId::Profile(_) | PrincipalId::Role(_) | PrincipalId::ServiceId(_)) => {
            Resource::platform(Service::IamIdentity)
        }
        ListHolder::Principal(PrincipalId::User(_)) => Resource::platform(Service::UserManagement),
    }
}

fn read(of: &ListHolder) -> Action {
    match of {
        ListHolder::ApiKey(_) => Action::ApiKeyRead,
        ListHolder::Principal(PrincipalId::Profile(_) | PrincipalId::Role(_) | PrincipalId::ServiceId(_)) => {
            Action::ServiceIdRead
        }
        ListHolder::Principal(PrincipalId::User(_)) => Action::UserRead,
    }
}

fn update(of: &ListHolder) -> Action {
    match of {
        ListHolder::ApiKey(_) => Action::ApiKeyUpdate,
        ListHolder::Principal(PrincipalId::Profile(_) | PrincipalId::Role(_) | PrincipalId::ServiceId(_)) => {
            Action::ServiceIdUpdate
        }
        ListHolder::Principal(PrincipalId::User(_)) => Action::UserUpdate,
    }
}
