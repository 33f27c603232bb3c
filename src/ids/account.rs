//! The account that owns every row: 12 digits, as in an ARN.

use super::{Malformed, text_type};

/// An account id: exactly 12 ASCII digits.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AccountId(Box<str>);

impl AccountId {
    /// Parses 12 digits.
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::new(text, "an account id of 12 digits"))
        }
    }

    /// The 12 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(AccountId);

#[cfg(test)]
mod tests {
    use super::AccountId;

    #[test]
    fn only_twelve_ascii_digits_are_an_account() {
        assert!(AccountId::parse("123456789012").is_ok());
        for wrong in ["", "12345678901", "1234567890123", "12345678901a", "١٢٣٤٥٦٧٨٩٠١٢"] {
            assert!(AccountId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
