//! A store that fails, counts and waits on command, around one that works: for tests of those who use a store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::{Notify, Semaphore, watch};

use super::account::{Account, Accounts, Founding};
use super::feed::{Change, Feed, Sequence};
use super::group::{AccessGroup, Groups, Membership};
use super::identity::{ApiKeyRecord, Identities, Listed, PrincipalFacts, ServiceIdentity, User, Window};
use super::keyring::{Keyring, SigningKeyRecord};
use super::policy::{Policies, PolicyRecord, Subject};
use super::registry::{NamespaceRecord, Registries, RegistryFacts, RegistrySettings};
use super::{Store, StoreError};
use crate::clock::UnixTime;
use crate::credential::api_key::KeyHash;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::{AccessGroupId, ApiKeyId, PolicyId, ServiceId, UserId};
use crate::registry::name::Namespace;

/// The store. Operations are named as in the traits.
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    failing: AtomicBool,
    calls: Mutex<HashMap<&'static str, u64>>,
    hold: Mutex<Option<(&'static str, Arc<Hold>)>>,
}

/// Stops an operation after it has read what it read, until it is let go.
pub(crate) struct Hold {
    reached: Notify,
    open: Semaphore,
}

impl Hold {
    /// Waits until the operation has read.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it, and all later ones, go on.
    pub(crate) fn release(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS);
    }
}

impl Faulty {
    pub(crate) fn around(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            failing: AtomicBool::new(false),
            calls: Mutex::default(),
            hold: Mutex::default(),
        })
    }

    /// From now on every operation fails, or none.
    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// How often `operation` has been called.
    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.calls.lock().unwrap().get(operation).copied().unwrap_or_default()
    }

    /// Holds `operation` from now on.
    pub(crate) fn hold(&self, operation: &'static str) -> Arc<Hold> {
        let hold = Arc::new(Hold { reached: Notify::new(), open: Semaphore::new(0) });
        *self.hold.lock().unwrap() = Some((operation, hold.clone()));
        hold
    }

    fn enter(&self, operation: &'static str) -> Result<(), StoreError> {
        *self.calls.lock().unwrap().entry(operation).or_default() += 1;
        if self.failing.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("made to fail".to_owned()));
        }
        Ok(())
    }

    async fn leave(&self, operation: &'static str) {
        let hold = self.hold.lock().unwrap().clone();
        if let Some((held, hold)) = hold
            && held == operation
        {
            hold.reached.notify_one();
            drop(hold.open.acquire().await.unwrap());
        }
    }
}

macro_rules! delegate {
    ($trait:ident { $($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)* }) => {
        #[async_trait]
        impl $trait for Faulty {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$result, StoreError> {
                self.enter(stringify!($name))?;
                let result = self.inner.$name($($argument),*).await;
                self.leave(stringify!($name)).await;
                result
            })*
        }
    };
}

delegate!(Accounts {
    account() -> Option<Account>;
    found(founding: &Founding) -> ();
});

delegate!(Groups {
    group(id: &AccessGroupId) -> Option<AccessGroup>;
    groups(member: Option<&PrincipalId>, window: Window) -> Listed<AccessGroup>;
    insert_group(group: &AccessGroup) -> ();
    update_group(group: &AccessGroup) -> ();
    delete_group(id: &AccessGroupId) -> ();
    members(group: &AccessGroupId, window: Window) -> Listed<Membership>;
    insert_member(group: &AccessGroupId, member: &Membership) -> ();
    delete_member(group: &AccessGroupId, member: &PrincipalId) -> ();
});

delegate!(Identities {
    principal(id: &PrincipalId) -> Option<PrincipalFacts>;
    key_owner(hash: &KeyHash) -> Option<(PrincipalId, ApiKeyId)>;
    user(id: &UserId) -> Option<User>;
    users(window: Window) -> Listed<User>;
    insert_user(user: &User) -> ();
    delete_user(id: &UserId) -> ();
    service_id(id: &ServiceId) -> Option<ServiceIdentity>;
    service_ids(name: Option<&str>, window: Window) -> Listed<ServiceIdentity>;
    insert_service_id(row: &ServiceIdentity) -> ();
    update_service_id(row: &ServiceIdentity) -> ();
    delete_service_id(id: &ServiceId) -> ();
    api_key(id: &ApiKeyId) -> Option<ApiKeyRecord>;
    api_keys(owner: Option<&PrincipalId>, window: Window) -> Listed<ApiKeyRecord>;
    insert_api_key(row: &ApiKeyRecord) -> ();
    update_api_key(row: &ApiKeyRecord) -> ();
    delete_api_key(id: &ApiKeyId) -> ();
});

delegate!(Keyring {
    signing_keys() -> (Vec<SigningKeyRecord>, Sequence);
    rotate_in(key: &SigningKeyRecord, others_retire_at: UnixTime) -> ();
    purge_retired(now: UnixTime) -> ();
});

delegate!(Policies {
    policy(id: &PolicyId) -> Option<PolicyRecord>;
    policies(subject: Option<&Subject>, window: Window) -> Listed<PolicyRecord>;
    insert_policy(row: &PolicyRecord) -> ();
    update_policy(row: &PolicyRecord) -> ();
    delete_policy(id: &PolicyId) -> ();
});

delegate!(Registries {
    registry(region: &Region) -> Option<RegistryFacts>;
    put_registry(settings: &RegistrySettings) -> ();
    namespaces(region: &Region) -> Vec<NamespaceRecord>;
    insert_namespace(row: &NamespaceRecord) -> ();
    delete_namespace(region: &Region, name: &Namespace) -> ();
});

#[async_trait]
impl Feed for Faulty {
    async fn latest(&self) -> Result<Sequence, StoreError> {
        self.enter("latest")?;
        self.inner.latest().await
    }

    async fn changes(&self, after: Sequence, limit: u32) -> Result<Vec<Change>, StoreError> {
        self.enter("changes")?;
        self.inner.changes(after, limit).await
    }

    fn committed(&self) -> watch::Receiver<Sequence> {
        self.inner.committed()
    }

    fn applied(&self, sequence: Sequence) {
        self.inner.applied(sequence);
    }
}

impl Store for Faulty {}
