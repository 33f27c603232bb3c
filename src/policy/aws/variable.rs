//! Text with wildcards and policy variables, taken apart when the document is read (aws.md 1.2 and 1.3).
//!
//! What a variable is replaced by is literal text, whatever characters it has: only the document's own `*` and `?` are
//! wildcards. Nothing here knows the values of a request.

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
        while let Some(letter) = rest.chars().next() {
            let special =
                |c: char| (c == '$' && syntax.variables) || (matches!(c, '*' | '?') && syntax.wildcards);
            let opened = rest.strip_prefix("${").filter(|_| syntax.variables);
            rest = if let Some(inside) = opened {
                let (part, after) = variable(inside)?;
                parts.push(part);
                after
            } else if special(letter) {
                parts.push(match letter {
                    '*' => Part::Any,
                    '?' => Part::One,
                    _ => Part::Literal("$".into()),
                });
                rest.strip_prefix(letter).unwrap_or_default()
            } else {
                let (plain, after) = rest.split_at(rest.find(special).unwrap_or(rest.len()));
                parts.literal(plain);
                after
            };
        }
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
pub(super) struct Parts {
    done: Vec<Part>,
    text: String,
}

impl Parts {
    pub(super) fn literal(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn push(&mut self, part: Part) {
        match part {
            Part::Literal(text) => self.literal(&text),
            Part::Any if self.text.is_empty() && self.done.last() == Some(&Part::Any) => {}
            Part::Any | Part::One | Part::Variable(_) => {
                self.close();
                self.done.push(part);
            }
        }
    }

    /// Ends a template and begins the next.
    pub(super) fn finish(&mut self) -> Template {
        self.close();
        Template { parts: std::mem::take(&mut self.done).into() }
    }

    fn close(&mut self) {
        if !self.text.is_empty() {
            self.done.push(Part::Literal(std::mem::take(&mut self.text).into()));
        }
    }
}

/// Reads what follows `${`, to behind the closing brace.
fn variable(inside: &str) -> Result<(Part, &str), MalformedVariable> {
    for sign in ["*", "?", "$"] {
        let after = inside.strip_prefix(sign).and_then(|rest| rest.strip_prefix('}'));
        if let Some(after) = after {
            return Ok((Part::Literal(sign.into()), after));
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
    Ok((Part::Variable(Variable { key: key.into(), default }), after))
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
