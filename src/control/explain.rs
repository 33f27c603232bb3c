//! Why someone may do something, or what they lack: the decision, taken apart.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::{Control, Desk, Done};
use crate::admit::caller::Caller;
use crate::admit::explain::explain;
use crate::admit::fault::Fault;
use crate::admit::network::{Verdict, Want};
use crate::client::address::ClientAddr;
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, ApiKeyId, PolicyId};
use crate::network::allow_list::AllowList;
use crate::network::endpoint::Endpoint;
use crate::network::zone::Zones;
use crate::policy::engine::attribute::{Unmet, unmet};
use crate::policy::engine::bundle::Policies;
use crate::policy::engine::question::{Class, IbmWords};
use crate::policy::ibm::access::AccessPolicy;
use crate::policy::ibm::check::compile;
use crate::policy::ibm::role::Role;
use crate::policy::reason::Reason;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::policy::words::for_action;
use crate::registry::name::Namespace;
use crate::store::identity::{PrincipalFacts, PrincipalRecord};
use crate::store::policy::{PolicyRecord, Subject};
use crate::view::bundle::{Bundle, KeyState, rights};
use crate::view::network::AccountNetwork;

/// A question.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who.
    pub principal: PrincipalId,
    /// Does what.
    pub action: Action,
    /// On what.
    pub resource: Resource,
    /// Condition keys and their values, in place of those of the asking request.
    pub context: Vec<(String, String)>,
}

/// The answer, taken apart.
#[derive(Debug)]
pub struct Explanation {
    /// Which step of the decision gave the answer.
    pub class: Class,
    /// The statements that decided, the first of them first.
    pub deciders: Vec<Reason>,
    /// Whether it may come from where the question is about.
    pub network: Verdict,
    /// Whether the principal may use anything at all.
    pub active: bool,
    /// Whether policies decide in that registry; `None` for account management, where they always do.
    pub enforced: Option<bool>,
    /// What people call the principal.
    pub name: String,
    /// Every policy that was looked at and that the caller may see, besides the one that allows.
    pub considered: Vec<Considered>,
    /// The roles of which any one would be enough.
    pub sufficient: Vec<Role>,
}

/// One policy, and what it contributed.
#[derive(Debug)]
pub struct Considered {
    /// Which.
    pub policy: PolicyId,
    /// The group that it is for, with its name; `None` if it is for the principal.
    pub group: Option<(AccessGroupId, String)>,
    /// The roles that it grants.
    pub roles: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What one policy contributed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It allows the action here.
    Allows,
    /// None of its roles has the action.
    LacksAction,
    /// An attribute of its target does not match.
    OtherTarget {
        /// Which one.
        attribute: String,
        /// What the policy names.
        wanted: String,
        /// What the resource has.
        found: Option<String>,
    },
    /// The time is not one that it is for.
    OtherTime,
    /// It cannot be read, so it allows nothing.
    Unreadable,
}

impl Desk {
    /// Answers a question about oneself, or about others for whoever may read policies there.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn explain(
        &self,
        caller: &Arc<Caller>,
        question: Question,
    ) -> Result<Done<Explanation>, Problem> {
        let of = Control { action: Action::PolicyRead, resource: question.resource.clone() };
        let permit = self.permit_own_or(caller, &question.principal, of).await?;
        // The right to read policies there does not show what they may do elsewhere.
        let own = question.principal == *caller.principal();
        let missing = || Problem::NotFound(Noun::Principal, question.principal.to_string());
        let facts = self.store.principal(&question.principal).await?.ok_or_else(missing)?;
        let (name, active) = match &facts.record {
            PrincipalRecord::ServiceId(row) => (row.name.clone(), true),
            PrincipalRecord::User(row) => (row.name.clone(), row.active),
        };
        let enforced = match &question.resource.region {
            Some(region) => Some(self.settings_of(region).await?.policies_enforced),
            None => None,
        };
        let mut considered = Vec::with_capacity(facts.policies.len());
        for row in &facts.policies {
            let one = self.consider(row, &question).await?;
            if own || one.outcome == Outcome::Allows || self.sees_policy(caller, row) {
                considered.push(one);
            }
        }
        let now = told_time(&question.context).unwrap_or(self.clock.now());
        let asker = self.in_place_of(caller, &question.principal, facts);
        let missing = || Fault::Internal(format!("no words for {}", question.action.name()));
        let words = for_action(question.action).ok_or_else(missing)?;
        let outcome = explain(&asker, words, (&question.resource, None), now, &question.context);
        let rights = &asker.bundle.rights;
        let network = self.network_verdict(&asker, &question).await?;
        let explanation = Explanation {
            class: outcome.class,
            deciders: outcome.deciders.iter().filter_map(|one| Reason::of(rights, one)).collect(),
            network,
            active,
            enforced,
            name,
            considered,
            sufficient: Role::ALL.into_iter().filter(|role| role.has(question.action)).collect(),
        };
        Ok(Done::new(explanation, permit))
    }

    /// What the network says to it: from where and by which network the question says, or else where it was asked.
    async fn network_verdict(&self, asker: &Caller, question: &Question) -> Result<Verdict, Problem> {
        let network = AccountNetwork::of(self.store.network().await?);
        let mut there = asker.clone();
        if let Some(ip) = told(&question.context, "aws:SourceIp").and_then(|text| text.parse::<IpAddr>().ok())
        {
            there.from = ClientAddr::from_socket(SocketAddr::new(ip, 0));
        }
        match told(&question.context, "registry:endpoint") {
            Some("private") => there.endpoint = Endpoint::Private,
            Some("public") => there.endpoint = Endpoint::Public,
            Some(_) | None => {}
        }
        let namespace = question.resource.namespace.as_deref().and_then(|name| Namespace::parse(name).ok());
        let images = question.action.name().starts_with("container-registry.image.");
        let want = match question.resource.region.as_ref() {
            Some(region) if images => Want::Images(region, namespace.as_ref()),
            Some(region) => Want::Management(region, namespace.as_ref()),
            None => Want::Identity,
        };
        let private_only = match want {
            Want::Images(region, _) => self.settings_of(region).await?.private_only,
            Want::Management(..) | Want::Identity => false,
        };
        Ok(self.premises.verdict(&network, &there, want, private_only)?)
    }

    /// The caller, if it were that principal.
    fn in_place_of(&self, caller: &Caller, principal: &PrincipalId, facts: PrincipalFacts) -> Caller {
        let (name, active) = match facts.record {
            PrincipalRecord::ServiceId(row) => (row.name, true),
            PrincipalRecord::User(row) => (row.name, row.active),
        };
        let readable = facts.policies.iter().filter_map(|row| Some((&row.id, self.read(row).ok()?)));
        let ibm = readable.map(|(id, policy)| Arc::new(compile(id, &policy))).collect();
        let policies = Policies { ibm, ..Policies::default() };
        let rights = rights(&self.account, principal, &name, policies);
        let principal = principal.clone();
        let compiled = |list: &AllowList| list.compile(&Zones::default());
        let key = |(id, list): &(ApiKeyId, AllowList)| {
            let allowed = Some(compiled(list));
            KeyState { id: id.clone(), allowed, disabled: false, expires_at: None }
        };
        let bundle = Bundle {
            principal,
            name,
            active,
            allowed: facts.allow_list.as_ref().map(compiled),
            keys: facts.key_lists.iter().map(key).collect(),
            groups: facts.groups,
            tags: Vec::new(),
            rights,
        };
        Caller { bundle: Arc::new(bundle), ..caller.clone() }
    }

    async fn consider(&self, row: &PolicyRecord, question: &Question) -> Result<Considered, Problem> {
        let now = told_time(&question.context).unwrap_or(self.clock.now());
        let (roles, outcome) = match self.read(row) {
            Ok(policy) => {
                let roles: Vec<Role> = policy.roles.iter().filter_map(|crn| Role::parse(crn)).collect();
                let outcome = self.contribution(&policy, &roles, question, now);
                (roles.iter().map(|role| role.display_name().to_owned()).collect(), outcome)
            }
            Err(_) => (Vec::new(), Outcome::Unreadable),
        };
        let group = match &row.subject {
            Subject::Group(id) => {
                let name = self.store.group(id).await?.map(|group| group.name);
                Some((id.clone(), name.unwrap_or_default()))
            }
            Subject::Principal(_) => None,
        };
        Ok(Considered { policy: row.id.clone(), group, roles, outcome })
    }

    fn contribution(
        &self,
        policy: &AccessPolicy,
        roles: &[Role],
        question: &Question,
        now: UnixTime,
    ) -> Outcome {
        let attributes = question.resource.attributes(&self.account);
        let words = IbmWords { action: question.action.id(), attributes: attributes.as_slice() };
        match unmet(policy, &words, now.seconds()) {
            Some(Unmet::Attribute(one)) => Outcome::OtherTarget {
                attribute: one.key.clone(),
                wanted: one.values.join(", "),
                found: words.attribute(&one.key).map(str::to_owned),
            },
            Some(Unmet::Rule) => Outcome::OtherTime,
            None if roles.iter().any(|role| role.has(question.action)) => Outcome::Allows,
            None => Outcome::LacksAction,
        }
    }
}

/// What the question says of a condition key.
fn told<'a>(context: &'a [(String, String)], name: &str) -> Option<&'a str> {
    context.iter().find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value.as_str()))
}

/// The time that the question is about, if it says so.
fn told_time(context: &[(String, String)]) -> Option<UnixTime> {
    let seconds = || told(context, "aws:EpochTime")?.parse().ok().map(UnixTime::from_seconds);
    told(context, "aws:CurrentTime").and_then(|text| UnixTime::parse(text).ok()).or_else(seconds)
}
