//! The questions: how each is answered from the store, and what the answer depends on.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::bundle::{Bundle, KeyState, rights_at};
use super::hidden::{Hidden, HiddenOf};
use super::keyring::Keyring;
use super::ledger::Depends;
use super::network::AccountNetwork;
use super::registry::RegistryState;
use super::repository::{RepositoryState, Whose};
use super::table::{Slot, Table};
use super::{Known, Unavailable};
use crate::credential::api_key::KeyHash;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::resource_group::ResourceGroupId;
use crate::ids::tagged::ApiKeyId;
use crate::network::zone::Zones;
use crate::policy::engine::bundle::Policies;
use crate::policy::ibm::check::{check, compile};
use crate::store::StoreError;
use crate::store::aws::holder::Actor;
use crate::store::aws::policies::ActorPolicies;
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::identity::{PrincipalFacts, PrincipalRecord};
use crate::store::registry::RegistryFacts;

/// How often a load starts again because what it reads changes under its hands.
const ATTEMPTS: usize = 16;

/// How long one reading of the store may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many readings of the store there are at once, those included that wait for a connection. Whoever asks beyond that is told at once
/// that it cannot be said: anybody can ask for what is not known yet.
pub(super) const AT_ONCE: usize = 1024;

/// What a load found.
pub(super) struct Loaded<V> {
    pub(super) found: V,
    /// The position that it was read at, if the store says so.
    pub(super) as_of: Option<Sequence>,
    pub(super) depends: Depends,
    pub(super) weight: u64,
}

/// A question that the view answers.
pub(super) trait Lookup: Clone + std::fmt::Debug + Eq + Hash + Send + Sync + 'static {
    /// The answer.
    type Found: Clone + Send + Sync + 'static;

    /// Where answers of this kind are kept.
    fn table(known: &Known) -> &Table<Self, Self::Found>;

    /// Asks the store.
    fn read(&self, known: &Known) -> impl Future<Output = Result<Loaded<Self::Found>, StoreError>> + Send;
}

/// Loads an answer for all who wait at `slot`. They are told something even if the future is dropped unpolled.
pub(super) fn load<K: Lookup>(
    known: Arc<Known>,
    key: K,
    slot: Arc<Slot<K::Found>>,
) -> impl Future<Output = ()> + Send {
    let landing = Landing { known, key, slot };
    async move {
        if let Err(error) = attempt(&landing).await {
            landing.end(error);
        }
    }
}

async fn attempt<K: Lookup>(landing: &Landing<K>) -> Result<(), Unavailable> {
    let Landing { known, key, slot } = landing;
    let _turn = known
        .asking
        .try_acquire()
        .map_err(|_| Unavailable("too much is asked of the store at once".to_owned()))?;
    for _ in 0..ATTEMPTS {
        let began = known.ledger.moment();
        known.counters.loads.fetch_add(1, Ordering::Relaxed);
        let reading = tokio::time::timeout(PATIENCE, key.read(known)).await;
        let loaded = reading.map_err(|_| Unavailable("the store does not answer".to_owned()))?;
        let loaded = loaded.map_err(|error| complaint(key, error))?;
        let as_of = loaded.as_of.unwrap_or(began.applied);
        let publish = || K::table(known).settle(key, slot, loaded.found, loaded.weight);
        if known.ledger.register((began, as_of), &loaded.depends, &slot.mark, publish) {
            return Ok(());
        }
    }
    Err(Unavailable(format!("{key:?} changes faster than it can be read")))
}

fn complaint(key: &impl std::fmt::Debug, error: StoreError) -> Unavailable {
    if let StoreError::Corrupt(detail) = &error {
        tracing::error!(?key, detail, "a stored row cannot be obeyed; all that depends on it is refused");
    }
    error.into()
}

/// A load under way. However it ends, panic and shutdown included, those who wait are told.
struct Landing<K: Lookup> {
    known: Arc<Known>,
    key: K,
    slot: Arc<Slot<K::Found>>,
}

impl<K: Lookup> Landing<K> {
    fn end(&self, otherwise: Unavailable) {
        K::table(&self.known).land(&self.key, &self.slot, otherwise);
    }
}

impl<K: Lookup> Drop for Landing<K> {
    fn drop(&mut self) {
        self.end(Unavailable("the load was given up".to_owned()));
    }
}

impl Lookup for PrincipalId {
    type Found = Option<Arc<Bundle>>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.principals
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        if let Self::Role(id) = self {
            return super::aws::role(id, known).await;
        }
        let mut depends = vec![ChangeKey::Principal(self.clone())];
        let Some(facts) = known.store.0.principal(self).await? else {
            return Ok(Loaded { found: None, as_of: None, depends: Depends::On(depends), weight: 1 });
        };
        let Some(held) = known.store.0.policies_of(&Actor::Principal(self.clone())).await? else {
            // It has just been removed.
            let as_of = Some(facts.as_of);
            return Ok(Loaded { found: None, as_of, depends: Depends::On(depends), weight: 1 });
        };
        depends.extend(facts.groups.iter().cloned().map(ChangeKey::Group));
        depends.extend(held.keys().into_iter().filter(|key| !depends.contains(key)).collect::<Vec<_>>());
        // The two were read at two instants. What changed in between is in the feed after the earlier one.
        let as_of = Some(facts.as_of.min(held.as_of));
        let bundle = bundle(self.clone(), facts, held, known)?;
        let weight = 1 + bundle.rights.policies().count() + bundle.keys.len() + bundle.groups.len();
        let weight = u64::try_from(weight).unwrap_or(u64::MAX);
        Ok(Loaded { found: Some(Arc::new(bundle)), as_of, depends: Depends::On(depends), weight })
    }
}

/// Compiles everything about a principal, or nothing of it.
fn bundle(
    principal: PrincipalId,
    facts: PrincipalFacts,
    held: ActorPolicies,
    known: &Known,
) -> Result<Bundle, StoreError> {
    let (name, active, trust) = match facts.record {
        PrincipalRecord::Profile(profile, trust) => (profile.name, true, Some(trust)),
        PrincipalRecord::ServiceId(service_id) => (service_id.name, true, None),
        PrincipalRecord::User(user) => (user.name, user.active, None),
    };
    let list_of = |id: &ApiKeyId| facts.key_lists.iter().find_map(|(of, list)| (of == id).then_some(list));
    let state = |key: crate::store::identity::ApiKeyRecord| KeyState {
        allowed: list_of(&key.id).map(|list| list.compile(&Zones::default())),
        id: key.id,
        disabled: key.disabled,
        expires_at: key.expires_at,
    };
    let compiled = |row: &crate::store::policy::PolicyRecord| {
        let policy = check(&row.document, &known.account);
        let policy =
            policy.map_err(|invalid| StoreError::Corrupt(format!("policy {}: {invalid}", row.id)))?;
        Ok(Arc::new(compile(&row.id, &policy)))
    };
    let ibm = facts.policies.iter().map(compiled).collect::<Result<Vec<_>, StoreError>>()?;
    let policies = Policies { ibm, ..super::compile::policies(&known.account, &held)? };
    let rights = rights_at(&known.account, &principal, (held.path.as_str(), &name), policies);
    let (keys, until) = (facts.api_keys.into_iter().map(state).collect(), facts.until);
    let allowed = facts.allow_list.map(|list| list.compile(&Zones::default()));
    Ok(Bundle {
        principal,
        name,
        active,
        allowed,
        keys,
        trust,
        groups: facts.groups,
        until,
        tags: held.tags,
        rights,
    })
}

impl Lookup for KeyHash {
    type Found = Option<(PrincipalId, ApiKeyId)>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.key_owners
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let found = known.store.0.key_owner(self).await?;
        // That there is no such key is not kept: whoever guesses keys would fill the memory.
        let depends = match &found {
            None => Depends::OnEverything,
            Some((owner, _)) => Depends::On(vec![ChangeKey::Principal(owner.clone())]),
        };
        Ok(Loaded { found, as_of: None, depends, weight: 1 })
    }
}

impl Lookup for Region {
    type Found = Option<Arc<RegistryState>>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.registries
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let facts = known.store.0.registry(self).await?;
        let as_of = facts.as_ref().map(|facts| facts.as_of);
        // Read later than the rest: what changes in between is in the feed after `as_of`.
        let quota = known.store.0.quota(self).await?;
        let groups = known.store.0.namespace_groups(self).await?;
        let default_group = Some(ResourceGroupId::default_of(&known.account));
        let state = |facts: RegistryFacts| RegistryState {
            policies_enforced: facts.settings.policies_enforced,
            private_only: facts.settings.private_only,
            namespaces: facts.namespaces.into_iter().collect(),
            groups: groups.into_iter().collect(),
            default_group,
            repository_policies: facts.repository_policies,
            platform_metrics: facts.settings.platform_metrics,
            storage_limit: quota.storage,
            traffic_limit: quota.traffic,
        };
        let found = facts.map(|facts| Arc::new(state(facts)));
        let depends = Depends::On(vec![ChangeKey::Registry(self.clone())]);
        Ok(Loaded { found, as_of, depends, weight: 1 })
    }
}

impl Lookup for Whose {
    type Found = Option<Arc<RepositoryState>>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.repositories
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let stored = known.store.0.repository_policy(&self.region, &self.name).await?;
        let as_of = Some(stored.as_of);
        let state = RepositoryState::of(&known.account, (&self.region, &self.name), stored);
        let found = state.map(Arc::new).map_err(|error| complaint(self, error)).ok();
        let own = found.as_ref().map_or(0, |state| state.tags.len() + 4 * state.policy.iter().len());
        let weight = u64::try_from(1 + self.name.as_str().len() / 64 + own).unwrap_or(u64::MAX);
        // Also when there is no such repository: it may come into being with a policy.
        let depends = Depends::On(vec![ChangeKey::Repository(self.region.clone(), self.name.clone())]);
        Ok(Loaded { found, as_of, depends, weight })
    }
}

impl Lookup for HiddenOf {
    type Found = Arc<Hidden>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.hidden
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let stored = known.store.0.hidden(&self.region, &self.name).await?;
        let as_of = Some(stored.as_of);
        let found = Hidden::of(stored);
        let weight = u64::try_from(1 + self.name.as_str().len() / 64 + found.len()).unwrap_or(u64::MAX);
        let depends = Depends::On(vec![ChangeKey::Repository(self.region.clone(), self.name.clone())]);
        Ok(Loaded { found: Arc::new(found), as_of, depends, weight })
    }
}

/// Asks for all that restricts from where the account may be used.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Restricting;

impl Lookup for Restricting {
    type Found = Arc<AccountNetwork>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.restricting
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let facts = known.store.0.network().await?;
        let as_of = Some(facts.as_of);
        let depends = Depends::On(vec![ChangeKey::Account, ChangeKey::Network]);
        Ok(Loaded { found: Arc::new(AccountNetwork::of(facts)), as_of, depends, weight: 1 })
    }
}

/// Asks for the signing keys.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Signing;

impl Lookup for Signing {
    type Found = Arc<Keyring>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.signing
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let (keys, as_of) = known.store.0.signing_keys().await?;
        let depends = Depends::On(vec![ChangeKey::Keyring]);
        let keyring =
            Keyring::compile(&keys).map_err(|unavailable| StoreError::Corrupt(unavailable.to_string()))?;
        Ok(Loaded { found: Arc::new(keyring), as_of: Some(as_of), depends, weight: 1 })
    }
}
