//! Query strings and form bodies of token requests.

/// The fields of one request, in order.
#[derive(Debug, Default)]
pub struct Form(Vec<(String, String)>);

/// A request that cannot be read; the text is for the caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub &'static str);

impl Form {
    /// Parses `application/x-www-form-urlencoded` text strictly: no bad escapes, no invalid UTF-8, at most 256 fields.
    ///
    /// # Errors
    /// [`Unreadable`] otherwise.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut fields = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if fields.len() == FIELDS_MAX {
                return Err(Unreadable("too many fields"));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.push((decode(name)?, decode(value)?));
        }
        Ok(Self(fields))
    }

    /// The only value of `name`.
    ///
    /// # Errors
    /// [`Unreadable`] when it is given twice: the two ends of a connection would disagree on which one counts.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Unreadable> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(Unreadable("a field is given more than once")) } else { Ok(first) }
    }

    /// Every value of `name`.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_owned();
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Whether `name` is given at all.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

fn decode(text: &str) -> Result<String, Unreadable> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let (byte, after) = match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |b: u8| char::from(b).to_digit(16);
                let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(BAD_ESCAPE) };
                (u8::try_from(high * 16 + low).unwrap_or_default(), after)
            }
            (b'%', _) => return Err(BAD_ESCAPE),
            (b'+', after) => (b' ', after),
            (other, after) => (*other, after),
        };
        out.push(byte);
        rest = after;
    }
    String::from_utf8(out).map_err(|_| Unreadable("a field is not valid UTF-8"))
}

const BAD_ESCAPE: Unreadable = Unreadable("a field has a bad percent escape");

const FIELDS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn fields_are_decoded_once_and_strictly() {
        let form = Form::parse("a=1&scope=x%3Ay&scope=z+w&b=%2541").unwrap();
        assert_eq!(form.one("a").unwrap(), Some("1"));
        assert_eq!(form.all("scope").collect::<Vec<_>>(), ["x:y", "z w"]);
        assert_eq!(form.one("b").unwrap(), Some("%41"));
        assert!(form.one("scope").is_err() && form.one("missing").unwrap().is_none());
        for wrong in ["a=%zz", "a=%2", "a=%", "a=%ff"] {
            assert!(Form::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Form::parse(&"a=1&".repeat(300)).is_err());
    }
}
