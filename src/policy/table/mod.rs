//! The action table: every action that a policy can name, as a value that compilers and deciders are given.
//!
//! Names are found in any case. Patterns are resolved here, once, when a document is compiled; an action that the table
//! lacks matches nothing.

mod action;
mod product;
mod set;

pub use action::{Action, EcrAction, IamAction};
pub use product::product;
pub use set::{ActionSet, CAPACITY};

use std::ops::Range;

/// The one action that everyone may who signs.
const EVERYONES: &str = "sts:GetCallerIdentity";

/// The one action of STS on a resource that makes no session of a role, and so has no trust policy to ask.
const FOR_ONESELF: &str = "sts:GetFederationToken";

/// What must be known of an action to put it into a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// `ecr:PutImage`, or `container-registry.image.pull`.
    pub name: &'a str,
    /// Whether it acts on resources of a type. One that does not is always asked on `*`.
    pub typed: bool,
}

/// An action of a table, with what deciding must know of it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ActionId {
    bit: u16,
    typed: bool,
    assuming: bool,
    everyones: bool,
}

impl ActionId {
    /// In no table and no set: nothing allows it.
    pub const NONE: Self = Self { bit: u16::MAX, typed: true, assuming: false, everyones: false };

    /// Whether it acts on resources of a type.
    #[must_use]
    pub const fn is_typed(self) -> bool {
        self.typed
    }

    /// Whether it is about a role's sessions, so that the policy of its resource is a role's trust policy.
    #[must_use]
    pub const fn is_assuming(self) -> bool {
        self.assuming
    }

    /// Whether everyone may who signs, whatever is denied.
    #[must_use]
    pub const fn is_everyones(self) -> bool {
        self.everyones
    }

    /// Its place in the table, and in sets.
    #[must_use]
    pub const fn bit(self) -> usize {
        self.bit as usize
    }
}

/// A name as it is compared and as it is shown.
#[derive(Clone, Debug)]
struct Entry {
    folded: Box<str>,
    name: Box<str>,
    id: ActionId,
}

/// Actions, ordered by their names in lower case.
#[derive(Clone, Debug, Default)]
pub struct ActionTable(Vec<Entry>);

/// More actions than a set has bits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a table has {CAPACITY} actions at most")]
pub struct TableFull;

impl ActionTable {
    /// A table of these rows; of two with the same name the first counts.
    ///
    /// # Errors
    /// [`TableFull`] for more than [`CAPACITY`] names.
    pub fn new<'a>(rows: impl IntoIterator<Item = Row<'a>>) -> Result<Self, TableFull> {
        let mut rows: Vec<(Box<str>, Row<'a>)> =
            rows.into_iter().map(|row| (row.name.to_ascii_lowercase().into(), row)).collect();
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        rows.dedup_by(|later, earlier| later.0 == earlier.0);
        if rows.len() > CAPACITY {
            return Err(TableFull);
        }
        let entry = |(bit, (folded, row)): (u16, (Box<str>, Row<'a>))| {
            let id = ActionId {
                bit,
                typed: row.typed,
                assuming: row.typed && folded.starts_with("sts:") && row.name != FOR_ONESELF,
                everyones: row.name == EVERYONES,
            };
            Entry { folded, name: row.name.into(), id }
        };
        Ok(Self((0_u16..).zip(rows).map(entry).collect()))
    }

    /// How many actions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The action of that name, in any case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ActionId> {
        let folded = name.to_ascii_lowercase();
        let at = self.0.binary_search_by(|entry| (*entry.folded).cmp(&*folded)).ok()?;
        self.0.get(at).map(|entry| entry.id)
    }

    /// The name of an action of this table.
    #[must_use]
    pub fn name(&self, action: ActionId) -> &str {
        self.0.get(action.bit()).map_or("", |entry| &entry.name)
    }

    /// Every action, in the table's order.
    pub fn actions(&self) -> impl Iterator<Item = ActionId> {
        self.0.iter().map(|entry| entry.id)
    }

    /// Every action, as a set.
    #[must_use]
    pub fn all(&self) -> ActionSet {
        self.actions().collect()
    }

    /// The actions of a service whose name fits the pattern, in any case.
    #[must_use]
    pub fn matching(&self, service: &str, pattern: &str) -> ActionSet {
        let whole = format!("{service}:{pattern}").to_ascii_lowercase();
        let Some(wild) = whole.find(['*', '?']) else { return self.find(&whole).into_iter().collect() };
        let (prefix, wildcards) = whole.split_at(wild);
        let fits = |entry: &&Entry| {
            entry.folded.strip_prefix(prefix).is_some_and(|rest| fits(wildcards.as_bytes(), rest.as_bytes()))
        };
        let near = self.0.get(self.beginning_with(prefix)).unwrap_or_default();
        if wildcards == "*" {
            return near.iter().map(|entry| entry.id).collect();
        }
        near.iter().filter(fits).map(|entry| entry.id).collect()
    }

    fn beginning_with(&self, prefix: &str) -> Range<usize> {
        let start = self.0.partition_point(|entry| *entry.folded < *prefix);
        let rest = self.0.get(start..).unwrap_or_default();
        start..start + rest.partition_point(|entry| entry.folded.starts_with(prefix))
    }
}

/// Whether all of `text` fits the wildcards; never worse than the product of the lengths.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut mark) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(at) {
        match pattern.get(mark) {
            Some(b'*') if mark + 1 == pattern.len() => return true,
            Some(b'*') => {
                retry = Some((mark + 1, at));
                mark += 1;
            }
            Some(b'?') => (at, mark) = (at + 1, mark + 1),
            Some(wanted) if wanted == byte => (at, mark) = (at + 1, mark + 1),
            _ => {
                let Some((after, taken)) = retry else { return false };
                // The next place where what follows the `*` can begin.
                let begins = |byte: &u8| {
                    pattern.get(after).is_none_or(|wanted| wanted == byte || b"*?".contains(wanted))
                };
                let further = text.get(taken + 1..).and_then(|rest| rest.iter().position(begins));
                let Some(further) = further else { return false };
                let next = taken + 1 + further;
                (retry, at, mark) = (Some((after, next)), next, after);
            }
        }
    }
    pattern.get(mark..).is_some_and(|rest| rest.iter().all(|mark| *mark == b'*'))
}

#[cfg(test)]
mod tests {
    use super::{ActionTable, CAPACITY, Row, TableFull, product};

    fn names(service: &str, pattern: &str) -> Vec<String> {
        let (table, found) = (product(), product().matching(service, pattern));
        let has = table.actions().filter(|action| found.contains(*action));
        has.map(|action| table.name(action).to_owned()).collect()
    }

    #[test]
    fn patterns_find_their_actions_in_any_case_and_in_their_service_only() {
        assert_eq!(names("ECR", "putIMAGE"), ["ecr:PutImage"]);
        assert_eq!(names("ecr", "*Layer*").len(), 5);
        assert_eq!(names("ecr", "PutImage?"), Vec::<String>::new());
        assert_eq!(names("ecr", "Put?mage"), ["ecr:PutImage"]);
        assert_eq!(names("ec", "r:PutImage"), Vec::<String>::new());
        assert_eq!(names("sts", "AssumeRole").len(), 1);
        assert!(names("iam", "*").iter().all(|name| name.starts_with("iam:")));
        assert!(names("iam", "*AccessKey*").contains(&"iam:CreateAccessKey".to_owned()));
        assert_eq!(names("ecr", "NoSuchAction"), Vec::<String>::new());
    }

    #[test]
    fn every_action_is_found_by_its_name_and_once() {
        let table = product();
        for action in table.actions() {
            assert_eq!(table.find(&table.name(action).to_uppercase()), Some(action));
        }
        assert_eq!(table.all().iter().count(), table.len());
        assert!(table.len() > 200 && !table.is_empty(), "{}", table.len());
        assert!(!table.find("ecr:GetAuthorizationToken").unwrap().is_typed());
        assert!(table.find("ecr:PutImage").unwrap().is_typed());
        assert!(table.find("sts:AssumeRole").unwrap().is_assuming());
        for own in ["sts:GetSessionToken", "sts:GetFederationToken", "sts:DecodeAuthorizationMessage"] {
            assert!(!table.find(own).unwrap().is_assuming(), "{own}: no role's trust policy is asked");
        }
        assert!(table.find("sts:GetCallerIdentity").unwrap().is_everyones());
    }

    #[test]
    fn a_table_that_is_too_large_is_refused() {
        let names: Vec<String> = (0..=CAPACITY).map(|n| format!("s3:A{n}")).collect();
        let rows = names.iter().map(|name| Row { name, typed: true });
        assert_eq!(ActionTable::new(rows.clone()).err(), Some(TableFull));
        assert_eq!(ActionTable::new(rows.take(CAPACITY)).unwrap().len(), CAPACITY);
    }
}
