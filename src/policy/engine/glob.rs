//! Text with wildcards and variables, matched against a text of the request.
//!
//! Between two `*` stands a chunk of a fixed number of characters, so the first place where it fits is the best one and
//! nothing is ever tried again: each chunk takes one pass over the text ([`super::scan`]), and the next one begins where it
//! ended. `?` is one character. What a variable stands for is literal.

use super::context::{Context, Key, Value};
use super::scan;
use crate::policy::aws::variable::{Part, Template};

/// How a text fits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fit {
    No,
    /// A variable stands for nothing.
    Unresolved,
    Yes,
}

impl From<bool> for Fit {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// A pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Glob {
    pieces: Box<[Piece]>,
    dynamic: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    Any,
    Key { key: Key, default: Option<Box<str>> },
    One,
    Text(Box<str>),
}

impl Glob {
    pub(super) fn of(template: &Template) -> Self {
        let piece = |part: &Part| match part {
            Part::Any => Piece::Any,
            Part::Literal(text) => Piece::Text(text.clone()),
            Part::One => Piece::One,
            Part::Variable(variable) => {
                Piece::Key { key: Key::of(&variable.key), default: variable.default.clone() }
            }
        };
        Self { pieces: template.parts().iter().map(piece).collect(), dynamic: template.has_variables() }
    }

    /// IBM's `stringMatch`: `*` and `?` are wildcards, `{{*}}` and `{{?}}` the characters.
    pub(super) fn ibm(text: &str) -> Self {
        let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(first) = rest.chars().next() {
            let mark = match first {
                '*' => Some(Piece::Any),
                '?' => Some(Piece::One),
                _ => None,
            };
            let quoted = ["*", "?"].iter().find_map(|sign| {
                let after = rest.strip_prefix("{{")?.strip_prefix(sign)?.strip_prefix("}}")?;
                Some((*sign, after))
            });
            if let Some((sign, after)) = quoted {
                literal.push_str(sign);
                rest = after;
                continue;
            }
            match mark {
                Some(mark) => {
                    pieces.extend((!literal.is_empty()).then(|| Piece::Text(literal.as_str().into())));
                    literal.clear();
                    pieces.push(mark);
                }
                None => literal.push(first),
            }
            rest = rest.strip_prefix(first).unwrap_or_default();
        }
        pieces.extend((!literal.is_empty()).then(|| Piece::Text(literal.into())));
        Self { pieces: pieces.into(), dynamic: false }
    }

    /// Whether all of `text` fits.
    pub(super) fn fit(&self, text: &str, context: &Context<'_>) -> Fit {
        match &*self.pieces {
            [Piece::Any] => Fit::Yes,
            [Piece::Text(wanted)] => Fit::from(**wanted == *text),
            _ if self.is_unresolved(context) => Fit::Unresolved,
            pieces => Fit::from(fits(pieces, text, context)),
        }
    }

    /// As `fit`, in any case; for patterns without wildcards.
    pub(super) fn fit_in_any_case(&self, text: &str, context: &Context<'_>) -> Fit {
        if self.is_unresolved(context) {
            return Fit::Unresolved;
        }
        let wanted = self.pieces.iter().flat_map(|piece| spelt(piece, context).unwrap_or_default().chars());
        let folded = wanted.flat_map(char::to_lowercase);
        Fit::from(folded.eq(text.chars().flat_map(char::to_lowercase)))
    }

    /// Whether a variable of it stands for nothing.
    pub(super) fn is_unresolved(&self, context: &Context<'_>) -> bool {
        self.dynamic
            && self.pieces.iter().any(|piece| match piece {
                Piece::Key { .. } => spelt(piece, context).is_none(),
                Piece::Any | Piece::One | Piece::Text(_) => false,
            })
    }

    /// How many colons the pattern itself has.
    pub(super) fn colons(&self) -> usize {
        let of = |piece: &Piece| match piece {
            Piece::Text(text) => text.matches(':').count(),
            Piece::Any | Piece::Key { .. } | Piece::One => 0,
        };
        self.pieces.iter().map(of).sum()
    }

    /// The keys that its variables name.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Key { key, .. } => Some(key),
            Piece::Any | Piece::One | Piece::Text(_) => None,
        })
    }

    /// The text that everything that fits begins with, and whether that is all of it.
    pub(super) fn literal_prefix(&self) -> (&str, bool) {
        match &*self.pieces {
            [] => ("", true),
            [Piece::Text(text)] => (text, true),
            [Piece::Text(text), ..] => (text, false),
            [..] => ("", false),
        }
    }
}

/// What a text or variable spells; nothing for wildcards and for variables that stand for nothing.
fn spelt<'a>(piece: &'a Piece, context: &'a Context<'_>) -> Option<&'a str> {
    match piece {
        Piece::Any | Piece::One => None,
        Piece::Key { key, default } => match context.value(key) {
            None => default.as_deref(),
            Some(Value::Many(_)) => None,
            Some(Value::One(text)) => Some(text),
        },
        Piece::Text(text) => Some(text),
    }
}

fn fits(pieces: &[Piece], text: &str, context: &Context<'_>) -> bool {
    let mut chunks = pieces.split(|piece| *piece == Piece::Any);
    let head = chunks.next().unwrap_or_default();
    let Some(mut rest) = after_head(head, text, context) else { return false };
    let Some(mut chunk) = chunks.next() else { return rest.is_empty() };
    for next in chunks {
        let Some(after) = after_first(chunk, rest, context) else { return false };
        (rest, chunk) = (after, next);
    }
    ends_in(chunk, rest, context)
}

/// What follows the chunk, if the text begins with it.
fn after_head<'t>(chunk: &[Piece], text: &'t str, context: &Context<'_>) -> Option<&'t str> {
    let mut rest = text;
    for piece in chunk {
        rest = match piece {
            Piece::One => {
                let mut characters = rest.chars();
                characters.next()?;
                characters.as_str()
            }
            Piece::Any | Piece::Key { .. } | Piece::Text(_) => rest.strip_prefix(spelt(piece, context)?)?,
        };
    }
    Some(rest)
}

/// What follows the first place where the chunk fits.
fn after_first<'t>(chunk: &[Piece], text: &'t str, context: &Context<'_>) -> Option<&'t str> {
    if let [Piece::Text(wanted)] = chunk {
        return text.split_once(&**wanted).map(|(_, after)| after);
    }
    let after = |at: usize| after_head(chunk, text.get(at..)?, context);
    scan::first(|| characters(chunk, context), text, after)
}

/// The characters that a chunk spells; `None` for one that may be any.
fn characters<'a>(chunk: &'a [Piece], context: &'a Context<'_>) -> impl Iterator<Item = Option<char>> {
    chunk.iter().flat_map(move |piece| {
        let any = (*piece == Piece::One).then_some(None);
        any.into_iter().chain(spelt(piece, context).unwrap_or_default().chars().map(Some))
    })
}

fn ends_in(chunk: &[Piece], text: &str, context: &Context<'_>) -> bool {
    if let [Piece::Text(wanted)] = chunk {
        return text.ends_with(&**wanted);
    }
    // One more than the text can have is already too many.
    let most = text.len() + 1;
    let tail = match characters(chunk, context).take(most).count() {
        0 => return true,
        length => text.char_indices().nth_back(length - 1),
    };
    tail.and_then(|(at, _)| text.get(at..)).is_some_and(|tail| after_head(chunk, tail, context) == Some(""))
}

#[cfg(test)]
mod tests {
    use super::{Fit, Glob};
    use crate::policy::aws::variable::{Syntax, Template};
    use crate::policy::engine::context::{Context, Value};

    fn glob(pattern: &str) -> Glob {
        Glob::of(&Template::parse(pattern, Syntax { variables: true, wildcards: true }).unwrap())
    }

    fn context() -> Context<'static> {
        let mut context = Context::default();
        context.one("aws:username", "a*").unwrap();
        context.one("empty", "").unwrap();
        context.set("aws:TagKeys", Value::Many(vec!["k".into()])).unwrap();
        context
    }

    #[test]
    fn texts_fit_as_documented() {
        let cases = [
            ("", "", true),
            ("", "x", false),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*a*b", "xaxxb", true),
            ("*ab?*?c", "xxab1-2c", true),
            ("*ab?*?c", "xxab1c", false),
            ("?", "\u{e9}", true),
            ("*?\u{e9}", "\u{e9}\u{e9}", true),
            ("*?\u{e9}", "\u{e9}", false),
            ("*?b*", "\u{e9}b", true),
            ("*?\u{142}*", "B\u{c2}\u{142}", true),
            ("*a?\u{c2}*", "a-\u{142}", false),
            ("*a?\u{c2}*", "a-\u{142}a-\u{c2}", true),
            ("a??", "ab", false),
            ("x/${aws:UserName}/*", "x/a*/y", true),
            ("x/${aws:UserName}/*", "x/ab/y", false),
            ("*${aws:username}", "xa*", true),
            ("*${aws:username}?*", "xa*", false),
            ("*${empty}", "x", true),
            ("*${empty}*x", "x", true),
            ("${none, 'd*'}", "d*", true),
            ("${none, 'd*'}", "dd", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob(pattern).fit(text, &context()), Fit::from(expected), "{pattern} {text}");
        }
    }

    #[test]
    fn a_variable_that_stands_for_nothing_is_told_apart() {
        for pattern in ["${none}", "x${none}", "${aws:TagKeys, 'd'}", "*${none}"] {
            assert_eq!(glob(pattern).fit("y", &context()), Fit::Unresolved, "{pattern}");
        }
    }

    #[test]
    fn ibm_patterns_fit_as_documented() {
        let none = Context::default();
        let cases = [
            ("team-*", "team-a", true),
            ("{{*}}", "*", true),
            ("{{*}}", "x", false),
            ("a{{?}}*", "a?b", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Glob::ibm(pattern).fit(text, &none), Fit::from(expected), "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_is_answered_soon() {
        let text = "a".repeat(2_000);
        assert_eq!(glob(&"*a".repeat(2_001)).fit(&text, &context()), Fit::No);
        assert_eq!(glob(&"*a?".repeat(1_000)).fit(&text, &context()), Fit::Yes);
        assert_eq!(glob(&format!("*{}b", "a?".repeat(500))).fit(&text, &context()), Fit::No);
        assert_eq!(glob(&format!("*{}b*", "a?".repeat(500))).fit(&text, &context()), Fit::No);
        assert_eq!(glob(&format!("*{}*", "a?".repeat(1_000))).fit(&text, &context()), Fit::Yes);
        assert_eq!(glob(&format!("*{}*", "a?".repeat(1_001))).fit(&text, &context()), Fit::No);
    }
}
