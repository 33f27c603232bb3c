//! No escalation: nobody hands on what they could neither do nor grant.
//!
//! A target is turned into the resources that stand for it whole. A grant covers a resource that lacks an attribute only
//! if it does not restrict that attribute, so being allowed on `us-south` without a namespace means all of `us-south`.

use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::{Control, Desk, Permit};
use crate::admit::caller::Caller;
use crate::admit::refusal::Refusal;
use crate::ids::region::Region;
use crate::ids::tagged::PolicyId;
use crate::policy::action::Action;
use crate::policy::ibm::compile::compile;
use crate::policy::model::{Grant, Resource, Service, Target};
use crate::policy::pattern::Match;
use crate::store::policy::{PolicyRecord, Subject};

/// The resources that stand for the whole of `target`. Where a pattern or an odd spelling cannot be stood for exactly,
/// the next wider resource does.
#[must_use]
pub(super) fn whole(target: &Target) -> Vec<Resource> {
    let literal = |wanted: &Option<Match>| match wanted {
        Some(Match::Equals(text)) => Some(text.clone()),
        Some(Match::Like(_)) | None => None,
    };
    let region = literal(&target.region).and_then(|text| Region::parse(&text).ok());
    let resource = |service: Service| Resource {
        service: Some(service),
        region: region.clone(),
        namespace: literal(&target.resource),
        repository: None,
    };
    let kind = target.service_type.as_deref();
    let meant = |service: &Service| {
        target.service.is_none_or(|named| named == *service) && kind.is_none_or(|kind| service.kind() == kind)
    };
    Service::ALL.into_iter().filter(meant).map(resource).collect()
}

impl Desk {
    /// A permit for `action` on all of `target`; that for its first resource stands for the others.
    pub(super) async fn permit_whole(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        target: &Target,
    ) -> Result<Permit<Control>, Problem> {
        let mut first = None;
        for resource in whole(target) {
            let permit = self.authority.permit(caller, action, resource).await?;
            first.get_or_insert(permit);
        }
        first
            .ok_or_else(|| Problem::Invalid("the policy names a service that is not of that type".to_owned()))
    }

    /// Whether the caller may do `action` on all of `target`.
    pub(super) fn may_whole(&self, caller: &Caller, action: Action, target: &Target) -> bool {
        let resources = whole(target);
        !resources.is_empty() && resources.iter().all(|resource| self.authority.may(caller, action, resource))
    }

    /// Checks that whoever takes on `policies` gets nothing that the caller could neither do nor grant.
    pub(super) fn within_reach(&self, caller: &Caller, policies: &[PolicyRecord]) -> Result<(), Problem> {
        for policy in policies {
            let grant = self.compiled(policy)?;
            if let Some((action, resource)) = self.beyond(caller, &grant) {
                return Err(Refusal::Denied { action, resource: Box::new(resource) }.into());
            }
        }
        Ok(())
    }

    fn beyond(&self, caller: &Caller, grant: &Grant) -> Option<(Action, Resource)> {
        let may = |action, resource: &Resource| self.authority.may(caller, action, resource);
        let lacking = |resource: &Resource| {
            let lacks = grant.actions.iter().find(|action| !may(*action, resource));
            lacks.filter(|_| !may(Action::PolicyCreate, resource))
        };
        whole(&grant.target)
            .into_iter()
            .find_map(|resource| lacking(&resource).map(|action| (action, resource)))
    }

    /// Compiles a stored policy.
    pub(super) fn compiled(&self, policy: &PolicyRecord) -> Result<Grant, Problem> {
        compile(&policy.id, &policy.document, &self.account).map_err(|invalid| {
            crate::admit::fault::Fault::Internal(format!("policy {}: {invalid}", policy.id)).into()
        })
    }

    /// Refuses changes to what belongs to a locked service ID.
    pub(super) async fn unlocked(&self, subject: &Subject) -> Result<(), Problem> {
        use crate::ids::principal::PrincipalId;
        let Subject::Principal(PrincipalId::ServiceId(id)) = subject else { return Ok(()) };
        let locked = self.store.service_id(id).await?.is_some_and(|row| row.locked);
        if locked { Err(Problem::Locked(Noun::ServiceId)) } else { Ok(()) }
    }

    /// The id under which a document is compiled before it is stored.
    pub(super) fn fresh_policy_id(&self) -> PolicyId {
        PolicyId::fresh(&*self.entropy)
    }
}
