//! A strict JSON reader that knows where everything stands.
//!
//! It refuses what two readers could understand differently: repeated keys, characters outside U+0009, U+000A, U+000D
//! and U+0020 to U+00FF, a byte order mark, comments, lone surrogates, anything after the value. Reading is linear and
//! its recursion bounded. It never interprets what it reads: numbers stay text.

mod cursor;

use std::borrow::Cow;

use cursor::Cursor;

/// How deep lists and objects may nest.
pub const DEPTH_MAX: usize = 32;

/// A place in the text, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

impl Position {
    /// Where a text begins.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'a> {
    /// Its first character.
    pub at: Position,
    /// What stands there.
    pub value: Value<'a>,
}

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// `[…]`
    List(Vec<Node<'a>>),
    /// `null`
    Null,
    /// A number, as written.
    Number(&'a str),
    /// `{…}`, in the order written, no key twice.
    Object(Vec<Member<'a>>),
    /// A string, its escapes resolved.
    Text(Cow<'a, str>),
}

/// One `"key": value` of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'a> {
    /// Where the key begins.
    pub at: Position,
    /// The key, its escapes resolved.
    pub key: Cow<'a, str>,
    /// What it stands for.
    pub value: Node<'a>,
}

/// Why a text is not the JSON that is wanted here, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind}")]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Where.
    pub at: Position,
}

/// What can be wrong with a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FaultKind {
    /// A character that no policy may contain.
    #[error("use only tab, line feed, carriage return and U+0020 to U+00FF; write others as \\u escapes")]
    Character,
    /// Too many levels.
    #[error("nest at most 32 levels of lists and objects")]
    Depth,
    /// A key that its object has already.
    #[error("name each key only once in an object")]
    Duplicate,
    /// The text stops inside a value.
    #[error("the text ends too early: close what is open")]
    End,
    /// A backslash with something unknown behind it, or half a surrogate pair.
    #[error("escape with one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX, surrogates in pairs")]
    Escape,
    /// Digits that are no JSON number.
    #[error("write numbers like 0, -1 or 2.5e3")]
    Number,
    /// More bytes than the caller wants to read.
    #[error("the text is too long")]
    Size,
    /// Something after the end of the value.
    #[error("remove what follows the value")]
    Trailing,
    /// Something that cannot stand here.
    #[error("this is not JSON here: look for a missing quote, comma, colon or bracket")]
    Unexpected,
}

/// Reads one JSON value from all of `text`, of at most `bytes_max` bytes.
///
/// # Errors
/// The first [`Fault`].
pub fn read(text: &str, bytes_max: usize) -> Result<Node<'_>, Fault> {
    let mut cursor = Cursor::new(text);
    if text.len() > bytes_max || u32::try_from(text.len()).is_err() {
        return Err(cursor.fault(FaultKind::Size));
    }
    let node = cursor.node(0)?;
    cursor.skip_blanks();
    match cursor.peek() {
        None => Ok(node),
        Some(_) => Err(cursor.fault(FaultKind::Trailing)),
    }
}

#[cfg(test)]
mod tests;
