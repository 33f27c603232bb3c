//! Ids of network zones and of context-based restrictions: 32 hexadecimal digits, as IBM Cloud writes them.

use super::{Malformed, text_type};
use crate::clock::Entropy;

/// Defines an id of 32 lower-case hexadecimal digits.
macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Box<str>);

        impl $name {
            /// Makes a fresh, unguessable id.
            #[must_use]
            pub fn fresh(entropy: &dyn Entropy) -> Self {
                Self(entropy.uuid().simple().to_string().into())
            }

            /// Parses 32 digits.
            ///
            /// # Errors
            /// [`Malformed`] for anything else.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                if text.len() == 32 && text.bytes().all(digit) {
                    Ok(Self(text.into()))
                } else {
                    Err(Malformed::new(text, $expected))
                }
            }

            /// The 32 digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        text_type!($name);
    };
}

hex_id!(
    /// Names a network zone.
    ZoneId,
    "a zone id of 32 hexadecimal digits"
);
hex_id!(
    /// Names a context-based restriction.
    RuleId,
    "a rule id of 32 hexadecimal digits"
);

#[cfg(test)]
mod tests {
    use super::ZoneId;
    use crate::clock::SequenceEntropy;

    #[test]
    fn an_id_is_32_lower_case_digits() {
        let fresh = ZoneId::fresh(&SequenceEntropy::seeded(1));
        assert_eq!(ZoneId::parse(fresh.as_str()), Ok(fresh));
        for wrong in [
            "",
            "65810ac762004f22ac19f8f8edf70a3",
            "65810AC762004f22ac19f8f8edf70a34",
            "65810ac7-2004f22ac19f8f8edf70a34",
        ] {
            assert!(ZoneId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
