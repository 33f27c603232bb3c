//! Query parameters: decoded once, and each at most once unless it is a list.

use percent_encoding::percent_decode_str;

use crate::control::problem::Problem;

/// The parameters of a query.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Parses `a=b&c=d`; a plus sign is a space.
    ///
    /// # Errors
    /// [`Problem::Invalid`] for text that is not UTF-8.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?))
        });
        decoded.collect::<Result<_, _>>().map(Self)
    }

    /// The value of `name`; an empty one counts as none.
    ///
    /// # Errors
    /// [`Problem::Invalid`] if it is given twice.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut given = self.all(name);
        match (given.next(), given.next()) {
            (_, Some(_)) => Err(Problem::Invalid(format!("`{name}` is given twice: give it once"))),
            (only, None) => Ok(only.filter(|value| !value.is_empty())),
        }
    }

    /// Every value of `name`.
    pub fn all<'q, 'n>(&'q self, name: &'n str) -> impl Iterator<Item = &'q str> + use<'q, 'n> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether `name` is `true`.
    ///
    /// # Errors
    /// [`Problem::Invalid`] for anything but `true` and `false`.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.one(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::Invalid(format!("`{name}` is neither `true` nor `false`"))),
        }
    }

    /// A whole number within `range`, or `default`.
    ///
    /// # Errors
    /// [`Problem::Invalid`] for anything else.
    pub fn number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u32>,
        default: u32,
    ) -> Result<u32, Problem> {
        let Some(text) = self.one(name)? else { return Ok(default) };
        let plain = text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|number| plain && range.contains(number));
        let wrong = || {
            let (from, to) = (range.start(), range.end());
            Problem::Invalid(format!("`{name}` is not a number from {from} to {to}"))
        };
        number.ok_or_else(wrong)
    }
}

/// Decodes percent-encoding, once.
///
/// # Errors
/// [`Problem::Invalid`] for what is not UTF-8 or holds control characters.
pub fn decode(text: &str) -> Result<String, Problem> {
    let decoded =
        percent_decode_str(text).decode_utf8().ok().filter(|text| !text.chars().any(char::is_control));
    let wrong = || Problem::Invalid("the URL is not percent-encoded UTF-8 text".to_owned());
    decoded.map(std::borrow::Cow::into_owned).ok_or_else(wrong)
}
