//! No escalation: nobody hands on what they could neither do nor grant.
//!
//! A policy's target is turned into the resources that stand for it whole. A policy covers a resource that lacks an
//! attribute only if it does not restrict that attribute, so being allowed on `us-south` without a namespace means all of
//! `us-south`.

use std::sync::Arc;

use super::aws::problem::AwsProblem;
use super::list::every;
use super::problem::{Noun, Problem};
use super::{Control, Desk, Permit};
use crate::admit::caller::Caller;
use crate::admit::refusal::Refusal;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::resource_group::ResourceGroupId;
use crate::ids::tagged::PolicyId;
use crate::policy::ibm::access::AccessPolicy;
use crate::policy::ibm::check::check;
use crate::policy::ibm::role::Role;
use crate::policy::ibm::trust::Identity;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::policy::words::for_action;
use crate::registry::name::Namespace;
use crate::store::aws::holder::{Actor, Holder};
use crate::store::identity::Window;
use crate::store::policy::{PolicyRecord, Subject};

/// The resources that stand for the whole of what the policy targets. Where a pattern or an odd spelling cannot be stood
/// for exactly, the next wider resource does.
#[must_use]
pub(super) fn whole(policy: &AccessPolicy) -> Vec<Resource> {
    let region = literal(policy, "region").and_then(|text| Region::parse(text).ok());
    let resource = |service: Service| Resource {
        service: Some(service),
        region: region.clone(),
        namespace: literal(policy, "resource").map(Into::into),
        repository: None,
        // A group is stood for by all that could be in it.
        group: None,
    };
    // The API accepts no patterns for these two; what is compared otherwise stands for all services.
    let (name, kind) = (literal(policy, "serviceName"), literal(policy, "serviceType"));
    let meant = |service: &Service| {
        name.is_none_or(|name| name == service.name()) && kind.is_none_or(|kind| kind == service.kind())
    };
    Service::ALL.into_iter().filter(meant).map(resource).collect()
}

/// The only text that an attribute may be, if there is only one.
fn literal<'p>(policy: &'p AccessPolicy, name: &str) -> Option<&'p str> {
    let mut named = policy.attributes.iter().filter(|one| one.key == name && one.operator == "stringEquals");
    named.find_map(|one| if let [only] = one.values.as_slice() { Some(only.as_str()) } else { None })
}

/// The resources that stand for the whole of one: of all services, if it is of none.
#[must_use]
pub(super) fn parts(resource: &Resource) -> Vec<Resource> {
    match resource.service {
        Some(_) => vec![resource.clone()],
        None => {
            let of = |service| Resource { service: Some(service), ..resource.clone() };
            Service::ALL.into_iter().map(of).collect()
        }
    }
}

impl Desk {
    /// A permit for `action` on all of what the policy targets; that for its first resource stands for the others.
    pub(super) async fn permit_whole(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        policy: &AccessPolicy,
    ) -> Result<Permit<Control>, Problem> {
        let mut first = None;
        for resource in whole(policy) {
            let permit = self.authority.permit(caller, action, resource.clone()).await?;
            if !self.authority.may_throughout(caller, action, &resource) {
                return Err(Refusal::unallowed(action, resource).into());
            }
            first.get_or_insert(permit);
        }
        first
            .ok_or_else(|| Problem::Invalid("the policy names a service that is not of that type".to_owned()))
    }

    /// Whether the caller may do `action` on all of what the policy targets.
    pub(super) fn may_whole(&self, caller: &Caller, action: Action, policy: &AccessPolicy) -> bool {
        let resources = whole(policy);
        !resources.is_empty()
            && resources.iter().all(|resource| self.authority.may_throughout(caller, action, resource))
    }

    /// Checks that whoever takes on `policies` gets nothing that the caller could neither do nor grant.
    pub(super) fn within_reach(&self, caller: &Caller, policies: &[PolicyRecord]) -> Result<(), Problem> {
        for policy in policies {
            let policy = self.read(policy)?;
            if let Some((action, resource)) = self.beyond(caller, &policy) {
                return Err(Refusal::unallowed(action, resource).into());
            }
        }
        Ok(())
    }

    /// Checks that whoever acts as a principal by a key of its own gets nothing that the caller could neither do nor grant:
    /// what it may do itself, in the groups that rules have put it into, and as a trusted profile that trusts it by name.
    pub(super) async fn principal_within_reach(
        &self,
        caller: &Arc<Caller>,
        id: &PrincipalId,
    ) -> Result<(), Problem> {
        let facts = self.store.principal(id).await?;
        let facts = facts.ok_or_else(|| Problem::NotFound(Noun::Principal, id.to_string()))?;
        self.within_reach(caller, &facts.policies)?;
        self.documents_within_reach(caller, &Holder::Principal(id.clone())).await?;
        for group in self.store.claimed_groups(id, self.clock.now()).await? {
            self.group_within_reach(caller, &group.id).await?;
        }
        let itself = Identity::Principal(id.clone());
        for profile in every(|window| self.store.trusted_profiles(None, window)).await? {
            let trusted = self.store.profile_identities(&profile.id).await?;
            if trusted.is_some_and(|trusted| trusted.list.iter().any(|one| one.identity == itself)) {
                self.profile_within_reach(caller, &profile.id).await?;
            }
        }
        Ok(())
    }

    /// Checks that whoever has policies on a resource group gets nothing by a namespace that comes into it that the caller
    /// could neither do in that namespace nor grant there.
    pub(super) async fn move_within_reach(
        &self,
        caller: &Caller,
        (region, namespace): (&Region, &Namespace),
        group: &ResourceGroupId,
    ) -> Result<(), Problem> {
        let resource = Resource::namespace(region, namespace.as_str());
        let moved = [
            ("resourceGroupId", group.as_str()),
            ("region", region.as_str()),
            ("resource", namespace.as_str()),
        ];
        for row in every(|window| self.store.policies(None, window)).await? {
            // Whoever has one that cannot be read may do nothing.
            let Ok(policy) = self.read(&row) else { continue };
            let elsewhere =
                moved.iter().any(|(key, value)| literal(&policy, key).is_some_and(|named| named != *value));
            let of_groups = policy.attributes.iter().any(|one| one.key == "resourceGroupId");
            if !of_groups || elsewhere || !whole(&policy).iter().any(|one| one.service == resource.service) {
                continue;
            }
            if let Some(action) = self.lacking(caller, &policy, &resource) {
                return Err(Refusal::unallowed(action, resource).into());
            }
        }
        Ok(())
    }

    /// Checks the same for AWS's documents. What they come to is not compared: whoever takes on any must be one who could
    /// grant everything.
    pub(super) async fn documents_within_reach(
        &self,
        caller: &Caller,
        holder: &Holder,
    ) -> Result<(), Problem> {
        let actor = match holder {
            Holder::Group(_) => None,
            Holder::Principal(id) => Some(Actor::Principal(id.clone())),
            Holder::Role(id) => Some(Actor::Role(id.clone())),
        };
        let holds = match actor {
            Some(actor) => {
                let held = self.store.policies_of(&actor).await?;
                let own = held.is_some_and(|held| !held.policies.is_empty());
                own || self.is_let_in(&actor).await?
            }
            None => self.holds_documents(holder).await?,
        };
        let mut every = Service::ALL.into_iter().map(Resource::platform);
        match every.find(|whole| holds && !self.authority.may(caller, Action::PolicyCreate, whole)) {
            Some(whole) => Err(Refusal::unallowed(Action::PolicyCreate, whole).into()),
            None => Ok(()),
        }
    }

    /// Whether documents of roles or repositories give something to whoever takes on the actor.
    async fn is_let_in(&self, actor: &Actor) -> Result<bool, Problem> {
        let Actor::Principal(id) = actor else { return Ok(false) };
        self.is_named(id).await.map_err(|problem| match problem {
            AwsProblem::Fault(fault) => Problem::Fault(fault),
            AwsProblem::Refused(_) | AwsProblem::Said { .. } | AwsProblem::Unproven { .. } => {
                crate::admit::fault::Fault::Internal("the documents of others cannot be read".to_owned())
                    .into()
            }
        })
    }

    async fn holds_documents(&self, holder: &Holder) -> Result<bool, Problem> {
        let first = Window { offset: 0, limit: 1 };
        let attached = self.store.attached(holder, "/", first).await?.total;
        Ok(attached > 0 || self.store.inline_policies(holder, first).await?.total > 0)
    }

    fn beyond(&self, caller: &Caller, policy: &AccessPolicy) -> Option<(Action, Resource)> {
        let mut all = whole(policy).into_iter();
        all.find_map(|resource| self.lacking(caller, policy, &resource).map(|action| (action, resource)))
    }

    /// What the policy grants that the caller could neither do on the resource nor grant there.
    fn lacking(&self, caller: &Caller, policy: &AccessPolicy, resource: &Resource) -> Option<Action> {
        let may = |action| self.authority.may_throughout(caller, action, resource);
        let roles: Vec<Role> = policy.roles.iter().filter_map(|crn| Role::parse(crn)).collect();
        let own = |action: &Action| policy.custom.iter().any(|role| role.actions.contains(action));
        let granted = |action: &Action| roles.iter().any(|role| role.has(*action)) || own(action);
        // What is denied of a part only is not seen where the whole is asked about.
        let rights = &caller.bundle.rights;
        let denied = |action: Action| {
            for_action(action).is_some_and(|words| words.aws.iter().any(|id| rights.denies_somewhere(*id)))
        };
        let mut all = Action::ALL.iter().copied().filter(granted);
        let lacks = all.find(|action| !may(*action) || denied(*action));
        lacks.filter(|_| !may(Action::PolicyCreate))
    }

    /// Reads a stored policy.
    pub(super) fn read(&self, policy: &PolicyRecord) -> Result<AccessPolicy, Problem> {
        check(&policy.document, &self.account).map_err(|invalid| {
            crate::admit::fault::Fault::Internal(format!("policy {}: {invalid}", policy.id)).into()
        })
    }

    /// Refuses changes to what belongs to a locked service ID.
    pub(super) async fn unlocked(&self, subject: &Subject) -> Result<(), Problem> {
        let Subject::Principal(PrincipalId::ServiceId(id)) = subject else { return Ok(()) };
        let locked = self.store.service_id(id).await?.is_some_and(|row| row.locked);
        if locked { Err(Problem::Locked(Noun::ServiceId)) } else { Ok(()) }
    }

    /// The id under which a document is compiled before it is stored.
    pub(super) fn fresh_policy_id(&self) -> PolicyId {
        PolicyId::fresh(&*self.entropy)
    }
}
