//! Why someone may do something, or what they lack: the decision, taken apart.

use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::reach::parts;
use super::standing::{Source, Standing, Text, Unreadable};
use super::{Control, Desk, Done, Permit};
use crate::admit::caller::Caller;
use crate::admit::explain::{Examination, Examined, examine};
use crate::admit::network::Verdict;
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::resource_group::ResourceGroupId;
use crate::ids::tagged::AccessGroupId;
use crate::policy::asked::{Asked, Target};
use crate::policy::aws::document::{Document, Effect, Statement};
use crate::policy::engine::attribute::{Unmet, unmet};
use crate::policy::engine::compiled::CompiledPolicy;
use crate::policy::engine::context::Key;
use crate::policy::engine::question::{Class, Decider, IbmWords, Kind, Outcome as Answer};
use crate::policy::engine::trace::{Fate, Traced};
use crate::policy::ibm::access::AccessPolicy;
use crate::policy::ibm::role::Role;
use crate::policy::keys;
use crate::policy::reason::Reason;
use crate::policy::resource::Resource;
use crate::policy::table::{Action, product};
use crate::store::policy::PolicyRecord;
use crate::view::repository::RepositoryState;

/// Who a question is about.
#[derive(Clone, Debug)]
pub enum Whom {
    /// By ARN: a user, a service ID or a role.
    Arn(String),
    /// By IAM id, or a role's `AROA…`.
    Id(PrincipalId),
}

/// A question.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who.
    pub whom: Whom,
    /// Does what.
    pub what: What,
}

/// What is done.
#[derive(Clone, Debug)]
pub struct What {
    /// The action.
    pub asked: Asked,
    /// On what.
    pub target: Target,
    /// Condition keys and their values, in place of those of the asking request.
    pub context: Vec<(String, Vec<String>)>,
}

/// The answer, taken apart.
#[derive(Debug)]
pub struct Explanation {
    /// Who it is about.
    pub principal: PrincipalId,
    /// Whether the principal may.
    pub allowed: bool,
    /// Which step of the decision gave the answer of the policies.
    pub class: Class,
    /// For a deny, the action that was refused.
    pub refused: Option<&'static str>,
    /// The statements that decided, the first of them first.
    pub deciders: Vec<Through>,
    /// Whether it may come from where the question is about.
    pub network: Verdict,
    /// Whether the principal may use anything at all.
    pub active: bool,
    /// The resource group that the namespace is in, if it is in one besides the default.
    pub resource_group: Option<ResourceGroupId>,
    /// Whether policies decide in that registry; `None` for account management, where they always do.
    pub enforced: Option<bool>,
    /// What people call the principal.
    pub name: String,
    /// Every access policy that was looked at and that the caller may see, besides the one that allows.
    pub considered: Vec<Considered>,
    /// Every document that was looked at and that the caller may see, in the order in which they are asked.
    pub documents: Vec<Told>,
    /// How many policies the caller may not see.
    pub hidden: usize,
    /// The roles of which any one would be enough.
    pub sufficient: Vec<Role>,
    /// Condition keys that were told and that no request here has.
    pub unknown_keys: Vec<String>,
}

/// A statement that decided.
#[derive(Clone, Debug)]
pub struct Through {
    /// Which.
    pub reason: Reason,
    /// The group that its policy is for, with its name; `None` if it is the principal's own, or the resource's.
    pub group: Option<(AccessGroupId, String)>,
}

/// One access policy, and what it contributed.
#[derive(Debug)]
pub struct Considered {
    /// Which.
    pub policy: String,
    /// The group that it is for, with its name; `None` if it is for the principal.
    pub group: Option<(AccessGroupId, String)>,
    /// The roles that it grants.
    pub roles: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What one access policy contributed.
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
    /// It cannot be read, so its owner may do nothing.
    Unreadable,
}

/// One document, and what became of its statements.
#[derive(Debug)]
pub struct Told {
    /// Where it stands.
    pub kind: Kind,
    /// Which.
    pub policy: String,
    /// The group that it is for, with its name.
    pub group: Option<(AccessGroupId, String)>,
    /// Its statements, in order.
    pub statements: Vec<Line>,
}

/// One statement, and what became of it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its `Sid`, or its place from 1.
    pub name: String,
    /// What it does where it applies.
    pub effect: Effect,
    /// What became of it.
    pub seen: Seen,
    /// The actions that it applies to, of those that were asked.
    pub actions: Vec<&'static str>,
}

/// What became of a statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Seen {
    /// All of it fits.
    Applies,
    /// A condition does not hold.
    Condition {
        /// `StringLike`
        operator: String,
        /// The key, as the document writes it.
        key: String,
        /// What the document wants it to be.
        wanted: Vec<String>,
        /// What it is; empty if it has no value.
        found: Vec<String>,
    },
    /// It is about other actions.
    OtherAction,
    /// It is for others.
    OtherPrincipal,
    /// It is for other resources.
    OtherResource {
        /// Whether for all but these.
        except: bool,
        /// Which, as the document writes them.
        wanted: Vec<String>,
    },
}

const EVERYTHING: Resource =
    Resource { service: None, region: None, namespace: None, repository: None, group: None };

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
        let what = &self.placed(&question.what).await?;
        let of = Control { action: Action::PolicyRead, resource: what.target.resource.clone() };
        let (principal, called) = self.sought(&question.whom).await?;
        let own = principal.as_ref().and_then(|found| self.authority.permit_own(caller, found, of));
        let permit = match own {
            Some(permit) => permit,
            None => self.permit_to_ask(caller, &what.target.resource).await?,
        };
        let missing = || Problem::NotFound(Noun::Principal, called.clone());
        let principal = principal.ok_or_else(missing)?;
        let standing = self.standing(caller, &principal).await?.ok_or_else(missing)?;
        let enforced = self.enforced(&what.target.resource).await?;
        let repository = self.repository_state(&what.target.resource).await?;
        let state = repository.as_ref().map(|(state, _)| state);
        let document = repository.as_ref().and_then(|(_, document)| document.as_ref());
        let examined = examine(&standing.caller, self.examination(what, state));
        // The right to read policies there does not show what they may do elsewhere.
        let own = principal == *caller.principal();
        let may_read = |resource: &Resource| self.authority.may(caller, Action::PolicyRead, resource);
        let all = parts(&EVERYTHING).iter().all(may_read);
        let deciders = deciders(&standing, state, &examined.outcome);
        let attached = state.and_then(|state| state.policy.as_deref()).zip(document);
        let told = told(&standing, attached, &examined);
        let (documents, hidden): (Vec<Told>, Vec<Told>) = told.into_iter().partition(|one| {
            let decides = |through: &Through| through.reason.policy == one.policy;
            own || all || one.kind == Kind::Repository || deciders.iter().any(decides)
        });
        let sees = |one: &Considered, row: &PolicyRecord| {
            own || one.outcome == Outcome::Allows || self.sees_policy(caller, row)
        };
        let (considered, unseen): (Vec<_>, Vec<_>) = self
            .considered(&standing, what)
            .into_iter()
            .partition(|(one, row)| row.map_or(own || all, |row| sees(one, row)));
        let class = examined.outcome.class;
        let network = self.network_verdict(&standing.caller, what).await?;
        let explanation = Explanation {
            principal,
            allowed: network.refused_by.is_none() && may(&standing, enforced, class),
            class,
            refused: examined.outcome.refused.map(|action| product().name(action)),
            deciders,
            network,
            active: standing.caller.bundle.active,
            resource_group: what.target.resource.group.clone(),
            enforced,
            name: standing.caller.name().to_owned(),
            considered: considered.into_iter().map(|(one, _)| one).collect(),
            documents,
            hidden: hidden.len() + unseen.len(),
            sufficient: sufficient(&standing, class, &what.asked),
            unknown_keys: unknown_keys(&what.context),
        };
        Ok(Done::new(explanation, permit))
    }

    /// Who it is, if there is anybody; and what they were called.
    async fn sought(&self, whom: &Whom) -> Result<(Option<PrincipalId>, String), Problem> {
        Ok(match whom {
            Whom::Arn(arn) => (self.principal_at(arn).await?, arn.clone()),
            Whom::Id(id) => (Some(id.clone()), id.to_string()),
        })
    }

    /// A permit to read the policies on all of it.
    pub(super) async fn permit_to_ask(
        &self,
        caller: &Arc<Caller>,
        resource: &Resource,
    ) -> Result<Permit<Control>, Problem> {
        let mut last = None;
        for part in parts(resource) {
            last = Some(self.authority.permit(caller, Action::PolicyRead, part).await?);
        }
        last.ok_or_else(|| Problem::Invalid("the resource is nothing".to_owned()))
    }

    /// The same question, with the resource group that its namespace is in as of now.
    pub(super) async fn placed(&self, what: &What) -> Result<What, Problem> {
        let resource = &what.target.resource;
        let group = match (&resource.region, &resource.namespace) {
            (Some(region), Some(name)) => self.group_of(region, name).await?,
            (_, None) | (None, Some(_)) => None,
        };
        let target = Target { resource: Resource { group, ..resource.clone() }, ..what.target.clone() };
        Ok(What { target, ..what.clone() })
    }

    /// Whether policies decide there.
    pub(super) async fn enforced(&self, resource: &Resource) -> Result<Option<bool>, Problem> {
        match &resource.region {
            Some(region) => Ok(Some(self.settings_of(region).await?.policies_enforced)),
            None => Ok(None),
        }
    }

    pub(super) fn examination<'a>(
        &self,
        what: &'a What,
        repository: Option<&'a RepositoryState>,
    ) -> Examination<'a> {
        let now = told_time(&what.context).unwrap_or(self.clock.now());
        Examination { asked: &what.asked, target: &what.target, repository, now, told: &what.context }
    }

    /// What each access policy contributed; and what cannot be read, of either dialect.
    fn considered<'s>(
        &self,
        standing: &'s Standing,
        what: &What,
    ) -> Vec<(Considered, Option<&'s PolicyRecord>)> {
        let now = self.examination(what, None).now;
        let of = |source: &'s Source| match &source.text {
            Text::Aws(_) => None,
            Text::Access(row, policy) => {
                let roles: Vec<Role> = policy.roles.iter().filter_map(|crn| Role::parse(crn)).collect();
                let outcome = self.contribution(policy, &roles, what, now);
                let own = policy.custom.iter().map(|role| role.display_name.clone());
                let roles = roles.iter().map(|role| role.display_name().to_owned()).chain(own).collect();
                let (policy, group) = (source.id.clone(), source.group.clone());
                Some((Considered { policy, group, roles, outcome }, Some(&**row)))
            }
        };
        let unreadable = |one: &'s Unreadable| {
            let (policy, group) = (one.id.clone(), one.group.clone());
            let considered = Considered { policy, group, roles: Vec::new(), outcome: Outcome::Unreadable };
            (considered, one.row.as_deref())
        };
        let all = standing.sources.iter().filter_map(of);
        all.chain(standing.unreadable.iter().map(unreadable)).collect()
    }

    fn contribution(&self, policy: &AccessPolicy, roles: &[Role], what: &What, now: UnixTime) -> Outcome {
        let attributes = what.target.resource.attributes(&self.account);
        let mut asked = what.asked.wordings().iter().filter_map(|wording| wording.ibm);
        let Some(action) = asked.clone().next() else { return Outcome::LacksAction };
        let words = IbmWords { action: action.id(), attributes: attributes.as_slice() };
        match unmet(policy, &words, now.seconds()) {
            Some(Unmet::Attribute(one)) => Outcome::OtherTarget {
                attribute: one.key.clone(),
                wanted: one.values.join(", "),
                found: words.attribute(&one.key).map(str::to_owned),
            },
            Some(Unmet::Rule) => Outcome::OtherTime,
            None if asked.any(|action| {
                let own = || policy.custom.iter().any(|role| role.actions.contains(&action));
                roles.iter().any(|role| role.has(action)) || own()
            }) =>
            {
                Outcome::Allows
            }
            None => Outcome::LacksAction,
        }
    }
}

/// Whether the principal may, with everything that counts besides policies.
pub(super) fn may(standing: &Standing, enforced: Option<bool>, class: Class) -> bool {
    let stopped = !standing.caller.bundle.active || !standing.unreadable.is_empty();
    !stopped && (class.is_allow() || enforced == Some(false))
}

/// The statements that decided, with the groups that their policies are for.
pub(super) fn deciders(
    standing: &Standing,
    repository: Option<&RepositoryState>,
    outcome: &Answer,
) -> Vec<Through> {
    let through = |decider: &Decider| {
        let reason = match decider.kind {
            Kind::Repository | Kind::Trust => Reason::told(repository?.policy.as_deref()?, decider)?,
            Kind::Boundary | Kind::Group | Kind::Ibm | Kind::Identity | Kind::Session => {
                Reason::of(&standing.caller.bundle.rights, decider)?
            }
        };
        let source = usize::try_from(decider.policy).ok().and_then(|at| standing.sources.get(at));
        let group = source.filter(|source| source.kind == decider.kind).and_then(|one| one.group.clone());
        Some(Through { reason, group })
    };
    outcome.deciders.iter().filter_map(through).collect()
}

/// The documents: what limits first, then what grants, then the resource's own.
fn told(
    standing: &Standing,
    attached: Option<(&CompiledPolicy, &Document)>,
    examined: &Examined,
) -> Vec<Told> {
    let own = standing.sources.iter().zip(&examined.own).filter_map(|(source, traced)| match &source.text {
        Text::Access(..) => None,
        Text::Aws(document) => Some(Told {
            kind: source.kind,
            policy: source.id.clone(),
            group: source.group.clone(),
            statements: lines(document, traced, examined),
        }),
    });
    let mut told: Vec<Told> = own.collect();
    told.sort_by_key(|one| match one.kind {
        Kind::Boundary => 0,
        Kind::Session => 1,
        Kind::Identity => 2,
        Kind::Group => 3,
        Kind::Ibm | Kind::Repository | Kind::Trust => 4,
    });
    told.extend(attached.map(|(policy, document)| Told {
        kind: Kind::Repository,
        policy: policy.id().to_owned(),
        group: None,
        statements: lines(document, &examined.attached, examined),
    }));
    told
}

fn lines(document: &Document, traced: &[Traced], examined: &Examined) -> Vec<Line> {
    let line = |(place, (statement, traced)): (usize, (&Statement, &Traced))| Line {
        name: statement.sid.as_ref().map_or_else(|| (place + 1).to_string(), ToString::to_string),
        effect: traced.effect,
        seen: seen(statement, traced.fate, examined),
        actions: traced.actions.iter().map(|action| product().name(*action)).collect(),
    };
    document.statements.iter().zip(traced).enumerate().map(line).collect()
}

fn seen(statement: &Statement, fate: Fate, examined: &Examined) -> Seen {
    match fate {
        Fate::Applies => Seen::Applies,
        Fate::Condition(place) => {
            statement.conditions.get(place).map_or(Seen::OtherAction, |one| Seen::Condition {
                operator: one.comparison.to_string(),
                key: one.key.to_string(),
                wanted: one.values.iter().map(|value| value.text.to_string()).collect(),
                found: examined.known.get(Key::of(&one.key).name()).cloned().unwrap_or_default(),
            })
        }
        Fate::OtherAction => Seen::OtherAction,
        Fate::OtherPrincipal => Seen::OtherPrincipal,
        Fate::OtherResource => {
            let patterns = |clause: &crate::policy::aws::document::ResourceClause| {
                clause.patterns.iter().map(|pattern| pattern.text.to_string()).collect()
            };
            let except = statement.resources.as_ref().is_some_and(|clause| clause.negated);
            let wanted = statement.resources.as_ref().map(patterns).unwrap_or_default();
            Seen::OtherResource { except, wanted }
        }
    }
}

/// Roles help only where nothing but an allowing policy is missing, and only those that access policies can name.
fn sufficient(standing: &Standing, class: Class, asked: &Asked) -> Vec<Role> {
    let nameable = match standing.caller.principal() {
        PrincipalId::Role(_) => false,
        PrincipalId::Profile(_) | PrincipalId::ServiceId(_) | PrincipalId::User(_) => true,
    };
    if !nameable || class != Class::ImplicitDeny(Kind::Identity) {
        return Vec::new();
    }
    let has = |role: &Role| asked.wordings().iter().filter_map(|one| one.ibm).any(|action| role.has(action));
    Role::ALL.into_iter().filter(has).collect()
}

/// Condition keys that were told and that no request here has.
#[must_use]
pub fn unknown_keys(context: &[(String, Vec<String>)]) -> Vec<String> {
    context.iter().map(|(name, _)| name).filter(|name| !keys::is_known(name)).cloned().collect()
}

/// The time that the question is about, if it says so.
fn told_time(context: &[(String, Vec<String>)]) -> Option<UnixTime> {
    let told = |name: &str| {
        let of = |(key, values): &'_ (String, Vec<String>)| {
            key.eq_ignore_ascii_case(name).then(|| values.first().cloned()).flatten()
        };
        context.iter().find_map(of)
    };
    let seconds = || told("aws:EpochTime")?.parse().ok().map(UnixTime::from_seconds);
    told("aws:CurrentTime").and_then(|text| UnixTime::parse(&text).ok()).or_else(seconds)
}
