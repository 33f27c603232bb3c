//! The operators of rules, with what they compare with. Comparing is total: what has another kind of value does not fit.

use serde_json::Value as Json;

use super::Mistake;
use super::property::{Kind, Value};
use crate::network::block::Block;
use crate::network::set::AddressSet;

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the operator of that name")]
pub enum Operator {
    IpsEquals(Vec<Block>),
    IpsInRange(Vec<Block>),
    IpsNotEquals(Vec<Block>),
    IsEmpty,
    IsFalse,
    IsNotEmpty,
    IsTrue,
    NumEquals(Vec<f64>),
    NumGreaterThan(f64),
    NumGreaterThanEquals(f64),
    NumLessThan(f64),
    NumLessThanEquals(f64),
    NumNotEquals(Vec<f64>),
    StringContains(Vec<String>),
    StringEquals(Vec<String>),
    StringMatch(Vec<String>),
    StringNotContains(Vec<String>),
    StringNotEquals(Vec<String>),
    StringNotMatch(Vec<String>),
    StringsInList(Vec<String>),
    StringsRequired(Vec<String>),
}

/// The most values of one comparison.
const VALUES_MAX: usize = 24;

impl Operator {
    /// Reads an operator and what it compares with.
    ///
    /// # Errors
    /// [`Mistake`] for an unknown operator, a value that is missing, or one of the wrong kind.
    pub fn read(name: &str, value: Option<&Json>) -> Result<Self, Mistake> {
        let texts = || texts(name, value);
        let blocks = || blocks(name, value);
        let numbers = || numbers(name, value);
        let number = || only(name, numbers()?);
        let bare = |operator: Self| match value {
            None | Some(Json::Null) => Ok(operator),
            Some(_) => Err(Mistake(format!("{name} takes no value"))),
        };
        match name {
            "is_empty" => bare(Self::IsEmpty),
            "is_not_empty" => bare(Self::IsNotEmpty),
            "is_true" => bare(Self::IsTrue),
            "is_false" => bare(Self::IsFalse),
            "ips_in_range" => Ok(Self::IpsInRange(blocks()?)),
            "ips_equals" => Ok(Self::IpsEquals(blocks()?)),
            "ips_not_equals" => Ok(Self::IpsNotEquals(blocks()?)),
            "num_equals" => Ok(Self::NumEquals(numbers()?)),
            "num_not_equals" => Ok(Self::NumNotEquals(numbers()?)),
            "num_less_than" => Ok(Self::NumLessThan(number()?)),
            "num_less_than_equals" => Ok(Self::NumLessThanEquals(number()?)),
            "num_greater_than" => Ok(Self::NumGreaterThan(number()?)),
            "num_greater_than_equals" => Ok(Self::NumGreaterThanEquals(number()?)),
            "string_equals" => Ok(Self::StringEquals(texts()?)),
            "string_not_equals" => Ok(Self::StringNotEquals(texts()?)),
            "string_match" => Ok(Self::StringMatch(texts()?)),
            "string_not_match" => Ok(Self::StringNotMatch(texts()?)),
            "string_contains" => Ok(Self::StringContains(texts()?)),
            "string_not_contains" => Ok(Self::StringNotContains(texts()?)),
            "strings_in_list" | "strings_allowed" => Ok(Self::StringsInList(texts()?)),
            "strings_required" => Ok(Self::StringsRequired(texts()?)),
            _ => Err(Mistake(format!("`{}` is no operator of rules", shown(name)))),
        }
    }

    /// Whether it can say anything about a property of this kind.
    #[must_use]
    pub const fn fits(&self, kind: Kind) -> bool {
        match self {
            Self::IsTrue | Self::IsFalse => matches!(kind, Kind::Flag),
            Self::IsEmpty | Self::IsNotEmpty => matches!(kind, Kind::Addresses | Kind::Number),
            Self::IpsEquals(_)
            | Self::IpsInRange(_)
            | Self::IpsNotEquals(_)
            | Self::StringsInList(_)
            | Self::StringsRequired(_) => matches!(kind, Kind::Addresses),
            Self::NumEquals(_)
            | Self::NumGreaterThan(_)
            | Self::NumGreaterThanEquals(_)
            | Self::NumLessThan(_)
            | Self::NumLessThanEquals(_)
            | Self::NumNotEquals(_) => matches!(kind, Kind::Number),
            Self::StringContains(_)
            | Self::StringEquals(_)
            | Self::StringMatch(_)
            | Self::StringNotContains(_)
            | Self::StringNotEquals(_)
            | Self::StringNotMatch(_) => false,
        }
    }

    /// Whether it compares one text: what targets have.
    #[must_use]
    pub const fn is_of_text(&self) -> bool {
        matches!(
            self,
            Self::StringContains(_)
                | Self::StringEquals(_)
                | Self::StringMatch(_)
                | Self::StringNotContains(_)
                | Self::StringNotEquals(_)
                | Self::StringNotMatch(_)
        )
    }

    /// Whether it holds if it does for none of several texts, and not if it does for one.
    #[must_use]
    pub const fn is_negated(&self) -> bool {
        matches!(self, Self::StringNotContains(_) | Self::StringNotEquals(_) | Self::StringNotMatch(_))
    }

    /// Whether the value is as it should be.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::IsEmpty, value) => is_empty(value),
            (Self::IsNotEmpty, value) => !is_empty(value),
            (Self::IsTrue, Value::Flag(flag)) => *flag,
            (Self::IsFalse, Value::Flag(flag)) => !*flag,
            (Self::NumEquals(any), Value::Number(number)) => any.contains(number),
            (Self::NumNotEquals(none), Value::Number(number)) => !none.contains(number),
            (Self::NumNotEquals(_), Value::Empty) => true,
            (Self::NumLessThan(limit), Value::Number(number)) => number < limit,
            (Self::NumLessThanEquals(limit), Value::Number(number)) => number <= limit,
            (Self::NumGreaterThan(limit), Value::Number(number)) => number > limit,
            (Self::NumGreaterThanEquals(limit), Value::Number(number)) => number >= limit,
            (operator, Value::List(list)) => operator.holds_for_list(list),
            (operator, Value::Text(text)) => operator.holds_for_text(text),
            (_, Value::Empty | Value::Flag(_) | Value::Number(_)) => false,
        }
    }

    fn holds_for_list(&self, list: &[String]) -> bool {
        let within = |allowed: &[Block]| {
            list.iter().all(|text| {
                let block: Option<Block> = text.parse().ok();
                // A zone by its name is no address, and may come to be any.
                block.is_some_and(|block| AddressSet::except([&block], allowed).is_empty())
            })
        };
        let same = |wanted: &[Block]| {
            let own: Option<Vec<Block>> = list.iter().map(|text| text.parse().ok()).collect();
            own.is_some_and(|own| {
                AddressSet::except(&own, wanted).is_empty() && AddressSet::except(wanted, &own).is_empty()
            })
        };
        match self {
            // No list at all lets in everybody.
            Self::IpsInRange(allowed) => !list.is_empty() && within(allowed),
            Self::IpsEquals(wanted) => !list.is_empty() && same(wanted),
            Self::IpsNotEquals(wanted) => list.is_empty() || !same(wanted),
            Self::StringsInList(allowed) => list.iter().all(|text| allowed.contains(text)),
            Self::StringsRequired(needed) => needed.iter().all(|text| list.contains(text)),
            _ => false,
        }
    }

    fn holds_for_text(&self, text: &str) -> bool {
        let any = |list: &[String], fits: fn(&str, &str) -> bool| list.iter().any(|one| fits(one, text));
        match self {
            Self::StringEquals(list) => any(list, |one, text| one == text),
            Self::StringNotEquals(list) => !any(list, |one, text| one == text),
            Self::StringMatch(list) => any(list, matches_wildcards),
            Self::StringNotMatch(list) => !any(list, matches_wildcards),
            Self::StringContains(list) => any(list, |one, text| text.contains(one)),
            Self::StringNotContains(list) => !any(list, |one, text| text.contains(one)),
            _ => false,
        }
    }

    /// It in words, for what is expected.
    #[must_use]
    pub fn words(&self) -> String {
        let list = |word: &str, list: &[String]| format!("{word} {}", list.join(" or "));
        let blocks = |word: &str, list: &[Block]| {
            format!("{word} {}", list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        };
        let numbers = |word: &str, list: &[f64]| {
            format!("{word} {}", list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))
        };
        match self {
            Self::IpsEquals(wanted) => blocks("is exactly", wanted),
            Self::IpsInRange(wanted) => blocks("lies within", wanted),
            Self::IpsNotEquals(wanted) => blocks("is not exactly", wanted),
            Self::IsEmpty => "is empty".to_owned(),
            Self::IsFalse => "is false".to_owned(),
            Self::IsNotEmpty => "is not empty".to_owned(),
            Self::IsTrue => "is true".to_owned(),
            Self::NumEquals(wanted) => numbers("is", wanted),
            Self::NumNotEquals(wanted) => numbers("is not", wanted),
            Self::NumGreaterThan(limit) => format!("is greater than {limit}"),
            Self::NumGreaterThanEquals(limit) => format!("is at least {limit}"),
            Self::NumLessThan(limit) => format!("is less than {limit}"),
            Self::NumLessThanEquals(limit) => format!("is at most {limit}"),
            Self::StringContains(wanted) => list("contains", wanted),
            Self::StringEquals(wanted) => list("is", wanted),
            Self::StringMatch(wanted) => list("matches", wanted),
            Self::StringNotContains(wanted) => list("does not contain", wanted),
            Self::StringNotEquals(wanted) => list("is not", wanted),
            Self::StringNotMatch(wanted) => list("does not match", wanted),
            Self::StringsInList(wanted) => list("has nothing but", wanted),
            Self::StringsRequired(wanted) => list("has all of", wanted),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Empty => true,
        Value::List(list) => list.is_empty(),
        Value::Text(text) => text.is_empty(),
        Value::Flag(_) | Value::Number(_) => false,
    }
}

/// What a client wrote, short and harmless.
pub(super) fn shown(text: &str) -> String {
    crate::ids::Malformed::new(text, "").text
}

/// One or several, as a list.
fn several<'v>(name: &str, value: Option<&'v Json>) -> Result<Vec<&'v Json>, Mistake> {
    let list = match value {
        None | Some(Json::Null) => return Err(Mistake(format!("{name} needs a value"))),
        Some(Json::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    };
    match list.len() {
        0 => Err(Mistake(format!("{name} needs at least one value"))),
        many if many > VALUES_MAX => Err(Mistake(format!("{name} takes at most {VALUES_MAX} values"))),
        _ => Ok(list),
    }
}

fn texts(name: &str, value: Option<&Json>) -> Result<Vec<String>, Mistake> {
    let text = |one: &&Json| one.as_str().map(str::to_owned);
    let all: Option<Vec<String>> = several(name, value)?.iter().map(text).collect();
    all.ok_or_else(|| {
        Mistake(format!("{name} compares with texts: write \"value\": \"…\", or a list of them"))
    })
}

fn numbers(name: &str, value: Option<&Json>) -> Result<Vec<f64>, Mistake> {
    // IBM's documents write numbers as texts, too.
    let number =
        |one: &&Json| one.as_f64().or_else(|| one.as_str()?.parse().ok()).filter(|it: &f64| it.is_finite());
    let all: Option<Vec<f64>> = several(name, value)?.iter().map(number).collect();
    all.ok_or_else(|| Mistake(format!("{name} compares with numbers")))
}

fn only(name: &str, numbers: Vec<f64>) -> Result<f64, Mistake> {
    match numbers.as_slice() {
        [only] => Ok(*only),
        _ => Err(Mistake(format!("{name} compares with one number"))),
    }
}

fn blocks(name: &str, value: Option<&Json>) -> Result<Vec<Block>, Mistake> {
    let wrong = |error: crate::network::block::Wrong| Mistake(format!("{name}: {error}"));
    texts(name, value)?.iter().map(|text| text.parse().map_err(wrong)).collect()
}

/// `*` stands for any characters and `?` for one. Nothing is tried more than once for each `*`.
fn matches_wildcards(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from, mut star) = (0, 0, None);
    while let Some(letter) = text.get(from) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => {
                at += 1;
                from += 1;
            }
            Some(_) | None => match star {
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    (at, from) = (after + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}
