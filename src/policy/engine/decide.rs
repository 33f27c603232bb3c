//! The order of evaluation, and what it answers.
//!
//! **One action.** `sts:GetCallerIdentity` is everyone's who signs. Else a matching Deny in any policy that applies ends
//! it. Then:
//!
//! 1. the resource's policy: required of other accounts, of role trust, and of who does not sign. In the same account it
//!    grants by itself to whom it names directly (identity and boundary need not allow) and to the role of a session
//!    (identity need not allow); naming the account only delegates;
//! 2. identity policies, group policies and IBM access policies: one of them must allow;
//! 3. the permissions boundary, if there is one, must allow;
//! 4. the session policies, if there are any, must allow, whatever the resource's policy says: of two readings of AWS's
//!    documents the stricter. A federated user without them has an empty one.
//!
//! The root user of the resource's account needs no Allow, and only a resource policy can deny it; it may not assume
//! roles. Nothing but the resource's policy applies to those who do not sign.
//!
//! **One operation in the words of both clouds.** AWS documents are asked for each AWS action on the ARN, and all must
//! be allowed; IBM policies are asked once for the IBM action on the IBM attributes, and their Allow serves in step 2
//! for every one of the AWS actions. They never deny, and boundary and session policies limit them too. An operation
//! without an AWS name is put to AWS documents under its IBM name with the resource `*`. An operation without any name
//! is nobody's.

use super::bundle::{Bundle, Entry, Heads, Row};
use super::compiled::{Body, CompiledPolicy, Place, Statement};
use super::context::Context;
use super::principal::Closeness;
use super::question::{Class, Decider, Kind, Outcome, Question, Verdict};
use super::resource::Resource;
use crate::policy::aws::document::Effect;
use crate::policy::table::ActionId;

/// Decides, and names one statement that did. It allocates nothing.
#[must_use]
pub fn decide(bundle: &Bundle, question: &Question<'_>, context: &Context<'_>) -> Verdict {
    let mut allowed: Option<Verdict> = None;
    let mut denied: Option<Verdict> = None;
    for action in actions(question) {
        let mut first = None;
        let class = Ask::of(bundle, question, context, action).decide(&mut first);
        let refused = (!class.is_allow()).then_some(action);
        let found = Verdict { class, refused, decider: first };
        if class.is_explicit_deny() {
            return found;
        }
        let best = if class.is_allow() { &mut allowed } else { &mut denied };
        let earlier = best.filter(|best| !class.is_allow() || best.class <= class);
        *best = earlier.or(Some(found));
    }
    let nobodys = Verdict { class: Class::ImplicitDeny(Kind::Identity), refused: None, decider: None };
    denied.or(allowed).unwrap_or(nobodys)
}

/// Decides as [`decide`] does, and names every statement that did.
#[must_use]
pub fn explain(bundle: &Bundle, question: &Question<'_>, context: &Context<'_>) -> Outcome {
    let Verdict { class, refused, .. } = decide(bundle, question, context);
    let mut deciders = Vec::new();
    for action in actions(question).filter(|action| refused.is_none_or(|refused| refused == *action)) {
        Ask::of(bundle, question, context, action).decide(&mut deciders);
    }
    deciders.sort();
    deciders.dedup();
    Outcome { class, refused, deciders }
}

/// What AWS documents are asked.
pub(super) fn actions<'a>(question: &Question<'a>) -> impl Iterator<Item = ActionId> + use<'a> {
    let named = question.ibm.filter(|_| question.aws.is_empty()).map(|words| words.action);
    question.aws.iter().copied().chain(named)
}

/// What they are asked about an action on.
pub(super) fn asked_on<'a>(question: &Question<'a>, action: ActionId) -> Resource<'a> {
    if is_typed(question, action) { question.resource } else { Resource::NOTHING }
}

fn is_typed(question: &Question<'_>, action: ActionId) -> bool {
    action.is_typed() && !question.aws.is_empty()
}

/// Where statements that decided are put.
trait Deciders {
    /// Whether one is enough.
    fn add(&mut self, decider: Decider) -> bool;
}

impl Deciders for Option<Decider> {
    fn add(&mut self, decider: Decider) -> bool {
        self.get_or_insert(decider);
        true
    }
}

impl Deciders for Vec<Decider> {
    fn add(&mut self, decider: Decider) -> bool {
        self.push(decider);
        false
    }
}

/// One action of a question.
struct Ask<'q> {
    bundle: &'q Bundle,
    question: &'q Question<'q>,
    context: &'q Context<'q>,
    action: ActionId,
    resource: Resource<'q>,
    attached: Option<&'q CompiledPolicy>,
    row: &'q Row,
    heads: Heads,
}

impl<'q> Ask<'q> {
    fn of(
        bundle: &'q Bundle,
        question: &'q Question<'q>,
        context: &'q Context<'q>,
        action: ActionId,
    ) -> Self {
        let (typed, resource) = (is_typed(question, action), asked_on(question, action));
        // Roles have trust policies, for STS alone; everything else has at most a repository policy.
        let place = if action.is_assuming() { Place::Trust } else { Place::Repository };
        let attached = question.attached.filter(|policy| typed && policy.place() == place);
        let (row, heads) = (bundle.row(action), Heads::of(&resource));
        Self { bundle, question, context, action, resource, attached, row, heads }
    }

    fn decide(&self, deciders: &mut impl Deciders) -> Class {
        let caller = self.bundle.caller();
        if caller.signs() && self.action.is_everyones() {
            return Class::AllowAlways;
        }
        if let Some(kind) = self.denies(deciders) {
            return Class::ExplicitDeny(kind);
        }
        let kind = self.attached_kind();
        let near = self.near(Effect::Allow);
        let same_account = caller.account().is_some_and(|own| own.as_str() == self.question.resource_account);
        if caller.has_policies() {
            return self.signed(same_account, near, deciders);
        }
        match (caller.signs(), kind, same_account) {
            (true, Kind::Trust, _) => Class::ImplicitDeny(kind),
            (true, _, true) => Class::AllowRoot,
            (true, _, false) => self.by_attached(Closeness::Account, near, deciders),
            (false, ..) => self.by_attached(Closeness::Direct, near, deciders),
        }
    }

    fn by_attached(&self, least: Closeness, near: Option<Closeness>, deciders: &mut impl Deciders) -> Class {
        let kind = self.attached_kind();
        if near.is_none_or(|near| near < least) {
            return Class::ImplicitDeny(kind);
        }
        self.attached(Effect::Allow, least, deciders);
        Class::Allow(kind)
    }

    fn signed(&self, same_account: bool, near: Option<Closeness>, deciders: &mut impl Deciders) -> Class {
        let kind = self.attached_kind();
        let must_be_named = !same_account || kind == Kind::Trust;
        if must_be_named && near.is_none() {
            return Class::ImplicitDeny(kind);
        }
        // What the resource's policy grants by itself.
        let grants = |least| same_account && near.is_some_and(|near| near >= least);
        let mut first = None;
        self.identity_allows(&mut first);
        if first.is_none() && !grants(Closeness::Role) {
            return Class::ImplicitDeny(Kind::Identity);
        }
        let within_boundary = !self.bundle.is_bounded() || self.any(&self.row.boundary);
        if !within_boundary && !grants(Closeness::Direct) {
            return Class::ImplicitDeny(Kind::Boundary);
        }
        if self.bundle.is_limited() && !self.any(&self.row.session) {
            return Class::ImplicitDeny(Kind::Session);
        }
        if !within_boundary {
            return self.by_attached(Closeness::Direct, near, deciders);
        }
        self.identity_allows(deciders);
        let least = if must_be_named { Closeness::Account } else { Closeness::Role };
        self.attached(Effect::Allow, least, deciders);
        Class::Allow(first.map_or(kind, |first: Decider| first.kind))
    }

    /// The first kind of policy that denies.
    fn denies(&self, deciders: &mut impl Deciders) -> Option<Kind> {
        let mut first: Option<Decider> = None;
        for entry in self.row.denies.iter().filter(|entry| self.fits(entry)) {
            first.get_or_insert(entry.place);
            if deciders.add(entry.place) {
                return Some(entry.place.kind);
            }
        }
        let attached = self.near(Effect::Deny).map(|_| self.attached_kind());
        self.attached(Effect::Deny, Closeness::Account, deciders);
        first.map(|first| first.kind).or(attached)
    }

    /// How closely the resource's policy names the caller, at most.
    fn near(&self, effect: Effect) -> Option<Closeness> {
        self.speaking(effect).map(|(closeness, _)| closeness).max()
    }

    fn attached(&self, effect: Effect, least: Closeness, deciders: &mut impl Deciders) {
        for (_, decider) in self.speaking(effect).filter(|(closeness, _)| *closeness >= least) {
            if deciders.add(decider) {
                return;
            }
        }
    }

    /// Statements of the resource's own policy that speak of the caller and of what is asked.
    fn speaking(&self, effect: Effect) -> impl Iterator<Item = (Closeness, Decider)> {
        let (kind, trust) = (self.attached_kind(), self.action.is_assuming());
        let statements = self.attached.map_or(&[][..], |policy| &policy.statements);
        let named = move |(statement, one): (u32, &Statement)| {
            let Body::Aws { principals: Some(principals), .. } = &one.body else { return None };
            let names = || principals.names(effect, self.bundle.caller(), trust, self.bundle.is_bounded());
            let fits = one.effect == effect && one.fits(self.action, &self.resource, self.context);
            Some((fits.then(names)??, Decider { kind, policy: 0, statement }))
        };
        (0_u32..).zip(statements).filter_map(named)
    }

    fn identity_allows(&self, deciders: &mut impl Deciders) {
        for entry in self.row.allows.iter().filter(|entry| self.fits(entry)) {
            if deciders.add(entry.place) {
                return;
            }
        }
        let Some(words) = &self.question.ibm else { return };
        let namespace = Heads::of_namespace(words);
        let grants = |entry: &&Entry| {
            let statement = self.bundle.statement(entry);
            entry.may_grant(namespace) && statement.is_some_and(|one| one.grants(words, self.question))
        };
        for entry in self.bundle.row(words.action).ibm.iter().filter(grants) {
            if deciders.add(entry.place) {
                return;
            }
        }
    }

    fn any(&self, entries: &[Entry]) -> bool {
        entries.iter().any(|entry| self.fits(entry))
    }

    fn fits(&self, entry: &Entry) -> bool {
        let statement = || self.bundle.statement(entry);
        entry.may_speak_of(&self.heads)
            && statement().is_some_and(|one| one.fits(self.action, &self.resource, self.context))
    }

    const fn attached_kind(&self) -> Kind {
        if self.action.is_assuming() { Kind::Trust } else { Kind::Repository }
    }
}
