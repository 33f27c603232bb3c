//! The form of a `Forwarded` line: elements between commas, pairs between semicolons, values that may be quoted.

use super::Garbled;

/// The value of `for` in each element of a line; `None` for an element without one.
pub(super) fn read(line: &str) -> Result<Vec<Option<String>>, Garbled> {
    let mut cursor = Cursor(line.trim_matches([' ', '\t']));
    let mut elements = Vec::new();
    loop {
        let mut client = None;
        loop {
            let (name, value) = cursor.pair()?;
            if name.eq_ignore_ascii_case("for") && client.replace(value).is_some() {
                return Err(Garbled);
            }
            if !cursor.take(';') {
                break;
            }
        }
        elements.push(client);
        cursor.skip_spaces();
        match (cursor.0.is_empty(), cursor.take(',')) {
            (true, _) => return Ok(elements),
            (false, true) => cursor.skip_spaces(),
            (false, false) => return Err(Garbled),
        }
    }
}

/// What is left of a line.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn take(&mut self, expected: char) -> bool {
        self.0.strip_prefix(expected).is_some_and(|rest| {
            self.0 = rest;
            true
        })
    }

    fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    /// `name=value` (RFC 7239 section 4): no spaces around the sign.
    fn pair(&mut self) -> Result<(&'a str, String), Garbled> {
        let name = self.token()?;
        if !self.take('=') {
            return Err(Garbled);
        }
        let value = if self.take('"') { self.quoted()? } else { self.token()?.to_owned() };
        Ok((name, value))
    }

    fn token(&mut self) -> Result<&'a str, Garbled> {
        let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let end = self.0.find(|c| !legal(c)).unwrap_or(self.0.len());
        let (token, rest) =
            self.0.split_at_checked(end).filter(|(token, _)| !token.is_empty()).ok_or(Garbled)?;
        self.0 = rest;
        Ok(token)
    }

    /// The rest of a quoted string, its first quote taken (RFC 9110 section 5.6.4).
    fn quoted(&mut self) -> Result<String, Garbled> {
        let mut value = String::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next().ok_or(Garbled)? {
                '"' => break,
                '\\' => value.push(chars.next().ok_or(Garbled)?),
                other => value.push(other),
            }
        }
        self.0 = chars.as_str();
        Ok(value)
    }
}
