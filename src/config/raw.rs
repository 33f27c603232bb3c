//! The file as a tree in which every value knows where it was written. It judges syntax only.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Notes, Origin, Place};

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The values of a configuration.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Boolean(bool),
    Integer(i64),
    List(Vec<Node>),
    /// A kind of value that no key has: its name.
    Strange(&'static str),
    Table(Vec<Entry>),
    Text(String),
}

/// One key of a table.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key stands.
    pub(super) origin: Origin,
    pub(super) node: Node,
}

impl Value {
    /// What a person calls this kind of value.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "true or false",
            Self::Integer(_) => "a number",
            Self::List(_) => "a list",
            Self::Strange(kind) => kind,
            Self::Table(_) => "a table",
            Self::Text(_) => "a text",
        }
    }
}

/// Reads a file, noting all mistakes of syntax.
pub(super) fn read(text: &str, notes: &Notes) -> Vec<Entry> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let origin = error.span().map_or(Origin::Whole, |span| position(text, span.start));
        notes.mistake(&Place { key: String::new(), origin }, error.message());
    }
    entries(table.into_inner(), &|at| position(text, at))
}

/// Reads a value that stands in an environment variable in the form of the file.
pub(super) fn read_inline(text: &str, origin: &Origin) -> Result<Node, String> {
    let value = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
    Ok(node(value, &|_| origin.clone()))
}

fn entries(table: DeTable<'_>, origin_of: &dyn Fn(usize) -> Origin) -> Vec<Entry> {
    let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
        let origin = origin_of(key.span().start);
        let mut node = node(value, origin_of);
        if matches!(node.value, Value::Table(_)) {
            // A table is where its name is, not where its first brace is.
            node.origin = origin.clone();
        }
        Entry { key: std::borrow::Cow::into_owned(key.into_inner()), origin, node }
    };
    table.into_iter().map(entry).collect()
}

fn node(spanned: Spanned<DeValue<'_>>, origin_of: &dyn Fn(usize) -> Origin) -> Node {
    let origin = origin_of(spanned.span().start);
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Strange("a number that is too large"), Value::Integer),
        DeValue::Float(_) => Value::Strange("a fraction"),
        DeValue::Boolean(boolean) => Value::Boolean(boolean),
        DeValue::Datetime(_) => Value::Strange("a date"),
        DeValue::Array(list) => Value::List(list.into_iter().map(|item| node(item, origin_of)).collect()),
        DeValue::Table(table) => Value::Table(entries(table, origin_of)),
    };
    Node { value, origin }
}

/// The line and the character in it, from 1, of a byte offset.
fn position(text: &str, at: usize) -> Origin {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Origin::File { line, column }
}
