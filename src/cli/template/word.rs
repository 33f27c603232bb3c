//! The words of a template: text outside of `{{…}}`, and what stands inside. It knows no grammar.

use super::Fault;

/// A word, and where it begins, in characters from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Word {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// `}}`
    Close,
    /// `.Name`, several joined by dots, or `.` alone.
    Field(Vec<String>),
    /// `if`, `eq` and the like.
    Name(String),
    Number(i64),
    /// `{{`
    Open,
    /// `(`, `)` or `|`.
    Sign(char),
    /// Between quotes, or outside of the braces.
    Text(String),
}

/// Takes a template apart.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Fault> {
    let mut reader = Reader { rest: text, at: 1 };
    let mut words: Vec<Word> = Vec::new();
    loop {
        let at = reader.at;
        let Some((plain, _)) = reader.rest.split_once("{{") else {
            words.push(Word { at, kind: Kind::Text(reader.rest.to_owned()) });
            return Ok(words);
        };
        reader.skip(plain);
        let open = reader.at;
        reader.skip("{{");
        let mut plain = plain;
        if let Some(rest) = trims(reader.rest) {
            reader.to(rest);
            plain = plain.trim_end();
        }
        words.push(Word { at, kind: Kind::Text(plain.to_owned()) });
        words.push(Word { at: open, kind: Kind::Open });
        if reader.rest.starts_with("/*") {
            words.pop();
            reader.comment(open)?;
            continue;
        }
        while let Some(word) = reader.word(open)? {
            words.push(word);
        }
        words.push(Word { at: reader.at, kind: Kind::Close });
    }
}

/// What follows `{{` if a dash and a blank say that the text before it loses its blanks.
fn trims(rest: &str) -> Option<&str> {
    rest.strip_prefix('-').filter(|rest| rest.starts_with(char::is_whitespace)).map(str::trim_start)
}

struct Reader<'a> {
    rest: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Goes on to `rest`, an end of what is left.
    fn to(&mut self, rest: &'a str) {
        let read = self.rest.len().saturating_sub(rest.len());
        self.at += self.rest.get(..read).map_or(0, |read| read.chars().count());
        self.rest = rest;
    }

    fn skip(&mut self, prefix: &str) {
        self.to(self.rest.strip_prefix(prefix).unwrap_or(self.rest));
    }

    fn comment(&mut self, open: usize) -> Result<(), Fault> {
        let ends = self.rest.split_once("*/").map(|(_, rest)| rest);
        let Some(rest) = ends else { return Err(Fault::new(open, "the comment has no `*/`")) };
        self.to(rest);
        if self.closes() { Ok(()) } else { Err(Fault::new(open, "close the comment with `*/}}`")) }
    }

    /// Goes past `}}`, if it is next; a dash before it takes the blanks that follow.
    fn closes(&mut self) -> bool {
        if let Some(rest) = self.rest.strip_prefix("}}") {
            self.to(rest);
            return true;
        }
        let dashed = self.rest.trim_start();
        let blank = dashed.len() < self.rest.len();
        match dashed.strip_prefix("-}}").filter(|_| blank) {
            Some(rest) => {
                self.to(rest.trim_start());
                true
            }
            None => false,
        }
    }

    /// The next word inside the braces; `None` at their end.
    fn word(&mut self, open: usize) -> Result<Option<Word>, Fault> {
        if self.closes() {
            return Ok(None);
        }
        self.to(self.rest.trim_start());
        if self.closes() {
            return Ok(None);
        }
        let at = self.at;
        let Some(first) = self.rest.chars().next() else {
            return Err(Fault::new(open, "`{{` without `}}`"));
        };
        let kind = match first {
            '(' | ')' | '|' => {
                self.skip(&first.to_string());
                Kind::Sign(first)
            }
            '"' | '`' => Kind::Text(self.quoted(first)?),
            '.' => Kind::Field(self.field()),
            '-' | '0'..='9' => {
                let text = self.while_is(|letter| letter == '-' || letter.is_ascii_alphanumeric());
                let number = text.parse();
                Kind::Number(number.map_err(|_| Fault::new(at, format!("`{text}` is no whole number")))?)
            }
            _ if first.is_alphabetic() || first == '_' => {
                Kind::Name(self.while_is(|letter| letter.is_alphanumeric() || letter == '_').to_owned())
            }
            _ => return Err(Fault::new(at, format!("`{first}` is not understood here"))),
        };
        Ok(Some(Word { at, kind }))
    }

    fn while_is(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest.trim_start_matches(is);
        let taken = self.rest.strip_suffix(rest).unwrap_or_default();
        self.to(rest);
        taken
    }

    fn field(&mut self) -> Vec<String> {
        let path = self.while_is(|letter| letter == '.' || letter == '_' || letter.is_alphanumeric());
        let names = path.strip_prefix('.').unwrap_or(path);
        if names.is_empty() { Vec::new() } else { names.split('.').map(str::to_owned).collect() }
    }

    fn quoted(&mut self, quote: char) -> Result<String, Fault> {
        let at = self.at;
        let mut text = String::new();
        let mut letters = self.rest.chars();
        letters.next();
        while let Some(letter) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.to(letters.as_str());
                    return Ok(text);
                }
                '\\' if quote == '"' => text.push(match letters.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some(plain @ ('"' | '\\')) => plain,
                    _ => return Err(Fault::new(at, r#"the escapes are \n \t \r \" \\"#)),
                }),
                _ => text.push(letter),
            }
        }
        Err(Fault::new(at, "the closing quote is missing"))
    }
}
