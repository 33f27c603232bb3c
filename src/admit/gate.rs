//! May they: network, ceiling, policy and lease, in that order, for one registry operation or one control action.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::authenticate::{Authenticated, Authenticator, Ceiling, Origin, Proof};
use super::caller::Caller;
use super::fault::Fault;
use super::permit::{Control, Grounds, Permit};
use super::refusal::{Challenge, Refusal};
use crate::clock::Clock;
use crate::credential::authorization::Presented;
use crate::credential::lease::{Lease, LeaseKey};
use crate::ids::region::Region;
use crate::policy::action::{Action, ActionSet};
use crate::policy::decide::{Decision, decide};
use crate::policy::model::{Resource, Service};
use crate::policy::right::{actions_for, principal_action};
use crate::registry::error::{OciCode, OciError};
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::needs::{Need, mount_source, primary};
use crate::registry::operation::{Operation, UploadSession, UploadStart};
use crate::registry::scope::{self, ScopeAction, ScopeEntry};
use crate::view::View;
use crate::view::registry::RegistryState;

/// The gate.
#[derive(Debug)]
pub struct Gate {
    /// Proves callers.
    pub authenticator: Authenticator,
    view: Arc<View>,
    leases: LeaseKey,
    clock: Arc<dyn Clock>,
    would_deny: AtomicU64,
}

/// A registry operation that may go ahead.
#[derive(Debug)]
pub struct Admission {
    /// The proof. Its operation may be less than what was asked for: a mount without a right on the source is a plain
    /// upload session.
    pub permit: Permit<Operation>,
    /// The upload that the operation continues, as leased to its opener.
    pub lease: Option<Lease>,
    /// Whether a mount became a plain upload session.
    pub mount_downgraded: bool,
    /// The namespace that this push brings into being, if it does.
    pub new_namespace: Option<Namespace>,
}

/// What a registry makes of a push into a namespace that does not exist.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NewNamespaces {
    /// The push brings it into being.
    Made,
    /// The push is refused.
    Refused,
}

/// Why something may not go ahead, and who asked, if that was proven.
#[derive(Debug)]
pub struct Stopped {
    /// The proven caller, for the record.
    pub caller: Option<Arc<Caller>>,
    /// Why.
    pub why: Why,
}

/// The two ways to be stopped.
#[derive(Debug)]
pub enum Why {
    /// Not the caller's fault.
    Fault(Fault),
    /// The caller's fault.
    Refusal(Refusal),
}

impl From<Fault> for Why {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refusal> for Why {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl Gate {
    /// A gate over `view`.
    #[must_use]
    pub fn new(
        authenticator: Authenticator,
        view: Arc<View>,
        leases: LeaseKey,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { authenticator, view, leases, clock, would_deny: AtomicU64::new(0) }
    }

    /// How many requests policy-free registries have let through that policies would have refused.
    #[must_use]
    pub fn would_deny(&self) -> u64 {
        self.would_deny.load(Ordering::Relaxed)
    }

    /// Whether the view has heard from the store lately.
    #[must_use]
    pub fn view_is_current(&self) -> bool {
        self.view.is_current()
    }

    /// Hits and misses of the view.
    #[must_use]
    pub fn view_events(&self) -> (u64, u64) {
        let counters = self.view.counters();
        (counters.hits(), counters.misses())
    }

    /// Writes a lease into text that an upload's URL carries.
    #[must_use]
    pub fn lease(&self, lease: &Lease) -> String {
        self.leases.issue(lease)
    }

    /// Decides one registry operation.
    ///
    /// # Errors
    /// [`Stopped`] with the refusal or fault.
    pub async fn admit(
        &self,
        operation: Operation,
        presented: &Presented,
        origin: Origin,
        region: &Region,
        new: NewNamespaces,
    ) -> Result<Admission, Stopped> {
        let challenge = |because| Refusal::Challenge { because, scope: scope::scope_for(&operation) };
        let proof = match self.authenticator.registry(presented, origin).await {
            Ok(Authenticated::Proven(proof)) => proof,
            Ok(Authenticated::Absent) => return Err(Stopped::unproven(challenge(Challenge::Absent))),
            Ok(Authenticated::Rejected(_)) => {
                return Err(Stopped::unproven(challenge(Challenge::InvalidToken)));
            }
            Err(fault) => return Err(Stopped::unproven(fault)),
        };
        let Some(caller) = proof.caller.clone() else {
            let refusal = match operation {
                Operation::Ping => challenge(Challenge::Absent),
                _ if proof.expired => challenge(Challenge::InvalidToken),
                _ => Refusal::AnonymousDenied,
            };
            return Err(Stopped::unproven(refusal));
        };
        let stop = |why: Why| Stopped { caller: Some(Arc::clone(&caller)), why };
        self.proven(operation, &proof, &caller, region, new).await.map_err(stop)
    }

    async fn proven(
        &self,
        operation: Operation,
        proof: &Proof,
        caller: &Arc<Caller>,
        region: &Region,
        new: NewNamespaces,
    ) -> Result<Admission, Why> {
        let wanted_scope = scope::scope_for(&operation);
        let lease = self.leased(&operation, caller, region);
        if proof.expired && lease.is_none() {
            return Err(Refusal::Challenge { because: Challenge::InvalidToken, scope: wanted_scope }.into());
        }
        let grounds = match primary(&operation) {
            Some(need) => self.grounds(caller, &need, region).await?,
            None => Grounds::Proven,
        };
        let covered = match &proof.ceiling {
            Ceiling::Scopes(scopes) => scope::covers(scopes, &operation),
            Ceiling::Unlimited => true,
        };
        if !covered {
            return Err(
                Refusal::Challenge { because: Challenge::InsufficientScope, scope: wanted_scope }.into()
            );
        }
        if upload_session(&operation).is_some() && lease.is_none() {
            let message = "blob upload unknown to registry: start a new upload";
            return Err(Refusal::Malformed(OciError::new(
                http::StatusCode::NOT_FOUND,
                OciCode::BlobUploadUnknown,
                message,
            ))
            .into());
        }
        let new_namespace = self.new_namespace(&operation, region, new).await?;
        let mount = mount_source(&operation);
        let mount_allowed = match &mount {
            Some(need) => self.grounds(caller, need, region).await.map(|_| true).or_else(refused_is_false)?,
            None => true,
        };
        let operation = if mount_allowed { operation } else { plain_session(operation) };
        let permit = Permit::new(operation, Arc::clone(caller), grounds);
        Ok(Admission { permit, lease, mount_downgraded: !mount_allowed, new_namespace })
    }

    /// The registry as of now; one that was never founded is enforced and empty.
    async fn registry(&self, region: &Region) -> Result<Arc<RegistryState>, Fault> {
        let missing = || Arc::new(RegistryState { policies_enforced: true, ..RegistryState::default() });
        Ok(self.view.registry(region).await?.unwrap_or_else(missing))
    }

    /// Why `caller` has what it needs, or the refusal.
    async fn grounds(&self, caller: &Caller, need: &Need<'_>, region: &Region) -> Result<Grounds, Why> {
        let resource = Resource::repository(region, need.repository);
        if let Decision::Allow(reason) = decide(&caller.bundle.grants, actions_for(need.right), &resource) {
            return Ok(Grounds::Policy(reason));
        }
        if self.registry(region).await?.policies_enforced {
            let action = principal_action(need.right);
            return Err(Refusal::Denied { action, resource: Box::new(resource) }.into());
        }
        self.would_deny.fetch_add(1, Ordering::Relaxed);
        Ok(Grounds::PolicyFree)
    }

    /// The namespace that a push would bring into being; a refusal where that is not to happen.
    async fn new_namespace(
        &self,
        operation: &Operation,
        region: &Region,
        new: NewNamespaces,
    ) -> Result<Option<Namespace>, Why> {
        let (Operation::ManifestWrite { repository, .. } | Operation::UploadStart { repository, .. }) =
            operation
        else {
            return Ok(None);
        };
        let namespace = Namespace::of(repository);
        match (self.registry(region).await?.namespaces.contains(&namespace), new) {
            (true, _) => Ok(None),
            (false, NewNamespaces::Made) => Ok(Some(namespace)),
            (false, NewNamespaces::Refused) => {
                let resource = Box::new(Resource::namespace(region, namespace.as_str()));
                Err(Refusal::Denied { action: Action::NamespaceCreate, resource }.into())
            }
        }
    }

    /// The lease of the upload that `operation` continues, if it is this caller's, for this upload, and alive.
    fn leased(&self, operation: &Operation, caller: &Caller, region: &Region) -> Option<Lease> {
        let session = upload_session(operation)?;
        let lease = self.leases.open(session.lease.as_deref()?)?;
        let matches = lease.principal == *caller.principal()
            && lease.region == *region
            && lease.repository == session.repository
            && lease.upload == session.id
            && self.clock.now() < lease.expires_at;
        matches.then_some(lease)
    }

    /// Which of `names` the caller may see, as one question: those that it may list or pull.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn visibility(&self, caller: &Arc<Caller>, region: &Region) -> Result<Visibility, Fault> {
        let everything = !self.registry(region).await?.policies_enforced;
        Ok(Visibility { caller: Arc::clone(caller), region: region.clone(), everything })
    }

    /// What of `wanted` the caller may have now: the intersection, which is what a token is made for (Docker token
    /// specification: asking for more "must not be considered an error").
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn narrow(
        &self,
        caller: &Arc<Caller>,
        wanted: Vec<ScopeEntry>,
        region: &Region,
    ) -> Result<Vec<ScopeEntry>, Fault> {
        let everything = !self.registry(region).await?.policies_enforced;
        let may = |name: &RepositoryName, action: ScopeAction| {
            let action = match action {
                ScopeAction::Delete => Action::ImageDelete,
                ScopeAction::Pull => Action::ImagePull,
                ScopeAction::Push => Action::ImagePush,
            };
            let resource = Resource::repository(region, name);
            everything || decide(&caller.bundle.grants, ActionSet::of(&[action]), &resource).is_allow()
        };
        Ok(wanted.into_iter().filter_map(|entry| entry.narrowed(may)).collect())
    }

    /// Decides one control action.
    ///
    /// # Errors
    /// [`Refusal::Denied`] unless a policy allows it, or the registry that it is about is policy-free; [`Fault`] when the
    /// view cannot say.
    pub async fn control(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        resource: Resource,
    ) -> Result<Permit<Control>, Why> {
        if let Decision::Allow(reason) = decide(&caller.bundle.grants, ActionSet::of(&[action]), &resource) {
            return Ok(Permit::new(
                Control { action, resource },
                Arc::clone(caller),
                Grounds::Policy(reason),
            ));
        }
        // Only what a registry holds and how it is set up; who may do what is never policy-free, and neither is the
        // switch that ends it, which cannot be turned back.
        let free = match (resource.service, &resource.region) {
            (Some(Service::ContainerRegistry), Some(region))
                if action.is_registrys() && action != Action::AuthSet =>
            {
                !self.registry(region).await?.policies_enforced
            }
            _ => false,
        };
        if free {
            self.would_deny.fetch_add(1, Ordering::Relaxed);
            return Ok(Permit::new(Control { action, resource }, Arc::clone(caller), Grounds::PolicyFree));
        }
        Err(Refusal::Denied { action, resource: Box::new(resource) }.into())
    }

    /// A permit for what every principal may do to itself: its own API keys, its own rights.
    #[must_use]
    pub fn own(&self, caller: &Arc<Caller>, of: Control) -> Permit<Control> {
        Permit::new(of, Arc::clone(caller), Grounds::Own)
    }

    /// A permit for what every proven caller may do: ask for lists that show only what it may see.
    #[must_use]
    pub fn everyones(&self, caller: &Arc<Caller>, of: Control) -> Permit<Control> {
        Permit::new(of, Arc::clone(caller), Grounds::Proven)
    }

    /// Whether `caller` may; for filtering lists.
    #[must_use]
    pub fn may(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        let free = || {
            let region = resource.region.as_ref().filter(|_| action.is_registrys());
            let state = region.and_then(|region| self.view.cached_registry(region));
            state.is_some_and(|state| !state.policies_enforced)
        };
        decide(&caller.bundle.grants, ActionSet::of(&[action]), resource).is_allow() || free()
    }
}

/// What one caller may see of one registry.
#[derive(Clone, Debug)]
pub struct Visibility {
    caller: Arc<Caller>,
    region: Region,
    everything: bool,
}

/// What lets a caller see a repository: any of these.
const SEEING: ActionSet = ActionSet::of(&[Action::ImageList, Action::ImagePull]);

impl Visibility {
    /// Whether the caller may see anything at all, of whatever there may be.
    #[must_use]
    pub fn shows_anything(&self) -> bool {
        self.everything || self.caller.bundle.grants.iter().any(|grant| grant.actions.intersects(SEEING))
    }

    /// Whether the caller may know that `repository` exists.
    #[must_use]
    pub fn shows(&self, repository: &RepositoryName) -> bool {
        self.everything
            || decide(&self.caller.bundle.grants, SEEING, &Resource::repository(&self.region, repository))
                .is_allow()
    }
}

impl Stopped {
    fn unproven(why: impl Into<Why>) -> Self {
        Self { caller: None, why: why.into() }
    }
}

fn upload_session(operation: &Operation) -> Option<&UploadSession> {
    match operation {
        Operation::UploadCancel(session)
        | Operation::UploadChunk { session, .. }
        | Operation::UploadFinish { session, .. }
        | Operation::UploadStatus(session) => Some(session),
        Operation::BlobDelete { .. }
        | Operation::BlobRead { .. }
        | Operation::Catalog { .. }
        | Operation::ManifestDelete { .. }
        | Operation::ManifestRead { .. }
        | Operation::ManifestWrite { .. }
        | Operation::Ping
        | Operation::Referrers { .. }
        | Operation::TagList { .. }
        | Operation::UploadStart { .. } => None,
    }
}

fn plain_session(operation: Operation) -> Operation {
    if let Operation::UploadStart { repository, .. } = operation {
        Operation::UploadStart { repository, start: UploadStart::Session }
    } else {
        operation
    }
}

fn refused_is_false(why: Why) -> Result<bool, Why> {
    match why {
        Why::Fault(_) => Err(why),
        Why::Refusal(_) => Ok(false),
    }
}
