//! What an IBM access policy demands of the resource's attributes and of the time, as a program that always answers.
//!
//! Times are compared in the offset that the policy writes; days are numbered from 1, Monday. What is not understood
//! holds for nothing.

use super::context::Context;
use super::glob::{Fit, Glob};
use super::question::IbmWords;
use super::value::{clock_and_offset, day_number, instant, offset};
use crate::policy::ibm::access;

const DAY: i64 = 86_400;

/// A demand.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    All(Box<[Rule]>),
    Any(Box<[Rule]>),
    Attribute {
        name: Box<str>,
        test: Test,
    },
    /// On one of these days, each with its offset in seconds.
    Days(Box<[(i64, i64)]>),
    Never,
    Time {
        clock: Clock,
        order: Order,
    },
}

/// How an attribute's text is compared.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Equals(Box<[Box<str>]>),
    Exists(bool),
    Like(Box<[Glob]>),
}

/// What of the time is compared, with what.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    /// The day there, in days since 1970.
    Date { day: i64, east: i64 },
    /// In 10^-9 seconds since 1970.
    Instant(i128),
    /// The time of day there, in 10^-9 seconds.
    TimeOfDay { time: i128, east: i64 },
}

/// How it is compared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Rule {
    /// All of the attributes, and the rule if there is one.
    pub(super) fn compile(policy: &access::AccessPolicy) -> Self {
        let attribute = |one: &access::Attribute| attribute(&one.key, &one.operator, &one.values);
        let names_account = policy.attributes.iter().any(|one| one.key == "accountId");
        if policy.tagged || !names_account {
            return Self::Never;
        }
        let attributes = policy.attributes.iter().map(attribute);
        Self::All(attributes.chain(policy.rule.iter().map(rule)).collect())
    }

    pub(super) fn holds(&self, words: &IbmWords<'_>, now: i64) -> bool {
        match self {
            Self::All(rules) => rules.iter().all(|rule| rule.holds(words, now)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(words, now)),
            Self::Attribute { name, test } => test.holds(words.attribute(name)),
            // 1970-01-01 was a Thursday, the fourth day.
            Self::Days(days) => days
                .iter()
                .any(|(day, east)| (now.saturating_add(*east).div_euclid(DAY) + 3).rem_euclid(7) + 1 == *day),
            Self::Never => false,
            Self::Time { clock, order } => clock.now_and_wanted(now, *order),
        }
    }

    pub(super) fn reads_clock(&self) -> bool {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().any(Self::reads_clock),
            Self::Attribute { .. } | Self::Never => false,
            Self::Days(_) | Self::Time { .. } => true,
        }
    }

    /// The namespace that the resource must be, if it must be one.
    pub(super) fn namespace(&self) -> Option<&str> {
        match self {
            Self::All(rules) => rules.iter().find_map(Self::namespace),
            Self::Attribute { name, test: Test::Equals(values) } if **name == *"resource" => {
                match &**values {
                    [only] => Some(only),
                    _ => None,
                }
            }
            Self::Any(_) | Self::Attribute { .. } | Self::Days(_) | Self::Never | Self::Time { .. } => None,
        }
    }
}

/// The first demand of an IBM access policy that the resource or the time does not meet: an attribute, or its rule.
#[must_use]
pub fn unmet<'p>(policy: &'p access::AccessPolicy, words: &IbmWords<'_>, now: i64) -> Option<Unmet<'p>> {
    let meets = |one: &&access::Attribute| attribute(&one.key, &one.operator, &one.values).holds(words, now);
    if let Some(lacking) = policy.attributes.iter().find(|one| !meets(one)) {
        return Some(Unmet::Attribute(lacking));
    }
    Rule::compile(policy).holds(words, now).then_some(()).map_or(Some(Unmet::Rule), |()| None)
}

/// What is not met.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unmet<'p> {
    /// This attribute of the resource.
    Attribute(&'p access::Attribute),
    /// The rule, or what every policy must say.
    Rule,
}

impl Test {
    fn holds(&self, found: Option<&str>) -> bool {
        let none = Context::default();
        match (self, found) {
            (Self::Equals(wanted), Some(found)) => wanted.iter().any(|wanted| **wanted == *found),
            (Self::Exists(wanted), found) => *wanted == found.is_some(),
            (Self::Like(wanted), Some(found)) => wanted.iter().any(|glob| glob.fit(found, &none) == Fit::Yes),
            (Self::Equals(_) | Self::Like(_), None) => false,
        }
    }
}

impl Clock {
    fn now_and_wanted(self, now: i64, order: Order) -> bool {
        const NANOSECONDS: i128 = 1_000_000_000;
        let (now, wanted) = match self {
            Self::Date { day, east } => {
                (i128::from(now.saturating_add(east).div_euclid(DAY)), i128::from(day))
            }
            Self::Instant(instant) => (i128::from(now) * NANOSECONDS, instant),
            Self::TimeOfDay { time, east } => {
                (i128::from(now.saturating_add(east).rem_euclid(DAY)) * NANOSECONDS, time)
            }
        };
        match order {
            Order::Greater => now > wanted,
            Order::GreaterOrEqual => now >= wanted,
            Order::Less => now < wanted,
            Order::LessOrEqual => now <= wanted,
        }
    }
}

fn attribute(name: &str, operator: &str, values: &[String]) -> Rule {
    let texts = || values.iter().map(|value| value.as_str().into()).collect();
    let test = match (operator, values) {
        ("stringEquals" | "stringEqualsAnyOf", _) => Test::Equals(texts()),
        ("stringExists", [wanted]) if wanted == "true" => Test::Exists(true),
        ("stringExists", [wanted]) if wanted == "false" => Test::Exists(false),
        ("stringMatch" | "stringMatchAnyOf", _) => {
            Test::Like(values.iter().map(|value| Glob::ibm(value)).collect())
        }
        _ => return Rule::Never,
    };
    Rule::Attribute { name: name.into(), test }
}

fn rule(written: &access::Rule) -> Rule {
    match written {
        access::Rule::All(rules) if rules.is_empty() => Rule::Never,
        access::Rule::All(rules) => Rule::All(rules.iter().map(rule).collect()),
        access::Rule::Any(rules) => Rule::Any(rules.iter().map(rule).collect()),
        access::Rule::Condition(one) => condition(one).unwrap_or(Rule::Never),
    }
}

fn condition(one: &access::Attribute) -> Option<Rule> {
    let name = one.key.strip_prefix("{{")?.strip_suffix("}}")?;
    if let Some(name) = name.strip_prefix("resource.attributes.") {
        return Some(attribute(name, &one.operator, &one.values));
    }
    let operator = one.operator.as_str();
    let single = || if let [value] = one.values.as_slice() { Some(value.as_str()) } else { None };
    let (clock, order) = match name.strip_prefix("environment.attributes.")? {
        "current_date" => (date(single()?)?, operator.strip_prefix("date")?),
        "current_date_time" => (Clock::Instant(instant(single()?)?), operator.strip_prefix("dateTime")?),
        "current_time" => {
            let (time, east) = clock_and_offset(single()?)?;
            (Clock::TimeOfDay { time, east }, operator.strip_prefix("time")?)
        }
        "day_of_week" if matches!(operator, "dayOfWeekAnyOf" | "dayOfWeekEquals") => {
            return Some(Rule::Days(one.values.iter().filter_map(|value| weekday(value)).collect()));
        }
        _ => return None,
    };
    Some(Rule::Time { clock, order: self::order(order)? })
}

/// Whether a condition of a rule can hold for anything: what is not understood holds for nothing.
#[must_use]
pub fn is_understood(one: &access::Attribute) -> bool {
    match condition(one) {
        Some(Rule::Days(days)) => days.len() == one.values.len() && !days.is_empty(),
        Some(Rule::Attribute { .. } | Rule::Time { .. }) => !one.values.is_empty(),
        Some(Rule::All(_) | Rule::Any(_) | Rule::Never) | None => false,
    }
}

fn order(name: &str) -> Option<Order> {
    match name {
        "GreaterThan" => Some(Order::Greater),
        "GreaterThanOrEquals" => Some(Order::GreaterOrEqual),
        "LessThan" => Some(Order::Less),
        "LessThanOrEquals" => Some(Order::LessOrEqual),
        _ => None,
    }
}

/// `YYYY-MM-DD+hh:mm`
fn date(text: &str) -> Option<Clock> {
    let (date, zone) = text.split_at_checked(10)?;
    Some(Clock::Date { day: day_number(date)?, east: offset(zone)? })
}

/// `1+00:00`: Monday, as days begin in that offset.
fn weekday(text: &str) -> Option<(i64, i64)> {
    let (day, zone) = text.split_at_checked(1)?;
    Some((day.parse().ok().filter(|day| (1..=7).contains(day))?, offset(zone)?))
}
