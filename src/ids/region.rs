//! Where a registry stands: `us-south`, `eu-central-1`, `global`.

use super::{Malformed, text_type};

/// A region name: lower-case words and digits joined by single hyphens, at most 32 bytes.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Region(Box<str>);

impl Region {
    /// Parses a region name.
    ///
    /// # Errors
    /// [`Malformed`] for an empty, over-long or oddly spelt name.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if text.len() <= 32 && text.split('-').all(word) {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::new(text, "a region such as `us-south`"))
        }
    }

    /// The name as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(Region);
