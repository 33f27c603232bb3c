//! Environment variables laid over the file: `PORTCULLIS__SECTION__KEY`, with a number for the place in a list.

use super::mistake::{Notes, Origin, Place};
use super::raw::{Entry, Node, Value, read_inline};

/// What every variable that sets a key begins with.
const PREFIX: &str = "PORTCULLIS__";

/// Sets in `table` what the variables say. A value that begins with `[` or `{` is read as in the file; any other is text.
pub(super) fn overlay(
    table: &mut Vec<Entry>,
    environment: impl IntoIterator<Item = (String, String)>,
    notes: &Notes,
) {
    let mut variables: Vec<Variable> =
        environment.into_iter().filter_map(|(name, text)| Variable::new(name, text)).collect();
    variables.sort_by(|a, b| a.path.cmp(&b.path));
    for variable in variables {
        let place = Place { key: String::new(), origin: Origin::Environment(variable.name.clone()) };
        if let Err(message) = variable.set_in(table) {
            notes.mistake(&place, message);
        }
    }
}

struct Variable {
    name: String,
    text: String,
    path: Vec<Step>,
}

/// One step down the tree. Numbers sort as numbers, so that a list is filled from its beginning.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Step {
    Index(usize),
    Key(String),
}

impl Variable {
    /// Recognises a variable by its prefix.
    fn new(name: String, text: String) -> Option<Self> {
        let step = |step: &str| match step.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key(step.to_ascii_lowercase()),
        };
        let path = name.strip_prefix(PREFIX)?.split("__").map(step).collect();
        Some(Self { name, text, path })
    }

    fn set_in(self, table: &mut Vec<Entry>) -> Result<(), String> {
        let origin = Origin::Environment(self.name);
        let bracketed = self.text.trim_start().starts_with(['[', '{']);
        let leaf = if bracketed {
            read_inline(&self.text, &origin)?
        } else {
            Node { value: Value::Text(self.text), origin: origin.clone() }
        };
        match self.path.split_first() {
            Some((Step::Key(key), rest)) if !key.is_empty() => set_key(table, key, rest, leaf, &origin),
            _ => Err("names no key; write PORTCULLIS__SECTION__KEY".to_owned()),
        }
    }
}

fn set_key(
    table: &mut Vec<Entry>,
    key: &str,
    rest: &[Step],
    leaf: Node,
    origin: &Origin,
) -> Result<(), String> {
    if !table.iter().any(|entry| entry.key == key) {
        let node = empty(rest, origin);
        table.push(Entry { key: key.to_owned(), origin: origin.clone(), node });
    }
    let found = table.iter_mut().find(|entry| entry.key == key);
    found.map_or(Ok(()), |entry| {
        if rest.is_empty() {
            entry.origin = origin.clone();
        }
        set(&mut entry.node, rest, leaf, origin)
    })
}

fn set(node: &mut Node, rest: &[Step], leaf: Node, origin: &Origin) -> Result<(), String> {
    let Some((step, rest)) = rest.split_first() else {
        *node = leaf;
        return Ok(());
    };
    match (&mut node.value, step) {
        (Value::Table(table), Step::Key(key)) if !key.is_empty() => set_key(table, key, rest, leaf, origin),
        (Value::List(list), Step::Index(index)) => {
            if list.len() == *index {
                list.push(empty(rest, origin));
            }
            let count = list.len();
            match list.get_mut(*index) {
                Some(item) => set(item, rest, leaf, origin),
                None => {
                    Err(format!("sets item {index} of a list that has {count}; count from 0 without gaps"))
                }
            }
        }
        (Value::List(_), Step::Key(key)) => Err(format!("needs a number in place of `{key}`")),
        (value, Step::Index(_) | Step::Key(_)) => {
            Err(format!("goes into a key that is {}, not a section", value.kind()))
        }
    }
}

/// What stands at a place that the file does not have.
fn empty(rest: &[Step], origin: &Origin) -> Node {
    let value = match rest.first() {
        Some(Step::Index(_)) => Value::List(Vec::new()),
        Some(Step::Key(_)) | None => Value::Table(Vec::new()),
    };
    Node { value, origin: origin.clone() }
}
