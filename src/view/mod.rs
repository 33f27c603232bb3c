//! What the data plane knows of the store: compiled, cached, and dropped as soon as the feed says so.
//!
//! It answers from memory and loads what it lacks, once for all who ask at the same time. What it answers was true when
//! it was asked or later: a write that has returned is obeyed by the next question (see `ledger`). When it cannot
//! learn of changes for too long, it answers nothing at all. It never decides who may do what.

pub mod aws;
pub mod bundle;
pub mod compile;
mod follow;
pub mod hidden;
pub mod keyring;
mod ledger;
mod lookup;
pub mod network;
mod profile;
pub mod registry;
pub mod repository;
mod standing;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use self::aws::AccessKeyState;
use self::bundle::Bundle;
use self::hidden::{Hidden, HiddenOf};
use self::keyring::Keyring;
use self::ledger::Ledger;
use self::lookup::{Lookup, Restricting, Signing};
use self::network::AccountNetwork;
use self::profile::{ProfileName, UserName};
use self::registry::RegistryState;
use self::repository::{RepositoryState, Whose};
use self::standing::StandingOf;
use self::table::{Joined, Table};
use crate::clock::UnixTime;
use crate::credential::api_key::KeyHash;
use crate::findings::standing::Standing;
use crate::ids::account::AccountId;
use crate::ids::aws::{AccessKeyId, ManagedPolicyId};
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::{ApiKeyId, ProfileId, UserId};
use crate::policy::engine::compiled::CompiledPolicy;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::feed::Sequence;
use crate::store::findings::Scanned;

/// The view cannot answer: the store is gone, or what it holds cannot be obeyed. The text is for the log.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

impl From<StoreError> for Unavailable {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// How a view behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long known callers are still served when the store cannot be asked for changes.
    pub max_staleness: Duration,
    /// How much is kept of each kind: a principal counts 1, and 1 more for every grant, key and group of its own; a
    /// repository counts 1, and more if its name is long or it has a policy or tags.
    pub capacity: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_staleness: Duration::from_secs(30), capacity: 200_000 }
    }
}

/// The view. Its methods may be called from any runtime: what they wait for happens on the one given to [`View::new`].
#[derive(Debug)]
pub struct View {
    known: Arc<Known>,
    runtime: Handle,
    follower: AbortHandle,
}

/// A position in the store's changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position(ledger::Moment);

impl View {
    /// A view of `store` that knows nothing yet and follows the store's changes on `runtime`. From now on, writes to
    /// `store` return only when this view obeys them.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, runtime: Handle, account: AccountId, settings: Settings) -> Self {
        store.applied(Sequence::default());
        let known = Arc::new(Known::new(store, account, settings));
        let follower = runtime.spawn(follow::follow(known.clone())).abort_handle();
        Self { known, runtime, follower }
    }

    /// Everything about a principal; `None` when there is no such principal.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked, or holds a policy of this principal that cannot be understood:
    /// then it may do nothing, since what is not understood may have been a restriction.
    pub async fn principal(&self, id: &PrincipalId) -> Result<Option<Arc<Bundle>>, Unavailable> {
        self.ask(id).await
    }

    /// The same, as it is at `now`: memberships that have ended since it was read count no more.
    ///
    /// # Errors
    /// As [`View::principal`].
    pub async fn principal_at(
        &self,
        id: &PrincipalId,
        now: UnixTime,
    ) -> Result<Option<Arc<Bundle>>, Unavailable> {
        let found = self.ask(id).await?;
        let over = |bundle: &Arc<Bundle>| bundle.until.is_some_and(|until| until <= now);
        if !found.as_ref().is_some_and(over) {
            return Ok(found);
        }
        self.known.principals.withdraw(id);
        self.ask(id).await
    }

    /// The trusted profile of that name, in any case.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked.
    pub async fn profile_named(&self, name: &str) -> Result<Option<ProfileId>, Unavailable> {
        self.ask(&ProfileName(name.to_lowercase())).await
    }

    /// The user of that name, in any case.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked.
    pub async fn user_named(&self, name: &str) -> Result<Option<UserId>, Unavailable> {
        self.ask(&UserName(name.to_lowercase())).await
    }

    /// Like [`View::principal`], at once and only if it is known; `None` says nothing about the principal.
    #[must_use]
    pub fn cached_principal(&self, id: &PrincipalId) -> Option<Arc<Bundle>> {
        self.recall(id).flatten()
    }

    /// Whom a key proves, and the key's id. Whether the key may be used is for the [`Bundle`] to say.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked.
    pub async fn key_owner(&self, hash: &KeyHash) -> Result<Option<(PrincipalId, ApiKeyId)>, Unavailable> {
        self.ask(hash).await
    }

    /// Like [`View::key_owner`], at once and only if it is known.
    #[must_use]
    pub fn cached_key_owner(&self, hash: &KeyHash) -> Option<(PrincipalId, ApiKeyId)> {
        self.recall(hash).flatten()
    }

    /// An access key; `None` if there is no such key. Whether its owner may still use anything is for the [`Bundle`] to say.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked.
    pub async fn access_key(&self, id: &AccessKeyId) -> Result<Option<Arc<AccessKeyState>>, Unavailable> {
        self.ask(id).await
    }

    /// A customer managed policy as it is in force; `None` if there is no such policy.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked, or holds a document that cannot be understood.
    pub async fn policy_in_force(
        &self,
        id: &ManagedPolicyId,
    ) -> Result<Option<Arc<CompiledPolicy>>, Unavailable> {
        self.ask(id).await
    }

    /// The settings of the registry in `region`; `None` if there is none.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked.
    pub async fn registry(&self, region: &Region) -> Result<Option<Arc<RegistryState>>, Unavailable> {
        self.ask(region).await
    }

    /// Like [`View::registry`], at once and only if it is known.
    #[must_use]
    pub fn cached_registry(&self, region: &Region) -> Option<Arc<RegistryState>> {
        self.recall(region).flatten()
    }

    /// What a repository itself says about who may do what to it; `None` if that cannot be understood. Then nobody may do
    /// anything to it, since what is not understood may have been a restriction.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked.
    pub async fn repository(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<Option<Arc<RepositoryState>>, Unavailable> {
        self.ask(&Whose { region: region.clone(), name: name.clone() }).await
    }

    /// Like [`View::repository`], at once and only if it is known.
    #[must_use]
    pub fn cached_repository(&self, region: &Region, name: &RepositoryName) -> Option<Arc<RepositoryState>> {
        self.recall(&Whose { region: region.clone(), name: name.clone() }).flatten()
    }

    /// What of a repository nobody is shown.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked.
    pub async fn hidden(&self, region: &Region, name: &RepositoryName) -> Result<Arc<Hidden>, Unavailable> {
        self.ask(&HiddenOf { region: region.clone(), name: name.clone() }).await
    }

    /// How an image stands, by what is reported of it in this repository.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked.
    pub async fn standing(
        &self,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Arc<Standing>, Unavailable> {
        let (region, repository, digest) = (region.clone(), name.clone(), digest.clone());
        self.ask(&StandingOf(Scanned { region, repository, digest })).await
    }

    /// All that restricts from where the account may be used.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked, or holds a restriction that cannot be understood.
    pub async fn network(&self) -> Result<Arc<AccountNetwork>, Unavailable> {
        self.ask(&Restricting).await
    }

    /// Like [`View::network`], at once and only if it is known.
    #[must_use]
    pub fn cached_network(&self) -> Option<Arc<AccountNetwork>> {
        self.recall(&Restricting)
    }

    /// The signing keys, youngest first.
    ///
    /// # Errors
    /// [`Unavailable`] when the store cannot be asked.
    pub async fn keyring(&self) -> Result<Arc<Keyring>, Unavailable> {
        self.ask(&Signing).await
    }

    /// Like [`View::keyring`], at once and only if they are known.
    #[must_use]
    pub fn cached_keyring(&self) -> Option<Arc<Keyring>> {
        self.recall(&Signing)
    }

    /// Up to where changes are known. Whatever is read between two equal positions is read of the same state.
    #[must_use]
    pub fn position(&self) -> Position {
        Position(self.known.ledger.moment())
    }

    /// Whether the view has heard from the store, and lately enough to answer: what readiness is about.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.known.started.load(Ordering::Acquire) && self.known.current().is_ok()
    }

    /// What the view has done so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.known.counters
    }

    fn recall<K: Lookup>(&self, key: &K) -> Option<K::Found> {
        self.known.current().ok()?;
        let found = K::table(&self.known).recall(key)?;
        self.known.counters.hits.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }

    async fn ask<K: Lookup>(&self, key: &K) -> Result<K::Found, Unavailable> {
        self.known.current()?;
        let flight = match K::table(&self.known).join(key) {
            Joined::Known(found) => {
                self.known.counters.hits.fetch_add(1, Ordering::Relaxed);
                return Ok(found);
            }
            Joined::Wait(flight) => flight,
            Joined::Lead(flight) => {
                // On its own task: whoever started it may go away, and others still wait.
                let _detached =
                    self.runtime.spawn(lookup::load(self.known.clone(), key.clone(), flight.clone()));
                flight
            }
        };
        self.known.counters.misses.fetch_add(1, Ordering::Relaxed);
        flight.outcome().await
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

/// What a view has done since it was made.
#[derive(Debug, Default)]
pub struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    loads: AtomicU64,
    drops: AtomicU64,
}

impl Counters {
    /// Questions answered from memory.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Questions that had to wait for a load, their own or another's.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }

    /// Loads from the store.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    /// Answers dropped because of a change.
    #[must_use]
    pub fn drops(&self) -> u64 {
        self.drops.load(Ordering::Relaxed)
    }
}

/// What is shared between those who ask, the loads and the follower.
#[derive(Debug)]
struct Known {
    store: Handled,
    account: AccountId,
    max_staleness: Duration,
    ledger: Ledger,
    principals: Table<PrincipalId, Option<Arc<Bundle>>>,
    access_keys: Table<AccessKeyId, Option<Arc<AccessKeyState>>>,
    limits: Table<ManagedPolicyId, Option<Arc<CompiledPolicy>>>,
    profile_names: Table<ProfileName, Option<ProfileId>>,
    user_names: Table<UserName, Option<UserId>>,
    key_owners: Table<KeyHash, Option<(PrincipalId, ApiKeyId)>>,
    registries: Table<Region, Option<Arc<RegistryState>>>,
    repositories: Table<Whose, Option<Arc<RepositoryState>>>,
    hidden: Table<HiddenOf, Arc<Hidden>>,
    standings: Table<StandingOf, Arc<Standing>>,
    restricting: Table<Restricting, Arc<AccountNetwork>>,
    signing: Table<Signing, Arc<Keyring>>,
    /// Turns for questions to the store.
    asking: Semaphore,
    counters: Counters,
    born: Instant,
    /// When the store was last asked for changes and all of them were applied, in milliseconds after `born`.
    confirmed: AtomicU64,
    started: AtomicBool,
}

impl Known {
    fn new(store: Arc<dyn Store>, account: AccountId, settings: Settings) -> Self {
        Self {
            store: Handled(store),
            account,
            max_staleness: settings.max_staleness,
            ledger: Ledger::default(),
            principals: Table::new(settings.capacity),
            access_keys: Table::new(settings.capacity),
            limits: Table::new(16_384),
            profile_names: Table::new(16_384),
            user_names: Table::new(16_384),
            key_owners: Table::new(settings.capacity),
            registries: Table::new(1024),
            repositories: Table::new(settings.capacity),
            hidden: Table::new(settings.capacity),
            standings: Table::new(settings.capacity),
            restricting: Table::new(1024),
            signing: Table::new(1024),
            asking: Semaphore::new(lookup::AT_ONCE),
            counters: Counters::default(),
            born: Instant::now(),
            confirmed: AtomicU64::new(0),
            started: AtomicBool::new(false),
        }
    }

    /// Fails when the store has not confirmed for too long that all changes are known.
    fn current(&self) -> Result<(), Unavailable> {
        let confirmed = Duration::from_millis(self.confirmed.load(Ordering::Acquire));
        let age = self.born.elapsed().saturating_sub(confirmed);
        if age <= self.max_staleness {
            return Ok(());
        }
        Err(Unavailable(format!("nothing heard of changes for {} s", age.as_secs())))
    }

    fn confirm(&self, asked: Instant) {
        let at = asked.saturating_duration_since(self.born).as_millis();
        self.confirmed.store(u64::try_from(at).unwrap_or(u64::MAX), Ordering::Release);
        self.started.store(true, Ordering::Release);
    }
}

/// The store, printable.
struct Handled(Arc<dyn Store>);

impl std::fmt::Debug for Handled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
