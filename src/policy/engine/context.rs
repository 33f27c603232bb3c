//! What is known of a request: condition keys and their values.
//!
//! Keys are compared in any case; they are folded once, when they are put in. Values are text, whatever they are of.

use std::borrow::Cow;

/// The longest value of a key, in bytes. What may be longer (a header) is cut by who fills the context; a decision must
/// not take time that the asker chooses.
pub const VALUE_MAX: usize = 2_048;

/// A key in the form in which keys are compared.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    hash: u64,
    folded: Box<str>,
}

impl Key {
    /// The key of that name, in any case.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let folded = fold(Cow::Borrowed(name));
        Self { hash: hash(&folded), folded: folded.into() }
    }

    /// The name, folded.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.folded
    }
}

/// The value of a key.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Value<'a> {
    /// Of a key that is a list.
    Many(Vec<Cow<'a, str>>),
    /// Of a key that has one value.
    One(Cow<'a, str>),
}

/// A value longer than [`VALUE_MAX`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a condition key's value has at most {VALUE_MAX} bytes")]
pub struct TooLong;

/// The condition keys of one request.
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    hashes: Vec<u64>,
    entries: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Context<'a> {
    /// Sets a key; what it was before is forgotten. An empty list is no key at all.
    ///
    /// # Errors
    /// [`TooLong`]
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) -> Result<(), TooLong> {
        let longest = match &value {
            Value::Many(list) => list.iter().map(|one| one.len()).max(),
            Value::One(one) => Some(one.len()),
        };
        if longest.is_some_and(|longest| longest > VALUE_MAX) {
            return Err(TooLong);
        }
        let name = fold(name.into());
        let hash = hash(&name);
        let same = |(at, (known, _)): (usize, &(Cow<'a, str>, Value<'a>))| (*known == name).then_some(at);
        if let Some(at) = self.entries.iter().enumerate().find_map(same) {
            self.entries.swap_remove(at);
            self.hashes.swap_remove(at);
        }
        if longest.is_some() {
            self.hashes.push(hash);
            self.entries.push((name, value));
        }
        Ok(())
    }

    /// Sets a key that has one value.
    ///
    /// # Errors
    /// [`TooLong`]
    pub fn one(
        &mut self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, str>>,
    ) -> Result<(), TooLong> {
        self.set(name, Value::One(value.into()))
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: &Key) -> Option<&Value<'a>> {
        let mut near = self.hashes.iter().zip(&self.entries).filter(|(hash, _)| **hash == key.hash);
        near.find_map(|(_, (name, value))| (*name == *key.folded).then_some(value))
    }
}

fn fold(name: Cow<'_, str>) -> Cow<'_, str> {
    let folded = name.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
    if folded { name } else { Cow::Owned(name.to_lowercase()) }
}

/// FNV-1a. Names that collide are compared as text.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}

/// One byte more.
pub(super) fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
}

#[cfg(test)]
mod tests {
    use super::{Context, Key, TooLong, VALUE_MAX, Value};

    #[test]
    fn keys_are_found_in_any_case_and_empty_lists_are_absent() {
        let mut context = Context::default();
        context.one("aws:PrincipalTag/\u{c9}", "x").unwrap();
        context.set("aws:TagKeys", Value::Many(vec!["a".into()])).unwrap();
        assert_eq!(context.value(&Key::of("AWS:principaltag/\u{e9}")), Some(&Value::One("x".into())));
        assert!(context.value(&Key::of("aws:tagkeys")).is_some());
        context.set("aws:tagKeys", Value::Many(Vec::new())).unwrap();
        assert!(context.value(&Key::of("aws:TagKeys")).is_none());
    }

    #[test]
    fn values_are_bounded() {
        let mut context = Context::default();
        assert_eq!(context.one("k", "x".repeat(VALUE_MAX)), Ok(()));
        assert_eq!(context.one("k", "x".repeat(VALUE_MAX + 1)), Err(TooLong));
    }
}
