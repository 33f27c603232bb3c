//! Control actions: what callers may change, and what lists show them.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::caller::Caller;
use super::context::{Call, Facts};
use super::fault::Fault;
use super::findings::Seen;
use super::gate::{Gate, Why};
use super::judge::Judge;
use super::network::Want;
use super::permit::{Control, Grounds, Permit};
use super::refusal::Refusal;
use crate::ids::region::Region;
use crate::policy::engine::context::Key;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::policy::words::for_action;
use crate::registry::name::Namespace;
use crate::registry::operation::Operation;
use crate::view::repository::RepositoryState;

/// What a control action does to one image, as a call of the registry would: policies read the same of both.
#[derive(Clone, Debug)]
pub struct ImageCall {
    operation: Operation,
    /// What its client would say of the manifest.
    headers: HeaderMap,
    tag_exists: Option<bool>,
    /// What it reads, if policies may want to know.
    seen: Option<Seen>,
}

impl ImageCall {
    /// The call of the registry that does the same; whether the tag that it names is there, if that was asked.
    #[must_use]
    pub fn new(operation: Operation, tag_exists: Option<bool>) -> Self {
        Self { operation, headers: HeaderMap::new(), tag_exists, seen: None }
    }

    /// With a manifest of this media type and so many bytes.
    #[must_use]
    pub fn of_manifest(mut self, kind: &str, length: usize) -> Self {
        self.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        if let Ok(kind) = HeaderValue::from_str(kind) {
            self.headers.insert(CONTENT_TYPE, kind);
        }
        self
    }

    /// Of this image, as it is read.
    #[must_use]
    pub fn reading(self, seen: Option<Seen>) -> Self {
        Self { seen, ..self }
    }

    fn call(&self) -> Call<'_> {
        Call { operation: &self.operation, headers: &self.headers, tag_exists: self.tag_exists }
    }
}

impl Gate {
    fn of<'a>(
        &'a self,
        caller: &'a Caller,
        resource: &'a Resource,
        call: Option<Call<'a>>,
        repository: Option<&'a RepositoryState>,
    ) -> Judge<'a> {
        let region = resource.region.as_ref();
        self.judge(Facts { caller, now: self.clock.now(), region, call, repository, known: None })
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
        self.control_of(caller, action, resource, None).await
    }

    /// Decides what is done to one image.
    ///
    /// # Errors
    /// As [`Gate::control`].
    pub async fn control_of_image(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        resource: Resource,
        image: &ImageCall,
    ) -> Result<Permit<Control>, Why> {
        self.control_of(caller, action, resource, Some(image)).await
    }

    async fn control_of(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        resource: Resource,
        image: Option<&ImageCall>,
    ) -> Result<Permit<Control>, Why> {
        let words =
            for_action(action).ok_or_else(|| Fault::Internal(format!("no words for {}", action.name())))?;
        if let Some((region, namespace)) = of_namespace(action, &resource) {
            // Where the call comes from has been decided; not yet, what is special about this namespace.
            self.reach(caller, region, &namespace).await?;
        }
        let repository = match (&resource.region, &resource.repository) {
            (Some(region), Some(name)) => Some(self.repository(region, name).await?),
            (_, None) | (None, Some(_)) => None,
        };
        let resource = self.placed(resource).await?;
        let judge = self.of(caller, &resource, image.map(ImageCall::call), repository.as_deref());
        let reads = |key: &Key| judge.reads(std::slice::from_ref(words), key);
        let known = self.known_if_seen(&resource, image.and_then(|image| image.seen.as_ref()), reads).await?;
        let judge = Judge { facts: Facts { known: known.as_ref(), ..judge.facts }, ..judge };
        let mut verdict = judge.verdict(words, &resource);
        let complaint = judge.but_for_findings(|judge| judge.verdict(words, &resource));
        if let (Some((better, _)), false) = (&complaint, verdict.is_allow())
            && self.only_reports_findings()
        {
            verdict = *better;
        }
        if verdict.is_allow() {
            let grounds = judge.grounds(&verdict);
            return Ok(Permit::new(Control { action, resource }, Arc::clone(caller), grounds));
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
            self.count_would_deny();
            return Ok(Permit::new(Control { action, resource }, Arc::clone(caller), Grounds::PolicyFree));
        }
        let denial = judge.denial(words, resource.clone(), &verdict);
        let denial = denial.for_what_is_known(complaint.map(|(_, said)| said));
        Err(Refusal::Denied(Box::new(denial)).into())
    }

    /// Decides whether a namespace may be managed from where the caller is.
    ///
    /// # Errors
    /// [`Refusal::Outside`], or [`Fault`] when the view cannot say.
    pub async fn reach(&self, caller: &Caller, region: &Region, namespace: &Namespace) -> Result<(), Why> {
        caller.reported.note(self.network(caller, Want::Management(region, Some(namespace))).await?);
        Ok(())
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

    /// Whether `caller` may; for filtering lists. What is about a single repository is for [`Gate::lists`] to say.
    #[must_use]
    pub fn may(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        let reached = || match of_namespace(action, resource) {
            None => true,
            Some((region, namespace)) => self.view.cached_network().is_some_and(|network| {
                self.reaches(&network, caller, Want::Management(region, Some(&namespace)))
            }),
        };
        let allowed = || resource.repository.is_none() && self.is_allowed(caller, action, resource);
        (allowed() || self.is_free(action, resource)) && reached()
    }

    /// Whether `caller` may on all that is or may come to be in the resource, too.
    #[must_use]
    pub fn may_throughout(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        let anything = || match resource.any_repository() {
            None => true,
            Some(any) => self.is_allowed(caller, action, &any) || self.is_free(action, resource),
        };
        self.may(caller, action, resource) && anything()
    }

    /// Whether policies allow it.
    fn is_allowed(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        let state = resource.region.as_ref().and_then(|region| self.view.cached_registry(region));
        let placed = state.map(|state| state.placed(resource.clone()));
        let resource = placed.as_ref().unwrap_or(resource);
        let judge = Judge { verdicts: None, ..self.of(caller, resource, None, None) };
        for_action(action).is_some_and(|words| judge.verdict(words, resource).is_allow())
    }

    /// Whether the registry is one in which everybody may.
    fn is_free(&self, action: Action, resource: &Resource) -> bool {
        let region = resource.region.as_ref().filter(|_| action.is_registrys());
        let state = region.and_then(|region| self.view.cached_registry(region));
        state.is_some_and(|state| !state.policies_enforced)
    }
}

/// The namespace that a registry's own action is about. Who may do what there is no part of it: rules on namespaces
/// leave identities and access alone.
fn of_namespace(action: Action, resource: &Resource) -> Option<(&Region, Namespace)> {
    let region = resource.region.as_ref().filter(|_| action.is_registrys())?;
    Some((region, Namespace::parse(resource.namespace.as_deref()?).ok()?))
}
