//! Every policy that applies to one caller, and an index over their statements.
//!
//! The index answers "which statements speak of this action" with one look, and says of each how the resource must
//! begin, so that a decision runs few of them. Policies are shared between bundles; the index is the bundle's own.

use std::collections::HashMap;
use std::sync::Arc;

use super::compiled::{Body, CompiledPolicy, Statement};
use super::context::{Key, hash, step};
use super::principal::Caller;
use super::question::{Decider, IbmWords, Kind};
use super::resource::Resource;
use crate::policy::aws::document::Effect;
use crate::policy::table::{ActionId, ActionSet};

/// A caller's own policies, by where they stand.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Managed and inline AWS policies of the user or role.
    pub identity: Vec<Arc<CompiledPolicy>>,
    /// AWS policies of the caller's groups.
    pub groups: Vec<Arc<CompiledPolicy>>,
    /// IBM access policies whose subject is the caller or one of its groups.
    pub ibm: Vec<Arc<CompiledPolicy>>,
    /// The permissions boundary of the user or role.
    pub boundary: Option<Arc<CompiledPolicy>>,
    /// The session policies, if the session was made with any. Together they are one limit: their union.
    pub session: Option<Vec<Arc<CompiledPolicy>>>,
}

/// Who asks, with everything of their own that decides.
#[derive(Debug)]
pub struct Bundle {
    caller: Caller,
    policies: Box<[(Kind, Arc<CompiledPolicy>)]>,
    bounded: bool,
    limited: bool,
    stamp: u64,
    rows: Box<[Row]>,
    /// By action; those beyond the end have no statement.
    row_of: Box<[u16]>,
    none: Row,
}

/// The statements that speak of an action.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) denies: Box<[Entry]>,
    pub(super) allows: Box<[Entry]>,
    pub(super) ibm: Box<[Entry]>,
    pub(super) boundary: Box<[Entry]>,
    pub(super) session: Box<[Entry]>,
    pub(super) keys: Box<[Key]>,
    pub(super) reads_clock: bool,
}

/// A statement, and the hash of what its resource begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) place: Decider,
    length: u8,
    hash: u64,
}

impl Bundle {
    /// Indexes the policies. Those who have none of their own (root, and who does not sign) keep none.
    #[must_use]
    pub fn new(caller: Caller, policies: Policies) -> Self {
        let own = if caller.has_policies() { policies } else { Policies::default() };
        let limited = own.session.is_some() || matches!(caller, Caller::FederatedUser { .. });
        let bounded = own.boundary.is_some();
        let of = |kind: Kind, list: Vec<Arc<CompiledPolicy>>| list.into_iter().map(move |one| (kind, one));
        let policies: Box<[_]> = of(Kind::Identity, own.identity)
            .chain(of(Kind::Group, own.groups))
            .chain(of(Kind::Ibm, own.ibm))
            .chain(of(Kind::Boundary, own.boundary.into_iter().collect()))
            .chain(of(Kind::Session, own.session.unwrap_or_default()))
            .collect();
        Self::indexed(caller, policies, bounded, limited)
    }

    fn indexed(
        caller: Caller,
        policies: Box<[(Kind, Arc<CompiledPolicy>)]>,
        bounded: bool,
        limited: bool,
    ) -> Self {
        let (rows, row_of) = index(&policies);
        let stamp = super::compiled::stamp();
        Self { caller, policies, bounded, limited, stamp, rows, row_of, none: Row::default() }
    }

    /// The same policies in a session of `caller`, limited by these if there are any.
    #[must_use]
    pub fn in_session(&self, caller: Caller, session: Option<Vec<Arc<CompiledPolicy>>>) -> Self {
        let limited = session.is_some() || matches!(caller, Caller::FederatedUser { .. });
        let of_session = session.unwrap_or_default().into_iter().map(|one| (Kind::Session, one));
        let policies = self.policies.iter().cloned().chain(of_session).collect();
        Self::indexed(caller, policies, self.bounded, limited)
    }

    /// Who asks.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// A number that no other bundle of this process has: the principal's generation.
    #[must_use]
    pub const fn stamp(&self) -> u64 {
        self.stamp
    }

    /// The policy of a decider; `None` for one of the resource's own policy.
    #[must_use]
    pub fn policy(&self, decider: &Decider) -> Option<&CompiledPolicy> {
        let (kind, policy) = self.policies.get(usize::try_from(decider.policy).ok()?)?;
        (*kind == decider.kind).then_some(&**policy)
    }

    /// The policies of the caller's own.
    pub fn policies(&self) -> impl Iterator<Item = (Kind, &CompiledPolicy)> {
        self.policies.iter().map(|(kind, policy)| (*kind, &**policy))
    }

    /// Whether some statement of the caller's own allows the action on something.
    #[must_use]
    pub fn allows_somewhere(&self, action: ActionId) -> bool {
        let row = self.row(action);
        !row.allows.is_empty() || !row.ibm.is_empty()
    }

    /// Whether some statement of the caller's own denies the action on something.
    #[must_use]
    pub fn denies_somewhere(&self, action: ActionId) -> bool {
        !self.row(action).denies.is_empty()
    }

    /// The condition keys that decide about an action.
    #[must_use]
    pub fn keys(&self, action: ActionId) -> &[Key] {
        &self.row(action).keys
    }

    /// Whether the time that a question carries decides about an action in IBM's words.
    #[must_use]
    pub fn reads_clock(&self, action: ActionId) -> bool {
        self.row(action).reads_clock
    }

    pub(super) const fn is_bounded(&self) -> bool {
        self.bounded
    }

    /// Whether session policies limit it, be there none.
    pub(super) const fn is_limited(&self) -> bool {
        self.limited
    }

    pub(super) fn row(&self, action: ActionId) -> &Row {
        let row = self.row_of.get(action.bit()).and_then(|at| self.rows.get(usize::from(*at)));
        row.unwrap_or(&self.none)
    }

    pub(super) fn statement(&self, entry: &Entry) -> Option<&Statement> {
        let (_, policy) = self.policies.get(usize::try_from(entry.place.policy).ok()?)?;
        policy.statements.get(usize::try_from(entry.place.statement).ok()?)
    }
}

/// Every statement with its place.
fn placed(policies: &[(Kind, Arc<CompiledPolicy>)]) -> impl Iterator<Item = (Decider, &Statement)> {
    (0_u32..).zip(policies).flat_map(|(policy, (kind, compiled))| {
        let at = move |statement| Decider { kind: *kind, policy, statement };
        (0_u32..).zip(&compiled.statements).map(move |(statement, one)| (at(statement), one))
    })
}

/// Rows, each for all the actions that the same statements speak of, and which row is an action's.
fn index(policies: &[(Kind, Arc<CompiledPolicy>)]) -> (Box<[Row]>, Box<[u16]>) {
    let statements: Vec<(Decider, &Statement)> = placed(policies).collect();
    let mut all = ActionSet::default();
    statements.iter().for_each(|(_, statement)| all.extend(&statement.actions));
    let mut speaking: Vec<Vec<u32>> = Vec::new();
    for (number, (_, statement)) in (0_u32..).zip(&statements) {
        for bit in statement.actions.iter() {
            if speaking.len() <= bit {
                speaking.resize(bit + 1, Vec::new());
            }
            speaking.get_mut(bit).into_iter().for_each(|list| list.push(number));
        }
    }
    let (mut rows, mut known) = (Vec::new(), HashMap::new());
    let row_of = speaking.into_iter().map(|list| match known.get(&list) {
        Some(row) => *row,
        None => {
            let chosen = list.iter().filter_map(|number| statements.get(usize::try_from(*number).ok()?));
            let at = u16::try_from(rows.len()).unwrap_or(u16::MAX);
            rows.push(Row::of(chosen.copied()));
            known.insert(list, at);
            at
        }
    });
    let row_of = row_of.collect();
    (rows.into(), row_of)
}

impl Row {
    fn of<'a>(statements: impl Iterator<Item = (Decider, &'a Statement)> + Clone) -> Self {
        let entries = |wanted: fn(Effect, Kind) -> bool| {
            let chosen = statements.clone().filter(|(place, one)| wanted(one.effect, place.kind));
            chosen.map(|(place, one)| Entry::of(place, one)).collect()
        };
        let mut keys: Vec<Key> = statements.clone().flat_map(|(_, one)| one.keys()).cloned().collect();
        keys.sort();
        keys.dedup();
        Self {
            denies: entries(|effect, _| effect == Effect::Deny),
            allows: entries(|effect, kind| {
                effect == Effect::Allow && matches!(kind, Kind::Group | Kind::Identity)
            }),
            ibm: entries(|effect, kind| effect == Effect::Allow && kind == Kind::Ibm),
            boundary: entries(|effect, kind| effect == Effect::Allow && kind == Kind::Boundary),
            session: entries(|effect, kind| effect == Effect::Allow && kind == Kind::Session),
            keys: keys.into(),
            reads_clock: statements.clone().any(|(_, one)| one.reads_clock()),
        }
    }
}

/// The longest beginning of a resource that the index looks at, in bytes.
const HEAD_MAX: usize = 191;

impl Entry {
    fn of(place: Decider, statement: &Statement) -> Self {
        let (length, hash) = match &statement.body {
            Body::Aws { resources, .. } => {
                let prefix = resources.literal_prefix();
                let head = prefix.as_bytes().iter().take(HEAD_MAX);
                let length = u8::try_from(head.len()).unwrap_or(0);
                (length, head.fold(hash(""), |hash, byte| step(hash, *byte)))
            }
            Body::Ibm(rule) => rule.namespace().map_or((0, 0), |namespace| (1, hash(namespace))),
        };
        Self { place, length, hash }
    }

    /// Whether the resource begins as it must; sometimes also when it does not.
    pub(super) fn may_speak_of(&self, heads: &Heads) -> bool {
        let known = || heads.0.get(usize::from(self.length)).copied();
        self.length == 0 || known() == Some(self.hash)
    }

    /// As `may_speak_of`, for an IBM access policy.
    pub(super) fn may_grant(&self, namespace: Option<u64>) -> bool {
        self.length == 0 || namespace == Some(self.hash)
    }
}

/// The hash of each beginning of a resource, by its length. Those beyond its end are 0, which no statement asks for.
pub(super) struct Heads([u64; HEAD_MAX + 1]);

impl Heads {
    pub(super) fn of(resource: &Resource<'_>) -> Self {
        let mut heads = [0; HEAD_MAX + 1];
        let mut so_far = hash("");
        for (head, byte) in heads.iter_mut().skip(1).zip(resource.as_str().bytes()) {
            so_far = step(so_far, byte);
            *head = so_far;
        }
        Self(heads)
    }

    /// For IBM's entries: of the namespace alone.
    pub(super) fn of_namespace(words: &IbmWords<'_>) -> Option<u64> {
        words.attribute("resource").map(hash)
    }
}
