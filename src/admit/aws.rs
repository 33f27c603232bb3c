//! Calls of AWS's APIs: decided by AWS's documents, and where IBM has a word for the same action, by its policies too.

use std::sync::Arc;

use super::caller::Caller;
use super::context::Facts;
use super::fault::Fault;
use super::findings::Seen;
use super::gate::{Gate, Why};
use super::judge::Judge;
use super::network::Want;
use super::permit::{AwsControl, Grounds, Permit};
use super::refusal::{Refusal, Unauthorized};
use crate::policy::engine::bundle::Bundle;
use crate::policy::engine::compiled::CompiledPolicy;
use crate::policy::engine::context::{Context, Key, Value};
use crate::policy::engine::decide::decide;
use crate::policy::engine::question::{Class, IbmWords, Kind, Question, Verdict};
use crate::policy::engine::resource::Resource as Arn;
use crate::policy::reason::Reason;
use crate::policy::resource::{Resource, Service};
use crate::policy::sentence;
use crate::policy::table::{Action, ActionId};
use crate::registry::name::Namespace;

/// What a call is asked on.
#[derive(Clone, Debug)]
pub enum AwsTarget {
    /// What has an ARN and no more: a user, role, group, policy or identity provider.
    Arn(String),
    /// Nothing in particular: `*`.
    Everything,
    /// A repository, or all of a registry's. What the repository says of itself is asked too.
    Resource(Resource),
}

/// One question about a call.
#[derive(Clone, Debug)]
pub struct AwsAsk {
    /// The action.
    pub action: ActionId,
    /// What IBM's policies are asked, where they have a word for it.
    pub ibm: Option<Action>,
    /// On what.
    pub target: AwsTarget,
    /// Condition keys that only the call knows, such as `aws:RequestTag/team`; the gate knows the others.
    pub context: Vec<(String, Vec<String>)>,
    /// The trust policy of the role that is to be assumed.
    pub trust: Option<Arc<CompiledPolicy>>,
    /// The image that is read, if policies may want to know.
    pub seen: Option<Seen>,
}

impl AwsAsk {
    /// An action that only AWS has, without condition keys of its own.
    #[must_use]
    pub fn new(action: ActionId, target: AwsTarget) -> Self {
        Self { action, ibm: None, target, context: Vec::new(), trust: None, seen: None }
    }
}

/// Keys that are lists also where they have one value.
const LISTS: &[&str] = &["aws:TagKeys", "sts:TransitiveTagKeys"];

impl Gate {
    /// Decides one call.
    ///
    /// # Errors
    /// [`Refusal::Unauthorized`] unless a policy allows it, or the registry that it is about is policy-free; [`Fault`] when
    /// the view cannot say.
    pub async fn aws(&self, caller: &Arc<Caller>, ask: AwsAsk) -> Result<Permit<AwsControl>, Why> {
        let (arn, resource) = match &ask.target {
            AwsTarget::Arn(arn) => (arn.clone(), None),
            AwsTarget::Everything => ("*".to_owned(), None),
            AwsTarget::Resource(resource) => {
                let arn = resource.arn(&caller.account).unwrap_or_else(|| "*".to_owned());
                (arn, Some(self.placed(resource.clone()).await?))
            }
        };
        let resource = resource.as_ref();
        if let Some(resource) = resource {
            self.reached(caller, ask.ibm, resource).await?;
        }
        let state = match resource.map(|resource| (&resource.region, &resource.repository)) {
            Some((Some(region), Some(name))) => Some(self.repository(region, name).await?),
            Some(_) | None => None,
        };
        let region = resource.and_then(|resource| resource.region.as_ref());
        let (now, repository) = (self.clock.now(), state.as_deref());
        let facts = Facts { caller, now, region, call: None, repository, known: None };
        let judge = Judge { verdicts: None, facts };
        let known = match resource {
            Some(resource) => {
                let reads = |key: &Key| judge.reads_for(&ask, key);
                self.known_if_seen(resource, ask.seen.as_ref(), reads).await?
            }
            None => None,
        };
        let judge = Judge { facts: Facts { known: known.as_ref(), ..facts }, ..judge };
        let mut verdict = judge.aws(&ask, &arn, resource);
        let complaint = judge.but_for_findings(|judge| judge.aws(&ask, &arn, resource));
        if let (Some((better, _)), false) = (&complaint, verdict.is_allow())
            && self.only_reports_findings()
        {
            verdict = *better;
        }
        let of = AwsControl { action: ask.action, resource: arn };
        if verdict.is_allow() {
            let grounds = judge.aws_reason(&ask, &verdict).map_or(Grounds::Root, Grounds::Policy);
            return Ok(Permit::new(of, Arc::clone(caller), grounds));
        }
        if self.is_policy_free(&ask, resource).await? {
            self.count_would_deny();
            return Ok(Permit::new(of, Arc::clone(caller), Grounds::PolicyFree));
        }
        let because = judge.aws_reason(&ask, &verdict);
        let who = caller.bundle.rights.caller();
        let mut sentence = sentence::unauthorized(of.action, verdict.class, who, &of.resource);
        if let Some((_, complaint)) = complaint {
            sentence = format!("{sentence}. {complaint}");
        }
        let AwsControl { action, resource } = of;
        let denial = Unauthorized { action, resource, class: verdict.class, because, sentence };
        Err(Refusal::Unauthorized(Box::new(denial)).into())
    }

    /// A permit for what everyone may who is proven, such as `sts:GetCallerIdentity`.
    #[must_use]
    pub fn everyones_aws(&self, caller: &Arc<Caller>, of: AwsControl) -> Permit<AwsControl> {
        Permit::new(of, Arc::clone(caller), Grounds::Proven)
    }

    /// Where the call comes from has been decided; not yet, what is special about this namespace. What moves images is bound
    /// by what binds pulls and pushes, whichever way they go.
    async fn reached(
        &self,
        caller: &Arc<Caller>,
        doing: Option<Action>,
        resource: &Resource,
    ) -> Result<(), Why> {
        let namespace = resource.namespace.as_deref().and_then(|name| Namespace::parse(name).ok());
        if let (Some(region), Some(namespace)) = (&resource.region, namespace) {
            self.reach(caller, region, &namespace).await?;
            if doing.is_some_and(|action| matches!(action, Action::ImagePull | Action::ImagePush)) {
                caller.reported.note(self.network(caller, Want::Images(region, Some(&namespace))).await?);
            }
        }
        Ok(())
    }

    /// Only what a registry holds, and only where IBM has a word for it too.
    async fn is_policy_free(&self, ask: &AwsAsk, resource: Option<&Resource>) -> Result<bool, Fault> {
        let registrys = ask.ibm.is_some_and(|action| action.is_registrys() && action != Action::AuthSet);
        let of_registry = |resource: &&Resource| resource.service == Some(Service::ContainerRegistry);
        match resource.filter(of_registry).and_then(|resource| resource.region.as_ref()) {
            Some(region) if registrys => Ok(!self.registry(region).await?.policies_enforced),
            Some(_) | None => Ok(false),
        }
    }
}

impl Judge<'_> {
    fn aws(&self, ask: &AwsAsk, arn: &str, resource: Option<&Resource>) -> Verdict {
        let rights: &Bundle = &self.facts.caller.bundle.rights;
        let account = &self.facts.caller.account;
        let unaskable =
            Verdict { class: Class::ImplicitDeny(Kind::Identity), refused: Some(ask.action), decider: None };
        let asked_on = if arn == "*" { Some(Arn::NOTHING) } else { Arn::of(arn) };
        let (Some(asked_on), Some(context)) = (asked_on, self.told(ask)) else { return unaskable };
        let attributes = resource.map(|resource| resource.attributes(account));
        let attributes = attributes.as_ref().map(|list| list.as_slice()).unwrap_or_default();
        let question = Question {
            aws: &[ask.action],
            ibm: ask.ibm.map(|action| IbmWords { action: action.id(), attributes }),
            resource: asked_on,
            resource_account: account.as_str(),
            attached: self.policy_of_target(ask),
            now: self.facts.now.seconds(),
        };
        decide(rights, &question, &context)
    }

    /// What the gate knows, and what the call says besides. `None` if something is too long to be compared.
    fn told<'c>(&'c self, ask: &'c AwsAsk) -> Option<Context<'c>> {
        let own = self.facts.caller.bundle.rights.keys(ask.action).iter();
        let attached = self.policy_of_target(ask).map(CompiledPolicy::keys).unwrap_or_default();
        let mut context = self.facts.context(own.chain(attached));
        for (key, values) in &ask.context {
            let list = LISTS.iter().any(|list| list.eq_ignore_ascii_case(key));
            let value = match values.as_slice() {
                [only] if !list => Value::One(only.as_str().into()),
                several => Value::Many(several.iter().map(|one| one.as_str().into()).collect()),
            };
            context.set(key.as_str(), value).ok()?;
        }
        Some(context)
    }

    /// Whether some statement about the call reads the key.
    fn reads_for(&self, ask: &AwsAsk, key: &Key) -> bool {
        let attached = self.policy_of_target(ask).map(CompiledPolicy::keys).unwrap_or_default();
        self.facts.caller.bundle.rights.keys(ask.action).iter().chain(attached).any(|one| one == key)
    }

    /// The policy of what is acted on: of the role that is to be assumed, or of the repository.
    fn policy_of_target<'c>(&'c self, ask: &'c AwsAsk) -> Option<&'c CompiledPolicy> {
        ask.trust.as_deref().or_else(|| self.attached())
    }

    fn aws_reason(&self, ask: &AwsAsk, verdict: &Verdict) -> Option<Reason> {
        let decider = verdict.decider.as_ref()?;
        match decider.kind {
            Kind::Repository | Kind::Trust => Reason::told(self.policy_of_target(ask)?, decider),
            Kind::Identity | Kind::Group | Kind::Ibm | Kind::Boundary | Kind::Session => {
                Reason::of(&self.facts.caller.bundle.rights, decider)
            }
        }
    }
}
