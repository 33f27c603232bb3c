//! Text with wildcards and policy variables, taken apart when the document is read.
//!
//! What a variable is replaced by is literal text, whatever characters it has: only the document's own `*` and `?` are
//! wildcards. Nothing here knows the values of a request.

use std::borrow::Cow;

/// A text in parts. Literals are never empty and never adjoin; neither do two `*`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Template {
    parts: Box<[Part]>,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// `*`: any characters, or none.
    Any,
    /// These characters; `${*}`, `${?}` and `${$}` are among them.
    Literal(Box<str>),
    /// `?`: one character.
    One,
    /// The value of a context key.
    Variable(Variable),
}

/// `${key}` or `${key, 'default'}`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Variable {
    /// The context key as written; upper and lower case do not matter.
    pub key: Box<str>,
    /// What stands in when the key is missing. Without one, the whole text then matches nothing.
    pub default: Option<Box<str>>,
}

/// What is special in a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Syntax {
    /// Whether `${…}` is a variable; only in documents of version 2012-10-17.
    pub variables: bool,
    /// Whether `*` and `?` are wildcards.
    pub wildcards: bool,
}

/// A `${` that begins no variable.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("write variables as ${{key}} or ${{key, 'default'}}, and a dollar sign before a brace as ${{$}}")]
pub struct MalformedVariable;

impl Template {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// [`MalformedVariable`], if variables are special: an empty or odd name, a default without quotes, or no end.
    pub fn parse(text: &str, syntax: Syntax) -> Result<Self, MalformedVariable> {
        let mut parts = Parts::default();
        let mut rest = text;
        let special = |c: char| match c {
            '$' => syntax.variables,
            '*' | '?' => syntax.wildcards,
            _ => false,
        };
        while let Some(at) = rest.find(special) {
            let (plain, from) = rest.split_at(at);
            parts.literal(plain);
            rest = if let Some(after) = from.strip_prefix('*') {
                parts.push(Part::Any);
                after
            } else if let Some(after) = from.strip_prefix('?') {
                parts.push(Part::One);
                after
            } else if let Some(inside) = from.strip_prefix("${") {
                variable(inside, &mut parts)?
            } else {
                parts.literal("$");
                from.strip_prefix('$').unwrap_or_default()
            };
        }
        parts.literal(rest);
        Ok(parts.finish())
    }

    /// The parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The text, if nothing in it is special.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match &*self.parts {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it has a variable.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Variable(_)))
    }

    /// Whether it matches every text.
    #[must_use]
    pub fn is_any(&self) -> bool {
        matches!(&*self.parts, [Part::Any])
    }
}

/// Collects parts, joining what adjoins.
#[derive(Default)]
pub(super) struct Parts<'a> {
    done: Vec<Part>,
    text: Cow<'a, str>,
}

impl<'a> Parts<'a> {
    pub(super) fn literal(&mut self, text: &'a str) {
        // Most literals come in one piece, and are then copied only once.
        if self.text.is_empty() {
            self.text = Cow::Borrowed(text);
        } else if !text.is_empty() {
            self.text.to_mut().push_str(text);
        }
    }

    pub(super) fn push(&mut self, part: Part) {
        if part == Part::Any && self.text.is_empty() && self.done.last() == Some(&Part::Any) {
            return;
        }
        self.close();
        self.done.push(part);
    }

    /// Ends a template and begins the next.
    pub(super) fn finish(&mut self) -> Template {
        self.close();
        Template { parts: self.done.drain(..).collect() }
    }

    fn close(&mut self) {
        if !self.text.is_empty() {
            self.done.push(Part::Literal(std::mem::take(&mut self.text).into()));
        }
    }
}

/// Reads what follows `${`; returns what is behind the closing brace.
fn variable<'a>(inside: &'a str, parts: &mut Parts<'a>) -> Result<&'a str, MalformedVariable> {
    for sign in ["*", "?", "$"] {
        if let Some(after) = inside.strip_prefix(sign).and_then(|rest| rest.strip_prefix('}')) {
            parts.literal(sign);
            return Ok(after);
        }
    }
    let (key, rest) = inside.split_at(inside.find([',', '}']).ok_or(MalformedVariable)?);
    if key.is_empty() || key.trim() != key || key.contains(['{', '$', '*', '?', '\'']) {
        return Err(MalformedVariable);
    }
    let (default, rest) = match rest.strip_prefix(',') {
        None => (None, rest),
        Some(rest) => {
            let quoted = rest.trim_start().strip_prefix('\'').ok_or(MalformedVariable)?;
            let (default, rest) = quoted.split_once('\'').ok_or(MalformedVariable)?;
            (Some(default.into()), rest.trim_start())
        }
    };
    let after = rest.strip_prefix('}').ok_or(MalformedVariable)?;
    parts.push(Part::Variable(Variable { key: key.into(), default }));
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::{MalformedVariable, Part, Syntax, Template, Variable};

    const ALL: Syntax = Syntax { variables: true, wildcards: true };

    fn text(text: &str) -> Part {
        Part::Literal(text.into())
    }

    fn key(key: &str, default: Option<&str>) -> Part {
        Part::Variable(Variable { key: key.into(), default: default.map(Into::into) })
    }

    #[test]
    fn texts_come_apart() {
        let cases = [
            ("", vec![]),
            ("plain", vec![text("plain")]),
            ("a*b?", vec![text("a"), Part::Any, text("b"), Part::One]),
            ("***", vec![Part::Any]),
            ("*?*", vec![Part::Any, Part::One, Part::Any]),
            ("home/${aws:username}/*", vec![text("home/"), key("aws:username", None), text("/"), Part::Any]),
            ("${aws:PrincipalTag/a b, 'x, *}'}", vec![key("aws:PrincipalTag/a b", Some("x, *}"))]),
            ("${k,''}", vec![key("k", Some(""))]),
            ("a${*}${?}${$}b", vec![text("a*?$b")]),
            ("${*}*${*}", vec![text("*"), Part::Any, text("*")]),
            ("$x $ }{ é$", vec![text("$x $ }{ é$")]),
            ("${a}${b}", vec![key("a", None), key("b", None)]),
        ];
        for (input, expected) in cases {
            assert_eq!(Template::parse(input, ALL).unwrap().parts(), expected, "{input}");
        }
    }

    #[test]
    fn a_dollar_and_a_brace_that_begin_no_variable_are_refused() {
        for input in
            ["${", "x${}", "${a", "${a,b}", "${a, 'b}", "${a, 'b'", "${a 'b'}", "${ a}", "${a${b}}", "${**}"]
        {
            assert_eq!(Template::parse(input, ALL), Err(MalformedVariable), "{input}");
        }
    }

    #[test]
    fn what_is_not_special_is_text() {
        let parse = |variables, wildcards| {
            Template::parse("${a*}?${", Syntax { variables, wildcards }).map(|t| t.parts().to_vec())
        };
        assert_eq!(parse(false, false), Ok(vec![text("${a*}?${")]));
        assert_eq!(parse(false, true), Ok(vec![text("${a"), Part::Any, text("}"), Part::One, text("${")]));
        let equals = Template::parse("${*}*?${a}", Syntax { variables: true, wildcards: false }).unwrap();
        assert_eq!(equals.parts(), [text("**?"), key("a", None)]);
    }
}
