//! Ids of resource groups: 32 hexadecimal digits, as IBM Cloud writes them.

use super::account::AccountId;
use super::{Malformed, text_type};
use crate::clock::Entropy;

/// Names a resource group.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ResourceGroupId(Box<str>);

impl ResourceGroupId {
    /// Makes a fresh id.
    #[must_use]
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        Self(entropy.uuid().simple().to_string().into())
    }

    /// The group of what was put into no other: the same for ever, and none that [`ResourceGroupId::fresh`] makes, since a
    /// random UUID says its version in a digit that is zero here.
    #[must_use]
    pub fn default_of(account: &AccountId) -> Self {
        Self(format!("{:0>32}", account.as_str()).into())
    }

    /// Parses 32 digits.
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text.len() == 32 && text.bytes().all(digit) {
            true => Ok(Self(text.into())),
            false => Err(Malformed::new(text, "the id of a resource group, of 32 hexadecimal digits")),
        }
    }

    /// The 32 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(ResourceGroupId);

#[cfg(test)]
mod tests {
    use super::ResourceGroupId;
    use crate::clock::{Entropy, SystemEntropy};
    use crate::ids::account::AccountId;

    #[test]
    fn no_fresh_id_is_the_default_one() {
        let default = ResourceGroupId::default_of(&AccountId::parse("123456789012").unwrap());
        assert_eq!(default.as_str(), "00000000000000000000123456789012");
        assert_eq!(ResourceGroupId::parse(default.as_str()).unwrap(), default);
        let version = |id: &str| id.as_bytes()[12];
        assert_eq!(version(default.as_str()), b'0');
        let entropy: &dyn Entropy = &SystemEntropy;
        assert_eq!(version(ResourceGroupId::fresh(entropy).as_str()), b'4');
        for wrong in ["", "beaks", "0000000000000000000012345678901G", "000000000000000000001234567890123"] {
            assert!(ResourceGroupId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
