//! The one compiled form of policies, of both dialects.

use std::sync::atomic::{AtomicU64, Ordering};

use super::attribute::Rule;
use super::condition::Comparison;
use super::context::{Context, Key};
use super::principal::Principals;
use super::question::{IbmWords, Question};
use super::resource::{Resource, Resources};
use crate::policy::aws::document::{self, ActionClause, ActionPattern, Document, Effect};
use crate::policy::aws::json::Position;
use crate::policy::ibm::access::{AccessPolicy, Subject};
use crate::policy::table::{ActionId, ActionSet, ActionTable};

/// A number that nothing else in this process has. Only to tell things apart; nothing is ordered by it.
pub(super) fn stamp() -> u64 {
    static STAMPS: AtomicU64 = AtomicU64::new(1);
    STAMPS.fetch_add(1, Ordering::Relaxed)
}

/// What a document is attached to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    /// An identity, as its own policy, a group's, a boundary or a session policy.
    Identity,
    /// A repository, or the registry as a whole.
    Repository,
    /// A role, to say who may assume it.
    Trust,
}

impl Place {
    /// Whether the document belongs to a resource.
    #[must_use]
    pub const fn is_resources(self) -> bool {
        match self {
            Self::Identity => false,
            Self::Repository | Self::Trust => true,
        }
    }
}

/// A policy, compiled.
#[derive(Debug)]
pub struct CompiledPolicy {
    id: Box<str>,
    stamp: u64,
    place: Place,
    subject: Option<Subject>,
    keys: Box<[Key]>,
    roles: Box<[Box<str>]>,
    pub(super) statements: Box<[Statement]>,
}

/// A statement, compiled. An IBM access policy is one.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    pub(super) actions: ActionSet,
    pub(super) body: Body,
    pub(super) sid: Option<Box<str>>,
    pub(super) position: Position,
}

/// What besides the action must fit.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Aws { principals: Option<Principals>, resources: Resources, conditions: Box<[Comparison]> },
    Ibm(Rule),
}

impl Statement {
    /// Whether it is about the action on the resource, and its conditions hold.
    pub(super) fn fits(&self, action: ActionId, resource: &Resource<'_>, context: &Context<'_>) -> bool {
        match &self.body {
            Body::Aws { resources, conditions, .. } => {
                self.actions.contains(action)
                    && resources.include(resource, context)
                    && conditions.iter().all(|condition| condition.holds(context))
            }
            Body::Ibm(_) => false,
        }
    }

    /// Whether it grants what is asked in IBM's words.
    pub(super) fn grants(&self, words: &IbmWords<'_>, question: &Question<'_>) -> bool {
        match &self.body {
            Body::Aws { .. } => false,
            Body::Ibm(rule) => self.actions.contains(words.action) && rule.holds(words, question.now),
        }
    }

    /// The condition keys that decide.
    pub(super) fn keys(&self) -> Vec<&Key> {
        match &self.body {
            Body::Aws { resources, conditions, .. } => {
                resources.keys().chain(conditions.iter().flat_map(Comparison::keys)).collect()
            }
            Body::Ibm(_) => Vec::new(),
        }
    }

    /// Whether the time of day decides.
    pub(super) fn reads_clock(&self) -> bool {
        match &self.body {
            Body::Aws { .. } => false,
            Body::Ibm(rule) => rule.reads_clock(),
        }
    }
}

impl CompiledPolicy {
    pub(super) fn new(
        id: &str,
        place: Place,
        subject: Option<Subject>,
        statements: Box<[Statement]>,
    ) -> Self {
        let mut keys: Vec<Key> = statements.iter().flat_map(Statement::keys).cloned().collect();
        keys.sort();
        keys.dedup();
        let roles = Box::default();
        Self { id: id.into(), stamp: stamp(), place, subject, keys: keys.into(), roles, statements }
    }

    /// Its name in reasons.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A number that no other compiled policy of this process has, not even one of the same text.
    #[must_use]
    pub const fn stamp(&self) -> u64 {
        self.stamp
    }

    /// The condition keys that its statements use.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// What it is attached to.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Whom an IBM access policy is for.
    #[must_use]
    pub const fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// The CRNs of the roles that an IBM access policy grants.
    #[must_use]
    pub fn roles(&self) -> &[Box<str>] {
        &self.roles
    }

    /// Whether an IBM access policy grants the action somewhere.
    #[must_use]
    pub fn names(&self, action: ActionId) -> bool {
        self.statements.iter().any(|one| one.effect == Effect::Allow && one.actions.contains(action))
    }

    /// The `Sid` of a statement, and where it begins in the document.
    #[must_use]
    pub fn source(&self, statement: usize) -> Option<(Option<&str>, Position)> {
        self.statements.get(statement).map(|one| (one.sid.as_deref(), one.position))
    }
}

/// Compiles an AWS document that is attached to such a place. Actions that the table lacks match nothing.
#[must_use]
pub fn compile_aws(id: &str, document: &Document, place: Place, table: &ActionTable) -> CompiledPolicy {
    let mut named = Named { table, resolved: Vec::new() };
    let statement = |statement| compiled(statement, place, &mut named);
    CompiledPolicy::new(id, place, None, document.statements.iter().map(statement).collect())
}

fn compiled<'d>(statement: &'d document::Statement, place: Place, named: &mut Named<'_, 'd>) -> Statement {
    Statement {
        effect: statement.effect,
        actions: named.actions(&statement.actions),
        body: Body::Aws {
            principals: statement.principal.as_ref().map(Principals::compile),
            resources: Resources::compile(statement.resources.as_ref(), place.is_resources()),
            conditions: statement.conditions.iter().map(Comparison::compile).collect(),
        },
        sid: statement.sid.clone(),
        position: statement.position,
    }
}

/// Compiles an IBM access policy; `role` says which actions a role has. One that nobody knows has none.
#[must_use]
pub fn compile_ibm(
    id: &str,
    policy: &AccessPolicy,
    role: impl Fn(&str) -> Option<ActionSet>,
) -> CompiledPolicy {
    let mut actions = ActionSet::default();
    policy.roles.iter().filter_map(|crn| role(crn)).for_each(|more| actions.extend(&more));
    let statement = Statement {
        effect: Effect::Allow,
        actions,
        body: Body::Ibm(Rule::compile(policy)),
        sid: None,
        position: Position::START,
    };
    let roles = policy.roles.iter().map(|crn| crn.as_str().into()).collect();
    let compiled =
        CompiledPolicy::new(id, Place::Identity, Some(policy.subject.clone()), Box::new([statement]));
    CompiledPolicy { roles, ..compiled }
}

/// How many patterns of a document are remembered.
const RESOLVED_MAX: usize = 32;

/// The patterns of one document that have been resolved: statements tend to repeat them, and each costs a walk through the
/// actions of its service.
struct Named<'t, 'd> {
    table: &'t ActionTable,
    resolved: Vec<(&'d ActionPattern, ActionSet)>,
}

impl<'d> Named<'_, 'd> {
    fn actions(&mut self, clause: &'d ActionClause) -> ActionSet {
        let mut named = ActionSet::default();
        clause.patterns.iter().for_each(|pattern| named.extend(&self.pattern(pattern)));
        if clause.negated { self.table.all().without(&named) } else { named }
    }

    fn pattern(&mut self, pattern: &'d ActionPattern) -> ActionSet {
        let same = |known: &ActionPattern| known.service == pattern.service && known.name == pattern.name;
        if let Some((_, set)) = self.resolved.iter().find(|(known, _)| same(known)) {
            return *set;
        }
        let set = resolved(pattern, self.table);
        if self.resolved.len() < RESOLVED_MAX {
            self.resolved.push((pattern, set));
        }
        set
    }
}

/// The actions of a clause.
pub(crate) fn actions(clause: &ActionClause, table: &ActionTable) -> ActionSet {
    Named { table, resolved: Vec::new() }.actions(clause)
}

/// The actions of a pattern. `*` and `*:*` are all; a service is a word, so no other wildcard stands for one.
pub(crate) fn resolved(pattern: &ActionPattern, table: &ActionTable) -> ActionSet {
    match (&pattern.service, &*pattern.name) {
        (Some(service), name) => table.matching(service, name),
        (None, "*") => table.all(),
        (None, _) => ActionSet::default(),
    }
}
