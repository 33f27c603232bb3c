//! The reader's hand: it steps through the text, and never looks back. Lists and objects are its only recursion.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{DEPTH_MAX, Fault, FaultKind, Member, Node, Position, Value};

/// Up to this many keys are compared one by one.
const FEW_KEYS: usize = 8;

pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    place: Position,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, place: Position::START }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn fault(&self, kind: FaultKind) -> Fault {
        Fault { kind, at: self.place }
    }

    /// The fault of standing before something that cannot be here.
    fn misplaced(&self) -> Fault {
        self.fault(match self.peek() {
            None => FaultKind::End,
            Some(0xC4..) => FaultKind::Character,
            Some(_) => FaultKind::Unexpected,
        })
    }

    /// Steps over one ASCII character that is no line feed.
    fn step(&mut self) {
        self.at += 1;
        self.place.column += 1;
    }

    pub(super) fn skip_blanks(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.peek() {
            self.step();
            if byte == b'\n' {
                self.place = Position { line: self.place.line + 1, column: 1 };
            }
        }
    }

    /// Steps over `sign` if it comes next, after blanks.
    fn eat(&mut self, sign: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(sign);
        if found {
            self.step();
        }
        found
    }

    fn demand(&mut self, sign: u8) -> Result<(), Fault> {
        if self.eat(sign) { Ok(()) } else { Err(self.misplaced()) }
    }

    pub(super) fn node(&mut self, depth: usize) -> Result<Node<'a>, Fault> {
        self.skip_blanks();
        let at = self.place;
        let value = match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH_MAX => return Err(self.fault(FaultKind::Depth)),
            Some(b'{') => Value::Object(self.object(depth + 1)?),
            Some(b'[') => Value::List(self.list(depth + 1)?),
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return Err(self.misplaced()),
        };
        Ok(Node { at, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node<'a>>, Fault> {
        self.step();
        let mut nodes = Vec::new();
        if self.eat(b']') {
            return Ok(nodes);
        }
        loop {
            nodes.push(self.node(depth)?);
            if !self.eat(b',') {
                self.demand(b']')?;
                return Ok(nodes);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member<'a>>, Fault> {
        self.step();
        let mut members = Vec::new();
        if self.eat(b'}') {
            return Ok(members);
        }
        loop {
            members.push(self.member(depth)?);
            if !self.eat(b',') {
                self.demand(b'}')?;
                return match repeated(&members) {
                    Some(at) => Err(Fault { kind: FaultKind::Duplicate, at }),
                    None => Ok(members),
                };
            }
        }
    }

    fn member(&mut self, depth: usize) -> Result<Member<'a>, Fault> {
        self.skip_blanks();
        let at = self.place;
        if self.peek() != Some(b'"') {
            return Err(self.misplaced());
        }
        let key = self.string()?;
        self.demand(b':')?;
        Ok(Member { at, key, value: self.node(depth)? })
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Fault> {
        for wanted in word.bytes() {
            if self.peek() != Some(wanted) {
                return Err(self.misplaced());
            }
            self.step();
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<&'a str, Fault> {
        let (from, at) = (self.at, self.place);
        while let Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') = self.peek() {
            self.step();
        }
        let number = self.text.get(from..self.at).filter(|text| is_number(text));
        number.ok_or(Fault { kind: FaultKind::Number, at })
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.step();
        let plain = self.run()?;
        if self.peek() == Some(b'"') {
            self.step();
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        while self.peek() != Some(b'"') {
            text.push(self.escape()?);
            text.push_str(self.run()?);
        }
        self.step();
        Ok(Cow::Owned(text))
    }

    /// Steps over plain characters to the next quote or backslash.
    fn run(&mut self) -> Result<&'a str, Fault> {
        let from = self.at;
        loop {
            self.step_over_plain();
            match self.peek() {
                Some(b'"' | b'\\') => return Ok(self.text.get(from..self.at).unwrap_or_default()),
                Some(0x20..0x80) => self.step(),
                // A character up to U+00FF has two bytes, and the first of them counts.
                Some(0xC2 | 0xC3) => self.step(),
                Some(0x80..0xC0) => self.at += 1,
                Some(0..0x20) => return Err(self.fault(FaultKind::Unexpected)),
                Some(0xC0..) => return Err(self.fault(FaultKind::Character)),
                None => return Err(self.fault(FaultKind::End)),
            }
        }
    }

    /// Steps over ASCII that means itself: nearly all of a policy.
    fn step_over_plain(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20 | 0x80..);
        let length = rest.iter().position(special).unwrap_or(rest.len());
        self.at += length;
        // Texts are shorter than `u32::MAX`.
        self.place.column += u32::try_from(length).unwrap_or(u32::MAX);
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let wrong = self.fault(FaultKind::Escape);
        self.step();
        let letter = self.peek().ok_or(self.fault(FaultKind::End))?;
        let plain = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point().ok_or(wrong),
            _ => return Err(wrong),
        };
        self.step();
        Ok(plain)
    }

    /// Reads `uXXXX`, or `uXXXX\uXXXX` for a surrogate pair.
    fn code_point(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first);
        }
        if self.peek() != Some(b'\\') {
            return None;
        }
        self.step();
        let second = self.unit().filter(|unit| (0xDC00..0xE000).contains(unit))?;
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    }

    fn unit(&mut self) -> Option<u32> {
        if self.peek() != Some(b'u') {
            return None;
        }
        self.step();
        let digits = self.text.get(self.at..self.at + 4)?;
        let unit = digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(digits)?;
        (0..4).for_each(|_| self.step());
        u32::from_str_radix(unit, 16).ok()
    }
}

/// Where a key stands that an earlier member has too.
fn repeated(members: &[Member<'_>]) -> Option<Position> {
    if members.len() <= FEW_KEYS {
        let mut later = members.iter().enumerate();
        return later
            .find(|(n, member)| members.iter().take(*n).any(|earlier| earlier.key == member.key))
            .map(|(_, member)| member.at);
    }
    let mut seen = HashSet::with_capacity(members.len());
    members.iter().find(|member| !seen.insert(&*member.key)).map(|member| member.at)
}

/// Whether `text` is `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}
