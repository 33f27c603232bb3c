//! The names of things: account, region, registry host, principals and the ids of what the account owns.
//!
//! Every type here is made by parsing or from fresh entropy, never by casting, so a value that exists is well formed.
//! Nothing here decides anything, and nothing here is secret.

pub mod account;
pub mod aws;
pub mod cbr;
pub mod host;
pub mod issuer;
pub mod principal;
pub mod region;
pub mod resource_group;
pub mod tagged;
pub mod time;

/// A text that does not have the form its type requires.
///
/// The message names the type and what was expected; it never repeats more than the offending text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct Malformed {
    /// What was given, cut to a printable length.
    pub text: String,
    /// What would have been right, for example "an account id of 12 digits".
    pub expected: &'static str,
}

impl Malformed {
    /// Reports `text` as not being `expected`.
    #[must_use]
    pub fn new(text: &str, expected: &'static str) -> Self {
        let text = text.chars().filter(|c| !c.is_control()).take(80).collect();
        Self { text, expected }
    }
}

/// Implements `Display`, `FromStr`, `Serialize` and `Deserialize` for a newtype over `String` with a `parse` function.
macro_rules! text_type {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::ids::Malformed;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(input)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_type;
