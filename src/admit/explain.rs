//! What the gate would say, with every statement that decides and what became of the others: for explanations only, never
//! a permit.

use std::collections::BTreeMap;

use super::caller::Caller;
use super::context::Facts;
use crate::clock::UnixTime;
use crate::policy::asked::{Asked, Target, Wording};
use crate::policy::engine::compiled::CompiledPolicy;
use crate::policy::engine::context::{Context, Key, Value};
use crate::policy::engine::decide;
use crate::policy::engine::question::{Class, IbmWords, Kind, Outcome, Question};
use crate::policy::engine::resource::Resource as Arn;
use crate::policy::engine::trace::{Traced, trace};
use crate::view::repository::RepositoryState;

/// A question to a caller's policies.
#[derive(Clone, Copy, Debug)]
pub struct Examination<'a> {
    /// What is done.
    pub asked: &'a Asked,
    /// On what.
    pub target: &'a Target,
    /// What the repository says of itself, if the target is one.
    pub repository: Option<&'a RepositoryState>,
    /// When.
    pub now: UnixTime,
    /// Condition keys and their values, in place of what is known.
    pub told: &'a [(String, Vec<String>)],
}

impl<'a> Examination<'a> {
    fn attached(&self) -> Option<&'a CompiledPolicy> {
        self.repository?.policy.as_deref()
    }
}

/// The answer, taken apart.
#[derive(Debug)]
pub struct Examined {
    /// The answer.
    pub outcome: Outcome,
    /// What became of each statement of each of the caller's policies, in the bundle's order, in the wording that decided.
    pub own: Vec<Vec<Traced>>,
    /// The same of the resource's own policy.
    pub attached: Vec<Traced>,
    /// The condition keys that the policies name, those that were told, and their values, as far as they have any.
    pub known: BTreeMap<String, Vec<String>>,
}

/// What cannot be asked about is nobody's.
const UNASKABLE: Class = Class::ImplicitDeny(Kind::Identity);

/// Decides as if the caller asked now.
#[must_use]
pub fn explain(caller: &Caller, question: Examination<'_>) -> Outcome {
    decided(caller, question, &context(caller, question)).0
}

/// The same, and what every statement made of it.
#[must_use]
pub fn examine(caller: &Caller, question: Examination<'_>) -> Examined {
    let context = context(caller, question);
    let (outcome, wording) = decided(caller, question, &context);
    let rights = &caller.bundle.rights;
    let traced = |policy: &CompiledPolicy| {
        put(caller, question, wording?, |asked| trace(policy, rights, asked, &context))
    };
    let own = rights.policies().map(|(_, policy)| traced(policy).unwrap_or_default()).collect();
    let attached = question.attached().and_then(traced).unwrap_or_default();
    let policies = rights.policies().map(|(_, policy)| policy).chain(question.attached());
    let told = question.told.iter().map(|(name, _)| Key::of(name));
    let keys = policies.flat_map(CompiledPolicy::keys).cloned().chain(told);
    let known = keys.filter_map(|key| Some((key.name().to_owned(), values(context.value(&key)?))));
    Examined { outcome, own, attached, known: known.collect() }
}

fn values(value: &Value<'_>) -> Vec<String> {
    match value {
        Value::Many(list) => list.iter().map(ToString::to_string).collect(),
        Value::One(one) => vec![one.to_string()],
    }
}

fn context<'a>(caller: &'a Caller, question: Examination<'a>) -> Context<'a> {
    let (rights, region) = (&caller.bundle.rights, question.target.resource.region.as_ref());
    let repository = question.repository;
    let facts = Facts { caller, now: question.now, region, call: None, repository, known: None };
    let policies = rights.policies().map(|(_, policy)| policy).chain(question.attached());
    let mut context = facts.context(policies.flat_map(CompiledPolicy::keys));
    for (name, values) in question.told {
        let value = match values.as_slice() {
            [only] => Value::One(only.as_str().into()),
            values => Value::Many(values.iter().map(|one| one.as_str().into()).collect()),
        };
        // What is too long to be a value is no key.
        let _ = context.set(name.as_str(), value);
    }
    context
}

/// One wording must be allowed, and none denied explicitly: the answer, and the wording that gave it.
fn decided<'a>(
    caller: &Caller,
    question: Examination<'a>,
    context: &Context<'_>,
) -> (Outcome, Option<&'a Wording>) {
    let (mut allowed, mut denied) = (None, None);
    for wording in question.asked.wordings() {
        let outcome =
            put(caller, question, wording, |asked| decide::explain(&caller.bundle.rights, asked, context));
        let Some(outcome) = outcome else { continue };
        if outcome.class.is_explicit_deny() {
            return (outcome, Some(wording));
        }
        let first = if outcome.class.is_allow() { &mut allowed } else { &mut denied };
        first.get_or_insert((outcome, Some(wording)));
    }
    let unaskable = Outcome { class: UNASKABLE, refused: None, deciders: Vec::new() };
    allowed.or(denied).unwrap_or((unaskable, None))
}

/// Puts the question; `None` if the resource's name is too long for one.
fn put<T>(
    caller: &Caller,
    question: Examination<'_>,
    wording: &Wording,
    ask: impl FnOnce(&Question<'_>) -> T,
) -> Option<T> {
    let (account, target) = (&caller.account, question.target);
    let arn = target.arn(account);
    let attributes = target.resource.attributes(account);
    let ibm = |action: crate::policy::table::Action| IbmWords {
        action: action.id(),
        attributes: attributes.as_slice(),
    };
    Some(ask(&Question {
        aws: &wording.aws,
        ibm: wording.ibm.map(ibm),
        resource: arn.as_deref().map_or(Some(Arn::NOTHING), Arn::of)?,
        resource_account: target.owner(account),
        attached: question.attached(),
        now: question.now.seconds(),
    }))
}
