//! The decision cache: a verdict is kept for a principal's generation, the actions, the resource with its own policy, and
//! only those condition keys that the statements speaking of the actions use.
//!
//! Nothing is ever dropped by name. A changed policy, group or boundary makes a new bundle, and a changed repository
//! policy a new compiled policy; both have stamps that no key in the cache has, and what is old ages out.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use super::engine::bundle::Bundle;
use super::engine::context::{Context, Value};
use super::engine::decide::decide;
use super::engine::question::{Question, Verdict};
use super::table::ActionId;

/// A bounded cache of verdicts.
#[derive(Debug)]
pub struct DecisionCache {
    kept: Cache<Kept, Verdict>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl DecisionCache {
    /// A cache for so many verdicts.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { kept: Cache::new(capacity), hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The verdict on the question, from memory or anew. It allocates nothing when the verdict is known.
    #[must_use]
    pub fn decide(&self, bundle: &Bundle, question: &Question<'_>, context: &Context<'_>) -> Verdict {
        let asked = Asked { bundle, question, context };
        if let Some(verdict) = self.kept.get(&asked) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return verdict;
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let verdict = decide(bundle, question, context);
        self.kept.insert(asked.kept(), verdict);
        verdict
    }

    /// How many verdicts were known, and how many were not.
    #[must_use]
    pub fn events(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// How many verdicts are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// What a verdict depends on, borrowed.
struct Asked<'a> {
    bundle: &'a Bundle,
    question: &'a Question<'a>,
    context: &'a Context<'a>,
}

/// The same, kept.
#[derive(Debug, Eq, PartialEq)]
struct Kept {
    stamps: [u64; 2],
    now: Option<i64>,
    aws: Box<[ActionId]>,
    ibm: Option<ActionId>,
    texts: Box<[Box<str>]>,
    values: Box<[Option<Value<'static>>]>,
}

impl Asked<'_> {
    /// The stamps of the bundle and of the resource's own policy.
    fn stamps(&self) -> [u64; 2] {
        [self.bundle.stamp(), self.question.attached.map_or(0, |policy| policy.stamp())]
    }

    fn now(&self) -> Option<i64> {
        let action = self.ibm().filter(|action| self.bundle.reads_clock(*action));
        action.map(|_| self.question.now)
    }

    fn ibm(&self) -> Option<ActionId> {
        self.question.ibm.map(|words| words.action)
    }

    /// Everything textual, in a fixed order. Names and values of attributes alternate, so no two lists run together.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let own = [self.question.resource.as_str(), self.question.resource_account];
        let attributes = self.question.ibm.iter().flat_map(|words| words.attributes);
        own.into_iter().chain(attributes.flat_map(|(name, value)| [*name, *value]))
    }

    /// The values of the keys that are used. Which keys those are follows from the stamps and actions.
    fn values(&self) -> impl Iterator<Item = Option<&Value<'_>>> {
        let actions = self.question.aws.iter().copied().chain(self.ibm());
        let own = actions.flat_map(|action| self.bundle.keys(action));
        let attached = self.question.attached.into_iter().flat_map(|policy| policy.keys());
        own.chain(attached).map(|key| self.context.value(key))
    }

    fn kept(&self) -> Kept {
        let owned = |value: &Value<'_>| match value {
            Value::Many(list) => Value::Many(list.iter().map(|one| one.to_string().into()).collect()),
            Value::One(one) => Value::One(one.to_string().into()),
        };
        Kept {
            stamps: self.stamps(),
            now: self.now(),
            aws: self.question.aws.into(),
            ibm: self.ibm(),
            texts: self.texts().map(Into::into).collect(),
            values: self.values().map(|value| value.map(owned)).collect(),
        }
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.stamps(), self.now(), self.question.aws, self.ibm()).hash(state);
        self.texts().for_each(|text| text.hash(state));
        self.values().for_each(|value| value.hash(state));
    }
}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.stamps, self.now, &*self.aws, self.ibm).hash(state);
        self.texts.iter().for_each(|text| text.hash(state));
        self.values.iter().for_each(|value| value.as_ref().hash(state));
    }
}

impl Equivalent<Kept> for Asked<'_> {
    fn equivalent(&self, kept: &Kept) -> bool {
        kept.stamps == self.stamps()
            && kept.now == self.now()
            && *kept.aws == *self.question.aws
            && kept.ibm == self.ibm()
            && kept.texts.iter().map(|text| &**text).eq(self.texts())
            && kept.values.iter().map(Option::as_ref).eq(self.values())
    }
}
