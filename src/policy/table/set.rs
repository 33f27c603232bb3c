//! Sets of actions of one table, as bits.

use super::ActionId;

/// How many actions a table can have.
pub const CAPACITY: usize = WORDS * 64;

const WORDS: usize = 8;

/// A set of actions. Sets of different tables have nothing to do with each other.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ActionSet([u64; WORDS]);

impl ActionSet {
    /// Whether the action is in the set.
    #[must_use]
    pub fn contains(&self, action: ActionId) -> bool {
        self.0.get(action.bit() / 64).is_some_and(|word| word >> (action.bit() % 64) & 1 == 1)
    }

    /// Adds an action.
    pub fn insert(&mut self, action: ActionId) {
        if let Some(word) = self.0.get_mut(action.bit() / 64) {
            *word |= 1 << (action.bit() % 64);
        }
    }

    /// Adds all actions of the other.
    pub fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }

    /// Those that the other lacks.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, less)| *word &= !less);
        self
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; WORDS]
    }

    /// Whether the other has all of its actions.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.without(other).is_empty()
    }

    /// The places of the actions, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        let words = self.0.into_iter().enumerate();
        words.flat_map(|(at, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        })
    }
}

impl FromIterator<ActionId> for ActionSet {
    fn from_iter<I: IntoIterator<Item = ActionId>>(actions: I) -> Self {
        let mut set = Self::default();
        actions.into_iter().for_each(|action| set.insert(action));
        set
    }
}
