//! AWS conditions as programs: everything that can be parsed is parsed when the document is compiled, and running one
//! always answers.
//!
//! An absent key makes a positive operator false and a negated one true; `IfExists` and `ForAllValues` make it true,
//! `ForAnyValue` false. A value of the wrong type, like a list under an operator without a quantifier, makes no
//! condition true, not even a negated one. A quantifier takes a single value for a list of one.

use super::context::{Context, Key, Value};
use super::glob::{Fit, Glob};
use super::value::{Network, instant, number, truth};
use crate::policy::aws::document::{Condition, ConditionValue};
use crate::policy::aws::operator::{Family, Operator, Qualifier};
use crate::policy::aws::pattern::{ArnPattern, SEGMENTS};
use data_encoding::BASE64;

/// One key that is compared.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    key: Key,
    qualifier: Option<Qualifier>,
    if_exists: bool,
    negated: bool,
    test: Test,
}

/// What the key's value is compared with. `None` stands for a value that is not of the type.
#[derive(Clone, Debug)]
enum Test {
    Arn(Box<[ArnGlob]>),
    /// The base64 texts of bytes; each of them has only one.
    Binary(Box<[Option<Box<str>>]>),
    Bool(Box<[Glob]>),
    Date(Order, Box<[Option<i128>]>),
    Ip(Box<[Option<Network>]>),
    /// Whether it holds for a key that is absent, and for one that is present.
    Null {
        absent: bool,
        present: bool,
    },
    Numeric(Order, Box<[Option<i128>]>),
    Text(Box<[Glob]>),
    TextInAnyCase(Box<[Glob]>),
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Clone, Debug)]
enum ArnGlob {
    Segments(Box<[Glob; SEGMENTS]>),
    /// With too few segments for any ARN.
    Short(Glob),
}

/// What comparing two values came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Came {
    No,
    WrongType,
    Yes,
}

impl From<Fit> for Came {
    fn from(fit: Fit) -> Self {
        match fit {
            Fit::No | Fit::Unresolved => Self::No,
            Fit::Yes => Self::Yes,
        }
    }
}

impl Comparison {
    pub(super) fn compile(condition: &Condition) -> Self {
        let comparison = condition.comparison;
        Self {
            key: Key::of(&condition.key),
            qualifier: comparison.qualifier,
            if_exists: comparison.if_exists,
            negated: comparison.operator.is_negated(),
            test: Test::compile(comparison.operator, &condition.values),
        }
    }

    /// Whether it holds.
    pub(super) fn holds(&self, context: &Context<'_>) -> bool {
        let found = context.value(&self.key);
        if let Test::Null { absent, present } = self.test {
            return if found.is_none() { absent } else { present };
        }
        let one = |text: &str| self.test.holds(self.negated, text, context);
        match (found, self.qualifier) {
            (None, Some(Qualifier::ForAllValues)) => true,
            (None, Some(Qualifier::ForAnyValue)) => self.if_exists,
            (None, None) => self.if_exists || self.negated,
            (Some(Value::One(text)), _) => one(text),
            (Some(Value::Many(_)), None) => false,
            (Some(Value::Many(list)), Some(Qualifier::ForAllValues)) => list.iter().all(|text| one(text)),
            (Some(Value::Many(list)), Some(Qualifier::ForAnyValue)) => list.iter().any(|text| one(text)),
        }
    }

    /// The keys that decide.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        let globs: Vec<&Glob> = match &self.test {
            Test::Arn(all) => all.iter().flat_map(ArnGlob::globs).collect(),
            Test::Bool(all) | Test::Text(all) | Test::TextInAnyCase(all) => all.iter().collect(),
            Test::Binary(_) | Test::Date(..) | Test::Ip(_) | Test::Null { .. } | Test::Numeric(..) => {
                Vec::new()
            }
        };
        std::iter::once(&self.key).chain(globs.into_iter().flat_map(Glob::keys))
    }
}

impl Test {
    fn compile(operator: Operator, values: &[ConditionValue]) -> Self {
        let globs = || values.iter().map(|value| Glob::of(&value.template)).collect();
        match operator.family() {
            Family::Arn => Self::Arn(values.iter().map(ArnGlob::of).collect()),
            Family::Binary => Self::Binary(values.iter().map(|value| base64(&value.text)).collect()),
            Family::Bool => Self::Bool(globs()),
            Family::Date => {
                Self::Date(Order::of(operator), values.iter().map(|value| instant(&value.text)).collect())
            }
            Family::Ip => Self::Ip(values.iter().map(|value| Network::parse(&value.text)).collect()),
            Family::Null => {
                let named = |wanted: bool| values.iter().any(|value| truth(&value.text) == Some(wanted));
                Self::Null { absent: named(true), present: named(false) }
            }
            Family::Numeric => {
                Self::Numeric(Order::of(operator), values.iter().map(|value| number(&value.text)).collect())
            }
            Family::String => match operator {
                Operator::StringEqualsIgnoreCase | Operator::StringNotEqualsIgnoreCase => {
                    Self::TextInAnyCase(globs())
                }
                _ => Self::Text(globs()),
            },
        }
    }

    /// One value of the request against all of the policy: positive, any must fit; negated, none may.
    fn holds(&self, negated: bool, found: &str, context: &Context<'_>) -> bool {
        match self {
            Self::Arn(wanted) => {
                let segments = segments(found);
                judge(negated, wanted, |arn| arn.compare(segments.as_ref(), context))
            }
            Self::Binary(wanted) => judge(negated, wanted, |text| same(Some(found), text.as_deref())),
            Self::Bool(wanted) => judge(negated, wanted, |glob| boolean(glob, found, context)),
            Self::Date(order, wanted) => {
                let found = instant(found);
                judge(negated, wanted, |wanted| order.compare(found, *wanted))
            }
            Self::Ip(wanted) => {
                let found = Network::parse(found);
                let contains = |(wanted, found): (&Network, Network)| yes(wanted.contains(&found));
                judge(negated, wanted, |one| one.as_ref().zip(found).map_or(Came::WrongType, contains))
            }
            Self::Null { .. } => false,
            Self::Numeric(order, wanted) => {
                let found = number(found);
                judge(negated, wanted, |wanted| order.compare(found, *wanted))
            }
            Self::Text(wanted) => judge(negated, wanted, |glob| Came::from(glob.fit(found, context))),
            Self::TextInAnyCase(wanted) => {
                judge(negated, wanted, |glob| Came::from(glob.fit_in_any_case(found, context)))
            }
        }
    }
}

fn judge<T>(negated: bool, wanted: &[T], compare: impl Fn(&T) -> Came) -> bool {
    let mut came = wanted.iter().map(compare);
    if negated { came.all(|came| came == Came::No) } else { came.any(|came| came == Came::Yes) }
}

fn yes(yes: bool) -> Came {
    if yes { Came::Yes } else { Came::No }
}

fn same(found: Option<&str>, wanted: Option<&str>) -> Came {
    found.zip(wanted).map_or(Came::WrongType, |(found, wanted)| yes(found == wanted))
}

fn boolean(wanted: &Glob, found: &str, context: &Context<'_>) -> Came {
    let spells = |text| wanted.fit_in_any_case(text, context);
    let wanted = match (spells("true"), spells("false")) {
        (Fit::Unresolved, _) => return Came::No,
        (Fit::Yes, _) => Some(true),
        (_, Fit::Yes) => Some(false),
        _ => None,
    };
    wanted.zip(truth(found)).map_or(Came::WrongType, |(wanted, found)| yes(wanted == found))
}

/// Whether a value is of the operator's type. One that is not matches nothing.
pub(crate) fn is_understood(operator: Operator, value: &ConditionValue) -> bool {
    let spelt = value.template.literal();
    match operator.family() {
        Family::Arn => matches!(ArnGlob::of(value), ArnGlob::Segments(_)),
        Family::Binary => base64(&value.text).is_some(),
        Family::Bool => spelt.is_none_or(|text| truth(text).is_some()),
        Family::Date => instant(&value.text).is_some(),
        Family::Ip => Network::parse(&value.text).is_some(),
        Family::Null => truth(&value.text).is_some(),
        Family::Numeric => number(&value.text).is_some(),
        Family::String => true,
    }
}

/// The text, if it is base64.
fn base64(text: &str) -> Option<Box<str>> {
    BASE64.decode(text.as_bytes()).ok().map(|_| text.into())
}

/// The six segments of an ARN.
pub(super) fn segments(text: &str) -> Option<[&str; SEGMENTS]> {
    let mut parts = text.splitn(SEGMENTS, ':');
    let mut next = || parts.next();
    Some([next()?, next()?, next()?, next()?, next()?, next()?])
}

impl Order {
    fn of(operator: Operator) -> Self {
        match operator {
            Operator::DateGreaterThan | Operator::NumericGreaterThan => Self::Greater,
            Operator::DateGreaterThanEquals | Operator::NumericGreaterThanEquals => Self::GreaterOrEqual,
            Operator::DateLessThan | Operator::NumericLessThan => Self::Less,
            Operator::DateLessThanEquals | Operator::NumericLessThanEquals => Self::LessOrEqual,
            _ => Self::Equal,
        }
    }

    fn compare(self, found: Option<i128>, wanted: Option<i128>) -> Came {
        let Some((found, wanted)) = found.zip(wanted) else { return Came::WrongType };
        yes(match self {
            Self::Equal => found == wanted,
            Self::Greater => found > wanted,
            Self::GreaterOrEqual => found >= wanted,
            Self::Less => found < wanted,
            Self::LessOrEqual => found <= wanted,
        })
    }
}

impl ArnGlob {
    fn of(value: &ConditionValue) -> Self {
        let whole = Glob::of(&value.template);
        // Unlike in `Resource`, a short pattern that ends in `*` is not completed.
        let complete = whole.colons() + 1 >= SEGMENTS;
        let pattern = ArnPattern::of(&value.template);
        match pattern.segments().filter(|_| complete) {
            Some(segments) => Self::Segments(Box::new(segments.each_ref().map(Glob::of))),
            None => Self::Short(whole),
        }
    }

    fn globs(&self) -> &[Glob] {
        match self {
            Self::Segments(all) => &**all,
            Self::Short(whole) => std::slice::from_ref(whole),
        }
    }

    fn compare(&self, found: Option<&[&str; SEGMENTS]>, context: &Context<'_>) -> Came {
        if self.globs().iter().any(|glob| glob.is_unresolved(context)) {
            return Came::No;
        }
        match (self, found) {
            (Self::Segments(wanted), Some(found)) => {
                yes(wanted.iter().zip(found).all(|(glob, text)| glob.fit(text, context) == Fit::Yes))
            }
            (Self::Segments(_), None) | (Self::Short(_), _) => Came::WrongType,
        }
    }
}
